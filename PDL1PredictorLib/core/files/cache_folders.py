"""Where this package keeps what it made for itself, and whether another user could have put something there."""

import atexit
import os
import shutil
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path


def user_cache() -> Path:
    """The folder of this package in the user's cache folder; it need not be there yet."""
    return _caches() / "pdl1predictor"


def keep_fonts_here() -> None:
    """Let matplotlib keep its list of fonts among our caches, unless the user says where.

    It reads this when it is imported; left to itself it makes folders of its own in the home.
    """
    os.environ.setdefault("MPLCONFIGDIR", str(user_cache() / "matplotlib"))


def _caches() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return _home() / "Library" / "Caches"
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return given if given.is_absolute() else _home() / ".cache"  # a relative one does not count, says its standard


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # an account without a home
        return Path(tempfile.gettempdir())


def make_private(folder: Path) -> bool:
    """Make a folder for this user alone, unless it is there; whether it can be trusted and written to.

    What is read back from it runs as code: nobody else may be able to put a file there, now or when it was made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return is_private(folder) and is_writable(folder)
    except OSError:
        return False


def is_private(folder: Path) -> bool:
    """Whether a folder and all in it are the user's own, and nobody else can write there or exchange the folder.

    A link does not count as a folder. The folders above must be the user's or the system's, and of those to which
    others may write only such as the temporary folder, where nobody can move what belongs to another (sticky).
    On Windows the folders of a user are closed to others by the system; there nothing is asked.
    """
    if not hasattr(os, "getuid"):
        return folder.is_dir()
    try:
        state = folder.lstat()
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or _open_to_others(state):
            return False
        above = [parent.stat() for parent in folder.resolve().parents]
        inside = [path.lstat() for path in folder.rglob("*")]
    except OSError:
        return False
    if any(parent.st_uid not in (0, os.getuid()) for parent in above):
        return False
    if any(_open_to_others(parent) and not parent.st_mode & stat.S_ISVTX for parent in above):
        return False
    return all(entry.st_uid == os.getuid() and not stat.S_ISLNK(entry.st_mode) for entry in inside)


def _open_to_others(state: os.stat_result) -> bool:
    """Whether others may write there: all, or a group with other members than the user."""
    if state.st_mode & stat.S_IWOTH:
        return True
    return bool(state.st_mode & stat.S_IWGRP) and not _is_own_group(state.st_gid)


@cache
def _is_own_group(number: int) -> bool:
    """Whether a group is the one that many systems make for each user, or the system's own."""
    import grp
    import pwd

    if number == 0:
        return True
    try:
        group, user = grp.getgrgid(number), pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


def is_writable(folder: Path) -> bool:
    """Whether a file can be made there; asking the permissions is not enough (read-only mounts, Windows)."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@cache
def temporary_folder(name: str) -> Path:
    """A folder for this user alone in the temporary folder: the same for every process of the user where that is safe.

    Where another user was there first, a fresh one, which goes at the end of the process.

    Args:
        name: What it holds.
    """
    number = os.getuid() if hasattr(os, "getuid") else 0
    usual = Path(tempfile.gettempdir()) / f"pdl1predictor-{name}-{number}"
    if make_private(usual) and not usual.lstat().st_mode & 0o077:
        return usual
    fresh = Path(tempfile.mkdtemp(prefix=f"pdl1predictor-{name}-"))
    atexit.register(shutil.rmtree, fresh, ignore_errors=True)
    return fresh
