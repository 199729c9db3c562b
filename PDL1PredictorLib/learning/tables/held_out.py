"""Scores of held-out cases: every classifier fitted on the same folds, whole patients held out together."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold
from sklearn.svm import SVC

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.classifiers import CLASSIFIERS, N_FOLDS, N_REPEATS
from PDL1PredictorLib.learning.selection import fit_standardizer
from PDL1PredictorLib.learning.tables.input_table import InputTable
from PDL1PredictorLib.learning.tables.penalized import PenalizedLogistic

Make = Callable[[int, int], Any]
"""Seed and number of training rows to an unfitted model."""
Kinds = Sequence[str] | Mapping[str, Make]
PENALIZED = "L2 logistic regression"  # its penalty chosen by inner folds; the other one's is fixed
TABLE_CLASSIFIERS: Mapping[str, Make] = {
    **CLASSIFIERS,
    "support vector machine": lambda seed, n_cases: SVC(C=1.0),  # uncalibrated: a calibration may turn the ranking
    PENALIZED: lambda seed, n_cases: PenalizedLogistic(seed),
}


@dataclass(frozen=True)
class TableSettings:
    """How the cross-validation is done.

    Attributes:
        seed: Of folds, classifiers and permutations.
        n_folds: Parts, each held out once in a repetition; >= 2.
        n_repeats: Repetitions with new folds; >= 1.
        n_permutations: Of the labels, each with the whole training done anew; 0 for no p.
    """

    seed: int = 1
    n_folds: int = N_FOLDS
    n_repeats: int = N_REPEATS
    n_permutations: int = 99

    def __post_init__(self) -> None:
        if self.seed < 0 or self.n_folds < 2 or self.n_repeats < 1 or self.n_permutations < 0:
            raise InputError(
                "At least 2 folds, 1 repetition, no permutation and a seed from 0 are needed, got "
                f"{self.n_folds} folds, {self.n_repeats} repetitions, {self.n_permutations} permutations, "
                f"seed {self.seed}."
            )


@dataclass(frozen=True, eq=False)
class Units:
    """What is answered: rows, or patients where all rows of a patient have one label.

    Attributes:
        labels: 0 or 1, or numbers, (m,).
        owner: Unit of each row of the table, (n,).
        row_patient: Number of the patient of each row, (n,).
        patient: Of each unit, (m,); None where each is a patient of its own.
        words: What they are called.
        strata: Level of each unit, (m,), which keeps its share in every fold, and within which labels are exchanged for
            p; None without.
        yes_no: Whether the labels are 0 and 1, whose shares folds keep; folds of numbers are drawn by patient alone.
    """

    labels: np.ndarray
    owner: np.ndarray
    row_patient: np.ndarray
    patient: np.ndarray | None
    words: str
    strata: np.ndarray | None = None
    yes_no: bool = True

    @property
    def numbers(self) -> tuple[int, int]:
        """Of positive and of negative units."""
        return int(self.labels.sum()), int((1 - self.labels).sum())

    @property
    def row_weights(self) -> np.ndarray:
        """Of each row of the table, (n,): 1 over the rows of its unit, so that units weigh alike."""
        return np.asarray(1 / np.bincount(self.owner)[self.owner])

    def of_rows(self, values: np.ndarray) -> np.ndarray:
        """Mean over the rows of each unit, (..., n) to (..., m)."""
        belongs = np.eye(self.labels.size)[self.owner]
        return np.asarray(values @ (belongs / belongs.sum(axis=0)))


class HeldOut(NamedTuple):
    """Scores by classifier and repetition (c, r, m), and the fold of each unit by repetition (r, m)."""

    scores: np.ndarray
    folds: np.ndarray


def units_of(table: InputTable, yes_no: bool = True) -> Units:
    """The units that the table's label speaks of; `yes_no` is false where it is a number."""
    rows = np.arange(table.labels.size)
    if table.patients is None:
        return Units(table.labels, rows, rows, None, "rows", yes_no=yes_no)
    _, first, patient = np.unique(np.array(table.patients), return_index=True, return_inverse=True)
    if (table.labels == table.labels[first][patient]).all():
        return Units(table.labels[first], patient, patient, None, "patients", yes_no=yes_no)
    return Units(table.labels, rows, patient, patient, "rows", yes_no=yes_no)


