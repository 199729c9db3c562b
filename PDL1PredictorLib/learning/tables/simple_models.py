"""A first look at a cohort: what volume, all original features, and RadScores tell, without a network."""

from collections.abc import Sequence
from functools import partial
from typing import Self

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.learning.selection import fit_radscore
from PDL1PredictorLib.learning.tables.comparison import Comparison, compare
from PDL1PredictorLib.learning.tables.held_out import Make, TableSettings, Units
from PDL1PredictorLib.learning.tables.penalized import PenalizedLogistic
from PDL1PredictorLib.statistics.scores import radscore

VOLUME, ORIGINAL, RADSCORES = "Tumor volume", "L2 on original features", "RadScores"
VOLUME_FEATURE = "tumor_original_shape_VoxelVolume"


class OneInput:
    """One column as it is: nothing is learned, so that a larger value always means 1."""

    def __init__(self, column: int) -> None:
        self.column = column

    def fit(self, x: np.ndarray, labels: np.ndarray) -> Self:
        """Nothing to do."""
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        """The column, (n,)."""
        return np.asarray(x[:, self.column])


class PenalizedOnSome(PenalizedLogistic):
    """Penalized logistic regression on some of the columns."""

    def __init__(self, columns: np.ndarray, seed: int) -> None:
        super().__init__(seed)
        self.columns = columns

    def fit(self, x: np.ndarray, labels: np.ndarray, patients: np.ndarray | None = None) -> Self:
        """On these columns."""
        return super().fit(x[:, self.columns], labels, patients)

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        """Log-odds of 1, (n,)."""
        return super().decision_function(x[:, self.columns])


class RadScoreSum:
    """Sum of the RadScores of tumor and ring, each selected and weighed on the training cases."""

    def __init__(self, names: Sequence[str], seed: int) -> None:
        self.names, self.seed = names, seed

    def fit(self, x: np.ndarray, labels: np.ndarray) -> Self:
        """Select and weigh."""
        varies = np.ptp(x, axis=0) > 0
        self.weights_: dict[str, float] = {}
        for region in REGIONS:
            here = np.array([name.startswith(f"{region}_") for name in self.names])
            self.weights_ |= fit_radscore(x, labels, self.names, varies & here, self.seed)
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        """Sum of the scores, (n,); 0 where nothing was selected."""
        return radscore(x, self.names, self.weights_)


def look(
    cohort: PreparedCohort,
    patients: Sequence[str],
    key: str,
    settings: TableSettings,
    strata: Sequence[str] | None = None,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> Comparison:
    """Cross-validate the three simple models for a yes/no endpoint.

    Volume and the penalized model have a p by permutation; the selection of RadScores is too slow for one.

    Args:
        cohort: Cases with features.
        patients: Of each case.
        key: Of the endpoint.
        settings: Seed, folds, repetitions, permutations.
        strata: Level of each case, which keeps its share in every fold, and within which labels are exchanged for p.
        workers: Processes that do the permutations; None takes one a core.
        progress: Told after every fold and permutation.

    Raises:
        InputError: The endpoint is none of yes/no, a label has too few cases, or the volume is not among the features.
    """
    target = cohort.targets[key]
    if not target.yes_no:
        raise InputError(f"{key} is no yes/no endpoint. A first look is for those (--endpoints).")
    rows = np.flatnonzero(target.known)
    if not len(rows):
        raise InputError(f"No case has a label of {key}.")
    _, patient = np.unique(np.asarray(patients)[rows], return_inverse=True)
    own = None if strata is None else np.asarray(strata)[rows]
    alone = len(set(patient.tolist())) == len(rows)
    units = Units(
        target.values[rows].astype(int), np.arange(len(rows)), patient, None if alone else patient, "tumors", own
    )
    kinds = simple_models(cohort.feature_names)
    with_p = {kind: make for kind, make in kinds.items() if kind != RADSCORES}
    return compare(cohort.features[rows], units, settings, kinds, with_p, workers, progress, fixed=(VOLUME,))


def enough(cohort: PreparedCohort, n_folds: int, all_asked_for: bool) -> tuple[str, ...]:
    """Yes/no endpoints with two cases of each label for every fold; all, where they were asked for one by one.

    Raises:
        InputError: There is none.
    """
    keys = tuple(
        key
        for key, target in cohort.targets.items()
        if all_asked_for
        or (target.yes_no and min((target.labels == 1).sum(), (target.labels == 0).sum()) >= 2 * n_folds)
    )
    if not keys:
        raise InputError(f"No yes/no endpoint of the cohort has {2 * n_folds} cases of each label.")
    return keys


def simple_models(names: Sequence[str]) -> dict[str, Make]:
    """The models by title, for features of these names.

    Raises:
        InputError: The volume is not among them.
    """
    if VOLUME_FEATURE not in names:
        raise InputError(f"The features lack {VOLUME_FEATURE}. Measure the class 'shape' too.")
    original = np.flatnonzero(["_original_" in name for name in names])
    return {
        VOLUME: partial(_volume, list(names).index(VOLUME_FEATURE)),
        ORIGINAL: partial(_penalized, original),
        RADSCORES: partial(_radscores, tuple(names)),
    }


def _volume(column: int, seed: int, n_cases: int) -> OneInput:
    return OneInput(column)


def _penalized(columns: np.ndarray, seed: int, n_cases: int) -> PenalizedOnSome:
    return PenalizedOnSome(columns, seed)


def _radscores(names: tuple[str, ...], seed: int, n_cases: int) -> RadScoreSum:
    return RadScoreSum(names, seed)
