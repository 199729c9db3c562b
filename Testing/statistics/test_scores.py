"""Scores and log-odds: sums by hand, and what is far from the middle."""

import numpy as np
import pytest
from scipy.special import expit as judge

from PDL1PredictorLib.statistics.scores import LOG_ODDS_LIMIT, calibrated_log_odds, expit, limited_log_odds, radscore


def test_a_score_is_the_sum_of_what_was_selected():
    z = np.array([[1.0, 2.0, -1.0], [0.0, 0.5, 4.0]])
    assert radscore(z, ("a", "b", "c"), {"c": 0.5, "a": 2.0}).tolist() == [1.5, 2.0]
    assert radscore(z, ("a", "b", "c"), {}).tolist() == [0.0, 0.0]
    with pytest.raises(KeyError):
        radscore(z, ("a", "b", "c"), {"d": 1.0})


def test_probabilities_of_log_odds_are_those_of_scipy_and_never_overflow():
    odds = np.array([-1e4, -30.0, -1.0, 0.0, 1.0, 30.0, 1e4])
    np.testing.assert_allclose(expit(odds), judge(odds), rtol=1e-14)


def test_a_vote_of_all_is_not_certainty():
    assert limited_log_odds(np.array([0.0, 0.5, 1.0])) == pytest.approx([-LOG_ODDS_LIMIT, 0, LOG_ODDS_LIMIT])


def test_calibration_is_a_line():
    assert calibrated_log_odds(0.5, -1.0, np.array([0.0, 2.0, 4.0])).tolist() == [-1.0, 0.0, 1.0]
