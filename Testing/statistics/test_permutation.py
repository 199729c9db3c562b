"""Permutations: counts by hand, laws, and a p that is uniform where there is nothing to find."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from simulated_cases import binormal, repeated

from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.statistics.permutation import permutation_test
from PDL1PredictorLib.statistics.within_folds import auc_within_folds

SCORES = np.array([0.9, 0.8, 0.3, 0.1])
LABELS = np.array([1, 1, 0, 0])


def rng(seed=0):
    return np.random.default_rng(seed)


def area(labels):
    return auc(labels, SCORES).value


def test_p_counts_the_value_itself_among_the_permutations():
    result = permutation_test(area, LABELS, rng(), n_permutations=99)
    reached = np.count_nonzero(result.null == 1)
    assert result.value == 1
    assert result.p == (reached + 1) / 100
    assert 5 < reached < 30  # one of six ways to place two positives


def test_many_permutations_give_the_p_of_all_of_them():
    values = np.array([2.0, 1.0, 4.0, 3.0, 5.0])
    labels = np.array([0, 0, 1, 0, 1])

    def sum_of(given):
        return float(values[given == 1].sum())

    every = [sum_of(np.array(order)) for order in itertools.permutations(labels)]
    exact = np.mean(np.array(every) >= 9)
    assert permutation_test(sum_of, labels, rng(), n_permutations=4000).p == pytest.approx(exact, abs=0.015)


def test_two_sided_is_twice_the_smaller_tail():
    great, small = (
        permutation_test(area, labels, rng(), n_permutations=499, alternative="two-sided")
        for labels in (LABELS, 1 - LABELS)
    )
    assert great.p == 2 * (np.count_nonzero(great.null == 1) + 1) / 500
    assert small.p == 2 * (np.count_nonzero(small.null == 0) + 1) / 500
    assert permutation_test(area, [1, 0, 0, 1], rng(), n_permutations=99, alternative="two-sided").p == 1


def test_labels_stay_in_their_fold_and_with_their_patient():
    labels = np.array([1, 0, 1, 0, 1, 1, 0, 0, 1])
    folds = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
    patients = np.array([1, 1, 2, 3, 4, 4, 5, 5, 6])  # 1 and 6 have no partner of as many cases in their fold
    seen = []

    def look(given):
        seen.append(tuple(given.tolist()))
        return 0.0

    permutation_test(look, labels, rng(), folds, patients, n_permutations=60)
    assert set(seen) == {
        (1, 0, *middle, *last, 1) for middle in ((1, 0), (0, 1)) for last in ((1, 1, 0, 0), (0, 0, 1, 1))
    }


def test_the_same_seed_draws_the_same_and_another_seed_another():
    labels, scores = binormal(0.5, 10, 10, rng())
    first, again, other = (
        permutation_test(lambda y: auc(y, scores).value, labels, rng(seed), n_permutations=50).null
        for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert not np.allclose(first, other)


def test_the_p_of_an_area_within_folds_is_uniform_where_there_is_nothing_to_find():
    draw = rng(3)
    found = []
    for _ in range(300):
        labels, scores, folds = (np.squeeze(part) for part in repeated(0.5, 8, 17, 1, draw))
        found.append(permutation_test(within(scores, folds), labels, draw, folds, n_permutations=39).p)
    assert stats.kstest(np.array(found) - draw.random(300) / 40, "uniform").pvalue > 0.05  # between the 40 steps
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.03)


def test_the_p_is_small_where_there_is_something_to_find():
    labels, scores, folds = (np.squeeze(part) for part in repeated(0.85, 15, 30, 1, rng(4)))
    assert permutation_test(within(scores, folds), labels, rng(), folds, n_permutations=199).p <= 0.01


def test_tumors_taken_for_patients_find_too_much_and_patients_do_not():
    # Three tumors a patient, of one label and nearly one score: there are 10 observations, not 30.
    draw = rng(5)
    patients = np.repeat(np.arange(10), 3)
    single, whole = [], []
    for _ in range(120):
        labels, own = binormal(0.5, 5, 5, draw)
        scores = own[patients] + 0.1 * draw.normal(size=30)
        for found, who in ((single, None), (whole, patients)):
            test = permutation_test(
                lambda y, s=scores: auc(y, s).value, labels[patients], draw, None, who, n_permutations=39
            )
            found.append(test.p)
    assert np.mean(np.array(single) <= 0.05) > 0.12
    assert np.mean(np.array(whole) <= 0.05) <= 0.1


def within(scores, folds):
    return lambda labels: auc_within_folds(labels, scores, folds).value


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        (([[0, 1]],), {}, "labels must be one value per case"),
        (([0, 1], rng()), {"n_permutations": 0}, "n_permutations must be at least 1, got 0"),
        (([0, 1], rng()), {"alternative": "less"}, "must be 'greater' or 'two-sided', got 'less'"),
        (([0, 1], rng(), [0]), {}, "folds must be 2 values"),
        (([0, 1], rng(), [0, 1]), {}, "No label can be exchanged for another one within its fold"),
        (([0, 1], rng(), None, [0]), {}, "patients must be 2 values"),
        (([0, 1, 1], rng(), [0, 1, 1], ["a", "a", "b"]), {}, "A patient's cases lie in several folds"),
    ],
)
def test_what_cannot_be_permuted_is_refused(arguments, more, message):
    labels, *rest = arguments
    with pytest.raises(ValueError, match=message):
        permutation_test(lambda given: 0.0, labels, *(rest or [rng()]), **more)


def test_a_statistic_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="The statistic must be a finite number, got nan"):
        permutation_test(lambda given: math.nan, LABELS, rng())
