"""A probability where positives are more or less frequent than among the cases that it was made for: Bayes' rule.

Source: Saerens et al. 2002, doi 10.1162/089976602753284446: the groups look as they did, their shares differ.
"""

import math


def log_odds_shift(own: float, wanted: float) -> float:
    """What another base rate adds to log-odds.

    Args:
        own: Share of positives that the probability is for, between 0 and 1.
        wanted: Share of positives that it shall be for, between 0 and 1.

    Raises:
        ValueError: A share is not between 0 and 1, both left out.
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
