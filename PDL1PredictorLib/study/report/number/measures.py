"""The measures of an endpoint that is a number, as plain values for JSON; `None` where one cannot be had.

The formulas and their sources stand in `statistics.agreement`. Intervals are percentiles of resampled cases, the same
resamples for every model; that of Spearman's coefficient, which is taken within folds, is by Fisher's z.
"""

from collections.abc import Mapping

import numpy as np

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.roles import with_role
from PDL1PredictorLib.statistics.agreement import (
    Measure,
    calibration_line,
    compare_errors,
    concordance,
    constants,
    interval_coverage,
    limits_of_agreement,
    mean_absolute_error,
    mean_squared_error,
    r_squared,
    redrawn,
    root_mean_squared_error,
    with_interval,
)
from PDL1PredictorLib.statistics.fold_ranks import spearman_within_folds
from PDL1PredictorLib.study.outcome import EndpointOutcome, NumberModelOutcome
from PDL1PredictorLib.study.report.measures import Plain, count_of, estimate_of
from PDL1PredictorLib.study.report.number.cuts import cut_numbers
from PDL1PredictorLib.study.report.number.network import network_numbers

LEAST = 4  # cases: with fewer, a correlation has no interval
ESTIMATES: Mapping[str, Measure] = {
    "mse": mean_squared_error,
    "rmse": root_mean_squared_error,
    "mae": mean_absolute_error,
    "r2": r_squared,
    "concordance": concordance,
}
NEED_CASES = (*ESTIMATES, "spearman", "calibration", "limits", "intervals", "against", "residuals", "cuts")
MOST_BINS = 24


def number_numbers(outcome: EndpointOutcome, coverage: float) -> Plain:
    """How the models of a number did.

    Args:
        outcome: Of the endpoint.
        coverage: That its prediction intervals were made for.
    """
    observed, models = np.asarray(outcome.labels, dtype=float), outcome.number_models()
    words = endpoint(outcome.key)
    baselines = {title: models[title] for title in with_role(outcome.roles, "baseline") if title in models}
    enough = len(observed) >= LEAST
    rows = redrawn(len(observed))
    return {
        "unit": words.unit,
        "counts": {part: sum(numbers) for part, numbers in outcome.counts.items()},
        "stated_coverage": coverage,
        "observed": _observed(observed),
        "constants": constants(observed)._asdict() if enough else None,
        "models": {
            title: _described(model)
            | (
                _measured(observed, model, _rivals(title, baselines), rows)
                | {"spearman": _spearman(outcome, model), "cuts": cut_numbers(observed, model.value, words.cuts)}
                if enough
                else dict.fromkeys(NEED_CASES)
            )
            for title, model in models.items()
        },
        "network": network_numbers(outcome),
    }


def number_tests(numbers: Plain) -> list[Plain]:
    """The tests among an endpoint's numbers, each with its `p`."""
    return [test for model in numbers["models"].values() for test in (model["against"] or {}).values()]


def headline(outcome: EndpointOutcome, title: str) -> tuple[Plain, float] | None:
    """R² with its interval and mean absolute error of one model; None with too few cases."""
    observed, model = np.asarray(outcome.labels, dtype=float), outcome.number_models()[title]
    if len(observed) < LEAST:
        return None
    r2 = estimate_of(*with_interval(r_squared, observed, model.value, redrawn(len(observed))))
    return r2, float(mean_absolute_error(observed, model.value))


def _rivals(title: str, baselines: Mapping[str, NumberModelOutcome]) -> Mapping[str, NumberModelOutcome]:
    """What a model is compared with: every baseline, and a baseline with none."""
    return {} if title in baselines else baselines


def _observed(values: np.ndarray) -> Plain:
    if not len(values):
        return dict.fromkeys(("mean", "sd", "lowest", "quartile_1", "median", "quartile_3", "highest")) | {"values": []}
    lowest, quartile_1, median, quartile_3, highest = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
    return {
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)) if len(values) > 1 else None,
        "lowest": lowest,
        "quartile_1": quartile_1,
        "median": median,
        "quartile_3": quartile_3,
        "highest": highest,
        "values": values.tolist(),
    }


def _described(model: NumberModelOutcome) -> Plain:
    return {
        "regressor": model.regressor,
        "rmse_in_training": dict(model.rmse_in_training),
        "predicted": {"value": model.value.tolist(), "low": model.low.tolist(), "high": model.high.tolist()},
    }


def _measured(
    observed: np.ndarray, model: NumberModelOutcome, rivals: Mapping[str, NumberModelOutcome], rows: np.ndarray
) -> Plain:
    found = {
        name: estimate_of(*with_interval(measure, observed, model.value, rows)) for name, measure in ESTIMATES.items()
    }
    return {
        **found,
        "calibration": calibration_line(observed, model.value)._asdict(),
        "limits": limits_of_agreement(observed, model.value)._asdict(),
        "intervals": _intervals(observed, model),
        "against": {title: _against(observed, model, rival) for title, rival in rivals.items()},
        "residuals": _histogram(observed - model.value),
    }


def _spearman(outcome: EndpointOutcome, model: NumberModelOutcome) -> Plain:
    """Of scores within folds, mean over the repetitions; not finite where a model has one answer."""
    flat = all(
        np.ptp(score[fold == number]) == 0
        for score, fold in zip(model.score, outcome.folds, strict=True)
        for number in np.unique(fold)
    )
    if flat or np.ptp(outcome.labels) == 0:
        return estimate_of(np.nan, (np.nan, np.nan))
    found = spearman_within_folds(outcome.labels, model.score, outcome.folds, np.asarray(outcome.patients))
    return estimate_of(found.value, found.interval)


def _intervals(observed: np.ndarray, model: NumberModelOutcome) -> Plain:
    found = interval_coverage(observed, model.low, model.high)
    return {
        "covered": count_of(found.covered),
        "mean_width": found.mean_width,
        "median_width": found.median_width,
    }


def _against(observed: np.ndarray, model: NumberModelOutcome, rival: NumberModelOutcome) -> Plain:
    test = compare_errors(observed, model.value, rival.value)
    low, high = test.interval
    return {"difference": test.difference, "low": low, "high": high, "t": test.t, "p": test.p}


def _histogram(residuals: np.ndarray) -> Plain:
    """Observed less predicted, counted in bins of equal width (Freedman and Diaconis 1981, doi 10.1007/BF01025868)."""
    edges = np.histogram_bin_edges(residuals, bins="fd")
    if len(edges) > MOST_BINS + 1:
        edges = np.histogram_bin_edges(residuals, bins=MOST_BINS)
    counts, edges = np.histogram(residuals, bins=edges)
    return {"edges": edges.tolist(), "counts": counts.tolist()}
