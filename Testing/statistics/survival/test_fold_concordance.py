import numpy as np
import pytest

from PDL1PredictorLib.statistics.survival.concordance import harrell_c
from PDL1PredictorLib.statistics.survival.fold_concordance import concordance_within_folds


@pytest.fixture
def cases():
    rng = np.random.default_rng(0)
    score = rng.normal(size=120)
    until, watched = rng.exponential(size=120) / np.exp(score), rng.uniform(0.2, 3, 120)
    return np.minimum(until, watched), until <= watched, score


def test_one_fold_is_harrells_c(cases):
    time, event, score = cases
    found, wanted = concordance_within_folds(time, event, score[None], np.zeros((1, 120), int)), harrell_c(*cases)
    assert found.value == wanted.value
    assert found.interval == pytest.approx(wanted.interval)


def test_what_shifts_a_fold_moves_nothing(cases):
    time, event, score = cases
    folds = np.arange(120)[None] % 4
    moved = score[None] + 10.0 * folds
    assert concordance_within_folds(time, event, moved, folds).value == pytest.approx(
        concordance_within_folds(time, event, score[None], folds).value
    )


def test_repetitions_are_averaged_and_make_no_more_cases_of_few(cases):
    time, event, score = cases
    folds = np.zeros((6, 120), int)
    one = concordance_within_folds(time, event, score[None], folds[:1])
    six = concordance_within_folds(time, event, np.tile(score, (6, 1)), folds)
    assert six.interval == pytest.approx(one.interval)
    assert len(six.repetitions) == 6


def test_no_pair_is_told_as_none():
    assert concordance_within_folds([1, 2], [0, 0], [[1, 2]], [[0, 0]]) is None
    assert concordance_within_folds([1, 2], [1, 1], [[1, 2]], [[0, 1]]) is None


def test_the_interval_holds_the_truth(cases):
    rng, held = np.random.default_rng(1), 0
    truth = 0.5 + 1 / 6  # of exponential times with unit normal log hazards it is near that; found below by many cases
    score = rng.normal(size=20_000)
    until = rng.exponential(size=20_000) / np.exp(score)
    truth = harrell_c(until[:3000], np.ones(3000), score[:3000]).value
    for number in range(60):
        rows = slice(3000 + 150 * number, 3150 + 150 * number)
        found = concordance_within_folds(until[rows], np.ones(150), score[rows][None], np.zeros((1, 150), int))
        held += found.interval[0] <= truth <= found.interval[1]
    assert held >= 52
