"""How well a table of inputs tells a label, by several classifiers under repeated cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.tables.chance import by_chance
from PDL1PredictorLib.learning.tables.held_out import (
    TABLE_CLASSIFIERS,
    HeldOut,
    Kinds,
    TableSettings,
    Units,
    held_out,
    makes_of,
    units_of,
)
from PDL1PredictorLib.learning.tables.input_table import InputTable
from PDL1PredictorLib.statistics.trained_areas import auc_of_trained
from PDL1PredictorLib.statistics.within_folds import auc_within_folds


@dataclass(frozen=True, eq=False)
class ClassifierResult:
    """How one classifier did.

    Attributes:
        kind: Its name among `TABLE_CLASSIFIERS`.
        auc: Area from pairs within a fold, mean over the repetitions.
        interval: Of it, 95 %, on the logit scale, counting patients, with what shared training cases add.
        fold_auc: AUC of every held-out fold, (n_repeats, n_folds).
        sd: Of these.
        p: How often the whole cross-validation does as well with exchanged labels; None where it was not asked for.
    """

    kind: str
    auc: float
    interval: tuple[float, float]
    fold_auc: np.ndarray
    sd: float
    p: float | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """How all of them did.

    Attributes:
        results: In the order of `TABLE_CLASSIFIERS`.
        n_positive: Units with the label.
        n_negative: Without it.
        words: What the units are: rows or patients.
        best_p: P of the best classifier, allowing for its having been picked; None without permutations.
    """

    results: tuple[ClassifierResult, ...]
    n_positive: int
    n_negative: int
    words: str
    best_p: float | None = None


def compare_classifiers(
    table: InputTable, settings: TableSettings, workers: int | None = 1, progress: Progress = SILENT
) -> Comparison:
    """Cross-validate every classifier on the same folds, and under exchanged labels.

    Where the table names patients, they are held out whole. Where all rows of each have one label, a patient is
    answered once, by the mean of the rows' answers.

    Args:
        table: Inputs and label.
        settings: Seed, folds, repetitions, permutations.
        workers: Processes that do the permutations; None takes one a core.
        progress: Told after every fold and permutation.

    Raises:
        InputError: A label has fewer cases than there are folds.
    """
    kinds = tuple(TABLE_CLASSIFIERS)
    return compare(table.x, units_of(table), settings, kinds, kinds, workers, progress)


def compare(
    x: np.ndarray,
    units: Units,
    settings: TableSettings,
    kinds: Kinds,
    with_p: Kinds,
    workers: int | None = 1,
    progress: Progress = SILENT,
    fixed: Sequence[str] = (),
) -> Comparison:
    """Cross-validate models on the same folds.

    Args:
        x: Inputs of the rows, (n, d).
        units: Whose labels are learned.
        settings: Seed, folds, repetitions, permutations.
        kinds: Names among `TABLE_CLASSIFIERS`, or models by name.
        with_p: Those of them that are fitted anew under every permutation.
        workers: Processes that do the permutations; None takes one a core.
        progress: Told after every fold and permutation.
        fixed: Names of those that learn nothing, whose interval needs no allowance for training.

    Raises:
        InputError: A label has fewer cases than there are folds.
    """
    if settings.n_folds > min(units.numbers):
        raise InputError(
            f"{settings.n_folds} folds need as many cases of each label, the rarer one has {min(units.numbers)}. "
            "Choose fewer folds (--folds)."
        )
    with progress.part("classifiers", 0.0, 0.3) as part:
        found = held_out(x, units, settings, kinds, part)
    with progress.part("permutations", 0.3, 1.0) as part:
        chance = by_chance(x, units, settings, with_p, workers, part)
    p = {} if chance is None else chance.p
    results = tuple(
        _result(kind, units, HeldOut(found.scores[place], found.folds), p.get(kind), kind in fixed)
        for place, kind in enumerate(makes_of(kinds))
    )
    return Comparison(results, *units.numbers, units.words, None if chance is None else chance.best)


def _result(kind: str, units: Units, found: HeldOut, p: float | None, fixed: bool = False) -> ClassifierResult:
    """Of one kind, whose scores are (r, m); `fixed` where nothing was learned for them."""
    area = auc_within_folds if fixed else auc_of_trained
    whole = area(units.labels, found.scores, found.folds, units.patient)
    fold_auc = np.array(
        [
            [_one_fold(units, row, fold == number) for number in range(int(fold.max()) + 1)]
            for row, fold in zip(found.scores, found.folds, strict=True)
        ]
    )
    return ClassifierResult(kind, whole.value, whole.interval, fold_auc, float(fold_auc.std(ddof=1)), p)


def _one_fold(units: Units, scores: np.ndarray, here: np.ndarray) -> float:
    return auc_within_folds(units.labels[here], scores[here], np.zeros(int(here.sum()))).value
