"""How fast a tumor grows, from two volumes; and whether a difference is more than another contour makes."""

import math

from PDL1PredictorLib.core.answer_parts import Range
from PDL1PredictorLib.imaging.moved import CONTOUR_MM


def doubling_time_days(earlier_ml: float, later_ml: float, days: float) -> float:
    """Days in which the volume doubles, if it grows exponentially: `days ln 2 / ln(later / earlier)`.

    Args:
        earlier_ml: Volume at first, in mL; > 0.
        later_ml: Volume then, in mL; > 0.
        days: Between the two; > 0.

    Returns:
        Below 0 where it shrinks: its size is the time in which the volume halves. Infinite where it does not change.

    Raises:
        ValueError: A value is not above 0.

    Source: Schwartz 1961, Cancer 14:1272-1294, modified: of measured volumes in place of the cube of a diameter.
    """
    for name, value in (("earlier_ml", earlier_ml), ("later_ml", later_ml), ("days", days)):
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be a number above 0, got {value!r}.")
    growth = math.log(later_ml / earlier_ml)
    return days * math.log(2) / growth if growth else math.inf


def sphere_range_ml(volume_ml: float, moved_mm: float = CONTOUR_MM) -> Range:
    """Volumes of a ball whose surface is moved inwards and outwards: what stands in where nobody has tried it.

    A tumor that is no ball has more surface, and its volume a wider range.
    """
    radius_mm = (3 * volume_ml * 1000 / (4 * math.pi)) ** (1 / 3)
    low, high = (4 / 3 * math.pi * max(radius_mm + by, 0.0) ** 3 / 1000 for by in (-moved_mm, moved_mm))
    return low, high


def apart(one: Range, other: Range) -> bool:
    """Whether two ranges share no value: only then is a difference more than the contour's noise."""
    return one[1] < other[0] or other[1] < one[0]
