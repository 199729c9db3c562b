"""Writing a folder or a file whole, or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PDL1PredictorLib.core.errors import OutputError


@contextmanager
def whole_folder(target: Path, overwrite: bool = False) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its name when the block ends well, and vanishes when it does not.

    Args:
        target: The folder to make.
        overwrite: Replace an existing folder; only once the new one is complete.

    Raises:
        OutputError: The target exists and is not empty, or cannot be written.
    """
    target = Path(target)
    if target.exists() and not overwrite and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(f"{target} exists already. Choose another folder, or allow it to be replaced (--overwrite).")
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target} is a file; a folder is written. Choose another name.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written: {error.strerror or error}. Choose a folder you may write to."
        ) from error
    try:
        yield draft
        _put_in_place(draft, target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{target} could not be written: {error.strerror or error}. Nothing was kept.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _put_in_place(draft: Path, target: Path) -> None:
    os.chmod(draft, 0o777 & ~_umask())  # mkdtemp makes it private; the result is an ordinary folder
    if not target.exists():
        os.replace(draft, target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    os.replace(target, old / "old")
    try:
        os.replace(draft, target)
    except OSError:
        os.replace(old / "old", target)  # the earlier result is not lost
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
