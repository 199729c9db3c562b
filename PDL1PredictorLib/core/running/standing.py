"""What stood at a target when the work for it began, and whether it is still what stands there."""

import os
import stat
from contextlib import suppress
from pathlib import Path


class Standing:
    """A file or folder, known again by its identity and, of a folder, by what lies right in it.

    Where the system allows it, it is held open meanwhile, or a new file could get the number of a deleted one.

    Args:
        path: What stands there now; not a link.

    Raises:
        OSError: It cannot be looked at.
    """

    def __init__(self, path: Path) -> None:
        self._held: int | None = None
        if hasattr(os, "O_PATH"):
            with suppress(OSError):
                self._held = os.open(path, os.O_PATH | os.O_NOFOLLOW)
        self._stat = path.lstat()
        self._names = self._listed(path)

    def __del__(self) -> None:
        if self._held is not None:
            with suppress(OSError):
                os.close(self._held)

    @property
    def is_file(self) -> bool:
        """Whether it is an ordinary file."""
        return stat.S_ISREG(self._stat.st_mode)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self._stat.st_mode)

    @property
    def is_empty_folder(self) -> bool:
        """Whether nothing can be lost by replacing it."""
        return self.is_folder and not self._names

    def is_still(self, path: Path) -> bool:
        """Whether `path` is what was looked at, and no name has come to it since."""
        try:
            return os.path.samestat(self._stat, path.lstat()) and self._listed(path) <= self._names
        except OSError:
            return False

    def _listed(self, path: Path) -> frozenset[str]:
        return frozenset(inside.name for inside in path.iterdir()) if self.is_folder else frozenset()


def look(path: Path) -> Standing | None:
    """What stands at a path, None where nothing does.

    Raises:
        OSError: It cannot be looked at.
    """
    try:
        return Standing(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
