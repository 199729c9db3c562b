"""Whose pages these are: on every sheet that lies in a patient's record."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """What tells one patient from another, as the CT's header says it.

    Attributes:
        name: Family name first.
        number: The patient's ID.
        born: Date of birth, empty if not known.
        study: Date of the CT, empty if not known.
        accession: Number of the order, empty if not known.
    """

    name: str
    number: str
    born: str = ""
    study: str = ""
    accession: str = ""

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and values of what is known."""
        found = (
            ("Patient", self.name),
            ("ID", self.number),
            ("Born", self.born),
            ("CT of", self.study),
            ("Accession", self.accession),
        )
        return tuple((name, text) for name, text in found if text)

    @property
    def line(self) -> str:
        """For the foot of each page."""
        return ", ".join(text for _, text in self.rows()[:3])
