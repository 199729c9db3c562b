"""Times learned from cases whose law is known: the coefficients, the baseline, the calibration, what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PDL1PredictorLib.core.targets import HORIZON_DAYS, Target, came_by, followed
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.selection import by_hazard, excess_events, fit_time_score
from PDL1PredictorLib.learning.times.fitting import fit_time, horizons, resampled, rising_slope
from PDL1PredictorLib.learning.times.ridge_cox import PENALTIES, baseline_hazard, chosen_penalty, ridge_cox
from PDL1PredictorLib.learning.times.rules import told_at
from PDL1PredictorLib.statistics.survival.cox import fit_cox
from PDL1PredictorLib.statistics.survival.curves import kaplan_meier

TIME, NONE = rules("time"), np.zeros(3, dtype=bool)
WEIGHTS = np.array([0.8, -0.5, 0.0])


def cases(n=400, seed=0, signal=1.0, scale=500.0):
    """Standard normal inputs, exponential times with hazards exp(signal x . WEIGHTS) / scale, uniform censoring."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    until = scale * rng.exponential(size=n) / np.exp(signal * x @ WEIGHTS)
    watched = rng.uniform(100, 1500, n)
    return x, followed(np.minimum(until, watched), until <= watched)


def target(truths):
    return Target("time", truths["time"], truths["event"])


def test_without_a_penalty_the_coefficients_are_those_of_coxs_model():
    x, truths = cases(120)
    wanted = fit_cox(x, truths["time"], truths["event"]).coef
    np.testing.assert_allclose(ridge_cox(x, truths, 1e-9), wanted, atol=1e-5)
    assert np.abs(ridge_cox(x, truths, 1000.0)).max() < 0.5 * np.abs(wanted).max()


def test_the_baseline_is_that_of_coxs_model_and_of_nelson_and_aalen_without_inputs():
    truths = followed(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, True]))
    np.testing.assert_allclose(baseline_hazard(np.zeros(4), truths, np.array([0.5, 1, 3, 9])), [0, 1 / 4, 3 / 4, 7 / 4])
    x, truths = cases(150)
    cox = fit_cox(x[:, 0], truths["time"], truths["event"])
    at = np.array([100.0, 400.0])
    own = baseline_hazard(cox.score(x[:, 0]), truths, at)
    np.testing.assert_allclose(own, cox.cumulative_hazard[np.searchsorted(cox.times, at, "right") - 1], rtol=1e-6)


def test_a_known_law_is_found_with_its_chances():
    x, truths = cases(1500)
    model = TIME.fit(x, target(truths), "cox", Fitting(n_repeats=1), 1, NONE)
    assert (model.kind, model.learned) == ("penalized Cox", True)
    np.testing.assert_allclose(TIME.weights(model) / model.sd, WEIGHTS, atol=0.12)
    new = np.random.default_rng(7).normal(size=(6, 3))
    wanted = np.exp(-HORIZON_DAYS[None, :] / 500 * np.exp(new @ WEIGHTS)[:, None])
    np.testing.assert_allclose(TIME.answers(model, new).survival, wanted, atol=0.05)
    np.testing.assert_allclose(
        TIME.contributions(model, model.standardized(new)).sum(axis=1),
        np.log(-np.log(wanted[:, 0])) - np.log(model.hazard[0]),
        atol=0.15,
    )


def test_without_signal_nothing_is_learned_or_next_to_nothing():
    slopes = [
        TIME.fit(*_split(cases(150, seed, signal=0.0)), "cox", Fitting(n_repeats=1), 1, NONE) for seed in range(6)
    ]
    spread = [np.ptp(TIME.answers(one, np.eye(3) * 2).survival, axis=0).max() for one in slopes]
    assert np.median(spread) < 0.15


def _split(found):
    return found[0], target(found[1])


def test_a_score_that_falls_with_the_hazard_is_not_turned_around():
    x, truths = cases(200)
    assert rising_slope(-(x @ WEIGHTS), truths) == 0.0
    assert rising_slope(np.zeros(200), truths) == 0.0
    assert rising_slope(x @ WEIGHTS, truths) == pytest.approx(1.0, abs=0.25)


def test_intervals_hold_the_true_chance():
    x, truths = cases(250, 3)
    model = fit_time(x, target(truths), "penalized Cox", 1, 1)
    table = resampled(model, 150, 1)
    assert table.shape == (150, 3 + len(model.days))
    np.testing.assert_allclose(table.mean(axis=0)[:3], model.slope * model.coefficients, atol=1e-9)
    new = np.random.default_rng(1).normal(size=(40, 3))
    z, held = model.standardized(new), []
    for place, days in enumerate(model.days):
        found = np.exp(-np.exp(z @ table[:, :3].T + table[:, 3 + place]))
        low, high = np.percentile(found, [2.5, 97.5], axis=1)
        true = np.exp(-days / 500 * np.exp(new @ WEIGHTS))
        held.append(((low <= true) & (true <= high)).mean())
    assert np.mean(held) > 0.8


