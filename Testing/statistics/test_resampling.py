"""Bootstrap and repeated cross-validation: hand sums, laws, and intervals that are known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.statistics.resampling import bootstrap, corrected_standard_error, repeated_cv_mean

VALUES = np.random.default_rng(3).normal(10.0, 2.0, 60)
ALIKE = np.zeros(60)


def mean_of(rows):
    return float(VALUES[rows].mean())


@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_the_interval_of_a_mean_is_nearly_the_textbooks(method):
    result = bootstrap(mean_of, ALIKE, np.random.default_rng(1), 4000, method)
    half = 1.96 * VALUES.std() / math.sqrt(60)
    assert result.value == pytest.approx(VALUES.mean())
    assert result.interval == pytest.approx((VALUES.mean() - half, VALUES.mean() + half), abs=0.08)
    assert result.replicates.shape == (4000,)


def test_the_percentile_interval_is_the_quantiles_of_the_resamples():
    result = bootstrap(mean_of, ALIKE, np.random.default_rng(1), 200, confidence=0.8)
    assert result.interval == pytest.approx(tuple(np.quantile(result.replicates, [0.1, 0.9])))


def test_the_bias_corrected_interval_follows_the_skew():
    skewed = np.exp(VALUES - 10)
    both = [
        bootstrap(lambda rows: float(skewed[rows].mean()), ALIKE, np.random.default_rng(1), 1000, method).interval
        for method in ("percentile", "BCa")
    ]
    assert both[1][0] > both[0][0]
    assert both[1][1] > both[0][1]


def test_the_same_seed_draws_the_same_and_another_seed_another():
    first, again, other = (bootstrap(mean_of, ALIKE, np.random.default_rng(s), 50).replicates for s in (1, 1, 2))
    assert (first == again).all()
    assert not np.allclose(first, other)


@settings(max_examples=20)
@given(st.integers(2, 6), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_every_stratum_keeps_its_size(n_positive, n_negative, seed):
    labels = np.array([1] * n_positive + [0] * n_negative)
    result = bootstrap(lambda rows: float(labels[rows].sum()), labels, np.random.default_rng(seed), 20)
    assert (result.replicates == n_positive).all()
    assert result.interval == (n_positive, n_positive)


def test_within_the_labels_every_resample_has_an_area():
    labels, scores = np.array([1, 1, 0, 0, 0, 0]), np.array([3.0, 1.0, 2.0, 0.0, 4.0, 0.5])
    result = bootstrap(lambda rows: auc(labels[rows], scores[rows]).value, labels, np.random.default_rng(0), 200)
    assert result.value == auc(labels, scores).value
    assert 0 <= result.interval[0] < result.value < result.interval[1] <= 1


@pytest.mark.real_data
def test_the_interval_of_the_synthetic_area_is_nearly_delongs(r_cases, r_answers):
    labels, scores = r_cases["y"], r_cases["p1"]
    result = bootstrap(lambda rows: auc(labels[rows], scores[rows]).value, labels, np.random.default_rng(0), 1000)
    low, value, high = r_answers["syn.p1.ci_delong"]
    assert result.value == pytest.approx(value, abs=1e-11)
    assert result.interval == pytest.approx((low, high), abs=0.015)


def test_a_resample_without_an_answer_is_refused():
    labels = np.array([1, 1, 0, 0])

    def share(rows):
        return float(labels[rows].mean()) if labels[rows].any() else math.nan

    with pytest.raises(ValueError, match=r"not a finite number in \d+ of 100 resamples. Draw within the labels"):
        bootstrap(share, np.zeros(4), np.random.default_rng(0), 100)
    with pytest.raises(ValueError, match="must be a finite number, it is nan for all cases"):
        bootstrap(lambda rows: math.nan, np.zeros(4), np.random.default_rng(0))


def test_bca_on_one_side_of_the_value_is_refused():
    with pytest.raises(ValueError, match="BCa is not defined"):
        bootstrap(lambda rows: float(len(set(rows.tolist()))), np.zeros(30), np.random.default_rng(0), 50, "BCa")


@pytest.mark.parametrize(
    ("strata", "more", "message"),
    [
        ([0, 0, 1], {}, "at least two cases, np.int64\\(1\\) has one"),
        ([[0, 0]], {}, "strata must be one value per case"),
        ([], {}, "strata must be one value per case"),
        ([0, 0], {"n_resamples": 0}, "n_resamples must be at least 1"),
        ([0, 0], {"confidence": 95}, "confidence must lie between 0 and 1, got 95"),
    ],
)
def test_what_cannot_be_drawn_is_refused(strata, more, message):
    with pytest.raises(ValueError, match=message):
        bootstrap(lambda rows: float(rows.sum()), strata, np.random.default_rng(0), **more)


def test_the_corrected_interval_is_made_by_hand():
    # Mean 0.8, sd 0.1; t with 2 degrees of freedom; variance 0.01 x (1/3 + 1/4).
    result = repeated_cv_mean([0.7, 0.8, 0.9], 1 / 4)
    half = stats.t.ppf(0.975, 2) * 0.1 * math.sqrt(1 / 3 + 1 / 4)
    assert (result.mean, result.sd) == pytest.approx((0.8, 0.1))
    assert result.interval == pytest.approx((0.8 - half, 0.8 + half))


def test_repeating_for_ever_does_not_narrow_the_interval_to_nothing():
    few, many = (repeated_cv_mean([0.7, 0.8, 0.9] * times, 1 / 4).interval for times in (2, 2000))
    assert many[1] - many[0] < few[1] - few[0]
    assert many[1] - many[0] == pytest.approx(2 * 1.96 * math.sqrt(0.02 / 3 / 4), rel=0.01)


@pytest.mark.parametrize(
    ("values", "ratio", "confidence", "message"),
    [
        ([0.5], 0.25, 0.95, "values must be a row of at least 2 numbers"),
        ([0.5, math.nan], 0.25, 0.95, "values must be finite"),
        ([0.5, 0.6], 0.0, 0.95, "test_to_training must be positive"),
        ([0.5, 0.6], 0.25, 1.0, "confidence must lie between 0 and 1"),
    ],
)
def test_what_is_no_cross_validation_is_refused(values, ratio, confidence, message):
    with pytest.raises(ValueError, match=message):
        repeated_cv_mean(values, ratio, confidence)


def test_the_corrected_standard_error_is_made_by_hand():
    assert corrected_standard_error([0.7, 0.8, 0.9], 1 / 4) == pytest.approx(0.1 * math.sqrt(1 / 3 + 1 / 4))


@pytest.mark.parametrize(
    ("values", "ratio", "message"),
    [([0.5], 0.25, "values must be a row of at least 2"), ([0.5, 0.6], -1.0, "test_to_training must be positive")],
)
def test_a_standard_error_of_no_cross_validation_is_refused(values, ratio, message):
    with pytest.raises(ValueError, match=message):
        corrected_standard_error(values, ratio)
