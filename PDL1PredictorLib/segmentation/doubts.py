"""What the reader must know before he trusts a contour that was found from a click."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.segmentation.moved import MOVED_MM, Spread
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.rays import Surface
from PDL1PredictorLib.segmentation.tissue import Tissue

LEAST_EDGE, MOST_ATTACHED = 0.35, 0.12  # shares of the surface
MOST_AT_END = 0.02
LEAST_DICE = 0.75
BONE_HU, AIR_HU = 300.0, -800.0
MOVED_CLICK_MM = 0.75
LOOK = "Look at the contour in three planes and correct it."
DRAW = f"A line across its longest diameter says its size, and may leak less. {LOOK}"


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was seen on the way.

    Attributes:
        prompt: What was given.
        clicked_hu: Value at the click.
        seed_lps_mm: Where the tissue was taken, at or beside the click.
        tissue: What it is made of.
        surface: The surface about its middle.
        spread: Of answers to moved clicks; None if that was not tried.
        mask: uint8 on the CT's grid.
    """

    prompt: Prompt
    clicked_hu: float
    seed_lps_mm: np.ndarray
    tissue: Tissue
    surface: Surface
    spread: Spread | None
    mask: sitk.Image


def doubts(seen: Evidence) -> tuple[CaseWarning, ...]:
    """Warnings, in the order in which they matter."""
    return (*_of_click(seen), *_of_surface(seen))


def _of_click(seen: Evidence) -> Iterator[CaseWarning]:
    away_mm = float(np.linalg.norm(seen.seed_lps_mm - seen.prompt.center))
    if seen.clicked_hu < AIR_HU and away_mm > MOVED_CLICK_MM:
        text = (
            f"The point lies in air or lung ({seen.clicked_hu:.0f} HU); the tissue {away_mm:.1f} mm beside it was "
            "taken."
        )
        yield CaseWarning("segment_point_air", f"{text} {LOOK}")
    if seen.tissue.hu > BONE_HU:
        text = f"The tissue at the point is as dense as bone ({seen.tissue.hu:.0f} HU)."
        yield CaseWarning("segment_point_bone", f"{text} {LOOK}")
    if seen.spread is not None and seen.spread.least_dice < LEAST_DICE:
        low, high = seen.spread.volume_share
        text = (
            f"Another click, {MOVED_MM:g} mm beside this one, gives another contour: overlap (Dice) down to "
            f"{seen.spread.least_dice:.2f}, volume {low:.1f} to {high:.1f} times this one."
        )
        yield CaseWarning("segment_unstable", f"{text} {LOOK}")


def _of_surface(seen: Evidence) -> Iterator[CaseWarning]:
    edge, at_end = float(seen.surface.edge.mean()), float(seen.surface.at_end.mean())
    if at_end > MOST_AT_END and seen.prompt.length_mm is None:
        text = (
            f"The contour reaches the border of the box that is searched, in {at_end:.0%} of all directions: the tumor "
            "may be larger, or what was clicked is no tumor."
        )
        yield CaseWarning("segment_search_box", f"{text} {LOOK}")
    if _touches_end(seen.mask):
        text = "The contour ends where the CT ends, so that the tumor may be cut."
        yield CaseWarning("segment_ct_end", f"{text} {LOOK}")
    if edge < LEAST_EDGE:
        text = f"An edge is seen in only {edge:.0%} of all directions; in the others the contour is a guess."
        yield CaseWarning("segment_no_edge", f"{text} {LOOK}")
    elif 1 - edge >= MOST_ATTACHED:
        text = (
            f"In {1 - edge:.0%} of all directions the tumor touches tissue that is as dense: chest wall, mediastinum "
            "or a vessel. There the contour runs on between its edges, and may leak or cut."
        )
        yield CaseWarning("segment_attached", f"{text} {DRAW if seen.prompt.length_mm is None else LOOK}")


def _touches_end(mask: sitk.Image) -> bool:
    voxels = sitk.GetArrayViewFromImage(mask)
    return any(voxels.take(place, axis).any() for axis in range(3) for place in (0, -1))
