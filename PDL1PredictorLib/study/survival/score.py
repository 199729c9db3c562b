"""What one number tells of the time to the event: concordance, AUC(t), its cut, and its effect in groups."""

from typing import Any

import numpy as np

from PDL1PredictorLib.statistics.survival.best_cut import best_cut
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.concordance import Concordance, harrell_c, uno_c
from PDL1PredictorLib.statistics.survival.cox import fit_cox, fit_stratified
from PDL1PredictorLib.statistics.survival.curves import kaplan_meier
from PDL1PredictorLib.statistics.survival.hazard_ratios import hazard_ratios, nested_test
from PDL1PredictorLib.statistics.survival.horizons import auc_at
from PDL1PredictorLib.statistics.survival.max_rank import max_rank
from PDL1PredictorLib.study.survival.curves import groups_compared, ratio_numbers
from PDL1PredictorLib.study.survival.settings import LEAST_AT_RISK, SurvivalSettings

Plain = dict[str, Any]
GRID = 25  # times of the curve of AUC(t)


def score_numbers(
    score: np.ndarray, time: np.ndarray, event: np.ndarray, horizons: tuple[float, ...], settings: SurvivalSettings
) -> Plain:
    """All figures of a score on cases of which it is known.

    Raises:
        NotEstimableError: No event, or the score has one value only.
    """
    until = horizons[-1] if horizons else float(time[event].max())
    fit = fit_cox(score, time, event)
    sd = float(score.std(ddof=1))
    ratio, per_sd = hazard_ratios(fit)[0], hazard_ratios(fit_cox(score / sd, time, event))[0]
    harrell = harrell_c(time, event, score)
    median = float(np.median(score))
    return {
        "n": int(score.size),
        "events": int(event.sum()),
        "sd": sd,
        "ratio": ratio_numbers(ratio.value, ratio.interval, ratio.p),
        "ratio_per_sd": ratio_numbers(per_sd.value, per_sd.interval, per_sd.p),
        "harrell": concordance_numbers(harrell),
        "uno": concordance_numbers(uno_c(time, event, score, until)),
        "until": until,
        "direction": "sooner" if harrell.value >= 0.5 else "later",
        "auc": _areas(score, time, event, horizons),
        "auc_curve": _areas(score, time, event, _grid(time, event)),
        "cut": _cut(score, time, event, horizons, settings),
        "median": {"cut": median, **_parted(score, median, time, event, horizons)},
    }


def effect_in_groups(score: np.ndarray, time: np.ndarray, event: np.ndarray, group: np.ndarray) -> Plain:
    """Hazard ratio of the score per standard deviation in each group, and whether it differs between them."""
    unit = score / score.std(ddof=1)
    rows = []
    for name in np.unique(group).tolist():
        own = group == name
        row: Plain = {"group": name, "n": int(own.sum()), "events": int(event[own].sum()), "ratio": None, "note": ""}
        try:
            ratio = hazard_ratios(fit_cox(unit[own], time[own], event[own]))[0]
            row["ratio"] = ratio_numbers(ratio.value, ratio.interval, ratio.p)
        except NotEstimableError as error:
            row["note"] = str(error)
        rows.append(row)
    return {"rows": rows, "interaction": _interaction(unit, time, event, group)}


def concordance_numbers(c: Concordance) -> Plain:
    """A concordance, plain."""
    return {"value": c.value, "low": c.interval[0], "high": c.interval[1], "se": c.se}


def _interaction(unit: np.ndarray, time: np.ndarray, event: np.ndarray, group: np.ndarray) -> Plain | None:
    names = np.unique(group)
    own = np.column_stack([np.where(group == name, unit, 0.0) for name in names])
    try:
        smaller, larger = fit_stratified(unit, time, event, group), fit_stratified(own, time, event, group)
        return nested_test(smaller, larger)._asdict()
    except (NotEstimableError, ValueError):
        return None


def _grid(time: np.ndarray, event: np.ndarray) -> tuple[float, ...]:
    """Times at which enough have had the event, and enough are still followed."""
    curve = kaplan_meier(time, event)
    had = np.sort(time[event])
    fit = curve.times[(curve.at_risk > LEAST_AT_RISK) & (np.searchsorted(had, curve.times, "right") >= LEAST_AT_RISK)]
    if fit.size < 2:
        return ()
    return tuple(np.linspace(fit[0], fit[-1], GRID).tolist())


def _areas(score: np.ndarray, time: np.ndarray, event: np.ndarray, horizons: tuple[float, ...]) -> list[Plain]:
    found = []
    for t in horizons:
        try:
            area = auc_at(time, event, score, t)
        except NotEstimableError:
            continue
        low, high = area.interval
        found.append({"horizon": t, "value": area.value, "low": low, "high": high, "had": area.had, "free": area.free})
    return found


def _cut(
    score: np.ndarray, time: np.ndarray, event: np.ndarray, horizons: tuple[float, ...], settings: SurvivalSettings
) -> Plain:
    try:
        rng = np.random.default_rng(settings.seed)
        found = best_cut(score, time, event, rng, settings.permutations, settings.smallest_share)
        ranked = max_rank(score, time, event, settings.smallest_share)
    except NotEstimableError as error:
        return {"note": str(error)}
    return {
        "note": "",
        "value": found.cut,
        "n_high": found.n_high,
        "statistic": found.statistic,
        "p_naive": found.p_naive,
        "p_permutation": found.p_permutation,
        "permutations": settings.permutations,
        "scan": {"cut": found.scan.cuts.tolist(), "statistic": found.scan.statistic.tolist()},
        "max_rank": ranked._asdict(),
        "compared": _parted(score, found.cut, time, event, horizons),
    }


def _parted(score: np.ndarray, cut: float, time: np.ndarray, event: np.ndarray, horizons: tuple[float, ...]) -> Plain:
    names = (f"up to {cut:.4g}", f"above {cut:.4g}")
    present = [name for name, some in zip(names, (score <= cut, score > cut), strict=True) if some.any()]
    return groups_compared(time, event, np.where(score > cut, names[1], names[0]), None, horizons, present)
