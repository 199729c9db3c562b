"""Which features would be much the same had another reader drawn the contour, or another scanner made the picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.imaging.moved import MOVES
from PDL1PredictorLib.statistics.agreement import intraclass_correlation

LEAST_ICC = 0.75  # "good" by Koo and Li 2016, doi 10.1016/j.jcm.2016.02.012
LEAST_CASES = 10  # measured again; of fewer, an intraclass correlation says nothing
# Moves that are raters together, with the measurement as it was.
RATERS: Mapping[str, tuple[str, ...]] = {
    "contour": ("contour_in", "contour_out"),
    "noise": ("noise",),
    "thick slices": ("thick_slices",),
}


@dataclass(frozen=True, eq=False)
class Stability:
    """How features hold against moves.

    Attributes:
        n_cases: Training cases that were measured again.
        stable: Features that may be candidates, (f,) bool.
        icc: By what was moved: ICC(2,1) of every feature, (f,); NaN where it is not defined. Empty where too few cases
            were measured again.
    """

    n_cases: int
    stable: np.ndarray
    icc: Mapping[str, np.ndarray]

    def text(self) -> str:
        """One sentence for report and card."""
        if not self.icc:
            return (
                f"Features were not filtered by stability: {self.n_cases} training cases were measured again, "
                f"{LEAST_CASES} are needed."
            )
        return (
            f"Features with an ICC(2,1) below {LEAST_ICC:g} against a contour moved by 1 mm, noise or thick slices, on "
            f"{self.n_cases} training cases, are no candidates: {int(self.stable.sum())} of "
            f"{len(self.stable)} are left."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        below = {name: int((icc < LEAST_ICC).sum()) for name, icc in self.icc.items()}
        return {
            "cases": self.n_cases,
            "least_icc": LEAST_ICC,
            "features": len(self.stable),
            "stable": int(self.stable.sum()),
            "below": below,
        }


def stability_of(cohort: PreparedCohort, rows: np.ndarray) -> Stability:
    """ICC(2,1) of every feature over the training cases that were measured again; it looks at no label.

    A feature is stable where no move brings its correlation below 0.75. One that never varies has none: the selection
    leaves it out on its own.

    Args:
        cohort: All cases.
        rows: Of the training cases.
    """
    everything = np.ones(len(cohort.feature_names), dtype=bool)
    if "moved" not in cohort.blocks:
        return Stability(0, everything, {})
    moved = cohort.moved[rows]
    again = np.isfinite(moved).any(axis=(1, 2))
    if again.sum() < LEAST_CASES:
        return Stability(int(again.sum()), everything, {})
    own, numbers = cohort.features[rows][again], {name: number for number, name in enumerate(MOVES)}
    icc = {
        name: intraclass_correlation(np.stack([own, *(moved[again, numbers[move]] for move in moves)], axis=1))
        for name, moves in RATERS.items()
    }
    unstable = np.any([found < LEAST_ICC for found in icc.values()], axis=0)
    return Stability(int(again.sum()), ~unstable, icc)
