"""The family of a background process: what it has started, and how all of it is ended.

PythonSlicer is a launcher that starts the real Python as its child; ending the launcher leaves the child running, with
nobody to tell it to stop. Qt 5 cannot give a process a group of its own before it runs, and psutil is not part of
Slicer, so the family is read from the system: /proc on Linux, `ps` on macOS. Windows ends a tree by itself (taskkill).
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

WINDOWS = sys.platform == "win32"
COMMAND_SECONDS = 10.0


class Member(NamedTuple):
    """One process; `born` tells it from a later one that got the same number."""

    pid: int
    born: str


def family(pid: int) -> list[Member]:
    """A process and all its descendants that run now, the oldest generation first; always empty on Windows."""
    running = _running()
    found = [pid] if pid > 0 and pid in running else []
    for member in found:  # grows while it is walked
        found += [child for child, (parent, _born) in running.items() if parent == member and child not in found]
    return [Member(member, running[member][1]) for member in found]


def alive(members: list[Member]) -> list[Member]:
    """Those of `members` that still run."""
    running = _running() if members else {}
    return [member for member in members if running.get(member.pid, (0, ""))[1] == member.born]


def runs(pid: int) -> bool:
    """Whether a process of that number runs now; True where that cannot be found out."""
    if WINDOWS:
        return _runs_on_windows(pid)
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's
        return True
    return True


def _runs_on_windows(pid: int) -> bool:
    """By its list of tasks: `os.kill` would end the process there."""
    command = ["tasklist", "/FI", f"PID eq {pid}", "/FO", "CSV", "/NH"]
    try:
        done = subprocess.run(  # noqa: S603 - a number is all that comes from outside
            command,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return True
    return done.returncode != 0 or f'"{pid}"'.encode() in done.stdout


def ask_to_end(pid: int) -> None:
    """Asks a process and its descendants to end; on Windows, where nobody can be asked, ends them.

    The launcher is left alone where it has children: it ends, with the right exit status, when its child does.
    """
    if WINDOWS:
        _taskkill(pid)
        return
    members = family(pid)
    _signal(members[1:] or members, signal.SIGTERM)


def end(pid: int, known: list[Member], seconds: float = 2.0) -> list[Member]:
    """Ends a process, its descendants, and `known` ones that lost their parent; returns what could not be ended.

    A `pid` of 0 stands for none.
    """
    if WINDOWS:
        if pid:
            _taskkill(pid)
        return []
    deadline = time.monotonic() + seconds
    while True:
        remaining = list(dict.fromkeys([*family(pid), *alive(known)]))
        if not remaining or time.monotonic() > deadline:
            return remaining
        _signal(remaining, signal.SIGKILL)
        time.sleep(0.01)


def _signal(members: list[Member], number: int) -> None:
    for member in members:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(member.pid, number)


def _taskkill(pid: int) -> None:
    with contextlib.suppress(OSError, subprocess.SubprocessError):  # it may have ended meanwhile
        subprocess.run(  # noqa: S603 - a number is all that comes from outside
            ["taskkill", "/T", "/F", "/PID", str(pid)],  # noqa: S607 - a command of the system
            capture_output=True,
            timeout=COMMAND_SECONDS,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )


def _running() -> dict[int, tuple[int, str]]:
    """Every process that runs: number to its parent's number and its time of birth; those already dead left out."""
    if WINDOWS:
        return {}
    return _from_proc(Path("/proc")) if Path("/proc/self/stat").exists() else _from_ps()


def _from_proc(folder: Path) -> dict[int, tuple[int, str]]:
    running = {}
    for entry in folder.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it ended while the folder was read
            continue
        fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
        if fields[0] not in "ZX":
            running[int(entry.name)] = (int(fields[1]), fields[19])
    return running


def _from_ps() -> dict[int, tuple[int, str]]:
    command = ["ps", "-A", "-o", "pid=,ppid=,stat=,lstart="]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return {}
    return parse_ps(done.stdout)


def parse_ps(text: str) -> dict[int, tuple[int, str]]:
    """What `ps -A -o pid=,ppid=,stat=,lstart=` says."""
    rows = [line.split(None, 3) for line in text.splitlines()]
    return {int(row[0]): (int(row[1]), row[3].strip()) for row in rows if len(row) == 4 and row[2][0] not in "ZX"}
