"""One model of one endpoint: standardize, choose the classifier, calibrate, set thresholds and prediction sets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from PDL1PredictorLib.learning.classifiers import CLASSIFIERS, N_REPEATS, Choice, Chosen, choose_classifier
from PDL1PredictorLib.learning.selection import Narrowing
from PDL1PredictorLib.statistics.calibration import bootstrap_platt, fit_platt
from PDL1PredictorLib.statistics.conformal import class_conditional_quantiles
from PDL1PredictorLib.statistics.discrimination import sensitivity_threshold, youden_threshold
from PDL1PredictorLib.statistics.scores import calibrated_log_odds, expit, limited_log_odds

YOUDEN, SENSITIVITY_90 = "youden", "sensitivity 90 %"
SAME = 1e-9  # probabilities that differ by less are one answer


@dataclass(frozen=True)
class Fitting:
    """How a model is fitted.

    Attributes:
        n_repeats: Repetitions of the cross-validation that chooses the classifier.
        n_bootstrap: Resampled calibrations.
        coverage: Of the prediction sets.
        kinds: Classifiers to choose among.
        choice: Which of them is taken; see `classifiers.choose_classifier`.
        narrow: How columns of wide parts are selected; None: as `selection.candidates`.
    """

    n_repeats: int = N_REPEATS
    n_bootstrap: int = 200
    coverage: float = 0.9
    kinds: Sequence[str] = tuple(CLASSIFIERS)
    choice: Choice = "best"
    narrow: Narrowing | None = None

    def with_kinds(self, kinds: Sequence[str]) -> "Fitting":
        """The same among other classifiers."""
        return replace(self, kinds=tuple(kinds))


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A fitted model.

    Attributes:
        mean: Of each input that is used over the cases it was fitted on, (d,).
        sd: Likewise, (d,).
        chosen: The classifier, and which of the given inputs it uses.
        inputs: Standardized inputs of the cases it was fitted on, (n, d).
        slope: Platt slope.
        intercept: Platt intercept.
        calibrations: Resampled (slope, intercept), (n_bootstrap, 2).
        conformal: Quantiles (negative, positive).
        thresholds: By name, on calibrated out-of-fold probabilities.
        ranks_input: Whether the score is the one input as it is, and the classifier only makes a probability of it.
    """

    mean: np.ndarray
    sd: np.ndarray
    chosen: Chosen
    inputs: np.ndarray
    slope: float
    intercept: float
    calibrations: np.ndarray
    conformal: tuple[float, float]
    thresholds: dict[str, float]
    ranks_input: bool = False

    @property
    def learned(self) -> bool:
        """Whether there is a model: its answers differ, and held-out cases were ranked better than by chance.

        Platt's slope is 0 where they were not; a single input that is its own score must raise the probability.
        """
        raw = self._raw(self.inputs)
        if not self.slope > 0 or np.ptp(raw) <= SAME:
            return False
        return not self.ranks_input or bool(np.corrcoef(self.inputs[:, 0], raw)[0, 1] > 0)

    @property
    def columns(self) -> np.ndarray:
        """Of the given inputs, those that are used."""
        return self.chosen.columns

    @property
    def threshold(self) -> float:
        """Youden's."""
        return self.thresholds[YOUDEN]

    def standardized(self, x: np.ndarray) -> np.ndarray:
        """Given inputs as the classifier sees them, (n, d)."""
        return np.asarray((np.take(x, self.columns, axis=1) - self.mean) / self.sd)

    def raw_probability(self, x: np.ndarray) -> np.ndarray:
        """The classifier's own probability of positive for given inputs: (n,)."""
        return self._raw(self.standardized(x))

    def score(self, x: np.ndarray) -> np.ndarray:
        """What cases are ranked by, for given inputs: log-odds before calibration, or the one input itself, (n,)."""
        if self.ranks_input:
            return np.asarray(x[:, self.columns[0]], dtype=float)
        return limited_log_odds(self.raw_probability(x))

    def log_odds(self, standardized: np.ndarray) -> np.ndarray:
        """Calibrated log-odds of positive for standardized inputs (n, d): (n,)."""
        return calibrated_log_odds(self.slope, self.intercept, limited_log_odds(self._raw(standardized)))

    def probability(self, x: np.ndarray) -> np.ndarray:
        """Calibrated probability of positive for given inputs: (n,)."""
        return expit(self.log_odds(self.standardized(x)))

    def _raw(self, standardized: np.ndarray) -> np.ndarray:
        estimator: Any = self.chosen.estimator
        return np.asarray(estimator.predict_proba(standardized)[:, 1])


def fit_model(
    x: np.ndarray,
    labels: np.ndarray,
    how: Fitting,
    seed: int,
    to_select: np.ndarray | None = None,
    ranks_input: bool = False,
) -> FittedModel:
    """Fit on inputs that are honest: of cases that neither the network nor the RadScores were fitted on.

    Args:
        x: Inputs, (n, d).
        labels: 0 or 1, (n,).
        how: Settings.
        seed: Of folds and classifiers.
        to_select: (d,) bool: columns of which some are selected, see `choose_classifier`.
        ranks_input: See `FittedModel`; for d = 1.
    """
    mean, sd = x.mean(0), np.maximum(x.std(0), 1e-6)
    standardized = (x - mean) / sd
    chosen = choose_classifier(
        standardized, labels, seed, how.n_repeats, how.kinds, how.choice, to_select=to_select, narrow=how.narrow
    )
    odds = limited_log_odds(chosen.out_of_fold)
    slope, intercept = calibrator(labels, odds)
    p = expit(calibrated_log_odds(slope, intercept, odds))
    return FittedModel(
        mean=mean[chosen.columns],
        sd=sd[chosen.columns],
        chosen=chosen,
        inputs=np.take(standardized, chosen.columns, axis=1),
        slope=slope,
        intercept=intercept,
        calibrations=_never_falling(
            bootstrap_platt(labels, odds, how.n_bootstrap, np.random.default_rng([seed, 2])), labels
        ),
        conformal=class_conditional_quantiles(labels, p, how.coverage),
        thresholds={YOUDEN: float(youden_threshold(labels, p)), SENSITIVITY_90: sensitivity_threshold(labels, p, 0.9)},
        ranks_input=ranks_input,
    )


def calibrator(labels: np.ndarray, odds: np.ndarray) -> tuple[float, float]:
    """Platt's slope and intercept; a slope below 0 becomes 0, and every case then has the share of positives.

    Where cases that were held out are answered worse than by chance, the classifier has learned nothing. Turning its
    answers around would make a model of that accident.

    Args:
        labels: 0 or 1, (n,), both present.
        odds: Out-of-fold log-odds, (n,).
    """
    slope, intercept = _never_falling(np.array([fit_platt(labels, odds)]), labels)[0]
    return float(slope), float(intercept)


def _never_falling(calibrations: np.ndarray, labels: np.ndarray) -> np.ndarray:
    share = labels.mean()
    constant = np.array([0.0, np.log(share / (1 - share))])
    return np.where(calibrations[:, :1] < 0, constant, calibrations)
