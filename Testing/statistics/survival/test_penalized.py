"""Penalized Cox models: the conditions that their highest point must meet, R's glmnet, and the plain model."""

import numpy as np
import pytest

from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.cox import fit_cox
from PDL1PredictorLib.statistics.survival.partial_likelihood import likelihood
from PDL1PredictorLib.statistics.survival.penalized import choose_penalty, penalized_path
from PDL1PredictorLib.statistics.survival.risk_sets import risk_sets


def simulated(n, p, effects, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    time = rng.exponential(np.exp(-x[:, : len(effects)] @ np.array(effects)))
    end = rng.uniform(0.2, 3, n)
    return x * 3 + 1, np.minimum(time, end), (time <= end).astype(float)


def slopes(x, time, event, coef, ties="efron"):
    """Of the likelihood over the number of cases, per standard deviation of each covariate."""
    sd = x.std(axis=0)
    sets = [risk_sets(time, event.astype(bool), np.arange(time.size), ties)]
    return likelihood((x - x.mean(axis=0)) / sd, coef * sd, sets).score / time.size


def test_lasso_meets_the_conditions_of_its_highest_point():
    x, time, event = simulated(150, 40, [0.8, -0.6])
    path = penalized_path(x, time, event, n_penalties=8)
    assert not path.coef[0].any()
    for penalty, coef in zip(path.penalties, path.coef, strict=True):
        slope = slopes(x, time, event, coef)
        np.testing.assert_allclose(slope[coef != 0], penalty * np.sign(coef[coef != 0]), atol=1e-6)
        assert (np.abs(slope[coef == 0]) <= penalty + 1e-6).all()
    assert np.count_nonzero(path.coef[-1]) > np.count_nonzero(path.coef[1])


def test_a_vanishing_penalty_gives_the_plain_model():
    x, time, event = simulated(120, 3, [0.5])
    for share in (1.0, 0.3):
        found = penalized_path(x, time, event, [1e-3, 1e-8], l1_share=share)
        np.testing.assert_allclose(found.coef[-1], fit_cox(x, time, event).coef, atol=1e-5)


def test_ridge_keeps_every_covariate_and_shrinks():
    x, time, event = simulated(120, 3, [0.5])
    found = penalized_path(x, time, event, [1.0, 0.1], l1_share=1e-6)
    assert (found.coef != 0).all()
    assert (np.abs(found.coef[0]) < np.abs(found.coef[1])).all()


def test_r_s_glmnet_comes_near_but_stops_before_the_highest_point(r_answers, r_cases):
    x = np.column_stack([r_cases[f"x{i}"] for i in range(8)])
    theirs = np.array(r_answers["syn.lasso_cox.lambda0.05"])
    mine = penalized_path(x, r_cases["time"], r_cases["event"], [0.05]).coef[0]
    np.testing.assert_allclose(mine, theirs, atol=0.003)
    assert ((mine != 0) == (theirs != 0)).all()
    off = np.abs(np.abs(slopes(x, r_cases["time"], r_cases["event"], theirs, "breslow")[theirs != 0]) - 0.05)
    assert 3e-4 < off.max() < 1.2e-3  # R's own answer misses the condition by 2 % of the penalty


def test_the_chosen_penalty_keeps_what_tells_and_nothing_where_nothing_does():
    folds = np.arange(150) % 5
    x, time, event = simulated(150, 30, [0.9, -0.9])
    path = penalized_path(x, time, event, n_penalties=12)
    chosen = choose_penalty(x, time, event, folds, path)
    assert chosen.gain[chosen.place] > 0.1
    assert {0, 1} <= set(np.flatnonzero(path.coef[chosen.place]))
    x, time, event = simulated(150, 30, [])
    assert choose_penalty(x, time, event, folds, penalized_path(x, time, event, n_penalties=12)).gain.max() < 0.05


def test_constant_covariates_are_left_out_and_all_constant_ones_refused():
    x, time, event = simulated(60, 3, [0.5])
    x[:, 1] = 7
    assert not penalized_path(x, time, event, n_penalties=4).coef[:, 1].any()
    with pytest.raises(NotEstimableError, match="more than one value"):
        penalized_path(x[:, [1]], time, event)


@pytest.mark.parametrize("change", [{"penalties": [0.1, 0.2]}, {"l1_share": 0}, {"n_penalties": 0}])
def test_wrong_settings_are_refused(change):
    x, time, event = simulated(60, 3, [0.5])
    with pytest.raises(ValueError, match="penalties|l1_share|penalty"):
        penalized_path(x, time, event, **change)
