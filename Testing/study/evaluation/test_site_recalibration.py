"""A model recalibrated at a site whose truth is known: a shift comes back, and too few cases change nothing."""

import numpy as np
import pytest
from known_site import cohort_of, site

from PDL1PredictorLib.statistics.calibration import calibration
from PDL1PredictorLib.statistics.scores import expit
from PDL1PredictorLib.study.evaluation.answers import RECALIBRATED, log_odds_of
from PDL1PredictorLib.study.evaluation.outcome import evaluated_endpoints
from PDL1PredictorLib.study.evaluation.recalibration import recalibrate


def recalibrated(labels, model, seed=1):
    found, _ = evaluated_endpoints(cohort_of([None if label is None else int(label) for label in labels]), [model])
    rules = {one.key: one for one in model.manifest.endpoints}
    return recalibrate(found, rules, model.title, 0.9, seed)["PDL1"]


def tried(one, model):
    return one.outcome.binary_models()[RECALIBRATED]


def test_a_shift_of_the_log_odds_comes_back_in_slope_and_intercept(model_of):
    labels, p = site(6000, 0.6, -1.0, 1)
    one = recalibrated(labels, model_of(p))
    assert one.way == "slope"
    assert one.fit[:2] == pytest.approx((0.6, -1.0), abs=0.1)
    after = calibration(labels, tried(one, model_of(p)).probability)
    assert (after.slope, after.in_the_large) == pytest.approx((1.0, 0.0), abs=0.06)
    assert one.bundle.base_rate == pytest.approx(labels.mean())


def test_a_model_that_is_right_already_stays_nearly_as_it_is(model_of):
    labels, p = site(6000, 1.0, 0.0, 2)
    assert recalibrated(labels, model_of(p)).fit[:2] == pytest.approx((1.0, 0.0), abs=0.1)


def test_the_order_of_the_cases_is_not_touched(model_of):
    labels, p = site(200, 0.7, 0.4, 3)
    one = recalibrated(labels, model_of(p))
    own, new = one.outcome.binary_models()["Model"], tried(one, model_of(p))
    assert (own.score == new.score).all()
    assert one.outcome.roles[RECALIBRATED] == "part"


def test_prediction_sets_of_the_site_cover_what_they_state(model_of):
    labels, p = site(4000, 0.7, -0.8, 4)
    one = recalibrated(labels[:2000], model_of(p[:2000]))
    new = one.fit.probability(log_odds_of(p[2000:]))
    negative, positive = one.bundle.conformal
    truth = labels[2000:]
    held = np.where(truth == 1, 1 - new <= positive, new <= negative)
    assert held[truth == 1].mean() == pytest.approx(0.9, abs=0.04)
    assert held[truth == 0].mean() == pytest.approx(0.9, abs=0.03)


def test_few_cases_move_the_intercept_alone_and_no_call_or_set(model_of):
    labels, p = np.array([1] * 12 + [0] * 30), np.concatenate([np.linspace(0.3, 0.9, 12), np.linspace(0.1, 0.7, 30)])
    one = recalibrated(labels, model_of(p))
    assert (one.way, one.fit.slope) == ("intercept", 1.0)
    new = one.fit.probability(log_odds_of(p))
    rule = next(model.rule for model in model_of(p).manifest.endpoints if model.key == "PDL1")
    assert ((new >= one.fit.threshold) == (p >= rule.threshold)).all()
    for before, after in zip(rule.conformal, one.bundle.conformal, strict=True):
        assert (before in (0.0, 1.0)) == (after in (0.0, 1.0))
    before = np.array([p <= rule.conformal[0], 1 - p <= rule.conformal[1]])
    assert (np.array([new <= one.bundle.conformal[0], 1 - new <= one.bundle.conformal[1]]) == before).all()


@pytest.mark.parametrize(
    ("labels", "p", "told"),
    [
        ([1] * 9 + [0] * 90, np.linspace(0.1, 0.9, 99), "10 cases of each answer are needed"),
        ([1, 0] * 40, np.full(80, 0.4), "the same for every case"),
        ([1] * 40 + [0] * 40, np.linspace(0.1, 0.9, 80), "do not rise with the truth"),
    ],
)
def test_a_site_that_cannot_teach_changes_nothing_and_says_why(model_of, labels, p, told):
    one = recalibrated(labels, model_of(p))
    assert (one.way, one.fit, one.bundle) == ("none", None, None)
    assert told in one.why_not
    assert RECALIBRATED not in one.outcome.models


def test_tumors_of_one_patient_stay_in_one_fold(model_of):
    """Twins of one patient with one label would tell it to each other: a fit by folds of tumors would look too good."""
    rng = np.random.default_rng(5)
    labels = rng.integers(2, size=60)
    p = expit(rng.normal(size=60))
    twice, doubled = np.tile(labels, 2), np.tile(p, 2)
    model = model_of(doubled)
    cohort = cohort_of([int(label) for label in twice], [f"p{row % 60}" for row in range(120)])
    found, _ = evaluated_endpoints(cohort, [model])
    one = recalibrate(found, {m.key: m for m in model.manifest.endpoints}, "Model", 0.9, 1)["PDL1"]
    if one.way != "none":
        new = tried(one, model).probability
        assert new[:60] == pytest.approx(new[60:])
