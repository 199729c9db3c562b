"""The measures of an endpoint that is a time, as plain values for JSON; `None` where one cannot be had.

Formulas and sources stand in `statistics.survival`. Scores are compared within folds; chances of all folds together.
"""

import math
from typing import Any

import numpy as np

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.targets import HORIZON_DAYS, LANDMARK_DAYS, MONTH_DAYS
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.concordance import compare_c, harrell_c, uno_c
from PDL1PredictorLib.statistics.survival.cox import fit_cox
from PDL1PredictorLib.statistics.survival.curves import kaplan_meier, median_follow_up
from PDL1PredictorLib.statistics.survival.fold_concordance import concordance_within_folds
from PDL1PredictorLib.statistics.survival.hazard_ratios import hazard_ratios
from PDL1PredictorLib.statistics.survival.horizons import auc_at, brier_at
from PDL1PredictorLib.statistics.survival.log_rank import log_rank
from PDL1PredictorLib.study.outcome import EndpointOutcome, TimeModelOutcome
from PDL1PredictorLib.study.report.measures import Plain, estimate_of

GROUPS = ("low risk", "middle", "high risk")  # thirds of the score
LEAST_AT_RISK = 10  # cases that are still followed at a time for which figures are told
LEAST_EVENTS = 5
CALIBRATION_GROUPS = 4
MONTHS = tuple(round(days / MONTH_DAYS) for days in HORIZON_DAYS.tolist())


def time_numbers(outcome: EndpointOutcome, coverage: float) -> Plain:
    """How the models of a time did.

    Args:
        outcome: Of the endpoint.
        coverage: Of no use here: times have no prediction interval.
    """
    time, event = outcome.labels["time"], outcome.labels["event"]
    enough = int(event.sum()) >= LEAST_EVENTS
    told = [day for day in HORIZON_DAYS.tolist() if (time >= day).sum() >= LEAST_AT_RISK] if enough else []
    models = outcome.time_models()
    lead = models.get(outcome.lead)
    return {
        "unit": endpoint(outcome.key).unit,
        "counts": {part: {"events": found[0], "without": found[1]} for part, found in outcome.counts.items()},
        "events": int(event.sum()),
        "observed": {"time": time.tolist(), "event": event.astype(int).tolist()},
        "follow_up": _quantile(median_follow_up(time, event)) if len(time) else None,
        "median": _quantile(kaplan_meier(time, event).quantile(0.5)) if len(time) else None,
        "horizons": told,
        "groups": None if lead is None or not enough else _groups(outcome, lead),
        "models": {title: _of_model(outcome, title, model, told, enough) for title, model in models.items()},
    }


def time_tests(numbers: Plain) -> list[Plain]:
    """The tests among an endpoint's numbers, each with its `p`."""
    found = [model["against_lead"] for model in numbers["models"].values() if model["against_lead"] is not None]
    return [*found, *([] if numbers["groups"] is None else [numbers["groups"]["log_rank"]])]


def headline(outcome: EndpointOutcome, title: str) -> Plain | None:
    """Harrell's C of one model with its interval; None where no pair can be compared."""
    return _harrell(outcome, outcome.time_models()[title])


def thirds(scores: np.ndarray) -> np.ndarray:
    """Third of each of the scores of one model: 0 the lowest, (n,)."""
    edges = np.quantile(scores, [1 / 3, 2 / 3])
    return np.asarray(np.searchsorted(edges, scores, side="left"))


def groups_of(outcome: EndpointOutcome, model: TimeModelOutcome) -> np.ndarray:
    """Third of each case's score among the cases of its fold, in the first division, (n,)."""
    found = np.zeros(len(outcome.labels), dtype=int)
    for fold in np.unique(outcome.folds[0]):
        rows = outcome.folds[0] == fold
        found[rows] = thirds(model.score[0][rows])
    return found


def _of_model(outcome: EndpointOutcome, title: str, model: TimeModelOutcome, told: list[float], enough: bool) -> Plain:
    shown = {
        "kind": model.kind,
        "c_in_training": dict(model.c_in_training),
        "predicted": {"score": model.score[0].tolist(), "survival": model.survival.tolist()},
    }
    if not enough:
        return shown | dict.fromkeys(("harrell", "uno", "against_lead", "slope", "at", "calibration"))
    return shown | {
        "harrell": _harrell(outcome, model),
        "uno": _uno(outcome, model),
        "against_lead": None if title == outcome.lead else _against(outcome, title),
        "slope": _slope(outcome, model),
        "at": [_at(outcome, model, day) for day in told],
        "calibration": [_calibration(outcome, model, day) for day in told],
    }


def _harrell(outcome: EndpointOutcome, model: TimeModelOutcome) -> Plain | None:
    time, event = outcome.labels["time"], outcome.labels["event"]
    found = concordance_within_folds(time, event, model.score, outcome.folds) if event.any() else None
    return None if found is None else estimate_of(found.value, found.interval)


def _uno(outcome: EndpointOutcome, model: TimeModelOutcome) -> Plain | None:
    """Weighted for censoring, up to two years; of one model alone, since its weights are not of one fold."""
    if outcome.folded:
        return None
    try:
        time, event = outcome.labels["time"], outcome.labels["event"]
        found = uno_c(time, event, model.score[0], until=float(HORIZON_DAYS[-1]))
    except (NotEstimableError, ValueError):
        return None
    return estimate_of(found.value, found.interval)


