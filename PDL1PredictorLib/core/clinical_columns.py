"""Clinical values as numbers: those that every case may have, and columns that a cohort declares."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.strict_json import brief, finite_number

if TYPE_CHECKING:  # its page loads SimpleITK
    from PDL1PredictorLib.core.case import Clinical

NAME = re.compile(r"[A-Za-z][\w .%()-]{0,59}", re.ASCII)
MOST_WORDS, MOST_LETTERS = 32, 60


def _plain(word: Any) -> str:
    return " ".join(str(word).lower().split())


@dataclass(frozen=True)
class ClinicalColumn:
    """A clinical value and its coding.

    Attributes:
        name: Of the table's column, of the field of `Clinical`, and in the manifest.
        words: Of a value in words, in their order: numbered 0, 1, 2 ...; none for a number.
        low: Least possible number; None without a bound.
        high: Greatest possible number; None without a bound.

    Raises:
        InputError: The name cannot be one, or words or bounds contradict each other.
    """

    name: str
    words: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise InputError(
                f"{brief(self.name)} cannot be the name of a clinical value: write letters, digits, space and . _ - % "
                "( ) only, a letter first, 60 at most."
            )
        plain = [_plain(word) for word in self.words]
        if self.words and (not 2 <= len(plain) <= MOST_WORDS or len(set(plain)) < len(plain) or "" in plain):
            raise InputError(f"{self.name} needs 2 to {MOST_WORDS} words, all different; got {list(self.words)}.")
        if any(len(word) > MOST_LETTERS for word in self.words):
            raise InputError(f"A word of {self.name} has more than {MOST_LETTERS} letters.")
        if self.words and (self.low is not None or self.high is not None):
            raise InputError(f"{self.name} is in words; only a number has bounds.")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise InputError(f"The bounds of {self.name} must rise, got {self.low:g} to {self.high:g}.")

    @property
    def possible(self) -> str:
        """Its values, for messages."""
        if self.words:
            return f"one of {', '.join(self.words)}"
        if self.low is None and self.high is None:
            return "a number, in the unit of the training cohort"
        low, high = ("any" if end is None else f"{end:g}" for end in (self.low, self.high))
        return f"a number from {low} to {high}"

    @property
    def coding(self) -> str:
        """How words are numbered: `never 0, former 1, current 2`; empty for a number."""
        return ", ".join(f"{word} {number}" for number, word in enumerate(self.words))

    def code(self, value: Any) -> float:
        """The number of a value; NaN of one that is not known.

        Raises:
            InputError: It is none of the words, no number, or out of the bounds.
        """
        if value is None:
            return math.nan
        found = self._numbered(value) if self.words else self._measured(value)
        if found is None:
            raise InputError(
                f"{self.name} must be {self.possible}, got {brief(value)}. Leave it out where it is not known."
            )
        return found

    def _numbered(self, value: Any) -> float | None:
        if isinstance(value, bool):
            value = "yes" if value else "no"
        word = _plain(f"{value:g}" if isinstance(value, (int, float)) else value)
        words = [_plain(known) for known in self.words]
        return float(words.index(word)) if word in words else None

    def _measured(self, value: Any) -> float | None:
        try:
            found = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            return None
        inside = (self.low is None or found >= self.low) and (self.high is None or found <= self.high)
        return found if math.isfinite(found) and inside else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"name": self.name, "words": list(self.words), "low": self.low, "high": self.high}

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Read back what `to_dict` wrote, of a file from outside.

        Raises:
            ValueError: It is something else.
            InputError: Its values contradict each other.
        """
        if not isinstance(values, Mapping) or set(values) != set(cls.__dataclass_fields__):
            raise ValueError(f"a declared clinical value needs name, words, low and high, got {brief(values)}.")
        words = values["words"]
        if not isinstance(words, list) or not all(isinstance(one, str) for one in (values["name"], *words)):
            raise ValueError(f"a declared clinical value needs texts as name and words, got {brief(values)}.")
        low, high = (None if values[end] is None else finite_number(values[end], end) for end in ("low", "high"))
        return cls(values["name"], tuple(words), low, high)


STANDARD = (
    ClinicalColumn("age_years", low=0, high=120),
    ClinicalColumn("sex", ("male", "female")),
    ClinicalColumn("smoking", ("never", "former", "current")),
    ClinicalColumn("family_history", ("no", "yes")),
)
"""Those that are fields of `core.case.Clinical` and that a model may ask for."""
CLINICAL_INPUTS = tuple(column.name for column in STANDARD)


def clinical_row(
    clinical: "Clinical", names: Sequence[str], declared: Sequence[ClinicalColumn] = ()
) -> tuple[float, ...]:
    """Clinical values as numbers, in the order of the names; NaN where one is not known.

    Years as they are; male 0, female 1; never 0, former 1, current 2; no family history 0, one 1; declared ones as
    their columns say.

    Args:
        clinical: What is known.
        names: Some of `CLINICAL_INPUTS` and of the declared ones.
        declared: What the others are.

    Raises:
        InputError: A declared value is impossible.
    """
    columns = {column.name: column for column in (*STANDARD, *declared)}
    return tuple(
        columns[name].code(getattr(clinical, name) if name in CLINICAL_INPUTS else clinical.other.get(name))
        for name in names
    )


def require_declared(clinical: "Clinical", declared: Sequence[ClinicalColumn], whose: str) -> None:
    """Refuse values that nobody asks for: one with a slip in its name would be missing without a word.

    Raises:
        InputError: A value is not among the declared ones.
    """
    known = [column.name for column in declared]
    strange = sorted(set(clinical.other) - set(known))
    if strange:
        takes = ", ".join((*CLINICAL_INPUTS, *known))
        raise InputError(f"{whose} does not know the clinical value {brief(strange[0])}. It takes: {takes}.")
