"""Recalibration at a site: a known line comes back, the cross-validated answers are honest, intervals cover."""

import numpy as np
import pytest

from PDL1PredictorLib.statistics.calibration import calibration
from PDL1PredictorLib.statistics.external.recalibration import (
    LEAST_FOR_INTERCEPT,
    LEAST_FOR_SLOPE,
    cross_validated,
    fit_site,
    resampled_fits,
    way_for,
)
from PDL1PredictorLib.statistics.scores import expit


def site(n, slope, intercept, rng):
    """Labels whose true log-odds are a line of the model's, and the model's log-odds."""
    log_odds = rng.normal(0, 1.3, size=n)
    return (rng.random(n) < expit(slope * log_odds + intercept)).astype(int), log_odds


def parts_of(n, folds, rng):
    return np.array_split(rng.permutation(n), folds)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.6, -1.2), (1.7, 0.8)])
def test_slope_and_intercept_of_a_large_site_come_back(slope, intercept):
    labels, log_odds = site(20_000, slope, intercept, np.random.default_rng(1))
    fit = fit_site(labels, log_odds, 0.5, "slope")
    assert fit[:2] == pytest.approx((slope, intercept), abs=0.06)
    other = np.random.default_rng(2).normal(0, 1.3, size=1000)
    assert fit.probability(other) == pytest.approx(expit(slope * other + intercept), abs=0.03)


def test_the_intercept_alone_follows_another_prevalence_and_no_call_changes():
    labels, log_odds = site(20_000, 1.0, -1.5, np.random.default_rng(3))
    fit = fit_site(labels, log_odds, 0.4, "intercept")
    assert fit.slope == 1.0
    assert fit.intercept == pytest.approx(-1.5, abs=0.06)
    before = expit(log_odds) >= 0.4
    assert ((fit.probability(log_odds) >= fit.threshold) == before).all()
    assert fit.probability(log_odds).mean() == pytest.approx(labels.mean(), abs=1e-8)


def test_the_intercept_is_that_of_calibration_in_the_large():
    labels, log_odds = site(60, 1.0, -0.7, np.random.default_rng(4))
    assert fit_site(labels, log_odds, 0.5, "intercept").intercept == pytest.approx(
        calibration(labels, expit(log_odds)).in_the_large, abs=1e-6
    )


def test_nothing_is_fitted_where_nothing_may_be():
    labels, log_odds = site(40, 0.5, 1.0, np.random.default_rng(5))
    assert fit_site(labels, log_odds, 0.3, "none") == (1.0, 0.0, 0.3)


@pytest.mark.parametrize(
    ("positive", "negative", "way"),
    [
        (LEAST_FOR_SLOPE, LEAST_FOR_SLOPE, "slope"),
        (LEAST_FOR_SLOPE - 1, 500, "intercept"),
        (500, LEAST_FOR_INTERCEPT, "intercept"),
        (LEAST_FOR_INTERCEPT - 1, 500, "none"),
        (0, 500, "none"),
    ],
)
def test_the_rarer_answer_decides_what_may_be_fitted(positive, negative, way):
    assert way_for(np.repeat([1, 0], [positive, negative])) == way


def test_what_a_case_gets_does_not_depend_on_its_own_label():
    rng = np.random.default_rng(6)
    labels, log_odds = site(120, 0.7, -0.5, rng)
    parts = parts_of(120, 10, rng)
    before, _ = cross_validated(labels, log_odds, 0.5, "slope", parts)
    changed = labels.copy()
    changed[parts[3]] = 1 - changed[parts[3]]
    after, _ = cross_validated(changed, log_odds, 0.5, "slope", parts)
    assert (after[parts[3]] == before[parts[3]]).all()
    assert (after != before).any()


def test_cross_validated_figures_are_not_too_good():
    """With few cases a fit on the cases themselves promises more than it keeps; the cross-validated one does not."""
    rng = np.random.default_rng(7)
    apparent, honest, kept = [], [], []
    for _ in range(300):
        labels, log_odds = site(50, 1.0, 0.0, rng)
        if way_for(labels) == "none":
            continue
        fit = fit_site(labels, log_odds, 0.5, "slope")
        tried, _ = cross_validated(labels, log_odds, 0.5, "slope", parts_of(50, 10, rng))
        new_labels, new_log_odds = site(1000, 1.0, 0.0, rng)
        apparent.append(((fit.probability(log_odds) - labels) ** 2).mean())
        honest.append(((tried - labels) ** 2).mean())
        kept.append(((fit.probability(new_log_odds) - new_labels) ** 2).mean())
    error = np.std(honest) / np.sqrt(len(honest))
    assert np.mean(honest) == pytest.approx(np.mean(kept), abs=3 * error)
    assert np.mean(apparent) < np.mean(kept) - 3 * error


def test_intervals_of_resampled_lines_cover_the_truth():
    rng = np.random.default_rng(8)
    covered = {"slope": 0, "intercept": 0}
    runs = 200
    for _ in range(runs):
        labels, log_odds = site(250, 0.8, -0.6, rng)
        low, high = np.percentile(resampled_fits(labels, log_odds, "slope", 300, rng), [2.5, 97.5], axis=0)
        covered["slope"] += low[0] <= 0.8 <= high[0]
        labels, log_odds = site(250, 1.0, -0.6, rng)
        low, high = np.percentile(resampled_fits(labels, log_odds, "intercept", 300, rng)[:, 1], [2.5, 97.5])
        covered["intercept"] += low <= -0.6 <= high
    assert covered["slope"] / runs == pytest.approx(0.95, abs=0.05)
    assert covered["intercept"] / runs == pytest.approx(0.95, abs=0.05)


def test_a_resample_of_one_answer_stays_finite():
    labels, log_odds = np.array([1, 0]), np.array([0.3, -0.2])
    assert np.isfinite(resampled_fits(labels, log_odds, "intercept", 100, np.random.default_rng(9))).all()


def test_folds_that_leave_a_row_out_are_refused():
    labels, log_odds = site(20, 1.0, 0.0, np.random.default_rng(10))
    with pytest.raises(ValueError, match="every row once"):
        cross_validated(labels, log_odds, 0.5, "slope", [np.arange(10), np.arange(10, 19)])


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.2])
def test_a_threshold_that_is_none_is_refused(threshold):
    with pytest.raises(ValueError, match="between 0 and 1"):
        fit_site([0, 1], [0.1, 0.2], threshold, "intercept")
