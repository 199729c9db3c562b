"""Models judged on cases that they were not fitted to: folds, or the rows behind the first."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.concordance import harrell_c
from PDL1PredictorLib.statistics.survival.cox import baseline_of, fit_cox, survival_at
from PDL1PredictorLib.statistics.survival.curves import kaplan_meier
from PDL1PredictorLib.statistics.survival.held_out import held_out_calibration
from PDL1PredictorLib.statistics.survival.horizons import auc_at, brier_at
from PDL1PredictorLib.statistics.survival.penalized import choose_penalty, penalized_path
from PDL1PredictorLib.study.survival.score import concordance_numbers

Plain = dict[str, Any]
INNER = 5  # folds within the training cases that choose a penalty


class Fitted(NamedTuple):
    """A model fitted to some rows.

    Attributes:
        score: Log hazard of rows of covariates.
        kept: Numbers of the covariates that it uses.
    """

    score: Callable[[np.ndarray], np.ndarray]
    kept: np.ndarray


Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], Fitted]


class Predicted(NamedTuple):
    """What held-out rows were told.

    Attributes:
        rows: (m,) which rows.
        fold: (m,) in which fold each was held out.
        score: (m,) log hazard; comparable within a fold only.
        survival: (m, h) at the horizons.
        null: (m, h) of the curve of the training rows: the same for all rows of a fold.
        kept: (p,) number of folds in which each covariate was used.
    """

    rows: np.ndarray
    fold: np.ndarray
    score: np.ndarray
    survival: np.ndarray
    null: np.ndarray
    kept: np.ndarray


def plain_fit(x: np.ndarray, time: np.ndarray, event: np.ndarray, rng: np.random.Generator) -> Fitted:
    """A Cox model of all covariates that vary among these rows."""
    varies = np.flatnonzero(np.ptp(x, axis=0) > 0)
    if not varies.size:
        raise NotEstimableError("No covariate has more than one value among the training cases.")
    cox = fit_cox(x[:, varies], time, event)
    return Fitted(lambda new: cox.score(new[:, varies]), varies)


def lasso_fit(x: np.ndarray, time: np.ndarray, event: np.ndarray, rng: np.random.Generator) -> Fitted:
    """A LASSO Cox model; folds within these rows choose its penalty."""
    path = penalized_path(x, time, event)
    chosen = choose_penalty(x, time, event, parts(event, INNER, rng), path)
    return Fitted(lambda new: path.score(new, chosen.place), np.flatnonzero(path.coef[chosen.place]))


def parts(event: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) numbers of folds, each with its share of events."""
    fold = np.empty(event.size, dtype=int)
    order = np.concatenate([rng.permutation(np.flatnonzero(event)), rng.permutation(np.flatnonzero(~event))])
    fold[order] = np.arange(event.size) % count
    return fold


def by_folds(
    x: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    fold: np.ndarray,
    horizons: tuple[float, ...],
    fit: Fit,
    seed: int,
    progress: Progress,
) -> Predicted:
    """Each fold told by a model of the others."""
    found = []
    numbers = np.unique(fold).tolist()
    for place, number in enumerate(numbers):
        progress.step("survival", place / len(numbers), f"fold {place + 1} of {len(numbers)}")
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        rng = np.random.default_rng([seed, place])
        found.append(told(x, time, event, train, test, horizons, fit, rng)._replace(fold=np.full(test.size, number)))
    rows, folds, score, survival, null = (np.concatenate(v) for v in zip(*(f[:5] for f in found), strict=True))
    return Predicted(rows, folds, score, survival, null, np.sum([f.kept for f in found], axis=0))


def told(
    x: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    horizons: tuple[float, ...],
    fit: Fit,
    rng: np.random.Generator,
) -> Predicted:
    """The test rows told by a model of the training rows."""
    model = fit(x[train], time[train], event[train], rng)
    score = model.score(x)
    curve = np.repeat(kaplan_meier(time[train], event[train]).at(horizons).survival[None, :], test.size, axis=0)
    survival = survival_at(baseline_of(score[train], time[train], event[train]), score[test], horizons)
    kept = np.zeros(x.shape[1], dtype=int)
    kept[model.kept] = 1
    return Predicted(test, np.zeros(test.size), score[test], survival, curve, kept)


def judged(found: Predicted, time: np.ndarray, event: np.ndarray, horizons: tuple[float, ...]) -> Plain:
    """Figures of held-out rows."""
    t, e = time[found.rows], event[found.rows]
    c = harrell_c(t, e, found.score, strata=found.fold)
    at = []
    for place, horizon in enumerate(horizons):
        s, null = found.survival[:, place], found.null[:, place]
        brier, without = brier_at(t, e, s, horizon), brier_at(t, e, null, horizon)
        row: Plain = {"horizon": horizon, "brier": brier.value, "brier_low": brier.interval[0]}
        row |= {"brier_high": brier.interval[1], "brier_without": without.value, "auc": None}
        if np.ptp(s) > 0:
            area = auc_at(t, e, 1 - s, horizon)
            row["auc"] = {"value": area.value, "low": area.interval[0], "high": area.interval[1]}
        at.append(row)
    about = {"n": int(t.size), "events": int(e.sum()), "c": concordance_numbers(c), "at": at}
    return {**about, **_calibration(found, t, e, horizons)}


def _calibration(found: Predicted, time: np.ndarray, event: np.ndarray, horizons: tuple[float, ...]) -> Plain:
    if not np.ptp(found.score) > 0 or not horizons:
        return {"slope": None, "expected": []}
    calibration = held_out_calibration(found.score, found.survival, time, event, horizons)
    low, high = calibration.slope_interval
    observed = calibration.observed
    return {
        "slope": {"value": calibration.slope, "low": low, "high": high},
        "expected": [
            {"horizon": t, "expected": a, "observed": b, "low": lo, "high": hi}
            for t, a, b, lo, hi in zip(
                horizons, calibration.expected, observed.survival, observed.low, observed.high, strict=True
            )
        ],
    }
