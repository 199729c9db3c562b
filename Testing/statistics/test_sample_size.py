"""Sample sizes: published examples, the inverse, laws, and simulated models as judges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_cases import binormal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from PDL1PredictorLib.statistics.sample_size import (
    cox_snell_r2,
    expected_shrinkage,
    largest_r2,
    parameters_carried,
    sample_size,
)

AREAS = st.floats(0.55, 0.95)
SHARES = st.floats(0.02, 0.98)


@pytest.mark.parametrize(
    ("parameters", "prevalence", "r2", "expected"),
    [
        # The example of the R package pmsampsize (Ensor, Martin, Riley), Chagas disease
        (24, 0.174, 0.288, {"overall_risk": 221, "shrinkage": 623, "optimism": 662}),
        # Riley 2020: pre-eclampsia, criteria of shrinkage and of the average error
        (30, 0.05, 0.05, {"shrinkage": 5249, "mean_error": 544}),
        (10, 0.3, 0.2, {"mean_error": 461}),
        (1, 0.5, 0.2, {"overall_risk": 385}),
    ],
)
def test_the_published_examples_have_their_sizes(parameters, prevalence, r2, expected):
    found = sample_size(parameters, prevalence, r2)._asdict()
    assert {name: found[name] for name in expected} == expected


def test_the_largest_size_and_the_fewest_parameters_decide():
    found = sample_size(24, 0.174, 0.288)
    assert found.n == max(found) == found.mean_error
    carried = parameters_carried(700, 0.174, 0.288)
    assert carried.parameters == carried.mean_error == min(carried[:3])
    assert parameters_carried(200, 0.174, 0.288)[1:] == (7, 7, False)
    assert parameters_carried(200, 0.174, 0.288).parameters == 0


def test_a_perfect_model_of_a_half_has_three_quarters():
    assert largest_r2(0.5) == pytest.approx(0.75)
    assert largest_r2(0.05) == pytest.approx(0.33, abs=0.005)  # as Riley 2020 prints it


@given(st.integers(1, 40), SHARES, AREAS)
def test_the_cases_that_parameters_need_carry_them_and_one_less_does_not(parameters, prevalence, area):
    r2 = cox_snell_r2(area, prevalence)
    needed = sample_size(parameters, prevalence, r2)
    for name in ("mean_error", "shrinkage", "optimism"):
        n = getattr(needed, name)
        assert getattr(parameters_carried(n, prevalence, r2), name) >= parameters
        if n > 1:
            assert getattr(parameters_carried(n - 1, prevalence, r2), name) < parameters
    assert parameters_carried(needed.n, prevalence, r2).parameters >= parameters
    assert not needed.overall_risk > 1 or not parameters_carried(needed.overall_risk - 1, prevalence, r2).overall_risk


@given(st.integers(10, 2000), SHARES, AREAS)
def test_more_cases_and_better_models_carry_more_parameters(n, prevalence, area):
    fewer, more = (parameters_carried(m, prevalence, cox_snell_r2(area, prevalence)) for m in (n, 2 * n))
    assert all(a <= b for a, b in zip(fewer, more, strict=True))
    better = parameters_carried(n, prevalence, cox_snell_r2(area + 0.02, prevalence))
    assert better.shrinkage >= fewer.shrinkage


@given(st.floats(0.02, 0.45), AREAS)
def test_a_rarer_outcome_needs_more_cases(prevalence, area):
    rare, common = (sample_size(5, share, cox_snell_r2(area, share)) for share in (prevalence, prevalence + 0.05))
    assert rare.shrinkage >= common.shrinkage
    assert rare.overall_risk <= common.overall_risk  # but its share itself is known sooner


def test_which_outcome_is_called_positive_does_not_matter():
    assert sample_size(10, 0.7, 0.2) == pytest.approx(sample_size(10, 0.3, 0.2))


@given(SHARES, AREAS)
def test_r2_mirrors_with_the_outcome_and_stays_below_that_of_a_perfect_model(prevalence, area):
    r2 = cox_snell_r2(area, prevalence)
    assert 0 < r2 < largest_r2(prevalence)
    assert cox_snell_r2(area, 1 - prevalence) == pytest.approx(r2, rel=1e-9)


@pytest.mark.parametrize(("area", "n_positive", "n_negative"), [(0.7, 40_000, 60_000), (0.89, 17_400, 82_600)])
def test_r2_is_that_of_a_model_fitted_to_a_large_sample(area, n_positive, n_negative):
    labels, scores = binormal(area, n_positive, n_negative, np.random.default_rng(0))
    fitted = LogisticRegression(C=1e9).fit(scores[:, None], labels)
    share = n_positive / labels.size
    null = -(share * math.log(share) + (1 - share) * math.log(1 - share))
    judge = 1 - math.exp(-2 * (null - log_loss(labels, fitted.predict_proba(scores[:, None])[:, 1])))
    assert cox_snell_r2(area, share) == pytest.approx(judge, abs=0.005)


@given(st.integers(1, 40), SHARES, AREAS)
def test_the_cases_of_the_criterion_have_its_shrinkage(parameters, prevalence, area):
    r2 = cox_snell_r2(area, prevalence)
    n = sample_size(parameters, prevalence, r2).shrinkage
    shrinkage = expected_shrinkage(n, parameters, r2)
    if r2 < 0.9:
        assert shrinkage == pytest.approx(0.9, abs=0.05 if n < 100 else 0.001)
    assert r2 <= expected_shrinkage(n, parameters + 1, r2) < shrinkage < expected_shrinkage(2 * n, parameters, r2) < 1


def test_coefficients_shrink_in_new_cases_about_as_much_as_expected():
    rng = np.random.default_rng(1)
    n, parameters, strength = 150, 6, 0.35
    slopes, held = [], rng.normal(size=(4000, parameters))
    truth = 1 / (1 + np.exp(-(held * strength).sum(axis=1)))
    for _ in range(60):
        x = rng.normal(size=(n, parameters))
        y = rng.random(n) < 1 / (1 + np.exp(-(x * strength).sum(axis=1)))
        predicted = LogisticRegression(C=1e9).fit(x, y).decision_function(held)
        again = LogisticRegression(C=1e9).fit(predicted[:, None], rng.random(4000) < truth)
        slopes.append(again.coef_[0, 0])
    gain = truth * np.log(truth / 0.5) + (1 - truth) * np.log((1 - truth) / 0.5)
    r2 = 1 - math.exp(-2 * gain.mean())
    assert np.mean(slopes) == pytest.approx(expected_shrinkage(n, parameters, r2), abs=0.06)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_size(0, 0.2, 0.1), "parameters must be at least 1, got 0"),
        (lambda: sample_size(2, 0.0, 0.1), "prevalence must lie between 0 and 1, got 0.0"),
        (lambda: sample_size(2, 0.05, 0.4), r"between 0 and 0.328 at a prevalence of 0.05, got 0.4"),
        (lambda: parameters_carried(0, 0.2, 0.1), "n must be at least 1, got 0"),
        (lambda: parameters_carried(9, 0.2, 0.0), "Take cox_snell_r2 of the area"),
        (lambda: expected_shrinkage(0, 2, 0.1), "n must be at least 1"),
        (lambda: expected_shrinkage(50, 0, 0.1), "parameters must be at least 1"),
        (lambda: expected_shrinkage(50, 2, 1.0), "r2 must lie between 0 and 1, got 1.0"),
        (lambda: cox_snell_r2(0.5, 0.2), "area must lie between 0.5 and 1, got 0.5"),
        (lambda: cox_snell_r2(0.7, 1.0), "prevalence must lie between 0 and 1"),
    ],
)
def test_what_has_no_size_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
