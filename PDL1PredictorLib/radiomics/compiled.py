"""The one doorway to numba: kernels are plain functions, compiled when first asked for and kept on disk."""

import importlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, cast

from PDL1PredictorLib.core.errors import MissingPackageError
from PDL1PredictorLib.core.files.cache_folders import is_private, is_writable, temporary_folder, user_cache

_COMPILED: dict[Callable[..., Any], Callable[..., Any]] = {}
_ONE_AT_A_TIME = threading.RLock()  # the folder of the cache is a setting of the whole process while numba reads it


def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The machine code of a kernel; it holds no interpreter lock while it runs.

    The code of each kernel is kept in a folder (see `cache_folder`), so that a machine compiles it once.

    Args:
        kernel: A function of this package in the part of Python that numba knows; others that it calls are named by
            `calls`.

    Raises:
        MissingPackageError: numba is not installed.
    """
    with _ONE_AT_A_TIME:
        if kernel not in _COMPILED:
            numba = require_numba()
            with _cache_in(numba, cache_folder()):
                _COMPILED[kernel] = _njit(numba, _with_compiled(kernel))
        return _COMPILED[kernel]


def calls(*others: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say which other functions a kernel calls, so that they are compiled with it; without numba nothing changes."""

    def mark(kernel: Callable[..., Any]) -> Callable[..., Any]:
        kernel.__dict__["calls"] = others
        return kernel

    return mark


def _with_compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which finds the machine code of those that it calls under their names."""
    others = {other.__name__: compiled(other) for other in kernel.__dict__.get("calls", ())}
    if not others:
        return kernel
    plain = cast(FunctionType, kernel)
    found = FunctionType(plain.__code__, {**plain.__globals__, **others}, plain.__name__, plain.__defaults__)
    found.__qualname__ = plain.__qualname__
    return found


def cache_folder() -> Path | None:
    """Where compiled kernels are kept: None for the place that numba chooses, beside this file.

    numba's own choice stands where the user set NUMBA_CACHE_DIR, or where the package's folder can be written to by
    this user alone. Else it is the user's cache folder, and where that cannot be written to or trusted either, a
    temporary folder: the code in it runs, so nobody else may be able to put any there.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return None
    here = Path(__file__).parent
    if all(
        _is_writable(beside) and is_private(beside) for beside in (here / "__pycache__", here / "features/__pycache__")
    ):
        return None
    folder = _user_cache() / "pdl1predictor" / "numba"
    if _is_writable(folder) and is_private(folder):
        return folder
    return temporary_folder("numba")


def _user_cache() -> Path:
    return user_cache().parent


def _is_writable(folder: Path) -> bool:
    """Whether a file can be made in a folder, which is made for this user alone unless it is there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return is_writable(folder)


def _njit(numba: ModuleType, kernel: Callable[..., Any]) -> Callable[..., Any]:
    try:
        dispatcher: Any = numba.njit(nogil=True, cache=True)(kernel)
    except (RuntimeError, OSError):  # no folder can be written to, as with a NUMBA_CACHE_DIR that is a file
        return cast(Callable[..., Any], numba.njit(nogil=True)(kernel))
    dispatcher._cache = _CarefulCache(dispatcher._cache)
    return cast(Callable[..., Any], dispatcher)


class _CarefulCache:
    """numba's cache of one kernel, without its errors: what is damaged is thrown away and compiled again.

    Args:
        inner: numba's.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kept code for these types, None where there is none that can be used."""
        try:
            return self._inner.load_overload(sig, target_context)
        except Exception:  # cut short, empty, from another machine: unpickling raises nearly anything
            self._forget()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep code; a full disk or a folder that was closed meanwhile only costs the next process some seconds."""
        try:
            self._inner.save_overload(sig, data)
        except Exception:
            self._forget()

    def _forget(self) -> None:
        """Remove the index of this kernel; without it no code file is looked at."""
        with suppress(Exception):
            Path(self._inner._cache_file._index_path).unlink()


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
