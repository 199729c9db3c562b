"""One endpoint of a study in numbers, as plain values for JSON; `None` where a number cannot be had."""

from itertools import combinations
from typing import Any

import numpy as np

from PDL1PredictorLib.learning.model_names import FUSED
from PDL1PredictorLib.statistics.calibration import brier_score, calibration, calibration_curve
from PDL1PredictorLib.statistics.correlation import pearson
from PDL1PredictorLib.statistics.curves import roc_curve
from PDL1PredictorLib.statistics.decision import decision_curve
from PDL1PredictorLib.statistics.discrimination import auc, delong_test
from PDL1PredictorLib.statistics.proportions import F1, Proportion, performance, proportion
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome

Plain = dict[str, Any]

SEED = 1  # of the resamples for the intervals of F1 and of the ROC curve
RESAMPLES = 2000
BAND_RESAMPLES = 1000
MOST_GROUPS = 10  # of cases with similar probability
CASES_PER_GROUP = 20  # at least, so that an observed share says something
MEASURES = ("accuracy", "recall", "precision", "specificity", "ppv", "npv", "f1")
NEED_BOTH = (
    "auc",
    "delong",
    "measures",
    "confusion",
    "brier",
    "calibration",
    "reliability",
    "roc",
    "roc_band",
    "decision_curve",
)


def model_numbers(labels: np.ndarray, model: ModelOutcome, fused: ModelOutcome | None) -> Plain:
    """How one model did.

    Args:
        labels: 0 or 1, (n,).
        model: The model.
        fused: What it is compared with by DeLong's test; None for the fused model itself.

    Returns:
        The figures of `NEED_BOTH`, all None where not both labels occur.
    """
    described: Plain = {
        "classifier": model.classifier,
        "mean_auc_in_training": dict(model.mean_auc),
        "thresholds": dict(model.thresholds),
    }
    if not has_both(labels):
        return described | dict.fromkeys(NEED_BOTH)
    area = auc(labels, model.probability)
    fitted = calibration(labels, model.probability)
    groups = calibration_curve(labels, model.probability, _n_groups(len(labels)))
    roc = roc_curve(labels, model.probability)
    curve = decision_curve(labels, model.probability)
    return described | {
        "auc": {"value": area.value, "low": area.interval[0], "high": area.interval[1]},
        "delong": _delong(labels, model, fused),
        **_calls(labels, model.positive),
        "brier": brier_score(labels, model.probability),
        "calibration": {"slope": fitted.slope, "intercept": fitted.intercept, "in_the_large": fitted.in_the_large},
        "reliability": [{"predicted": g.predicted, "observed": _share(g.observed)} for g in groups],
        "roc": {
            "false_positive_rate": roc.false_positive_rate.tolist(),
            "true_positive_rate": roc.true_positive_rate.tolist(),
        },
        "roc_band": roc_band(labels, model.probability),
        "decision_curve": {"threshold": curve.thresholds.tolist(), "net_benefit": curve.model.tolist()},
    }


def has_both(labels: np.ndarray) -> bool:
    """Whether there are positive and negative cases."""
    return bool((labels == 1).any() and (labels == 0).any())


def decision_reference(labels: np.ndarray) -> Plain | None:
    """Net benefit of treating all cases; None where not both labels occur."""
    if not has_both(labels):
        return None
    curve = decision_curve(labels, np.zeros(len(labels)))
    return {"threshold": curve.thresholds.tolist(), "treat_all": curve.treat_all.tolist()}


def set_numbers(labels: np.ndarray, sets: np.ndarray, stated: float) -> Plain:
    """How often the prediction sets hold the true answer, against what they state.

    Args:
        labels: 0 or 1, (n,).
        sets: Whether negative, positive is in the set, (n, 2) bool.
        stated: Coverage that they were made for.
    """
    covered = sets[np.arange(len(labels)), labels.astype(int)]
    sizes = sets.sum(axis=1)
    groups = {"all": np.ones(len(labels), bool), "negative": labels == 0, "positive": labels == 1}
    return {
        "stated": stated,
        "observed": {name: _count(covered[rows]) for name, rows in groups.items()},
        "one_answer": _count(sizes == 1),
        "both_answers": _count(sizes == 2),
        "no_answer": _count(sizes == 0),
        "right_where_one": _count(covered[sizes == 1]),
    }


