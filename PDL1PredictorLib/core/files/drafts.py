"""The hidden folder beside a target in which it is made, who owns it, and what becomes of it when its owner is killed.

.NAME.xxxxxxxx.part/mark    whose it is; locked as long as the owner lives
                   /new/    what is being made, under the target's name
                   /old/    what stood at the target, between the two moves that replace it
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PDL1PredictorLib.core.files.moves import move_beside, move_new
from PDL1PredictorLib.core.running import ending

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SUFFIX, MARK, NEW, OLD = ".part", "mark", "new", "old"
PROGRAM = "pdl1predictor draft 1"
FOREIGN_S = 7 * 24 * 3600  # how long a draft of another computer on a shared disk is left alone
LOCK_AT = 2**20  # beyond the text, which Windows would hide otherwise
_live: dict[Path, int] = {}


@dataclass(frozen=True)
class Draft:
    """What is being made for a target.

    Attributes:
        folder: The hidden folder.
        content: Where to make it: under the target's name.
        old: Where what it replaces stands meanwhile, under the same name.
    """

    folder: Path
    content: Path
    old: Path


@contextlib.contextmanager
def draft_beside(target: Path) -> Iterator[Draft]:
    """A draft beside `target`, gone afterwards, and with it the parents made for it unless they hold something.

    Raises:
        OSError: It cannot be made.
    """
    draft = _begin(target)
    try:
        yield draft
    finally:
        with ending.held():
            _discard(draft.folder)


def _begin(target: Path) -> Draft:
    made = [str(parent) for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    ending.note("folder", target.parent)
    try:
        with ending.held():
            name = target.name[:40]  # the suffixes must fit too
            folder = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=SUFFIX, dir=target.parent))
            _live[folder] = _mark(folder, made)
        (folder / NEW).mkdir()
        (folder / OLD).mkdir()
    except OSError:
        _remove_empty(made)
        raise
    return Draft(folder, folder / NEW / target.name, folder / OLD / target.name)


def _discard(folder: Path) -> None:
    """Remove a draft of this process."""
    made = _facts(folder).get("made", [])
    if sys.platform == "win32":  # an open file cannot be removed there
        _close(folder)
    shutil.rmtree(folder, ignore_errors=True)
    _close(folder)
    _remove_empty(made)


def discard_all() -> None:
    """Remove every draft of this process, which is about to end."""
    for folder in list(_live):
        _put_back(folder)
        _discard(folder)


def sweep(folder: Path) -> None:
    """Put right what killed runs left in a folder: theirs alone.

    A draft goes; an earlier result that was just being replaced takes its name again. What belongs to a run that
    lives, to another user, or, for a week, to another computer is not touched.

    Args:
        folder: To look into; not below.
    """
    folder = Path(os.path.realpath(folder))
    with contextlib.suppress(OSError):
        names = [entry.name for entry in os.scandir(folder) if entry.name[0] == "." and entry.name.endswith(SUFFIX)]
        for name in names:
            with contextlib.suppress(OSError):
                _sweep_one(folder / name)


def sweep_kept(folders: list[str]) -> None:
    """Sweep folders that outlive a run, and what lies right in them: a process of a pool may have been killed there."""
    for kept in map(Path, folders):
        with contextlib.suppress(OSError):
            for folder in (kept, *(inside for inside in kept.iterdir() if inside.is_dir())):
                sweep(folder)


ending.at_leave(lambda: sweep_kept(ending.noted("kept")))
ending.at_leave(discard_all)


def _sweep_one(folder: Path) -> None:
    if folder in _live or folder.is_symlink() or not folder.is_dir():
        return
    facts = _facts(folder)
    if facts.get("program") != PROGRAM or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
        return
    file = os.open(folder / MARK, os.O_RDWR)
    try:
        if not _abandoned(file, facts):
            return
        _put_back(folder)
        if sys.platform != "win32":
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(file)
    shutil.rmtree(folder, ignore_errors=True)
    _remove_empty(facts.get("made", []))


def _abandoned(file: int, facts: dict[str, Any]) -> bool:
    try:
        _lock(file)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # this file system knows no locks
        locks = False
    else:
        locks = facts.get("locked") is True
    if facts.get("host") != _host():
        return time.time() - os.fstat(file).st_mtime > FOREIGN_S
    return locks or not _runs(facts.get("pid"))


def _put_back(folder: Path) -> None:
    """What stood at the target takes its name again, unless the new result has already taken it."""
    for old in (folder / OLD).glob("*"):
        target = folder.parent / old.name
        try:
            move_new(old, target)
        except FileExistsError:
            if os.path.lexists(folder / NEW / old.name):  # something else came between the two moves
                move_beside(old, target)


def _mark(folder: Path, made: list[str]) -> int:
    """Write whose draft it is and lock it.

    Returns:
        The open file, which holds the lock.
    """
    file = os.open(folder / MARK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _lock(file)
        locked = True
    except OSError:
        locked = False
    facts = {"program": PROGRAM, "host": _host(), "pid": os.getpid(), "locked": locked, "made": made}
    os.write(file, json.dumps(facts).encode())
    return file


def _facts(folder: Path) -> dict[str, Any]:
    """What a mark says; empty where there is none, or no whole one yet."""
    try:
        facts = json.loads((folder / MARK).read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _close(folder: Path) -> None:
    file = _live.pop(folder, None)
    if file is not None:
        with contextlib.suppress(OSError):
            os.close(file)


def _remove_empty(folders: list[str]) -> None:
    for parent in folders:  # the innermost first; one that holds something stays
        with contextlib.suppress(OSError):
            Path(parent).rmdir()


def _lock(file: int) -> None:
    if sys.platform == "win32":
        os.lseek(file, LOCK_AT, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(file, 0, os.SEEK_SET)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _host() -> str:
    import socket

    return socket.gethostname()


def _runs(pid: object) -> bool:
    """Whether a process of this number runs; asked only where the file system knows no locks."""
    if not isinstance(pid, int) or pid <= 0 or sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
