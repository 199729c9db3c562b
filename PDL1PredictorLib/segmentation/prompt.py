"""What the user gives: a point inside the tumor, or a line across it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.core.errors import InputError

SHORTEST_LINE_MM, LONGEST_LINE_MM = 2.0, 150.0
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Prompt:
    """Where the tumor is.

    Attributes:
        points: One point inside it, or both ends of its longest diameter; patient space, LPS, in mm.
    """

    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        if len(self.points) not in (1, 2) or not all(math.isfinite(x) for point in self.points for x in point):
            raise InputError(f"One point or the two ends of a line are needed, three numbers each; got {self.points}.")
        length = self.length_mm
        if length is not None and not SHORTEST_LINE_MM <= length <= LONGEST_LINE_MM:
            raise InputError(
                f"The line is {length:.1f} mm long; {SHORTEST_LINE_MM:g} to {LONGEST_LINE_MM:g} mm are expected. Draw "
                "it across the tumor, from edge to edge, or give a point."
            )

    @property
    def center(self) -> np.ndarray:
        """The point, or the middle of the line; (x, y, z) LPS in mm."""
        return np.asarray(np.mean(self.points, axis=0))

    @property
    def length_mm(self) -> float | None:
        """Of the line; None of a point."""
        if len(self.points) == 1:
            return None
        return math.dist(self.points[0], self.points[1])

    def moved(self, by_mm: Sequence[float]) -> "Prompt":
        """The whole prompt, moved in patient space."""
        steps = np.asarray(by_mm, float)
        return Prompt(tuple(_point((np.asarray(point) + steps).tolist()) for point in self.points))


def parse_prompt(point: str | None, line: str | None) -> Prompt:
    """A prompt as typed: `x,y,z`, or `x,y,z,x,y,z`.

    Raises:
        InputError: None or both were given, or they are no such numbers.
    """
    if (point is None) == (line is None):
        raise InputError("Give either a point inside the tumor (--point x,y,z) or a line across it (--line).")
    text, wanted = (point, 3) if point is not None else (line or "", 6)
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != wanted or not all(math.isfinite(x) for x in numbers):
        raise InputError(
            f"{wanted} numbers with commas between them are expected, in mm, in the patient's coordinates L, P, S; got "
            f"{text!r}. Example: {'--point=-61.5,12,-140' if wanted == 3 else '--line=-70,12,-140,-52,15,-140'}"
        )
    return Prompt(tuple(_point(numbers[i : i + 3]) for i in range(0, wanted, 3)))


def _point(numbers: Sequence[float]) -> Point:
    x, y, z = numbers
    return float(x), float(y), float(z)
