"""Calibration: hand sums, laws of the fit, and R's glm."""

import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from PDL1PredictorLib.statistics.calibration import (
    bootstrap_platt,
    brier_score,
    calibration,
    calibration_curve,
    fit_platt,
    logit,
)


@st.composite
def cases(draw):
    n_positive, n_negative = draw(st.integers(2, 20)), draw(st.integers(2, 20))
    labels = np.array([1] * n_positive + [0] * n_negative)
    logits = draw(st.lists(st.integers(-40, 40), min_size=labels.size, max_size=labels.size))
    return labels, np.array(logits) / 10


def platt_targets(labels):
    n_positive, n_negative = labels.sum(), (1 - labels).sum()
    return np.where(labels == 1, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))


def test_the_brier_score_is_the_mean_squared_distance():
    assert brier_score([1, 0], [0.8, 0.4]) == pytest.approx((0.2**2 + 0.4**2) / 2)
    assert brier_score([1, 0, 0], [0.5, 0.5, 0.5]) == 0.25
    assert brier_score([1, 0], [1.0, 0.0]) == 0.0


def test_probabilities_that_are_the_observed_shares_are_calibrated():
    labels = [1, 0, 0, 0, 1, 1, 1, 0]
    result = calibration(labels, [0.25] * 4 + [0.75] * 4)
    assert result == pytest.approx((1.0, 0.0, 0.0), abs=1e-9)


def test_twice_too_extreme_logits_have_half_the_slope():
    shares = expit(2 * logit([0.25] * 4 + [0.75] * 4))
    assert calibration([1, 0, 0, 0, 1, 1, 1, 0], shares).slope == pytest.approx(0.5)


def test_probabilities_too_low_on_the_whole_have_a_positive_intercept():
    low = expit(logit([0.25] * 4 + [0.75] * 4) - 0.7)
    result = calibration([1, 0, 0, 0, 1, 1, 1, 0], low)
    assert result.in_the_large == pytest.approx(0.7)
    assert (result.slope, result.intercept) == pytest.approx((1.0, 0.7))


def test_a_bin_holds_its_mean_probability_and_its_share_of_positives():
    low, high = calibration_curve([0, 0, 1, 1, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8], n_bins=2)
    assert (low.predicted, high.predicted) == pytest.approx((0.2, 0.7))
    assert (low.observed.successes, low.observed.n) == (1, 3)
    assert (high.observed.successes, high.observed.n) == (2, 3)
    assert high.observed.interval[0] < 2 / 3 < high.observed.interval[1]


@given(cases(), st.integers(1, 15))
def test_the_bins_hold_every_case_once_and_rise(data, n_bins):
    labels, p = data[0], expit(data[1])
    bins = calibration_curve(labels, p, n_bins)
    assert len(bins) <= n_bins
    assert sum(b.observed.n for b in bins) == labels.size
    assert sum(b.observed.successes for b in bins) == labels.sum()
    assert sum(b.predicted * b.observed.n for b in bins) == pytest.approx(p.sum())
    assert (np.diff([b.predicted for b in bins]) > 0).all()


def test_equal_probabilities_make_one_bin():
    assert len(calibration_curve([0, 1, 1, 0], [0.4] * 4, n_bins=10)) == 1


def test_a_curve_of_no_bins_is_refused():
    with pytest.raises(ValueError, match="n_bins must be at least 1, got 0"):
        calibration_curve([0, 1], [0.1, 0.9], n_bins=0)


@pytest.mark.parametrize("p", [[0.1, 0.2, 0.7, 0.9], [0.9, 0.8, 0.2, 0.1], [0.1, 0.4, 0.4, 0.9], [0.4] * 4])
def test_logits_that_separate_the_outcomes_have_no_finite_slope(p):
    result = calibration([0, 0, 1, 1], p)
    assert math.isnan(result.slope)
    assert math.isnan(result.intercept)
    assert math.isfinite(result.in_the_large)


def test_certain_and_wrong_probabilities_are_far_off_in_the_large():
    # Two positives at the logit -13.8 and a negative at 13.8: the shift that gives two positives in all gives each of
    # the first two a half, and leaves the third certain.
    assert calibration([1, 1, 0], [0.0, 0.0, 1.0]).in_the_large == pytest.approx(13.8155, abs=1e-4)


def test_certain_probabilities_have_a_finite_logit():
    assert logit([0.0, 0.5, 1.0]) == pytest.approx([-13.8155, 0.0, 13.8155], abs=1e-4)
    assert math.isfinite(calibration([0, 1, 1, 0], [0.0, 1.0, 0.0, 1.0]).slope)


@given(cases())
def test_platts_fit_is_where_the_loss_is_flat(data):
    labels, logits = data
    slope, intercept = fit_platt(labels, logits)
    error = platt_targets(labels) - expit(slope * logits + intercept)
    assert error.sum() == pytest.approx(0, abs=1e-7)
    assert (error * logits).sum() == pytest.approx(0, abs=1e-7)


