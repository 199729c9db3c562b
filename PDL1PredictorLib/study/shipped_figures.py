"""Figures of the model that is shipped, for the bundle's manifest: what the study measured of models made like it."""

import math
from typing import Any

import numpy as np

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.statistics.agreement import (
    constants,
    mean_absolute_error,
    mean_squared_error,
    r_squared,
    redrawn,
    with_interval,
)
from PDL1PredictorLib.statistics.proportions import Proportion, proportion
from PDL1PredictorLib.statistics.survival.fold_concordance import concordance_within_folds
from PDL1PredictorLib.study.discrimination import area_of
from PDL1PredictorLib.study.outcome import EndpointOutcome, NumberModelOutcome, TimeModelOutcome

Plain = dict[str, Any]
LEAST = 10  # cases with a number: with fewer, nothing is told


def shipped_figures(outcome: EndpointOutcome, title: str) -> Plain | None:
    """Figures of one model on its test cases, as the bundle keeps them.

    Args:
        outcome: Of the endpoint.
        title: Of the model.

    Returns:
        Yes/no: `auc`, `low`, `high`, `n_positive`, `n_negative`, `design`, `repeats` (of the outer folds), `p` (by
        permutation; None where no label can be exchanged), and `sensitivity` and `specificity` of the calls, each
        `value`, `low`, `high`, or None without such a call. Numbers: `n`, `mse`, `mse_of_mean`, `mae`, `r2`, `r2_low`,
        `r2_high`. Times: `n`, `events`, `c` (Harrell's, within folds), `low`, `high`. None where they cannot be had.
    """
    model = outcome.models[title]
    if isinstance(model, NumberModelOutcome):
        return _of_number(np.asarray(outcome.labels, dtype=float), model)
    if isinstance(model, TimeModelOutcome):
        return _of_time(outcome, model)
    found = area_of(outcome, title)
    if found is None:
        return None
    positive = np.asarray(outcome.labels) == 1
    low, high = found.interval
    return {
        "auc": found.value,
        "low": min(low, found.value),
        "high": max(high, found.value),
        "n_positive": int(positive.sum()),
        "n_negative": int((~positive).sum()),
        "design": design_of(outcome).value,
        "repeats": len(outcome.folds),
        "p": found.p,
        "sensitivity": _share(model.positive[model.called & positive]),
        "specificity": _share(~model.positive[model.called & ~positive]),
    }


def design_of(outcome: EndpointOutcome) -> Design:
    """How the figures of an endpoint came about."""
    return Design.NESTED if outcome.folded else Design.SPLIT


def _share(right: np.ndarray) -> Plain | None:
    if not len(right):
        return None
    found: Proportion = proportion(int(np.count_nonzero(right)), len(right))
    low, high = found.interval
    return {"value": found.value, "low": low, "high": high}


def _of_number(truths: np.ndarray, model: NumberModelOutcome) -> Plain | None:
    """Errors, and the share of the variance that is explained with its resampled interval."""
    if len(truths) < LEAST or np.ptp(truths) == 0:
        return None
    r2, (low, high) = with_interval(r_squared, truths, model.value, redrawn(len(truths)))
    if not all(map(math.isfinite, (r2, low, high))):
        return None
    return {
        "n": len(truths),
        "mse": float(mean_squared_error(truths, model.value)),
        "mse_of_mean": constants(truths).mse_of_mean,
        "mae": float(mean_absolute_error(truths, model.value)),
        "r2": r2,
        "r2_low": min(low, r2),
        "r2_high": max(high, r2),
    }


def _of_time(outcome: EndpointOutcome, model: TimeModelOutcome) -> Plain | None:
    """Whether who scores higher has the event sooner."""
    time, event = outcome.labels["time"], outcome.labels["event"]
    found = concordance_within_folds(time, event, model.score, outcome.folds) if event.any() else None
    if found is None:
        return None
    low, high = found.interval
    return {"n": len(time), "events": int(event.sum()), "c": found.value, "low": low, "high": high}
