"""How well the models of an endpoint tell its cases apart: area, interval, p and comparison, as the design allows."""

from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.statistics.discrimination import DelongTest, auc, delong_test
from PDL1PredictorLib.statistics.fold_ranks import FoldAreas
from PDL1PredictorLib.statistics.permutation import permutation_test
from PDL1PredictorLib.statistics.within_folds import auc_within_folds, compare_within_folds
from PDL1PredictorLib.study.outcome import EndpointOutcome

N_PERMUTATIONS = 999
SEED = 3  # of the permutations


class Area(NamedTuple):
    """Area under the ROC curve of raw scores.

    Attributes:
        value: Under nested cross-validation from pairs within a fold, mean over the repetitions.
        interval: 95 %, on the logit scale; (0, 1) where nothing can be said.
        repetitions: Value of each repetition of the outer folds, (r,).
        p: By permuting labels, that chance alone gives as much; None where no label can be exchanged.
    """

    value: float
    interval: tuple[float, float]
    repetitions: np.ndarray
    p: float | None


def area_of(outcome: EndpointOutcome, title: str) -> Area | None:
    """Of one model; None where no fold of some repetition holds both answers."""
    if not has_pairs(outcome):
        return None
    labels, score = np.asarray(outcome.labels), outcome.binary_models()[title].score
    p = _p(outcome, score)
    if _single(outcome):
        found = auc(labels, score[0])
        return Area(found.value, found.logit_interval, np.array([found.value]), p)
    within = auc_within_folds(labels, score, outcome.folds, np.asarray(outcome.patients))
    return Area(within.value, within.interval, within.repetitions, p)


def comparison_of(outcome: EndpointOutcome, a: str, b: str) -> DelongTest | None:
    """Model a less model b by DeLong's test; None where fewer than two patients of each answer can be compared."""
    labels, models = np.asarray(outcome.labels), outcome.binary_models()
    if not has_pairs(outcome) or min(np.count_nonzero(labels == 1), np.count_nonzero(labels == 0)) < 2:
        return None
    first, second = models[a].score, models[b].score
    try:
        if _single(outcome):
            return delong_test(labels, first[0], second[0])
        return compare_within_folds(labels, first, second, outcome.folds, np.asarray(outcome.patients))
    except ValueError:  # all pairs share a patient
        return None


def has_pairs(outcome: EndpointOutcome) -> bool:
    """Whether every repetition has a fold with both answers."""
    labels = np.asarray(outcome.labels)
    return bool(len(labels)) and all(
        any(len(np.unique(labels[fold == number])) > 1 for number in np.unique(fold)) for fold in outcome.folds
    )


def _single(outcome: EndpointOutcome) -> bool:
    """Whether one model has answered all cases, each of another patient."""
    return not outcome.folded and len(set(outcome.patients)) == len(outcome.patients)


def _p(outcome: EndpointOutcome, score: np.ndarray) -> float | None:
    """Labels are exchanged by patient: within folds, but among all where several repetitions have other folds."""
    folds = outcome.folds[0] if len(outcome.folds) == 1 else None
    areas, rng = FoldAreas(score, outcome.folds), np.random.default_rng(SEED)
    try:
        return permutation_test(areas, outcome.labels, rng, folds, np.asarray(outcome.patients), N_PERMUTATIONS).p
    except ValueError:  # one patient, or every patient of other cases
        return None