@given(cases(), st.floats(0.1, 10), st.floats(-5, 5))
def test_calibrated_probabilities_do_not_depend_on_the_scale_of_the_logits(data, scale, shift):
    labels, logits = data
    there, back = fit_platt(labels, logits), fit_platt(labels, scale * logits + shift)
    moved = back.slope * (scale * logits + shift) + back.intercept
    assert moved == pytest.approx(there.slope * logits + there.intercept, abs=1e-6)


def test_platts_fit_is_finite_where_logits_separate_the_outcomes():
    labels, logits = np.array([0] * 10 + [1] * 10), np.array([-3.0] * 10 + [3.0] * 10)
    slope, intercept = fit_platt(labels, logits)
    # By hand: at -3 the target is 1/12, at 3 it is 11/12, whose logit is log(11).
    assert slope == pytest.approx(math.log(11) / 3)
    assert intercept == pytest.approx(0, abs=1e-9)


def test_equal_logits_get_the_slope_0_and_the_mean_target():
    slope, intercept = fit_platt([1, 0, 0, 0], [7.3] * 4)
    assert slope == 0.0
    assert expit(intercept) == pytest.approx((2 / 3 + 3 * 1 / 5) / 4)


def test_a_resample_is_fitted_as_its_cases_would_be_alone():
    rng = np.random.default_rng(5)
    labels, logits = np.array([0, 1] * 15), rng.normal(size=30)
    fits = bootstrap_platt(labels, logits, 4, np.random.default_rng(9))
    counts = np.random.default_rng(9).multinomial(30, np.full(30, 1 / 30), size=4)
    for fit, count in zip(fits, counts, strict=True):
        assert fit == pytest.approx(fit_platt(np.repeat(labels, count), np.repeat(logits, count)), abs=1e-8)


def test_the_same_seed_draws_the_same_fits_and_another_seed_others():
    labels, logits = np.array([0, 1] * 15), np.linspace(-1, 2, 30)
    first, again, other = (bootstrap_platt(labels, logits, 20, np.random.default_rng(s)) for s in (1, 1, 2))
    assert first.shape == (20, 2)
    assert (first == again).all()
    assert not np.allclose(first, other)


def test_resampled_fits_spread_around_the_fit_of_all():
    rng = np.random.default_rng(7)
    logits = rng.normal(size=300)
    labels = (rng.random(300) < expit(logits)).astype(int)
    fits = bootstrap_platt(labels, logits, 400, rng)
    slope, intercept = fit_platt(labels, logits)
    assert fits.mean(axis=0) == pytest.approx((slope, intercept), abs=0.1)
    assert (fits.std(axis=0) > 0.05).all()


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_resamples_of_very_few_cases_are_finite(seed):
    # Some hold one outcome only, or one case over and over.
    fits = bootstrap_platt([0, 1, 1], [-1.0, 0.5, 30.0], 50, np.random.default_rng(seed))
    assert np.isfinite(fits).all()


@pytest.mark.parametrize("statistic", [brier_score, calibration, calibration_curve])
@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [0.5, 1.5], "probabilities must lie between 0 and 1, they run from 0.5 to 1.5"),
        ([0, 1], [-0.5, 0.5], "probabilities must lie between 0 and 1"),
        ([0, 1], [0.5], "probabilities must be 2 numbers"),
        ([0, 1], [0.5, math.nan], "probabilities must be finite"),
        ([0, 0], [0.5, 0.5], "Both outcomes are needed"),
    ],
)
def test_labels_and_probabilities_are_checked(statistic, labels, probabilities, message):
    with pytest.raises(ValueError, match=message):
        statistic(labels, probabilities)


def test_the_logits_of_platts_fit_are_checked():
    with pytest.raises(ValueError, match="logits must be finite"):
        fit_platt([0, 1], [0.0, math.inf])
    with pytest.raises(ValueError, match="logits must be 2 numbers"):
        bootstrap_platt([0, 1], [0.0], 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match="n_resamples must be at least 1"):
        bootstrap_platt([0, 1], [0.0, 1.0], 0, np.random.default_rng(0))


@pytest.mark.real_data
@pytest.mark.parametrize("column", ["p1", "p2"])
def test_calibration_agrees_with_r(shared, column):
    oracle = json.loads((shared / "oracle" / "oracle_R.json").read_text(encoding="utf-8"))
    with (shared / "oracle" / "synthetic120.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    labels, p = [int(row["y"]) for row in rows], [float(row[column]) for row in rows]
    result = calibration(labels, p)
    assert brier_score(labels, p) == pytest.approx(oracle[f"syn.{column}.brier"][0], abs=1e-11)
    assert result.slope == pytest.approx(oracle[f"syn.{column}.cal_slope"][0], abs=1e-8)
    assert result.in_the_large == pytest.approx(oracle[f"syn.{column}.cal_in_large"][0], abs=1e-8)
