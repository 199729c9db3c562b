"""The cases that something is learned from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.learning.stability import Stability, stability_of


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What is learned from.

    Attributes:
        cohort: All n cases.
        patients: Of each case, (n,).
        rows: Of the training cases, ascending.
        endpoints: Those that get a model.
        seed: Of folds and fits.
    """

    cohort: PreparedCohort
    patients: np.ndarray
    rows: np.ndarray
    endpoints: tuple[str, ...]
    seed: int

    def folds(self, n: int) -> list[np.ndarray]:
        """Rows of n parts, by patient and stratified."""
        rng = np.random.default_rng([self.seed, 12])
        parts = stratified_parts(self.patients[self.rows], self.cohort.strata[self.rows], (1 / n,) * n, rng)
        return [self.rows[part] for part in parts]

    @cached_property
    def stability(self) -> Stability:
        """Which features hold against moved contours, noise and thick slices, in the training cases."""
        return stability_of(self.cohort, self.rows)
