"""Bayes' rule on log-odds, by hand."""

import math

import pytest

from PDL1PredictorLib.statistics.scores import log_odds_shift, shifted


def test_the_odds_change_as_the_odds_of_the_base_rates_do():
    # of 100 patients 50 are positive; among those with this picture 40 of 60. Where 20 of 100 are positive, positives
    # count 20/50 as often and negatives 80/50: (40 * 0.4) / (40 * 0.4 + 20 * 1.6) = 16 / 48
    assert shifted(40 / 60, log_odds_shift(0.5, 0.2)) == pytest.approx(16 / 48)
    assert shifted(16 / 48, log_odds_shift(0.2, 0.5)) == pytest.approx(40 / 60)


def test_the_same_base_rate_changes_nothing_and_certainty_stays():
    assert shifted(0.3, log_odds_shift(0.4, 0.4)) == 0.3
    assert [shifted(p, log_odds_shift(0.5, 0.01)) for p in (0.0, 1.0)] == [0.0, 1.0]


def test_rare_things_do_not_overflow():
    assert shifted(1e-300, log_odds_shift(0.9999999, 1e-9)) == pytest.approx(0.0, abs=1e-300)
    assert 0 < shifted(1 - 1e-12, 800.0) <= 1


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.1, math.nan])
def test_a_share_that_is_none_is_refused(share):
    for pair in ((share, 0.5), (0.5, share)):
        with pytest.raises(ValueError, match="must lie between 0 and 1"):
            log_odds_shift(*pair)
