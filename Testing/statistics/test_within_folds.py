"""Areas within folds: sums by hand, laws, and simulated cohorts whose truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from simulated_cases import binormal, covers, repeated, stratified
from sklearn.metrics import roc_auc_score

from PDL1PredictorLib.statistics.discrimination import auc, delong_test
from PDL1PredictorLib.statistics.within_folds import auc_within_folds, compare_within_folds, roc_within_folds

LABELS = np.array([1, 0, 0, 1, 1, 0])
FOLDS = np.array(["a", "a", "a", "b", "b", "b"])
SCORES = np.array([5.0, 1.0, 6.0, 0.3, 0.1, 0.1])  # a: one won, one lost; b: one won, one tied


@st.composite
def folded(draw):
    sizes = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5)), min_size=2, max_size=4))
    labels = np.concatenate([np.repeat([1, 0], size) for size in sizes])
    folds = np.repeat(np.arange(len(sizes)), [sum(size) for size in sizes])
    scores = draw(st.lists(st.integers(-5, 5), min_size=labels.size, max_size=labels.size))
    return labels, np.array(scores, float), folds


def test_the_area_is_the_share_of_the_pairs_within_the_folds():
    result = auc_within_folds(LABELS, SCORES, FOLDS)
    assert result.value == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    assert (result.n_positive, result.n_negative, result.n_patients) == (3, 3, 6)


def test_the_variance_is_made_by_hand():
    # a won its two pairs, b lost its two: deviations 0.5, 0.5, -0.5, -0.5, each of weight 1/4. Pairs of a share their
    # positive case, those of b their negative one, so half of the products of weights are of pairs that share.
    result = auc_within_folds(LABELS, [5.0, 1.0, 2.0, 0.3, 0.1, 0.5], FOLDS)
    assert result.value == 0.5
    assert result.standard_error == pytest.approx(math.sqrt(2 * (2 * 0.5 / 4) ** 2 / (1 - 1 / 2)))


def test_the_variance_is_never_below_that_of_pairs_that_do_not_correlate():
    # 0.375 and -0.625 share a positive case, 0.375 and -0.125 a negative one: their products are negative.
    squares = (0.375**2 + 0.625**2 + 0.375**2 + 0.125**2) / 16
    assert auc_within_folds(LABELS, SCORES, FOLDS).standard_error == pytest.approx(math.sqrt(squares / (1 - 1 / 2)))


@given(folded())
def test_it_is_the_mean_of_the_folds_areas_by_their_pairs(cases):
    labels, scores, folds = cases
    parts = [folds == number for number in np.unique(folds)]
    pairs = [labels[part].sum() * (1 - labels[part]).sum() for part in parts]
    judge = np.average([roc_auc_score(labels[part], scores[part]) for part in parts], weights=pairs)
    assert auc_within_folds(labels, scores, folds).value == pytest.approx(judge)


@given(folded(), st.integers(0, 2**32 - 1))
def test_what_one_fold_adds_to_its_scores_does_not_matter(cases, seed):
    labels, scores, folds = cases
    rng = np.random.default_rng(seed)
    growing = np.exp(scores / 5) * rng.uniform(0.5, 2, size=4)[folds] + rng.normal(size=4)[folds]
    there, back = auc_within_folds(labels, scores, folds), auc_within_folds(labels, growing, folds)
    assert back.value == pytest.approx(there.value)
    assert back.interval == pytest.approx(there.interval)


@given(folded())
def test_turning_the_labels_around_gives_the_complement(cases):
    labels, scores, folds = cases
    there, back = auc_within_folds(labels, scores, folds), auc_within_folds(1 - labels, scores, folds)
    assert back.value == pytest.approx(1 - there.value)
    assert back.interval == pytest.approx((1 - there.interval[1], 1 - there.interval[0]), abs=1e-6)


@given(folded())
def test_the_interval_holds_the_area_and_stays_within_0_and_1(cases):
    result = auc_within_folds(*cases)
    assert 0 <= result.interval[0] <= result.value + 1e-9
    assert result.value - 1e-9 <= result.interval[1] <= 1


def test_one_fold_of_many_cases_has_delongs_interval():
    labels, scores = binormal(0.75, 150, 200, np.random.default_rng(1))
    result = auc_within_folds(labels, scores, np.zeros(350))
    assert result.value == pytest.approx(auc(labels, scores).value)
    assert result.interval == pytest.approx(auc(labels, scores).logit_interval, abs=1e-3)


def test_many_cases_have_the_variance_of_the_influence_curve():
    # LeDell 2015, equation for the pooled variance, written out; folds of equal sizes
    rng = np.random.default_rng(2)
    labels, scores = binormal(0.75, 300, 500, rng)
    folds = stratified(labels, 5, rng)
    squares = 0.0
    for number in range(5):
        yes, no = (scores[(folds == number) & (labels == outcome)] for outcome in (1, 0))
        above = (yes[:, None] > no).mean(axis=1)
        below = (yes[:, None] > no).mean(axis=0)
        n = yes.size + no.size
        squares += ((n / yes.size * (above - above.mean())) ** 2).sum() / n / 5
        squares += ((n / no.size * (below - below.mean())) ** 2).sum() / n / 5
    assert auc_within_folds(labels, scores, folds).standard_error == pytest.approx(math.sqrt(squares / 800), rel=0.03)


def test_the_same_repetition_twice_is_one():
    once = auc_within_folds(LABELS, SCORES, FOLDS)
    twice = auc_within_folds(LABELS, [SCORES, SCORES], [FOLDS, FOLDS])
    assert twice.repetitions.tolist() == [once.value] * 2
    assert twice.interval == pytest.approx(once.interval)


def test_a_patients_copies_are_not_new_patients():
    rng = np.random.default_rng(3)
    labels, scores = binormal(0.7, 20, 30, rng)
    folds = stratified(labels, 5, rng)
    once = auc_within_folds(labels, scores, folds)
    copied = [np.tile(values, 3) for values in (labels, scores, folds)]
    clustered = auc_within_folds(*copied, patients=np.tile(np.arange(50), 3))
    assert (clustered.n_patients, clustered.value) == (50, pytest.approx(once.value))
    assert clustered.interval == pytest.approx(once.interval)
    assert auc_within_folds(*copied).standard_error < 0.7 * once.standard_error  # taken for patients


def test_with_two_tumors_a_patient_the_interval_covers_by_patients_and_not_by_cases():
    rng = np.random.default_rng(10)
    by_patient, by_case = [], []
    patients = np.tile(np.arange(60), 2)
    for _ in range(600):
        labels, own = binormal(0.5, 20, 40, rng)
        folds = stratified(labels, 5, rng)[patients]
        labels, scores = labels[patients], 0.9 * own[patients] + math.sqrt(0.19) * rng.normal(size=120)
        scores += np.where(labels, 0.545, 0)  # a true area of 0.65
        by_patient.append(covers(auc_within_folds(labels, scores, folds, patients).interval, 0.65))
        by_case.append(covers(auc_within_folds(labels, scores, folds).interval, 0.65))
    assert 0.93 <= np.mean(by_patient) <= 0.97
    assert np.mean(by_case) < 0.88


@pytest.mark.parametrize("seed", range(4))
def test_the_variance_counts_the_pairs_that_share_a_patient_one_by_one(seed):
    # Tumors of one patient may differ in their label.
    rng = np.random.default_rng(seed)
    patients = rng.integers(9, size=16)
    folds, labels, scores = patients % 2, np.tile([1, 0], 8), rng.integers(9, size=16) + 3.0 * np.tile([1, 0], 8)
    pairs = [(i, j) for i in range(0, 16, 2) for j in range(1, 16, 2) if folds[i] == folds[j]]
    won = np.array([(np.sign(scores[i] - scores[j]) + 1) / 2 for i, j in pairs])
    deviation = (won - won.mean()) / len(pairs)
    owners = [{patients[i], patients[j]} for i, j in pairs]
    sharing = np.array([[bool(a & b) for b in owners] for a in owners])
    same = np.array([[a == b for b in owners] for a in owners])
    variance = max(deviation @ sharing @ deviation, deviation @ same @ deviation) / (1 - sharing.mean())
    result = auc_within_folds(labels, scores, folds, patients)
    assert result.value == pytest.approx(won.mean())
    assert result.standard_error == pytest.approx(math.sqrt(variance))
    assert result.n_patients == np.unique(patients).size


def test_constant_answers_have_the_area_a_half_and_an_interval_that_says_nothing():
    result = auc_within_folds(LABELS, [0.1, 0.1, 0.1, 0.9, 0.9, 0.9], FOLDS)
    assert (result.value, result.interval) == (0.5, (0.0, 1.0))


def test_a_perfect_area_is_not_certain():
    result = auc_within_folds(LABELS, LABELS, FOLDS)
    assert result.value == result.interval[1] == 1
    assert 0.2 < result.interval[0] < 0.9
    assert auc_within_folds(LABELS, -LABELS, FOLDS).interval == pytest.approx((0, 1 - result.interval[0]))


def test_one_positive_patient_leaves_the_interval_open():
    result = auc_within_folds([1, 0, 0], [2.0, 1.0, 3.0], [0, 0, 0])
    assert (result.value, result.interval) == (0.5, (0.0, 1.0))
    assert math.isnan(result.standard_error)
    with pytest.raises(ValueError, match="At least two patients of each outcome"):
        compare_within_folds([1, 0, 0], [2.0, 1.0, 3.0], [2.0, 1.0, 0.0], [0, 0, 0])


def test_a_fold_of_one_outcome_has_no_pairs_and_does_no_harm():
    labels, scores, folds = np.append(LABELS, 0), np.append(SCORES, 99.0), np.append(FOLDS, "c")
    assert auc_within_folds(labels, scores, folds).interval == auc_within_folds(LABELS, SCORES, FOLDS).interval
    assert roc_within_folds(labels, scores, folds)[1].tolist() == roc_within_folds(LABELS, SCORES, FOLDS)[1].tolist()


def test_pooled_ranks_of_a_constant_model_are_biased_and_those_within_folds_are_not():
    # Each fold's model answers the share of positives in its training part, as a fitted constant does.
    rng = np.random.default_rng(4)
    pooled, within = [], []
    for _ in range(50):
        labels, _ = binormal(0.5, 20, 60, rng)
        folds = rng.permutation(80) % 5
        constant = np.array([labels[folds != number].mean() for number in range(5)])[folds]
        pooled.append(auc(labels, constant).value)
        within.append(auc_within_folds(labels, constant, folds).value)
    assert np.mean(pooled) < 0.42
    assert within == pytest.approx([0.5] * 50)


@pytest.mark.parametrize("n_positive", [9, 40])
@pytest.mark.parametrize("area", [0.5, 0.65, 0.8])
def test_the_area_is_unbiased_and_its_interval_covers(area, n_positive):
    rng = np.random.default_rng(5)
    rows = [repeated(area, n_positive, 50 - n_positive // 4, 1, rng) for _ in range(1200)]
    results = [auc_within_folds(*row) for row in rows]
    assert np.mean([result.value for result in results]) == pytest.approx(area, abs=0.008)
    assert 0.93 <= np.mean([covers(result.interval, area) for result in results]) <= 0.97
    spread = np.std([result.value for result in results])
    assert np.sqrt(np.mean([result.standard_error**2 for result in results])) == pytest.approx(spread, rel=0.07)


def test_repetitions_narrow_the_interval_as_far_as_they_should():
    rng = np.random.default_rng(6)
    rows = [repeated(0.65, 15, 45, 5, rng) for _ in range(1000)]
    results = [auc_within_folds(*row) for row in rows]
    assert 0.93 <= np.mean([covers(result.interval, 0.65) for result in results]) <= 0.97
    taken_for_new = [
        auc_within_folds(np.tile(y, 5), s.ravel(), (f + 5 * np.arange(5)[:, None]).ravel()) for y, s, f in rows[:300]
    ]
    assert np.mean([covers(result.interval, 0.65) for result in taken_for_new]) < 0.8


def test_the_areas_of_two_models_are_compared_by_hand():
    test = compare_within_folds(LABELS, SCORES, -SCORES, FOLDS)  # deviations double, the area mirrors
    error = 2 * auc_within_folds(LABELS, SCORES, FOLDS).standard_error
    assert test.difference == pytest.approx(0.25)
    assert test.z == pytest.approx(0.25 / error)
    # Sums by case, over 4: positives -0.25, 0.375, -0.125; negatives 0.375, -0.625, 0.25; three cases of each.
    parts = 0.25**2 + 0.375**2 + 0.125**2, 0.375**2 + 0.625**2 + 0.25**2
    df = sum(parts) ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 2)
    assert test.p == pytest.approx(2 * student.sf(0.25 / error, df))
    assert test.interval[1] == pytest.approx(0.25 + student.ppf(0.975, df) * error)


def test_a_model_does_not_differ_from_itself_and_may_differ_with_certainty():
    assert compare_within_folds(LABELS, SCORES, 3 * SCORES, FOLDS) == (0.0, (0.0, 0.0), 0.0, 1.0)
    assert compare_within_folds(LABELS, LABELS, -LABELS, FOLDS)[2:] == (math.inf, 0.0)


def test_a_variance_that_chance_made_negative_is_no_certainty():
    # Gains of a over b of the four pairs: 1, 0.5, 0.5, 1; deviations +-1/16, whose sums by case are 0: the products of
    # pairs that share a case come to -1/64. The pairs' own squares are 1/64; sharing pairs have 3/4 of the weight.
    test = compare_within_folds([1, 1, 0, 0], [3.0, 1.0, 1.0, 0.0], [1.0, 0.0, 2.0, 1.0], [0] * 4)
    assert test.difference == 0.75
    assert test.z == pytest.approx(0.75 / math.sqrt(1 / 64 / (1 - 3 / 4)))


def test_one_fold_of_many_cases_is_compared_as_by_delong():
    rng = np.random.default_rng(7)
    labels, a = binormal(0.75, 150, 200, rng)
    b = a + rng.normal(size=350)
    ours, delongs = compare_within_folds(labels, a, b, np.zeros(350)), delong_test(labels, a, b)
    assert ours.difference == pytest.approx(delongs.difference)
    assert ours.z == pytest.approx(delongs.z, rel=0.01)


def test_two_equally_good_models_differ_significantly_as_often_as_stated():
    rng = np.random.default_rng(8)
    significant = []
    for _ in range(800):
        labels, scores, folds = repeated(0.7, 20, 40, 1, rng)
        other = np.where(labels, 0.7416, 0) + rng.normal(size=60)  # another model of the same area, 0.7
        significant.append(compare_within_folds(labels, scores, other[None], folds).p < 0.05)
    assert 0.03 <= np.mean(significant) <= 0.065


def test_the_mean_curve_is_drawn_by_hand():
    # a: up 0, right to 0.5, up to 1, right; b (one negative case): up to 0.5, then straight to (1, 1).
    curve = roc_within_folds(LABELS, SCORES, FOLDS)
    assert curve.false_positive_rate.tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert curve.true_positive_rate.tolist() == [0, 0.25, 0.375, 0.875, 1, 1]


@given(folded())
def test_the_mean_curve_encloses_the_area_and_rises(cases):
    curve = roc_within_folds(*cases)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(auc_within_folds(*cases).value)
    for rates in curve:
        assert (np.diff(rates) >= -1e-12).all()
        assert (rates[0], rates[-1]) == pytest.approx((0, 1))


def test_the_mean_curve_of_repetitions_encloses_their_mean_area():
    labels, scores, folds = repeated(0.7, 12, 30, 3, np.random.default_rng(9))
    curve = roc_within_folds(labels, scores, folds)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(auc_within_folds(labels, scores, folds).value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1, 2], [1, 2, 3], [0, 0, 0]), "labels must be 0 or 1"),
        (([0, 1, 1], [1, 2, 3], [0, 0]), r"folds must be 3 values, or a row of 3 for each repetition, got the shape"),
        (([0, 1, 1], [1, 2], [0, 0, 0]), r"scores must have the shape of the folds, \(1, 3\), got \(1, 2\)"),
        (([0, 1, 1], [1, 2, math.nan], [0, 0, 0]), "scores must be finite, 1 of 3 are not"),
        (([0, 1, 1], [1, 2, 3], [0, 1, 1]), "No fold holds both outcomes"),
        (([0, 1, 1], [1, 2, 3], [0, 0, 0], [1, 2]), "patients must be 3 values"),
    ],
)
def test_what_has_no_area_within_folds_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        auc_within_folds(*arguments)
    if len(arguments) == 3:
        with pytest.raises(ValueError, match=message):
            roc_within_folds(*arguments)