def held_out(
    x: np.ndarray,
    units: Units,
    settings: TableSettings,
    kinds: Kinds,
    progress: Progress = SILENT,
) -> HeldOut:
    """Fit every kind on every fold; inputs are standardized by each fold's training rows.

    Args:
        x: Inputs of the rows, (n, d).
        units: Whose labels are learned.
        settings: Seed, folds, repetitions.
        kinds: Names among `TABLE_CLASSIFIERS`, or models by name.
        progress: Told before every model of every fold.

    Raises:
        InputError: A fold has none of one label.
    """
    labels, makes = units.labels[units.owner], makes_of(kinds)
    stage = "classifiers" if units.yes_no else "models"
    scores = np.zeros((len(kinds), settings.n_repeats, labels.size))
    folds = np.zeros((settings.n_repeats, labels.size), dtype=int)
    for repeat in range(settings.n_repeats):
        for number, (train, test) in enumerate(_splits(units, settings, repeat)):
            if units.yes_no and min(np.ptp(labels[train]), np.ptp(labels[test])) == 0:
                raise InputError("A fold has no case of one label. Choose fewer folds (--folds).")
            folds[repeat, test] = number
            scaled = fit_standardizer(x[train])
            z, new = scaled(x[train]), scaled(x[test])
            done = (repeat * settings.n_folds + number) / (settings.n_repeats * settings.n_folds)
            for place, (kind, make) in enumerate(makes.items()):
                progress.step(stage, done, f"repetition {repeat + 1}, fold {number + 1}: {kind}")
                model = make(settings.seed, train.size)
                whose = units.row_patient[train], units.row_weights[train]
                scores[place, repeat, test] = _answers(model, z, labels[train], whose, new)
    progress.step(stage, 1.0)
    return HeldOut(units.of_rows(scores), np.rint(units.of_rows(folds)).astype(int))


def makes_of(kinds: Kinds) -> Mapping[str, Make]:
    """Name to model."""
    return kinds if isinstance(kinds, Mapping) else {kind: TABLE_CLASSIFIERS[kind] for kind in kinds}


def _splits(units: Units, settings: TableSettings, repeat: int) -> list[tuple[np.ndarray, np.ndarray]]:
    state, patient = settings.seed + repeat, units.row_patient
    if not units.yes_no:
        return list(GroupKFold(settings.n_folds, shuffle=True, random_state=state).split(patient, groups=patient))
    groups = (
        units.labels if units.strata is None else 2 * np.unique(units.strata, return_inverse=True)[1] + units.labels
    )
    groups = groups[units.owner]
    if len(np.unique(patient)) == patient.size:
        splitter = StratifiedKFold(settings.n_folds, shuffle=True, random_state=state)
        return list(splitter.split(groups, groups))
    grouped = StratifiedGroupKFold(settings.n_folds, shuffle=True, random_state=state)
    return list(grouped.split(groups, groups, patient))


def _answers(
    model: Any, x: np.ndarray, labels: np.ndarray, whose: tuple[np.ndarray, np.ndarray], new: np.ndarray
) -> np.ndarray:
    """Score of the new rows, (m,), higher for 1: before any calibration where the classifier has such a one.

    Of a model of a number its answer. `whose`: patient and weight of each training row, for models that ask for them.
    """
    asked = 2 if hasattr(model, "weighs_rows") else 1 if hasattr(model, "keeps_patients") else 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the step limit is meant: stopping early regularizes
        fitted: Any = model.fit(x, labels, *whose[:asked])
    if hasattr(fitted, "decision_function"):
        return np.asarray(fitted.decision_function(new))
    if not hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict(new))
    return np.asarray(fitted.predict_proba(new)[:, 1])
