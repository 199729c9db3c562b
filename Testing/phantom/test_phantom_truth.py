import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.phantom.patient import draw_truth
from PDL1PredictorLib.phantom.traits import TRAIT_LIMIT, TRAITS, Traits, draw_traits
from PDL1PredictorLib.phantom.truth import (
    LAWS,
    MISSING_LABEL_SHARE,
    PHANTOM_ENDPOINTS,
    bayes_auc,
    bayes_auc_without,
    draw_labels,
    intercept,
    probabilities,
)

PATIENTS = 4000


@pytest.fixture(scope="module")
def cohort():
    return [draw_truth(5, index) for index in range(1, PATIENTS + 1)]


@pytest.fixture(scope="module")
def sampled_traits():
    draws = np.random.default_rng(8).standard_normal((200_000, len(TRAITS)))
    return np.clip(draws, -TRAIT_LIMIT, TRAIT_LIMIT)


def sampled_auc(score, label):
    order = np.argsort(score)
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    positives = int(label.sum())
    return (ranks[label].sum() - positives * (positives + 1) / 2) / (positives * (len(label) - positives))


def weight_array(key):
    return np.array([LAWS[key].weights.get(name, 0.0) for name in TRAITS])


def test_the_truth_covers_the_ten_endpoints_and_only_known_traits():
    assert tuple(LAWS) == PHANTOM_ENDPOINTS
    assert all(set(law.weights) <= set(TRAITS) for law in LAWS.values())


@pytest.mark.parametrize("key", PHANTOM_ENDPOINTS)
def test_labels_are_as_frequent_as_in_the_paper(key, cohort):
    known = [labels[key] for _, _, labels in cohort if labels[key] is not None]
    expected = LAWS[key].prevalence
    assert np.mean(known) == pytest.approx(expected, abs=4 * (expected * (1 - expected) / len(known)) ** 0.5)


@pytest.mark.parametrize("key", PHANTOM_ENDPOINTS)
def test_intercept_and_bayes_auc_agree_with_a_large_sample(key, sampled_traits):
    chance = expit(intercept(key) + sampled_traits @ weight_array(key))
    label = np.random.default_rng(9).random(len(chance)) < chance
    assert chance.mean() == pytest.approx(LAWS[key].prevalence, abs=4 * chance.std() / len(chance) ** 0.5)
    error = (0.25 / min(label.sum(), (~label).sum())) ** 0.5  # upper bound of the standard error of an AUC
    assert bayes_auc(key) == pytest.approx(sampled_auc(chance, label), abs=3 * error)
    assert 0.82 <= bayes_auc(key) <= 0.92


def test_the_pdl1_answer_needs_tumor_ring_and_network():
    assert 0.88 <= bayes_auc("PDL1") <= 0.92
    for hidden in (["striation"], ["halo"], ["texture", "necrosis"]):
        assert bayes_auc_without("PDL1", hidden) < bayes_auc("PDL1") - 0.04
    assert bayes_auc_without("PDL1", TRAITS) == pytest.approx(0.5)


def test_the_auc_without_a_trait_agrees_with_a_large_sample(sampled_traits):
    chance = expit(intercept("PDL1") + sampled_traits @ weight_array("PDL1"))
    label = np.random.default_rng(10).random(len(chance)) < chance
    seen = weight_array("PDL1") * [name != "striation" for name in TRAITS]
    assert bayes_auc_without("PDL1", ["striation"]) == pytest.approx(
        sampled_auc(sampled_traits @ seen, label), abs=0.004
    )


def test_a_trait_without_weight_changes_no_auc():
    assert bayes_auc_without("T4", ["striation"]) == pytest.approx(bayes_auc("T4"), abs=1e-12)


def test_about_one_label_in_ten_is_missing_whatever_its_probability(cohort):
    missing = np.array([[labels[key] is None for key in PHANTOM_ENDPOINTS] for _, _, labels in cohort])
    assert missing.mean() == pytest.approx(MISSING_LABEL_SHARE, abs=0.006)
    chance = np.array([chances["PDL1"] for _, chances, _ in cohort])
    assert abs(np.corrcoef(chance, missing[:, 0])[0, 1]) < 4 / PATIENTS**0.5


def test_certain_probabilities_give_certain_labels():
    labels = draw_labels({"a": 0.0, "b": 1.0}, np.random.default_rng(0))
    assert set(labels.items()) <= {("a", 0), ("b", 1), ("a", None), ("b", None)}


def test_probability_at_zero_traits_is_the_intercept():
    assert probabilities(Traits(*[0.0] * 7))["T4"] == pytest.approx(float(expit(intercept("T4"))))


@given(st.integers(0, 2**32), st.sampled_from(PHANTOM_ENDPOINTS), st.sampled_from(TRAITS))
def test_more_of_a_trait_moves_the_probability_the_way_of_its_weight(seed, key, name):
    traits = draw_traits(np.random.default_rng(seed))
    values = {other: getattr(traits, other) for other in TRAITS}
    low, high = (probabilities(Traits(**{**values, name: value}))[key] for value in (-1.0, 1.0))
    assert np.sign(high - low) == np.sign(LAWS[key].weights.get(name, 0.0))


def test_an_unknown_endpoint_is_refused():
    with pytest.raises(InputError, match="no endpoint 'BRCA'"):
        bayes_auc("BRCA")


def test_an_unknown_trait_is_refused():
    with pytest.raises(InputError, match="Unknown traits: color"):
        bayes_auc_without("PDL1", ["color"])


@pytest.mark.parametrize("value", [2.6, -3.0, float("nan")])
def test_a_trait_out_of_range_is_refused(value):
    with pytest.raises(InputError, match="trait halo must lie between"):
        Traits(0, 0, 0, 0, 0, value, 0)
