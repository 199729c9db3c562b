"""Curves of all cases and of groups, and whether groups differ."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.cox import fit_stratified
from PDL1PredictorLib.statistics.survival.curves import Curve, Quantile, kaplan_meier, median_follow_up
from PDL1PredictorLib.statistics.survival.hazard_ratios import hazard_ratios
from PDL1PredictorLib.statistics.survival.log_rank import log_rank
from PDL1PredictorLib.study.survival.settings import LEAST_AT_RISK

Plain = dict[str, Any]


def curve_numbers(time: np.ndarray, event: np.ndarray, horizons: tuple[float, ...]) -> Plain:
    """A Kaplan-Meier curve with its figures, plain."""
    curve = kaplan_meier(time, event)
    at = curve.at(horizons)
    return {
        "n": curve.n,
        "events": int(event.sum()),
        "median": _quantile(curve.quantile(0.5)),
        "at": [
            {"horizon": t, "survival": s, "low": low, "high": high, "at_risk": int(n)}
            for t, s, low, high, n in zip(horizons, at.survival, at.low, at.high, at.at_risk, strict=True)
        ],
        "steps": _steps(curve),
    }


def overall(time: np.ndarray, event: np.ndarray, wanted: tuple[float, ...]) -> tuple[Plain, tuple[float, ...]]:
    """Figures of all cases, and the horizons at which enough are still followed."""
    curve = kaplan_meier(time, event)
    at_risk = curve.numbers_at_risk(wanted)
    kept = tuple(t for t, n in zip(wanted, at_risk.tolist(), strict=True) if n >= LEAST_AT_RISK)
    found = curve_numbers(time, event, kept)
    found["follow_up"] = _quantile(median_follow_up(time, event))
    found["horizons_left_out"] = [t for t in wanted if t not in kept]
    return found, kept


def groups_compared(
    time: np.ndarray,
    event: np.ndarray,
    group: np.ndarray,
    strata: np.ndarray | None,
    horizons: tuple[float, ...],
    order: Sequence[str] = (),
) -> Plain:
    """Curves of groups, and the log-rank test; rows whose group or stratum is not known ("") are left out.

    Two groups have a hazard ratio, of the second to the first in `order` (or by name).
    """
    known = (group != "") & (strata != "" if strata is not None else True)
    time, event, group = time[known], event[known], group[known]
    strata = strata[known] if strata is not None else None
    names = list(order) or np.unique(group).tolist()
    found: Plain = {
        "n_left_out": int((~known).sum()),
        "groups": {name: curve_numbers(time[group == name], event[group == name], horizons) for name in names},
        "log_rank": None,
        "early": None,
        "hazard_ratio": None,
        "note": "",
    }
    try:
        found["log_rank"] = _test(time, event, group, strata, 0)
        found["early"] = _test(time, event, group, strata, 1)
        if len(names) == 2:
            fit = fit_stratified(group == names[1], time, event, strata)
            ratio = hazard_ratios(fit)[0]
            about = {"of": names[1], "to": names[0]}
            found["hazard_ratio"] = {**ratio_numbers(ratio.value, ratio.interval, ratio.p), **about}
    except NotEstimableError as error:
        found["note"] = str(error)
    return found


def ratio_numbers(value: float, interval: tuple[float, float], p: float) -> Plain:
    """A ratio with its interval and p, plain."""
    return {"value": value, "low": interval[0], "high": interval[1], "p": p}


def _test(time: np.ndarray, event: np.ndarray, group: np.ndarray, strata: np.ndarray | None, rho: float) -> Plain:
    test = log_rank(time, event, group, strata, rho)
    return {
        "statistic": test.statistic,
        "df": test.df,
        "p": test.p,
        "observed": dict(zip(test.names, test.observed.tolist(), strict=True)),
        "expected": dict(zip(test.names, test.expected.tolist(), strict=True)),
    }


def _quantile(found: Quantile) -> Plain:
    return {"value": found.time, "low": found.interval[0], "high": found.interval[1]}


def _steps(curve: Curve) -> dict[str, list[float]]:
    return {
        "time": curve.times.tolist(),
        "survival": curve.survival.tolist(),
        "low": curve.low.tolist(),
        "high": curve.high.tolist(),
        "at_risk": curve.at_risk.tolist(),
        "events": curve.events.tolist(),
    }
