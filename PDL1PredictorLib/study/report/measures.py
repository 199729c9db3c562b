"""Measures of one endpoint that every kind of answer has, as plain values for JSON; `None` where one cannot be had."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from PDL1PredictorLib.statistics.correlation import pearson
from PDL1PredictorLib.statistics.proportions import F1, Proportion, proportion
from PDL1PredictorLib.study.outcome import EndpointOutcome

Plain = dict[str, Any]

SEED = 1  # of the resamples for intervals
RESAMPLES = 2000


def correlation_numbers(outcome: EndpointOutcome) -> Plain:
    """Pearson's r of all pairs of the lead model's inputs, None where one is constant, and the mean absolute value."""
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
    """Mean absolute Shapley value of every input of the lead model; None where they were not asked for."""
    if outcome.contributions is None or not len(outcome.contributions):
        return None
    means = np.abs(outcome.contributions).mean(axis=0).tolist()
    return dict(zip(outcome.input_names, means, strict=True))


def feature_numbers(outcome: EndpointOutcome) -> dict[str, list[Plain]]:
    """Region to its features: the final model's, the strongest first, then those that only folds selected, with 0."""
    return {
        region: _features(coefficients, outcome.selected_in.get(region))
        for region, coefficients in outcome.coefficients.items()
    }


def _features(coefficients: Mapping[str, float], selected_in: Mapping[str, float] | None) -> list[Plain]:
    shares = selected_in or {}
    names = sorted({*coefficients, *shares}, key=lambda name: (-abs(coefficients.get(name, 0.0)), name))
    return [
        {
            "feature": name,
            "coefficient": coefficients.get(name, 0.0),
            "selected_in": None if selected_in is None else shares.get(name, 0.0),
        }
        for name in names
    ]


def estimate_of(value: float, interval: tuple[float, float]) -> Plain:
    """A value with its interval."""
    return {"value": value, "low": interval[0], "high": interval[1]}


def counted(hits: np.ndarray) -> Plain:
    """How many of the cases are hits, (n,) bool: the share with Wilson's interval, and both numbers."""
    return count_of(proportion(int(np.count_nonzero(hits)), len(hits)))


def count_of(share: Proportion) -> Plain:
    """A share of cases with its interval, and both numbers."""
    return share_of(share) | {"cases": share.successes, "of": share.n}


def share_of(share: Proportion | F1) -> Plain:
    """A share with its interval."""
    return estimate_of(share.value, share.interval)
