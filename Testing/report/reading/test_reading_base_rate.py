"""An answer at another base rate: numbers by hand, and what is not recalculated."""

from dataclasses import replace

import pytest

from PDL1PredictorLib.core.verdicts import NOT_JUDGED
from PDL1PredictorLib.report.reading.base_rate import at_base_rate, base_rate_words, why_no_base_rate


@pytest.fixture
def answer(make_result):
    """Positive, 2 of 3 at a base rate of one half."""
    found = make_result().lesions[0].endpoints[0]
    known = {"probability": 2 / 3, "uncertainty": (0.5, 0.8), "threshold": 0.5, "base_rate": 0.5}
    return replace(found, **known)


def test_probability_interval_and_threshold_move_by_the_same_odds(answer):
    found = at_base_rate(answer, 0.2)  # odds times (0.2 / 0.8) / (0.5 / 0.5) = 1/4
    assert found.probability == pytest.approx(1 / 3)  # 2 -> 1/2
    assert found.ends == pytest.approx((0.2, 0.5))  # 1 -> 1/4, 4 -> 1
    assert found.threshold == pytest.approx(0.2)
    assert (found.probability >= found.threshold) == (answer.probability >= answer.threshold)


def test_without_the_patients_interval_it_is_that_of_the_calibration(answer):
    found = at_base_rate(replace(answer, uncertainty=None, interval=(0.5, 0.8)), 0.2)
    assert found.ends == pytest.approx((0.2, 0.5))


def test_the_words_hold_both_numbers_and_that_the_call_stays(answer):
    said = base_rate_words(answer, 0.2)
    assert said.startswith("33 % (20 to 50 %) where 20 % of such patients are positive; 67 % at the model's base rate")
    assert "of 50 %" in said
    assert "threshold moves along to 20 %: the call and its reasons stay as they are." in said


def test_what_cannot_be_recalculated_says_why(answer, with_number):
    number = with_number.lesions[0].endpoints[0]
    for wrong, words in (
        (replace(answer, verdict=NOT_JUDGED), "is not answered"),
        (replace(answer, base_rate=None), "does not say how frequent"),
        (replace(answer, base_rate=1.0), "does not say how frequent"),
        (number, "no yes/no question"),
    ):
        assert words in why_no_base_rate(wrong)
        with pytest.raises(ValueError, match=words):
            at_base_rate(wrong, 0.2)
    assert why_no_base_rate(answer) == ""
