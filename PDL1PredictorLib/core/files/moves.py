"""Moving a finished file or folder to its name, in such a way that nothing that stands there can be replaced."""

import contextlib
import errno
import os
from pathlib import Path

_IN_THE_WAY = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR)
MOST_NAMES = 1000


def move_new(source: Path, target: Path) -> None:
    """Move to a name that is free; both lie on one file system.

    Args:
        source: File or folder.
        target: Free, or an empty folder where `source` is a folder.

    Raises:
        FileExistsError: Something stands there; it is untouched.
        OSError: It cannot be moved.
    """
    if source.is_dir() and not source.is_symlink():
        _move_folder(source, target)
    else:
        _move_file(source, target)


def move_beside(source: Path, target: Path) -> Path:
    """Move to a free name beside a target that is not free: NAME-2, NAME-3 and so on.

    Raises:
        OSError: There is no such name, or it cannot be moved.
    """
    for number in range(2, MOST_NAMES):
        other = target.with_name(f"{target.stem}-{number}{target.suffix}")
        with contextlib.suppress(FileExistsError):
            if not os.path.lexists(other):
                move_new(source, other)
                return other
    raise FileExistsError(errno.EEXIST, "No name is free beside it", str(target))


def _move_folder(source: Path, target: Path) -> None:
    """A system's rename puts a folder in the place of nothing but an empty folder, and on Windows of nothing at all."""
    try:
        if os.name == "nt" and target.is_dir():
            target.rmdir()  # which fails unless it is empty
        source.rename(target)
    except OSError as error:
        if error.errno in _IN_THE_WAY and os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        raise


def _move_file(source: Path, target: Path) -> None:
    """A second name for the file, which no system gives over an existing one; then the first name goes."""
    if os.name == "nt":
        source.rename(target)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # the file system knows no second names: keep the place, then fill it
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        source.replace(target)
    else:
        source.unlink()
