"""How much the answer depends on where exactly one clicked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.segmentation.classical import CoarseLook, look_coarsely
from PDL1PredictorLib.segmentation.cube import Cube
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.rays import reach_of
from PDL1PredictorLib.segmentation.settings import CLASSICAL, ClassicalSettings
from PDL1PredictorLib.statistics.contours.overlap import dice

MOVED_MM = 2.0
MOVES = tuple((sign * MOVED_MM * np.eye(3)[axis]).tolist() for axis in range(3) for sign in (-1, 1))
STEPS = 10  # points along the radius on which two answers are compared


@dataclass(frozen=True)
class Spread:
    """Answers for clicks moved by 2 mm, held against the answer for the click itself.

    Attributes:
        least_dice: Of the farthest one, 0 to 1.
        volume_share: Least and greatest volume, each over the answer's.
    """

    least_dice: float
    volume_share: tuple[float, float]


def spread_of(cube: Cube, prompt: Prompt, own: CoarseLook, settings: ClassicalSettings = CLASSICAL) -> Spread:
    """The first look again, with the click moved by 2 mm to each of six sides.

    A side on which there is no tissue is left out: nobody clicks there.

    Args:
        cube: Of the first look.
        prompt: The click, or line.
        own: What it gave.
        settings: As there.
    """
    others = list(_moved(cube, prompt, settings))
    return spread_between(own, [other for other in others if other.tissue.stands_out])


def _moved(cube: Cube, prompt: Prompt, settings: ClassicalSettings) -> Iterator[CoarseLook]:
    for by_mm in MOVES:
        yield look_coarsely(cube, prompt.moved(by_mm), settings)


def spread_between(own: CoarseLook, others: Sequence[CoarseLook]) -> Spread:
    """How far other first looks are from one, within their surfaces."""
    if not others:
        return Spread(1.0, (1.0, 1.0))
    most_mm = max(float(look.surface.radius_mm.max()) for look in (own, *others)) + 2 * MOVED_MM
    step_mm = max(own.surface.mean_mm / STEPS, 0.5)
    mine = _filled(own, own, most_mm, step_mm)
    agreed, shares = [], []
    for other in others:
        theirs = _filled(other, own, most_mm, step_mm)
        agreed.append(dice(mine, theirs))
        shares.append(theirs.sum() / max(mine.sum(), 1))
    return Spread(float(min(agreed)), (float(min(1.0, *shares)), float(max(1.0, *shares))))


def _filled(look: CoarseLook, about: CoarseLook, most_mm: float, step_mm: float) -> np.ndarray:
    """Which points of a cube about a look's middle lie within another one's surface; bool."""
    n = 2 * int(np.ceil(most_mm / step_mm)) + 1
    shift_mm = (look.place_kji - about.place_kji) * look.spacing_mm
    inside_mm, _ = reach_of(look.surface.at((n - 1) / 2 + shift_mm / step_mm), (n, n, n), step_mm)
    return np.asarray(inside_mm > 0)
