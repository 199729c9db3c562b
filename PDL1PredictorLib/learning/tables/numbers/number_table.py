"""A table of inputs whose label is a number, read and checked as one with a yes/no label is."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.tables.input_table import InputTable, LabelRule, read_input_table
from PDL1PredictorLib.learning.tables.label_source import ITSELF, LabelSource, number_of

MIN_ROWS = 20  # with a label
SAME = 1e-9  # less than 1 of a correlation: the label itself, perhaps in another unit


@dataclass(frozen=True)
class Span:
    """Where a number can lie.

    Attributes:
        low: Its least value; None without one.
        high: Its greatest.

    Raises:
        InputError: The bounds are no numbers in order.
    """

    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        given = [end for end in (self.low, self.high) if end is not None]
        if not all(map(math.isfinite, given)) or (len(given) == 2 and given[0] >= given[1]):
            raise InputError(f"A number's bounds must be numbers, the lower one first, got {self.low} and {self.high}.")

    def holds(self, value: float) -> bool:
        """Whether a value lies within."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def words(self) -> str:
        """What a value must be."""
        if self.low is not None and self.high is not None:
            return f"a number from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"a number of at least {self.low:g}"
        return "a number" if self.high is None else f"a number of at most {self.high:g}"


UNBOUNDED = Span()


def read_number_table(
    path: Path, label: str, ignore: Sequence[str] = (), source: LabelSource = ITSELF, span: Span = UNBOUNDED
) -> InputTable:
    """Read a CSV or Parquet file with one row a case: inputs, and a number to be learned; see `read_input_table`.

    Args:
        path: The table; its first row names the columns.
        label: Column of numbers; rows where it is empty are left out.
        ignore: Columns that are no inputs.
        source: Where the label comes from, and whose the rows are.
        span: Where the number can lie; a value beyond it is a fault.

    Raises:
        CohortError: With every problem of every row.
        InputError: The file cannot be read as a table.
    """

    def value(text: str) -> float | None:
        number = number_of(text)
        return number if math.isfinite(number) and span.holds(number) else None

    return read_input_table(path, label, ignore, source, LabelRule(value, span.words, _enough, _says_the_same))


def _enough(label: str, labels: np.ndarray) -> Iterator[str]:
    if labels.size < MIN_ROWS:
        yield f"{label} is known in {labels.size} rows; at least {MIN_ROWS} are needed"
    elif np.ptp(labels) == 0:
        yield f"{label} is {labels[0]:g} in all rows, so there is nothing to learn"


def _says_the_same(values: np.ndarray, labels: np.ndarray) -> bool:
    if np.ptp(labels) == 0:
        return False
    return bool(abs(np.corrcoef(values, labels)[0, 1]) > 1 - SAME)
