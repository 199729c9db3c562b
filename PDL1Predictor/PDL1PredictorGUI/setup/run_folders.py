"""The folders that runs work in, in Slicer's temporary folder: made, removed, and swept when an application left some.

A folder is named after the process of its application, `PDL1Predictor-PROCESS-...`: what a process that is gone has
left behind, perhaps because it was killed, is nobody's any more.
"""

import os
import re
import shutil
import stat
import tempfile
import time
from pathlib import Path

from PDL1PredictorGUI.setup import processes

PREFIX = "PDL1Predictor-"
OLD_SECONDS = 3600  # the process of a younger one may run in a container that shares the folder, not the numbers
TRIES, PAUSE_SECONDS = 6, 0.1  # a child that was just ended may hold its folder for a moment longer on Windows


def new_folder(parent: Path, purpose: str = "") -> Path:
    """Makes a folder that only this user can read; what dead applications left in the same place goes first.

    Args:
        parent: Where.
        purpose: One word for its name.

    Raises:
        OSError: It cannot be made.
    """
    sweep(parent)
    name = f"{PREFIX}{os.getpid()}-" + (f"{purpose}-" if purpose else "")
    return Path(tempfile.mkdtemp(prefix=name, dir=parent))


def remove_folder(folder: Path) -> bool:
    """Removes a folder with all that is in it, if need be after some tries; gives whether it is gone.

    What stays is swept by a later application.
    """
    for left in reversed(range(TRIES)):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return True
        if left:
            time.sleep(PAUSE_SECONDS)
    return False


def sweep(parent: Path) -> None:
    """Removes old folders of applications that run no more; other users' folders, and links, are not touched."""
    for folder in parent.glob(f"{PREFIX}*"):
        found = re.match(rf"{PREFIX}(\d+)-", folder.name)
        if found is not None and _is_old_and_mine(folder) and not processes.runs(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _is_old_and_mine(folder: Path) -> bool:
    try:
        state = folder.lstat()
    except OSError:  # another application sweeps too
        return False
    mine = not hasattr(os, "getuid") or state.st_uid == os.getuid()
    return mine and stat.S_ISDIR(state.st_mode) and time.time() - state.st_mtime > OLD_SECONDS
