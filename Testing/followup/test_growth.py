"""Doubling times by hand, and the laws that they keep."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from PDL1PredictorLib.followup.growth import apart, doubling_time_days, sphere_range_ml

volumes = st.floats(0.01, 1000)
days = st.floats(1, 5000)


def test_a_volume_that_doubles_in_100_days_has_a_doubling_time_of_100_days():
    assert doubling_time_days(3.0, 6.0, 100) == pytest.approx(100)
    assert doubling_time_days(3.0, 12.0, 100) == pytest.approx(50)
    assert doubling_time_days(6.0, 3.0, 100) == pytest.approx(-100)


def test_no_growth_is_an_infinite_doubling_time():
    assert doubling_time_days(3.0, 3.0, 100) == math.inf


@pytest.mark.parametrize("values", [(0.0, 1.0, 10), (1.0, -1.0, 10), (1.0, 2.0, 0), (math.nan, 1.0, 10)])
def test_what_is_no_volume_or_time_is_refused(values):
    with pytest.raises(ValueError, match="must be a number above 0"):
        doubling_time_days(*values)


@given(volumes, volumes, days)
def test_exchanged_studies_negate_it(one, other, between):
    forth, back = doubling_time_days(one, other, between), doubling_time_days(other, one, between)
    assert forth == pytest.approx(-back, rel=1e-6) or (math.isinf(forth) and math.isinf(back))


@given(volumes, st.floats(1.01, 50), days)
def test_after_one_doubling_time_the_volume_is_twice_as_large(first, growth, between):
    time = doubling_time_days(first, growth * first, between)
    assert first * 2 ** (between / time) == pytest.approx(growth * first, rel=1e-6)


def test_a_ball_of_10_mm_under_contours_moved_by_1_mm():
    volume = 4 / 3 * math.pi * 5**3 / 1000
    low, high = sphere_range_ml(volume)
    assert (low / volume, high / volume) == pytest.approx(((4 / 5) ** 3, (6 / 5) ** 3))
    assert sphere_range_ml(4 / 3 * math.pi * 0.5**3 / 1000)[0] == 0  # nothing is left of it


def test_ranges_that_touch_are_not_apart():
    assert apart((0.0, 1.0), (1.1, 2.0))
    assert not apart((0.0, 1.0), (1.0, 2.0))


@given(st.tuples(volumes, volumes).map(sorted), st.tuples(volumes, volumes).map(sorted))
def test_apart_is_the_same_both_ways(one, other):
    assert apart(tuple(one), tuple(other)) == apart(tuple(other), tuple(one))
