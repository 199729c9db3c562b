"""Numbers against numbers: sums by hand, laws, and scikit-learn and scipy as judges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score, root_mean_squared_error

from PDL1PredictorLib.statistics import agreement

OBSERVED = np.array([0.0, 10.0, 20.0, 50.0])  # mean 20, median 15
PREDICTED = np.array([10.0, 10.0, 30.0, 30.0])  # mean 20; errors 10, 0, 10, -20
PAIRS = hnp.arrays(float, (12, 2), elements=st.floats(-100, 100).map(lambda x: round(x, 3)))


def test_errors_by_hand():
    assert agreement.mean_squared_error(OBSERVED, PREDICTED) == (100 + 0 + 100 + 400) / 4
    assert agreement.root_mean_squared_error(OBSERVED, PREDICTED) == pytest.approx(math.sqrt(150))
    assert agreement.mean_absolute_error(OBSERVED, PREDICTED) == 10
    assert agreement.r_squared(OBSERVED, PREDICTED) == pytest.approx(1 - 600 / 1400)


def test_skill_by_hand():
    mean = np.full(len(OBSERVED), OBSERVED.mean())
    assert agreement.skill(OBSERVED, PREDICTED, mean) == pytest.approx(1 - 600 / 1400)  # the own mean: R²
    assert agreement.skill(OBSERVED, PREDICTED, OBSERVED + 5) == pytest.approx(1 - 600 / 100)
    assert math.isnan(agreement.skill(OBSERVED, PREDICTED, OBSERVED))


def test_concordance_by_hand():
    # covariance (20 x 10 + 10 x 10 + 0 + 30 x 10) / 4 = 150; variances 350 and 100; equal means
    assert agreement.concordance(OBSERVED, PREDICTED) == pytest.approx(2 * 150 / (350 + 100))


def test_a_shift_costs_concordance_and_no_correlation():
    shifted = OBSERVED + 10
    assert np.corrcoef(OBSERVED, shifted)[0, 1] == pytest.approx(1)
    assert agreement.concordance(OBSERVED, shifted) == pytest.approx(2 * 350 / (700 + 100))


def test_the_constants_by_hand():
    found = agreement.constants(OBSERVED)
    assert found.mse_of_mean == (400 + 100 + 0 + 900) / 4
    assert found.mse_of_median == (225 + 25 + 25 + 1225) / 4
    assert found.mae_of_mean == (20 + 10 + 0 + 30) / 4
    assert found.mae_of_median == (15 + 5 + 5 + 35) / 4


def test_the_calibration_line_by_hand():
    line = agreement.calibration_line(OBSERVED, PREDICTED)
    assert line.slope == pytest.approx(600 / 400)  # 4 x covariance over 4 x variance of the predicted
    assert line.intercept == pytest.approx(20 - 1.5 * 20)
    assert line.in_the_large == 0


def test_predictions_that_are_all_equal_have_no_slope():
    line = agreement.calibration_line(OBSERVED, np.full(4, 15.0))
    assert math.isnan(line.slope)
    assert line.in_the_large == 5


def test_the_limits_of_agreement_by_hand():
    limits = agreement.limits_of_agreement(OBSERVED, PREDICTED)
    assert limits.bias == 0
    assert limits.sd == pytest.approx(math.sqrt(600 / 3))
    assert (limits.low, limits.high) == pytest.approx((-1.96 * math.sqrt(200), 1.96 * math.sqrt(200)))


def test_coverage_counts_the_ends_and_tells_the_widths():
    found = agreement.interval_coverage(OBSERVED, [0, 11, 0, 0], [5, 20, 30, 100])
    assert (found.covered.successes, found.covered.n) == (3, 4)
    assert found.mean_width == (5 + 9 + 30 + 100) / 4
    assert found.median_width == (9 + 30) / 2


def test_an_interval_that_ends_below_its_start_is_refused():
    with pytest.raises(ValueError, match="must not end below its start"):
        agreement.interval_coverage(OBSERVED, [1, 1, 1, 1], [2, 2, 2, 0])


def test_two_models_by_hand():
    found = agreement.compare_errors(OBSERVED, PREDICTED, np.full(4, 20.0))
    losses = np.array([100 - 400, 0 - 100, 100 - 0, 400 - 900])
    assert found.difference == losses.mean() == -200
    assert found.t == pytest.approx(-200 / (losses.std(ddof=1) / 2))
    half = 3.182446305284263 * losses.std(ddof=1) / 2  # quantile of t with 3 degrees of freedom
    assert found.interval == pytest.approx((-200 - half, -200 + half))


def test_a_model_compared_with_itself_does_not_differ():
    found = agreement.compare_errors(OBSERVED, PREDICTED, PREDICTED)
    assert (found.difference, found.p) == (0, 1)


def test_numbers_that_are_all_equal_have_no_r_squared():
    same = np.full(4, 3.0)
    assert math.isnan(agreement.r_squared(same, OBSERVED))
    assert math.isnan(agreement.concordance(same, same))
    assert agreement.concordance(same, OBSERVED) == 0


def test_the_interval_is_that_of_the_resamples():
    rows = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [3, 3, 3, 3]])
    value, (low, high) = agreement.with_interval(agreement.mean_absolute_error, OBSERVED, PREDICTED, rows)
    assert value == 10
    assert (low, high) == pytest.approx(tuple(np.quantile([10, 0, 20], [0.025, 0.975])))


def test_a_resample_without_a_value_leaves_the_interval_open():
    rows = np.array([[0, 1, 2, 3], [2, 2, 2, 2]])
    value, interval = agreement.with_interval(agreement.r_squared, OBSERVED, PREDICTED, rows)
    assert value == pytest.approx(1 - 600 / 1400)
    assert all(math.isnan(end) for end in interval)


@pytest.mark.parametrize(
    ("observed", "predicted", "words"),
    [
        ([], [], "observed must be a row of at least 2 numbers"),
        ([1, 2], [1], "predicted must be 2 numbers"),
        ([1, math.nan], [1, 2], "observed must be finite"),
        ([1, 2], [1, math.inf], "predicted must be finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(observed, predicted, words):
    with pytest.raises(ValueError, match=words):
        agreement.calibration_line(observed, predicted)


@given(PAIRS)
def test_scikit_learn_and_scipy_say_the_same(pairs):
    y, f = pairs.T
    assert agreement.mean_squared_error(y, f) == pytest.approx(mean_squared_error(y, f))
    assert agreement.root_mean_squared_error(y, f) == pytest.approx(root_mean_squared_error(y, f))
    assert agreement.mean_absolute_error(y, f) == pytest.approx(mean_absolute_error(y, f))
    if np.ptp(y) > 0:
        assert agreement.r_squared(y, f) == pytest.approx(r2_score(y, f), rel=1e-6)
    if np.ptp(f) > 0.1:
        line, judge = agreement.calibration_line(y, f), stats.linregress(f, y)
        assert (line.slope, line.intercept) == pytest.approx((judge.slope, judge.intercept), rel=1e-6, abs=1e-8)
    flat, mine = np.full_like(y, y.mean()), agreement.compare_errors(y, f, np.full_like(y, y.mean()))
    if np.ptp((f - y) ** 2 - (flat - y) ** 2) > 0.1:
        judge = stats.ttest_rel((f - y) ** 2, (flat - y) ** 2)
        assert (mine.t, mine.p) == pytest.approx((judge.statistic, judge.pvalue), rel=1e-6)
        assert mine.interval == pytest.approx(tuple(judge.confidence_interval()), rel=1e-6, abs=1e-6)


@given(PAIRS)
def test_neither_concordance_nor_r_squared_exceeds_what_correlation_allows(pairs):
    y, f = pairs.T
    if np.ptp(y) < 0.1 or np.ptp(f) < 0.1:
        return
    r = np.corrcoef(y, f)[0, 1]
    assert abs(agreement.concordance(y, f)) <= abs(r) + 1e-9
    assert agreement.r_squared(y, f) <= r**2 + 1e-9  # no line does better than that of least squares
    assert agreement.concordance(y, y) == pytest.approx(1)


@given(PAIRS)
def test_measures_of_many_rows_are_those_of_each(pairs):
    rows = np.random.default_rng(0).integers(12, size=(5, 12))
    y, f = pairs.T
    for measure in (agreement.r_squared, agreement.concordance, agreement.mean_absolute_error):
        each = [measure(y[row], f[row]) for row in rows]
        np.testing.assert_allclose(measure(y[rows], f[rows]), each, rtol=1e-9, atol=1e-12)
