"""How well the models of an endpoint tell its cases apart: area, interval, p and comparison, as the design allows."""

import math
from collections.abc import Sequence
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
    to it; the permutations are spread by as much. Without that, intervals hold an area of 0.5 in two thirds to five
    sixths of cohorts without signal, see docs/methods.md. Scores that nothing was learned for, such as a volume, need
    none of it.
    """
    if not has_pairs(outcome):
        return None
    labels, score = np.asarray(outcome.labels), outcome.binary_models()[title].score
    p = p_of_best(outcome, (title,))
    if _single(outcome):
        found = auc(labels, score[0])
        return Area(found.value, found.logit_interval, np.array([found.value]), p)
    within = auc_within_folds(labels, score, outcome.folds, np.asarray(outcome.patients))
    interval = within.interval
    if 0 < within.value < 1 and interval != NOTHING_KNOWN and _trained(outcome, title):
        interval = logit_interval(within.value, _variance(outcome, title), _rarer(outcome) - 1)
    return Area(within.value, interval, within.repetitions, p)


def p_of_best(outcome: EndpointOutcome, titles: Sequence[str]) -> float | None:
    """That chance alone gives the best of some models its area, by permuting labels; None where none can be exchanged.

    Labels are exchanged by patient: within folds, but among all where several repetitions have other folds. Models that
    are trained anew lead farther from 0.5 than exchanged labels do, by the ratio of both standard errors.
    """
    labels, patients = np.asarray(outcome.labels), np.asarray(outcome.patients)
    scores = [outcome.binary_models()[title].score for title in titles]
    areas = [FoldAreas(score, outcome.folds) for score in scores]
    wider = [_wider(outcome, title) for title in titles]
    folds, rng = outcome.folds[0] if len(outcome.folds) == 1 else None, np.random.default_rng(SEED)

    def by_chance(exchanged: np.ndarray) -> float:
        return max(0.5 + times * (area(exchanged) - 0.5) for area, times in zip(areas, wider, strict=True))

    try:
        null = permutation_test(by_chance, labels, rng, folds, patients, N_PERMUTATIONS).null
    except ValueError:  # one patient, or every patient of other cases
        return None
    reached = null >= max(area(labels) for area in areas) - ROUNDING
    return float((np.count_nonzero(reached) + 1) / (len(reached) + 1))


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


def _trained(outcome: EndpointOutcome, title: str) -> bool:
    """Whether the scores are of several trainings."""
    return outcome.folded and not outcome.binary_models()[title].fixed_score


def _variance(outcome: EndpointOutcome, title: str) -> float:
    """Of the area of trained models: that of pairs within one repetition, and what shared training cases add."""
    labels, score = np.asarray(outcome.labels), outcome.binary_models()[title].score
    patients = np.asarray(outcome.patients)
    pairs = [
        auc_within_folds(labels, of_repetition, fold, patients).standard_error ** 2
        for of_repetition, fold in zip(score, outcome.folds, strict=True)
    ]
    return float(np.mean(pairs)) + variance_of_training(labels, score, outcome.folds)


def _wider(outcome: EndpointOutcome, title: str) -> float:
    """How many times as large the standard error is as that of pairs of all repetitions, models taken as given."""
    if not _trained(outcome, title):
        return 1.0
    score = outcome.binary_models()[title].score
    error = auc_within_folds(outcome.labels, score, outcome.folds, np.asarray(outcome.patients)).standard_error
    ratio = math.sqrt(_variance(outcome, title)) / error if error > 0 else math.nan
    return ratio if math.isfinite(ratio) else 1.0