@pytest.mark.parametrize(("fit", "kind"), [("mean", "one curve"), ("rank", "penalized Cox"), ("l2", "penalized Cox")])
def test_the_words_of_a_plan_are_understood(fit, kind):
    x, truths = cases(120)
    model = TIME.fit(x[:, :1], target(truths), fit, Fitting(n_repeats=1), 1, NONE[:1])
    assert model.kind == kind
    assert model.learned == (kind != "one curve")
    assert TIME.tried(model)[0] == kind


def test_the_penalty_is_strong_where_nothing_is_to_be_found():
    rng = np.random.default_rng(0)
    x, truths = cases(150)
    noise = rng.normal(size=(150, 30))
    assert chosen_penalty(noise, truths, 1) >= 10 * chosen_penalty(x, truths, 1)
    assert chosen_penalty(x[:5], followed(np.arange(5.0), np.arange(5) == 2), 1) == PENALTIES[0]


def test_horizons_are_cut_to_where_ten_are_followed():
    truths = followed(np.r_[np.full(12, 400.0), np.full(9, 800.0)], np.r_[np.full(12, True), np.full(9, False)])
    assert horizons(truths).tolist() == []  # nobody has had the event by a year, nine are followed for two
    truths = followed(np.r_[np.full(3, 50.0), np.full(12, 400.0)], np.r_[np.full(3, True), np.full(12, False)])
    assert horizons(truths).tolist() == HORIZON_DAYS[:2].tolist()


@pytest.mark.parametrize(
    ("truths", "told"),
    [
        (followed(np.full(40, 900.0), np.arange(40) < 12), "12 events in training; 20 are needed"),
        (
            followed(np.full(40, 90.0), np.arange(40) < 30),
            "fewer than 10 cases in training are followed for six months",
        ),
        (followed(np.r_[np.full(30, 90.0), np.full(20, 900.0)], np.arange(50) < 30), ""),
    ],
)
def test_too_few_events_or_too_short_a_follow_up_is_told(truths, told):
    assert TIME.too_few([truths], 0.9).startswith(told)
    assert bool(TIME.too_few([truths], 0.9)) == bool(told)


def test_cases_are_counted_by_how_they_ended():
    truths = followed(np.array([1.0, 2, np.nan, 4]), np.array([True, False, True, True]))
    assert TIME.counts(truths) == (2, 1)


def test_residuals_are_those_of_a_model_without_inputs_and_rank_what_tells():
    x, truths = cases(300)
    expected, _ = kaplan_meier(truths["time"], truths["event"]).cumulative_hazard(truths["time"])
    np.testing.assert_allclose(excess_events(truths), truths["event"] - expected, atol=1e-12)
    assert excess_events(truths).sum() == pytest.approx(0, abs=1e-9)
    p = by_hazard(x, truths)
    assert p[0] < 1e-6 < p[2]
    weights = fit_time_score(x, truths, ["a", "b", "c"], np.ones(3, dtype=bool), 1)
    assert weights["a"] > 0 > weights["b"]


def test_many_inputs_are_weighed_the_way_they_point():
    x, truths = cases(200)
    assert TIME.many(x, truths, 1)[:2] @ WEIGHTS[:2] > 0
    assert TIME.tells(truths, x @ WEIGHTS, np.zeros(200, int))
    assert not TIME.tells(truths, -(x @ WEIGHTS), np.zeros(200, int))


def test_the_answer_in_one_number_is_at_the_known_time_nearest_to_a_year():
    assert told_at(np.array([[0.9, 0.8, 0.7], [0.9, np.nan, 0.7], [np.nan, np.nan, 0.6]])).tolist() == [0.8, 0.9, 0.6]


def test_a_landmark_is_known_of_those_who_were_followed_or_had_it():
    found = came_by(followed(np.array([10.0, 10, 400, 365.25]), np.array([True, False, False, True])), 365.25)
    np.testing.assert_array_equal(found, [1, np.nan, 0, 1])


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_a_chance_falls_with_time_and_with_hazard(seed):
    x, truths = cases(80, seed)
    model = TIME.fit(x, target(truths), "cox", Fitting(n_repeats=1), 1, NONE)
    new = np.random.default_rng(seed).normal(size=(5, 3))
    found = model.survival(new)
    assert (np.diff(found, axis=1) <= 0).all()
    order = np.argsort(model.score(new))
    assert (np.diff(found[order], axis=0) <= 1e-12).all()
