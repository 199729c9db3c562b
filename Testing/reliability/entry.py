"""A faulty input, what must become of it, and why."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from campaign import Job

ACCEPTED, REPAIRED, REFUSED = "accepted", "repaired", "refused"


@dataclass(frozen=True)
class Entry:
    """One input of the catalogue.

    Attributes:
        kind: Format, for the table.
        what: What is wrong with it, in a few words.
        expected: `accepted` (read as it stands), `repaired` (read with a warning) or `refused`.
        build: Writes it into a folder, and says what is to be read.
        word: The warning's code, or words of the refusal.
        volume_ml: Of the tumor that must come back, within 4 %; None where it does not matter.
    """

    kind: str
    what: str
    expected: str
    build: Callable[[Path], Job]
    word: str = ""
    volume_ml: float | None = None

    @property
    def name(self) -> str:
        """For messages and the names of tests."""
        return f"{self.kind}: {self.what}"
