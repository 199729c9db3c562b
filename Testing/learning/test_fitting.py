"""One model of one endpoint: its standardization, calibration, thresholds and prediction sets."""

from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.classifiers import CHOSEN
from PDL1PredictorLib.learning.fitting import (
    SENSITIVITY_90,
    YOUDEN,
    Fitting,
    calibrator,
    fit_model,
)
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.statistics.discrimination import auc

BINARY = rules("binary")
HOW = Fitting(n_repeats=1, n_bootstrap=20, kinds=("logistic regression", "naive Bayes"))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    labels = (rng.random(160) < 0.4).astype(int)
    return np.column_stack([7 + 2 * labels + rng.normal(size=160), 100 * rng.normal(size=160)]), labels


@pytest.fixture(scope="module")
def model(data):
    return fit_model(*data, HOW, seed=1)


def test_inputs_are_standardized_by_the_cases_that_were_fitted_on(model, data):
    z = model.standardized(data[0])
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(z.std(0), 1)
    np.testing.assert_array_equal(z, model.inputs)


def test_only_the_kinds_that_were_asked_for_are_tried(model):
    assert set(model.chosen.mean_auc) == set(HOW.kinds)
    assert model.chosen.kind in HOW.kinds


def test_the_model_is_of_the_kind_that_was_to_be_chosen():
    rng = np.random.default_rng(3)
    labels = np.tile([0, 1], 60)
    x = np.column_stack([labels + rng.normal(size=120), rng.normal(size=120) * (1 + 0.5 * labels)])
    kinds = {choice: fit_model(x, labels, replace(HOW, n_repeats=2, choice=choice), seed=0) for choice in CHOSEN}
    assert {choice: model.chosen.kind for choice, model in kinds.items()} == {
        "best": "naive Bayes",
        "simplest": "logistic regression",
    }


def test_calibrated_probabilities_have_the_mean_of_the_labels_and_the_order_of_the_raw_ones(model, data):
    x, labels = data
    p = model.probability(x)
    assert p.mean() == pytest.approx(labels.mean(), abs=0.03)
    assert (np.argsort(p) == np.argsort(model.raw_probability(x))).all()
    np.testing.assert_allclose(np.log(p / (1 - p)), model.log_odds(model.standardized(x)))


def test_the_second_threshold_keeps_nine_of_ten_positive_cases(model, data):
    assert model.threshold == model.thresholds[YOUDEN]
    assert model.thresholds[SENSITIVITY_90] <= model.thresholds[YOUDEN]


def test_answers_worse_than_chance_are_not_turned_around():
    labels = np.tile([0, 1, 0], 30)
    odds = np.where(labels == 1, -2.0, 2.0) + np.linspace(-3, 3, 90)  # the wrong way round
    assert calibrator(labels, odds) == (0.0, pytest.approx(np.log(0.5)))
    slope, _ = calibrator(labels, -odds)
    assert slope > 0.3


def test_no_resampled_calibration_turns_the_answers_around():
    rng = np.random.default_rng(0)
    noise, labels = rng.normal(size=(60, 2)), np.tile([0, 1], 30)
    model = fit_model(noise, labels, HOW, seed=2)
    assert model.slope >= 0
    assert (model.calibrations[:, 0] >= 0).all()
    assert (model.calibrations[:, 0] == 0).any()


def test_the_same_seed_fits_the_same_model(data):
    a, b = (fit_model(*data, HOW, seed=4) for _ in range(2))
    np.testing.assert_array_equal(a.probability(data[0]), b.probability(data[0]))
    np.testing.assert_array_equal(a.calibrations, b.calibrations)


def test_a_constant_answer_is_no_model_and_calls_nothing():
    labels = np.tile([0, 1, 1], 20)
    model = fit_model(np.ones((60, 2)), labels, HOW, seed=1)
    answers = BINARY.answers(model, np.ones((5, 2)))
    assert not model.learned
    assert answers.probability == pytest.approx(labels.mean(), abs=0.02)
    assert not answers.positive.any()
    assert not answers.called.any()


def test_held_out_cases_ranked_worse_than_by_chance_are_no_model_but_keep_their_raw_scores(data):
    x, labels = data
    model = replace(fit_model(x, labels, HOW, seed=1), slope=0.0)
    answers = BINARY.answers(model, x)
    assert not model.learned
    assert not answers.called.any()
    assert np.ptp(answers.probability) == pytest.approx(0)
    assert auc(labels, answers.score).value > 0.8


def test_a_model_that_learned_calls_every_case_by_its_threshold(model, data):
    answers = BINARY.answers(model, data[0])
    assert model.learned
    assert answers.called.all()
    np.testing.assert_array_equal(answers.positive, answers.probability >= model.threshold)
    assert (np.argsort(answers.score, kind="stable") == np.argsort(model.raw_probability(data[0]), kind="stable")).all()


@pytest.mark.parametrize(("sign", "learned"), [(1, True), (-1, False)])
def test_an_input_that_ranks_as_it_is_must_raise_the_probability(sign: int, learned: bool):
    rng = np.random.default_rng(5)
    labels = np.tile([0, 1], 40)
    x = (sign * labels + 0.5 * rng.normal(size=80))[:, None]
    target = Target("binary", labels.astype(float))
    model = BINARY.fit(x, target, "rank", HOW, 1, np.zeros(1, bool))
    np.testing.assert_array_equal(BINARY.answers(model, x).score, x[:, 0])
    assert model.learned is learned
    assert BINARY.fit(x, target, "logistic", HOW, 1, np.zeros(1, bool)).learned
