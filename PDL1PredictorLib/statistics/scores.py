"""From features to a score, from a classifier's vote to calibrated log-odds: the same for training and prediction.

And from a probability to that at another base rate.
"""

import math
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


def log_odds_shift(own: float, wanted: float) -> float:
    """What another base rate adds to log-odds: Bayes' rule, where the groups look as they did and their shares differ.

    Args:
        own: Share of positives that the probability is for, between 0 and 1.
        wanted: Share of positives that it shall be for, between 0 and 1.

    Raises:
        ValueError: A share is not between 0 and 1, both left out.

    Source: Saerens et al. 2002, doi 10.1162/089976602753284446.
    """
    return _log_odds(wanted) - _log_odds(own)


def shifted(probability: float, shift: float) -> float:
    """A probability whose log-odds are shifted; what is certain stays so.

    Args:
        probability: 0 to 1.
        shift: As `log_odds_shift` gives it.
    """
    if shift == 0 or probability in (0.0, 1.0):
        return probability
    odds = math.log(probability) - math.log1p(-probability) + shift
    return 1 / (1 + math.exp(-odds)) if odds > 0 else math.exp(odds) / (1 + math.exp(odds))


def _log_odds(share: float) -> float:
    if not 0 < share < 1:  # also refuses NaN
        raise ValueError(f"A base rate must lie between 0 and 1, both left out, got {share!r}.")
    return math.log(share / (1 - share))
