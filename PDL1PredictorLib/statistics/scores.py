"""From features to a score, from a classifier's vote to calibrated log-odds: the same for training and prediction."""

from collections.abc import Mapping, Sequence

import numpy as np

LOG_ODDS_LIMIT = 7.0  # a forest or a neighbor vote of 0 or 1 stands for about 1 in 1000, not for certainty


def radscore(z: np.ndarray, names: Sequence[str], coefficients: Mapping[str, float]) -> np.ndarray:
    """Sum of selected features times their coefficients: (n, f) to (n,); 0 where none is selected.

    Args:
        z: Standardized features, (n, f).
        names: Of the columns.
        coefficients: By name, of the selected ones.
    """
    column = {name: i for i, name in enumerate(names)}
    chosen = [column[name] for name in coefficients]
    return np.asarray(z[:, chosen] @ np.array(list(coefficients.values()))) if chosen else np.zeros(len(z))


def expit(log_odds: np.ndarray) -> np.ndarray:
    """Probabilities of log-odds, of any shape."""
    with np.errstate(over="ignore"):  # far below 0 the answer is 0
        return np.asarray(1 / (1 + np.exp(-log_odds)))


def limited_log_odds(probability: np.ndarray) -> np.ndarray:
    """Log-odds of a classifier's probabilities, kept within a limit: a vote of 0 or 1 is not certainty."""
    edge = float(expit(np.array(-LOG_ODDS_LIMIT)))
    p = np.clip(probability, edge, 1 - edge)
    return np.asarray(np.log(p / (1 - p)))


def calibrated_log_odds(slope: float, intercept: float, raw: np.ndarray) -> np.ndarray:
    """Calibrated log-odds of positive for a classifier's own, by Platt's line."""
    return np.asarray(slope * raw + intercept)
