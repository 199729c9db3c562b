"""How well the models of an endpoint tell its cases apart: area, interval, p and comparison, as the design allows."""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from PDL1PredictorLib.statistics.auc_intervals import NOTHING_KNOWN, logit_interval
from PDL1PredictorLib.statistics.discrimination import DelongTest, auc, delong_test
from PDL1PredictorLib.statistics.fold_ranks import FoldAreas, variance_of_training
from PDL1PredictorLib.statistics.permutation import ROUNDING, permutation_test
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
    """Of one model; None where no fold of some repetition holds both answers.

    Of models of several folds the variance is that of pairs within one repetition, and what shared training cases add
    to it; the permutations are spread by as much. Without that, intervals hold an area of 0.5 in 68 to 83 % of cohorts
    without signal (`python Testing/reliability/estimates.py`). Scores that nothing was learned for, such as a volume,
    need none of it.
    """
    if not has_pairs(outcome):
        return None
    labels, model = np.asarray(outcome.labels), outcome.binary_models()[title]
    if _single(outcome):
        found = auc(labels, model.score[0])
        return Area(found.value, found.logit_interval, np.array([found.value]), _p(outcome, model.score, 1.0))
    patients = np.asarray(outcome.patients)
    within = auc_within_folds(labels, model.score, outcome.folds, patients)
    if not outcome.folded or model.fixed_score:
        return Area(within.value, within.interval, within.repetitions, _p(outcome, model.score, 1.0))
    pairs = [
        auc_within_folds(labels, score, fold, patients).standard_error ** 2
        for score, fold in zip(model.score, outcome.folds, strict=True)
    ]
    variance = float(np.mean(pairs)) + variance_of_training(labels, model.score, outcome.folds)
    wider = math.sqrt(variance) / within.standard_error if within.standard_error > 0 else 1.0
    interval = within.interval
    if 0 < within.value < 1 and interval != NOTHING_KNOWN:
        interval = logit_interval(within.value, variance, _rarer(outcome) - 1)
    return Area(within.value, interval, within.repetitions, _p(outcome, model.score, wider))


def comparison_of(outcome: EndpointOutcome, a: str, b: str) -> DelongTest | None:
    """Model a less model b by DeLong's test, with what shared training cases add to its variance.

    None where fewer than two patients of each answer can be compared.
    """
    labels, models = np.asarray(outcome.labels), outcome.binary_models()
    if not has_pairs(outcome) or _rarer(outcome) < 2:
        return None
    first, second = models[a].score, models[b].score
    try:
        if _single(outcome):
            return delong_test(labels, first[0], second[0])
        test = compare_within_folds(labels, first, second, outcome.folds, np.asarray(outcome.patients))
    except ValueError:  # all pairs share a patient
        return None
    both_fixed = models[a].fixed_score and models[b].fixed_score
    if not outcome.folded or both_fixed or test.z == 0 or math.isinf(test.z):
        return test
    pairs = (test.difference / test.z) ** 2
    error = math.sqrt(pairs + variance_of_training(labels, first, outcome.folds, second))
    df, z = _rarer(outcome) - 1, test.difference / error
    half = float(stdtrit(df, 0.975)) * error
    return DelongTest(
        test.difference, (test.difference - half, test.difference + half), z, 2 * float(stdtr(df, -abs(z)))
    )


def has_pairs(outcome: EndpointOutcome) -> bool:
    """Whether every repetition has a fold with both answers."""
    labels = np.asarray(outcome.labels)
    return bool(len(labels)) and all(
        any(len(np.unique(labels[fold == number])) > 1 for number in np.unique(fold)) for fold in outcome.folds
    )


def _single(outcome: EndpointOutcome) -> bool:
    """Whether one model has answered all cases, each of another patient."""
    return not outcome.folded and len(set(outcome.patients)) == len(outcome.patients)


def _rarer(outcome: EndpointOutcome) -> int:
    """Cases of the rarer answer."""
    positive = int(np.count_nonzero(np.asarray(outcome.labels) == 1))
    return min(positive, len(outcome.labels) - positive)


def _p(outcome: EndpointOutcome, score: np.ndarray, wider: float) -> float | None:
    """Labels are exchanged by patient: within folds, but among all where several repetitions have other folds.

    `wider`: how many times as far from 0.5 chance leads when models are trained anew than when labels are exchanged.
    """
    folds = outcome.folds[0] if len(outcome.folds) == 1 else None
    areas, rng = FoldAreas(score, outcome.folds), np.random.default_rng(SEED)
    try:
        found = permutation_test(areas, outcome.labels, rng, folds, np.asarray(outcome.patients), N_PERMUTATIONS)
    except ValueError:  # one patient, or every patient of other cases
        return None
    reached = 0.5 + wider * (found.null - 0.5) >= found.value - ROUNDING
    return float((np.count_nonzero(reached) + 1) / (len(reached) + 1))