def correlation_numbers(outcome: EndpointOutcome) -> Plain:
    """Pearson's r of every pair of fused inputs, None where one is constant, and the mean absolute value."""
    d = len(outcome.input_names)
    matrix: list[list[float | None]] = [[1.0 if row == column else None for column in range(d)] for row in range(d)]
    found = []
    for a, b in combinations(range(d), 2):
        x, y = outcome.inputs[:, a], outcome.inputs[:, b]
        if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
            continue
        r = pearson(x, y).value
        matrix[a][b] = matrix[b][a] = r
        found.append(abs(r))
    mean = float(np.mean(found)) if found else None
    return {"inputs": list(outcome.input_names), "matrix": matrix, "mean_absolute": mean}


def contribution_numbers(outcome: EndpointOutcome) -> dict[str, float] | None:
    """Mean absolute Shapley value of every fused input; None where they were not asked for."""
    if outcome.contributions is None or not len(outcome.contributions):
        return None
    means = np.abs(outcome.contributions).mean(axis=0).tolist()
    return dict(zip(outcome.input_names, means, strict=True))


def roc_band(labels: np.ndarray, scores: np.ndarray) -> Plain | None:
    """Pointwise 95 % interval of the sensitivity at every specificity, by drawing cases within the labels.

    Returns:
        None where an outcome has fewer than two cases.
    """
    if min(np.count_nonzero(labels == 1), np.count_nonzero(labels == 0)) < 2:
        return None
    rng = np.random.default_rng(SEED)
    values, place = np.unique(scores, return_inverse=True)

    def rates(rows: np.ndarray) -> np.ndarray:
        """Share of the drawn cases called positive at each value, from the highest down: (resamples, values + 1)."""
        times = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=BAND_RESAMPLES)
        at_value = times @ (place[rows][:, None] == np.arange(len(values))[::-1])
        return np.pad(at_value.cumsum(axis=1) / len(rows), ((0, 0), (1, 0)))

    true_rates, false_rates = rates(np.flatnonzero(labels == 1)), rates(np.flatnonzero(labels == 0))
    at = np.linspace(0, 1, 51)
    curves = np.array([np.interp(at, x, y) for x, y in zip(false_rates, true_rates, strict=True)])
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    return {"false_positive_rate": at.tolist(), "low": low.tolist(), "high": high.tolist()}


def _delong(labels: np.ndarray, model: ModelOutcome, fused: ModelOutcome | None) -> Plain | None:
    if fused is None or min(np.count_nonzero(labels == 1), np.count_nonzero(labels == 0)) < 2:
        return None
    test = delong_test(labels, model.probability, fused.probability)
    low, high = test.interval
    return {"against": FUSED, "difference": test.difference, "low": low, "high": high, "z": test.z, "p": test.p}


def _calls(labels: np.ndarray, called: np.ndarray) -> Plain:
    """The table of calls, and its rates with intervals under the names that papers use."""
    found = performance(labels, called, np.random.default_rng(SEED), n_resamples=RESAMPLES)
    rates: list[Proportion | F1] = [
        found.accuracy,
        found.sensitivity,
        found.ppv,
        found.specificity,
        found.ppv,
        found.npv,
        found.f1,
    ]
    names = ("true_positive", "false_positive", "true_negative", "false_negative")
    return {
        "measures": {name: _share(rate) for name, rate in zip(MEASURES, rates, strict=True)},
        "confusion": dict(zip(names, found.table[:4], strict=True)),
    }


def _count(hits: np.ndarray) -> Plain:
    share = proportion(int(np.count_nonzero(hits)), len(hits))
    return _share(share) | {"cases": share.successes, "of": share.n}


def _share(share: Proportion | F1) -> Plain:
    return {"value": share.value, "low": share.interval[0], "high": share.interval[1]}


def _n_groups(n: int) -> int:
    return min(MOST_GROUPS, max(2, n // CASES_PER_GROUP))
