"""What learning does for times until an event: see `kinds.Rules`."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from PDL1PredictorLib.cohort.outlook.least import LEAST_EVENTS
from PDL1PredictorLib.core.targets import HORIZON_DAYS, LANDMARK_DAYS, Target
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.selection import fit_time_score
from PDL1PredictorLib.learning.times.fitting import HAZARDS, LEAST_AT_RISK, FittedTime, fit_time, horizons, resampled
from PDL1PredictorLib.learning.times.ridge_cox import chosen_penalty, ridge_cox
from PDL1PredictorLib.statistics.survival.fold_concordance import concordance_within_folds

RESAMPLES, SEED = 200, 1
NOT_MORE = 1e-12


class HowLong(NamedTuple):
    """Answers to a question of how long of n cases; h times, see `core.targets.HORIZON_DAYS`.

    Attributes:
        score: What they are ranked by: higher is sooner, (n,).
        survival: Chance to be free of the event until each time, (n, h); NaN where the training does not reach it.
        one_curve: The same of the training cases, whatever the inputs, (n, h).
    """

    score: np.ndarray
    survival: np.ndarray
    one_curve: np.ndarray

    @property
    def answer(self) -> np.ndarray:
        """The chance at the time nearest to a year, (n,)."""
        return told_at(self.survival)


def told_at(survival: np.ndarray) -> np.ndarray:
    """Of chances at all times, (n, h), those at the known time that is nearest to a year, (n,)."""
    nearest = np.argsort(np.abs(HORIZON_DAYS - LANDMARK_DAYS), kind="stable")
    ordered = survival[:, nearest]
    return np.asarray(ordered[np.arange(len(ordered)), np.isfinite(ordered).argmax(axis=1)])


class Time:
    """Times until an event: a penalized Cox model, a baseline, the chance to be free of the event at some times."""

    fits: tuple[str, ...] = ("choose", "linear", "logistic", "rank", "l2", "ridge", "mean", "cox")
    measure, chance = "Harrell's C", 0.5

    def too_few(self, trainings: Sequence[np.ndarray], coverage: float) -> str:
        """Fewer than `LEAST_EVENTS` events, or followed too shortly for any answer."""
        known = [part[np.isfinite(part["time"])] for part in trainings]
        fewest = min(int(part["event"].sum()) for part in known)
        if fewest < LEAST_EVENTS:
            return f"{fewest} events in training; {LEAST_EVENTS} are needed"
        if any(not horizons(part).size for part in known):
            return f"fewer than {LEAST_AT_RISK} cases in training are followed for six months or more"
        return ""

    def counts(self, values: np.ndarray) -> tuple[int, ...]:
        """Events, and cases followed without one."""
        known = values[np.isfinite(values["time"])]
        events = int(known["event"].sum())
        return events, len(known) - events

    def truths(self, values: np.ndarray) -> np.ndarray:
        """As they are."""
        return values

    def score(
        self, z: np.ndarray, values: np.ndarray, names: Sequence[str], varies: np.ndarray, seed: int
    ) -> dict[str, float]:
        """LASSO of the martingale residuals."""
        return fit_time_score(z, values, names, varies, seed)

    def many(self, z: np.ndarray, values: np.ndarray, seed: int) -> np.ndarray:
        """Of a penalized Cox model."""
        return ridge_cox(z, values, chosen_penalty(z, values, seed))

    def tells(self, values: np.ndarray, score: np.ndarray, folds: np.ndarray) -> bool:
        """By the concordance within folds."""
        return self.figure(values, score[None], folds[None]) > self.chance + NOT_MORE

    def fit(
        self, x: np.ndarray, target: Target, fit: str, how: Fitting, seed: int, to_select: np.ndarray
    ) -> FittedTime:
        """A penalized Cox model; of one input without a penalty, of none one curve for all."""
        kind = HAZARDS[1] if fit == "mean" or not x.shape[1] else HAZARDS[0]
        select = to_select if to_select.any() else None
        return fit_time(x, target, kind, how.n_repeats, seed, select, penalized=fit != "rank")

    def answers(self, fitted: FittedTime, x: np.ndarray) -> HowLong:
        """Chances at the times that the training reached."""
        survival, one_curve = np.full((2, len(x), len(HORIZON_DAYS)), np.nan)
        places = np.searchsorted(HORIZON_DAYS, fitted.days)
        survival[:, places], one_curve[:, places] = fitted.survival(x), fitted.one_curve
        return HowLong(fitted.score(x), survival, one_curve)

    def contributions(self, fitted: FittedTime, standardized: np.ndarray) -> np.ndarray | None:
        """The terms of the log hazard, which are its Shapley values."""
        return fitted.effects(standardized)

    def weights(self, fitted: FittedTime) -> np.ndarray | None:
        """In log hazard."""
        return np.asarray(fitted.slope * fitted.coefficients)

    def tried(self, fitted: FittedTime) -> tuple[str, dict[str, float]]:
        """Harrell's C of every kind."""
        return fitted.kind, fitted.c_in_training

    def figure(self, truths: np.ndarray, score: np.ndarray, folds: np.ndarray) -> float:
        """Harrell's C from pairs within a fold; 0.5 where no pair can be compared."""
        found = concordance_within_folds(truths["time"], truths["event"], score, folds)
        return self.chance if found is None else found.value

    def entry(self, fitted: FittedTime, unit: str, file: str) -> dict[str, Any]:
        """The sum, its calibration, and the baseline at the times that are answered for."""
        kind, figures = self.tried(fitted)
        linear = {"coefficients": fitted.coefficients.tolist(), "intercept": 0.0}
        return {
            "unit": unit,
            "model": {"kind": kind, "linear": linear, "cross_validated": figures},
            "calibration": {"method": "Cox", "slope": fitted.slope},
            "baseline": [
                {"days": day, "hazard": hazard, "at_risk": at_risk}
                for day, hazard, at_risk in zip(
                    fitted.days.tolist(), fitted.hazard.tolist(), fitted.at_risk.tolist(), strict=True
                )
            ],
        }

    def tested(self, figures: Mapping[str, Any]) -> dict[str, Any]:
        """As they are."""
        return dict(figures)

    def files(self, fitted: FittedTime, file: str) -> dict[str, bytes]:
        """None: the sum stands in the manifest."""
        return {}

    def tables(self, fitted: FittedTime, key: str) -> dict[str, np.ndarray]:
        """Models of resampled cohorts."""
        return {f"fusion/{key}": np.ascontiguousarray(resampled(fitted, RESAMPLES, SEED), np.float32)}
