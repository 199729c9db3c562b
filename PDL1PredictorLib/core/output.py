"""Writing a folder or a file whole, or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    refuse_existing(target, overwrite)
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target} is a file; a folder is written. Choose another name.")
    with _draft_folder(target) as draft:
        yield draft
        _put_in_place(draft, target)


def refuse_existing(target: Path, overwrite: bool = False) -> None:
    """Ask before long work what `whole_folder` would only refuse after it.

    Raises:
        OutputError: The target exists and is not an empty folder, and must not be replaced.
    """
    if target.exists() and not overwrite and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(f"{target} exists already. Choose another folder, or allow it to be replaced (--overwrite).")


@contextmanager
def whole_file(target: Path, overwrite: bool = False) -> Iterator[Path]:
    """A temporary file beside `target` that takes its name when the block ends well, and vanishes when it does not.

    Raises:
        OutputError: The target exists, or cannot be written.
    """
    target = Path(target)
    if target.is_dir() or (target.exists() and not overwrite):
        raise OutputError(f"{target} exists already. Choose another name, or allow it to be replaced (--overwrite).")
    with _draft_folder(target) as draft:
        yield draft / target.name
        (draft / target.name).replace(target)


@contextmanager
def _draft_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target`.

    It and the parents made for it are gone afterwards unless something was kept.
    """
    made_parents = [parent for parent in target.parents if not parent.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{target} cannot be written: {reason}. Choose a folder you may write to.") from error
    try:
        yield draft
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{target} could not be written: {error.strerror or error}. Nothing was kept.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        for parent in made_parents:  # the innermost first; one that holds the result stays
            with suppress(OSError):
                parent.rmdir()


def _put_in_place(draft: Path, target: Path) -> None:
    draft.chmod(0o777 & ~_umask())  # mkdtemp makes it private; the result is an ordinary folder
    if not target.exists():
        draft.replace(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    target.replace(old / "old")
    try:
        draft.replace(target)
    except OSError:
        (old / "old").replace(target)  # the earlier result is not lost
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
