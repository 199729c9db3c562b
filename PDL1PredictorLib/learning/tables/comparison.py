"""How well a table of inputs tells a label, by the seven classifiers under repeated cross-validation."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.classifiers import CLASSIFIERS, N_FOLDS, N_REPEATS
from PDL1PredictorLib.learning.tables.input_table import InputTable
from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.statistics.resampling import repeated_cv_mean


@dataclass(frozen=True)
class TableSettings:
    """How the cross-validation is done.

    Attributes:
        seed: Of folds and classifiers.
        n_folds: Parts, each held out once in a repetition; >= 2.
        n_repeats: Repetitions with new folds; >= 1.
    """

    seed: int = 1
    n_folds: int = N_FOLDS
    n_repeats: int = N_REPEATS

    def __post_init__(self) -> None:
        if self.seed < 0 or self.n_folds < 2 or self.n_repeats < 1:
            raise InputError(
                "At least 2 folds, 1 repetition and a seed from 0 are needed, "
                f"got {self.n_folds} folds, {self.n_repeats} repetitions, seed {self.seed}."
            )


@dataclass(frozen=True, eq=False)
class ClassifierResult:
    """How one classifier did.

    Attributes:
        kind: Its name among `CLASSIFIERS`.
        fold_auc: AUC of every held-out fold, (n_repeats, n_folds).
        mean: Of these.
        sd: Of these.
        interval: Of the mean, 95 %, corrected for overlapping training sets, cut to 0 to 1.
        pooled: AUC of all held-out predictions of a repetition taken together, mean over repetitions.
        pooled_interval: Mean of the repetitions' DeLong intervals, 95 %; repeating does not narrow it.
    """

    kind: str
    fold_auc: np.ndarray
    mean: float
    sd: float
    interval: tuple[float, float]
    pooled: float
    pooled_interval: tuple[float, float]


def compare_classifiers(
    table: InputTable, settings: TableSettings, progress: Progress = SILENT
) -> tuple[ClassifierResult, ...]:
    """Cross-validate every classifier on the same folds; inputs are standardized by each fold's training cases.

    Args:
        table: Inputs and label.
        settings: Seed, folds, repetitions.
        progress: Told after every fold.

    Returns:
        In the order of `CLASSIFIERS`.

    Raises:
        InputError: A label has fewer cases than there are folds.
    """
    fewest = int(min(table.labels.sum(), (1 - table.labels).sum()))
    if settings.n_folds > fewest:
        raise InputError(
            f"{settings.n_folds} folds need as many cases of each label, the rarer one has {fewest}. "
            "Choose fewer folds (--folds)."
        )
    held_out = _held_out(table, settings, progress)
    return tuple(
        _result(kind, table.labels, held_out[place], settings.n_folds) for place, kind in enumerate(CLASSIFIERS)
    )


@dataclass(frozen=True, eq=False)
class _HeldOut:
    """Of one classifier: probability of every case when it was held out, and in which fold, both (n_repeats, n)."""

    p: np.ndarray
    fold: np.ndarray


def _held_out(table: InputTable, settings: TableSettings, progress: Progress) -> list[_HeldOut]:
    shape = (settings.n_repeats, table.labels.size)
    fold = np.zeros(shape, dtype=int)
    p = np.zeros((len(CLASSIFIERS), *shape))
    for repeat in range(settings.n_repeats):
        splitter = StratifiedKFold(settings.n_folds, shuffle=True, random_state=settings.seed + repeat)
        for number, (train, test) in enumerate(splitter.split(table.x, table.labels)):
            fold[repeat, test] = number
            for place, make in enumerate(CLASSIFIERS.values()):
                model = _fit(make(settings.seed, train.size), table.x[train], table.labels[train])
                p[place, repeat, test] = model.predict_proba(table.x[test])[:, 1]
            done = (repeat * settings.n_folds + number + 1) / (settings.n_repeats * settings.n_folds)
            progress.step("classifiers", done, f"repetition {repeat + 1}, fold {number + 1}")
    return [_HeldOut(of_one, fold) for of_one in p]


def _fit(classifier: ClassifierMixin, x: np.ndarray, labels: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the step limit is meant: stopping early regularizes
        return make_pipeline(StandardScaler(), classifier).fit(x, labels)


def _result(kind: str, labels: np.ndarray, held_out: _HeldOut, n_folds: int) -> ClassifierResult:
    fold_auc = np.array(
        [
            [auc(labels[fold == number], p[fold == number]).value for number in range(n_folds)]
            for p, fold in zip(held_out.p, held_out.fold, strict=True)
        ]
    )
    over_folds = repeated_cv_mean(fold_auc.ravel(), test_to_training=1 / (n_folds - 1))
    pooled = [auc(labels, p) for p in held_out.p]
    low, high = np.mean([one.interval for one in pooled], axis=0)
    return ClassifierResult(
        kind,
        fold_auc,
        over_folds.mean,
        over_folds.sd,
        interval=(max(0.0, over_folds.interval[0]), min(1.0, over_folds.interval[1])),
        pooled=float(np.mean([one.value for one in pooled])),
        pooled_interval=(float(low), float(high)),
    )
