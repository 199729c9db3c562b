"""A pickle that leaves a mark where it is loaded, so that a test can prove that nothing loads it."""

import os
import pickle
from pathlib import Path


class Marked:
    """Runs a program when it is loaded: it writes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"echo loaded > '{self.marker}'",)


def marked_pickle(marker: Path, protocol: int = pickle.DEFAULT_PROTOCOL) -> bytes:
    """The bytes of one."""
    return pickle.dumps(Marked(marker), protocol)
