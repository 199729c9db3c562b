"""The curves of a yes/no endpoint as plain values for JSON: ROC with its band, reliability, decisions with theirs."""

import numpy as np

from PDL1PredictorLib.statistics.calibration import calibration, calibration_curve
from PDL1PredictorLib.statistics.calibration_intervals import calibration_intervals
from PDL1PredictorLib.statistics.curves import roc_curve
from PDL1PredictorLib.statistics.decision import decision_band, decision_curve
from PDL1PredictorLib.statistics.within_folds import roc_band_within_folds, roc_within_folds
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.measures import SEED, Plain, estimate_of, share_of

BAND_RESAMPLES = 500
MOST_POINTS = 201  # of a curve: repetitions of folds have thousands of steps
MOST_GROUPS = 10  # of cases with similar probability
CASES_PER_GROUP = 20  # at least, so that an observed share says something


def roc_numbers(outcome: EndpointOutcome, score: np.ndarray) -> Plain:
    """The ROC curve; of several folds their mean at equal false positive rates.

    Args:
        outcome: Of the endpoint; some fold of every repetition holds both answers.
        score: Of one model, (r, n).
    """
    if outcome.folded:
        false_rate, true_rate = roc_within_folds(outcome.labels, score, outcome.folds)
    else:
        false_rate, true_rate, _ = roc_curve(outcome.labels, score[0])
    if len(false_rate) > MOST_POINTS:
        at = np.linspace(0, 1, MOST_POINTS - 1)
        false_rate, true_rate = np.append(0.0, at), np.append(0.0, np.interp(at, false_rate, true_rate))
    return {"false_positive_rate": false_rate.tolist(), "true_positive_rate": true_rate.tolist()}


def roc_band(outcome: EndpointOutcome, score: np.ndarray) -> Plain | None:
    """Pointwise 95 % interval of the sensitivity; None where fewer than two patients have either answer."""
    rng = np.random.default_rng(SEED)
    patients = np.asarray(outcome.patients)
    band = roc_band_within_folds(outcome.labels, score, outcome.folds, rng, patients, BAND_RESAMPLES)
    if band is None:
        return None
    return {
        "false_positive_rate": band.false_positive_rate.tolist(),
        "low": band.low.tolist(),
        "high": band.high.tolist(),
    }


def calibration_numbers(labels: np.ndarray, probability: np.ndarray) -> Plain:
    """Slope, intercept and calibration in the large with their intervals; an open end is not finite."""
    values, intervals = calibration(labels, probability), calibration_intervals(labels, probability)
    return {name: estimate_of(getattr(values, name), getattr(intervals, name)) for name in values._fields}


def reliability(labels: np.ndarray, probability: np.ndarray) -> list[Plain]:
    """Predicted and observed share of groups of cases with similar probability."""
    n_groups = min(MOST_GROUPS, max(2, len(labels) // CASES_PER_GROUP))
    groups = calibration_curve(labels, probability, n_groups)
    return [{"predicted": group.predicted, "observed": share_of(group.observed)} for group in groups]


def decision_numbers(labels: np.ndarray, probability: np.ndarray, patients: np.ndarray) -> Plain:
    """Net benefit at each threshold with its band, and the band of what it exceeds treating all by."""
    curve = decision_curve(labels, probability)
    rng = np.random.default_rng(SEED)
    band = decision_band(labels, probability, rng, patients, n_resamples=BAND_RESAMPLES)
    (low, high), (over_low, over_high) = band.model, band.over_treat_all
    return {
        "threshold": curve.thresholds.tolist(),
        "net_benefit": curve.model.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "over_treat_all": {
            "value": (curve.model - curve.treat_all).tolist(),
            "low": over_low.tolist(),
            "high": over_high.tolist(),
        },
    }