def _against(outcome: EndpointOutcome, title: str) -> Plain | None:
    """Harrell's C of the lead model less that of this one, within the folds of the first division."""
    time, event, models = outcome.labels["time"], outcome.labels["event"], outcome.time_models()
    if outcome.lead not in models:
        return None
    try:
        first, second = (
            harrell_c(time, event, models[one].score[0], strata=outcome.folds[0]) for one in (outcome.lead, title)
        )
    except NotEstimableError:
        return None
    found = compare_c(first, second)
    low, high = found.interval
    return {"difference": found.value, "low": low, "high": high, "p": found.p}


def _slope(outcome: EndpointOutcome, model: TimeModelOutcome) -> Plain | None:
    """Log hazard ratio per unit of the predicted log cumulative hazard: 1 is right, below 1 too extreme."""
    place = _main_place(model)
    if place is None:
        return None
    predicted = np.log(-np.log(np.clip(model.survival[:, place], 1e-9, 1 - 1e-9)))
    try:
        fit = fit_cox(predicted, outcome.labels["time"], outcome.labels["event"])
    except NotEstimableError:
        return None
    low, high = (math.log(end) for end in hazard_ratios(fit)[0].interval)
    return estimate_of(float(fit.coef[0]), (low, high))


def _main_place(model: TimeModelOutcome) -> int | None:
    """Of the time nearest to a year for which all cases have an answer."""
    known = np.flatnonzero(np.isfinite(model.survival).all(axis=0))
    return int(known[np.abs(HORIZON_DAYS[known] - LANDMARK_DAYS).argmin()]) if len(known) else None


def _at(outcome: EndpointOutcome, model: TimeModelOutcome, day: float) -> Plain:
    """AUC, Brier score and that of one curve for all, for one time."""
    time, event = outcome.labels["time"], outcome.labels["event"]
    place = int(np.searchsorted(HORIZON_DAYS, day))
    known = bool(np.isfinite(model.survival[:, place]).all())
    return {
        "days": day,
        "auc": _figure(auc_at, time, event, model.score[0], day) if not outcome.folded else None,
        "brier": _figure(brier_at, time, event, model.survival[:, place], day) if known else None,
        "brier_of_one_curve": _figure(brier_at, time, event, model.one_curve[:, place], day) if known else None,
    }


def _figure(measure: Any, time: np.ndarray, event: np.ndarray, told: np.ndarray, day: float) -> Plain | None:
    try:
        found = measure(time, event, told, day)
    except (NotEstimableError, ValueError):
        return None
    return estimate_of(found.value, found.interval)


def _calibration(outcome: EndpointOutcome, model: TimeModelOutcome, day: float) -> Plain | None:
    """Mean predicted chance and Kaplan-Meier's share in quarters of the prediction."""
    place = int(np.searchsorted(HORIZON_DAYS, day))
    told = model.survival[:, place]
    if not np.isfinite(told).all() or np.ptp(told) == 0:
        return None
    group = np.searchsorted(np.quantile(told, np.arange(1, CALIBRATION_GROUPS) / CALIBRATION_GROUPS), told, "left")
    rows = []
    for number in np.unique(group):
        own = outcome.labels[group == number]
        curve = kaplan_meier(own["time"], own["event"]).at([day])
        seen = {name: float(getattr(curve, name)[0]) for name in ("survival", "low", "high")}
        expected = float(told[group == number].mean())
        rows.append({"cases": len(own), "expected": expected, "observed": seen["survival"], **_ends(seen)})
    return {"days": day, "groups": rows}


def _ends(seen: dict[str, float]) -> dict[str, float]:
    return {"low": seen["low"], "high": seen["high"]}


def _groups(outcome: EndpointOutcome, model: TimeModelOutcome) -> Plain | None:
    """Kaplan-Meier curves of the thirds of the lead model's score, with numbers at risk, and the log-rank test."""
    if np.ptp(model.score[0]) == 0:
        return None
    time, event, group = outcome.labels["time"], outcome.labels["event"], groups_of(outcome, model)
    present = np.unique(group).tolist()
    if len(present) < 2:
        return None
    ticks = np.linspace(0, float(time.max()), 6)
    curves = []
    for number in present:
        own = outcome.labels[group == number]
        curve = kaplan_meier(own["time"], own["event"])
        curves.append(
            {
                "group": GROUPS[number],
                "cases": len(own),
                "events": int(own["event"].sum()),
                "median": _quantile(curve.quantile(0.5)),
                "times": curve.times.tolist(),
                "survival": curve.survival.tolist(),
                "censored": own["time"][~own["event"]].tolist(),
                "at_risk": [int((own["time"] >= tick).sum()) for tick in ticks.tolist()],
            }
        )
    test = log_rank(time, event, group)
    return {"ticks": ticks.tolist(), "curves": curves, "log_rank": {"chi2": test.statistic, "df": test.df, "p": test.p}}


def _quantile(found: Any) -> Plain:
    return estimate_of(found.time, found.interval)
