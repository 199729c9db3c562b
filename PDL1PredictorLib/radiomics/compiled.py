"""The one doorway to numba: kernels are plain functions, compiled when first asked for and kept on disk."""

import importlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from PDL1PredictorLib.core.errors import MissingPackageError

_COMPILED: dict[Callable[..., Any], Callable[..., Any]] = {}
_ONE_AT_A_TIME = threading.RLock()  # the folder of the cache is a setting of the whole process while numba reads it


def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The machine code of a kernel; it holds no interpreter lock while it runs.

    The code of each kernel is kept in a folder (see `cache_folder`), so that a machine compiles it once.

    Args:
        kernel: A function of this package in the part of Python that numba knows; it calls no other kernel.

    Raises:
        MissingPackageError: numba is not installed.
    """
    with _ONE_AT_A_TIME:
        if kernel not in _COMPILED:
            numba = require_numba()
            with _cache_in(numba, cache_folder()):
                _COMPILED[kernel] = numba.njit(nogil=True, cache=True)(kernel)
        return _COMPILED[kernel]


def cache_folder() -> Path | None:
    """Where compiled kernels are kept: None for the place that numba chooses, beside this file.

    numba's own choice stands where the user set NUMBA_CACHE_DIR or the package's folder can be written to. Else it is
    the user's cache folder, and where that cannot be written to either, a temporary folder.
    """
    if os.environ.get("NUMBA_CACHE_DIR") or _is_writable(Path(__file__).parent / "__pycache__"):
        return None
    folder = _user_cache() / "pdl1predictor" / "numba"
    if _is_writable(folder):
        return folder
    return Path(tempfile.gettempdir()) / f"pdl1predictor-numba-{_user_id()}"


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _user_id() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _is_writable(folder: Path) -> bool:
    """Whether a file can be made there; asking the permissions is not enough (read-only mounts, Windows)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@contextmanager
def _cache_in(numba: ModuleType, folder: Path | None) -> Iterator[None]:
    """Numba fixes the folder when a function is handed to it; other users of numba keep theirs."""
    before = numba.config.CACHE_DIR
    if folder is not None:
        numba.config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


def require_numba() -> ModuleType:
    """numba, imported when first needed.

    Raises:
        MissingPackageError: It cannot be imported.
    """
    try:
        numba = importlib.import_module("numba")
    except ImportError as error:
        raise MissingPackageError(
            "The radiomics engine pdl1 needs numba, which cannot be imported. Install it with: pip install numba"
        ) from error
    return numba
