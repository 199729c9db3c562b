"""Subgroups: areas per level, and a test of interaction that is uniform under the null and finds what was planted."""

import numpy as np
import pytest
from scipy import stats

from PDL1PredictorLib.statistics.subgroups import auc_by_level
from PDL1PredictorLib.statistics.within_folds import auc_within_folds

N_FOLDS = 4


def draw(rng, n_of_level, gain, shift=0.0, share=0.4):
    """Labels, scores, folds, levels: positives of level i lie gain[i] higher, all cases of level i shift * i higher."""
    levels = np.repeat(np.arange(len(n_of_level)), n_of_level)
    labels = np.concatenate([rng.permutation(np.arange(n) < round(share * n)) for n in n_of_level]).astype(int)
    scores = rng.normal(size=levels.size) + np.asarray(gain)[levels] * labels + shift * levels
    folds = rng.permutation(np.arange(levels.size) % N_FOLDS)
    return labels, scores, folds, np.array(["small", "large", "huge"])[levels]


def test_the_area_of_a_level_is_that_of_its_cases_alone():
    labels, scores, folds, levels = draw(np.random.default_rng(1), (60, 50), (1.0, 0.0))
    found = auc_by_level(labels, scores, folds, levels, order=("small", "large"))
    assert [one.level for one in found.levels] == ["small", "large"]
    for one in found.levels:
        here = levels == one.level
        assert one.auc is not None
        assert one.auc.value == auc_within_folds(labels[here], scores[here], folds[here]).value
        assert (one.n_positive, one.n_negative) == (int(labels[here].sum()), int((1 - labels[here]).sum()))


def test_two_levels_are_compared_by_welchs_t():
    labels, scores, folds, levels = draw(np.random.default_rng(2), (80, 60), (1.5, 0.2))
    found = auc_by_level(labels, scores, folds, levels)
    (a, b) = (one.auc for one in found.levels)
    assert a is not None
    assert b is not None
    va, vb = a.standard_error**2, b.standard_error**2
    dfa, dfb = min(a.n_positive, a.n_negative) - 1, min(b.n_positive, b.n_negative) - 1
    df = (va + vb) ** 2 / (va**2 / dfa + vb**2 / dfb)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(a.value - b.value) / np.sqrt(va + vb), df))


@pytest.mark.parametrize(
    ("sizes", "gain", "shift"),
    [((50, 50), (1.0, 1.0), 0.0), ((80, 40), (1.0, 1.0), 1.5), ((40, 40, 40), (0.0, 0.0, 0.0), 0.5)],
)
def test_p_is_uniform_where_all_levels_have_one_area(sizes, gain, shift):
    rng = np.random.default_rng(len(sizes) + int(10 * shift))
    p = np.array([auc_by_level(*draw(rng, sizes, gain, shift)).p for _ in range(300)])
    assert p.mean() == pytest.approx(0.5, abs=0.06)
    assert (p < 0.05).mean() <= 0.09  # standard error 0.013
    assert (p < 0.5).mean() == pytest.approx(0.5, abs=0.1)


def test_a_planted_interaction_is_found():
    rng = np.random.default_rng(5)
    p = np.array([auc_by_level(*draw(rng, (80, 80), (2.0, 0.0))).p for _ in range(60)])
    assert (p < 0.05).mean() > 0.8


def test_repetitions_are_no_further_cases():
    rng = np.random.default_rng(6)
    labels, scores, folds, levels = draw(rng, (60, 60), (1.0, 0.3))
    once = auc_by_level(labels, scores, folds, levels)
    thrice = auc_by_level(labels, np.tile(scores, (3, 1)), np.tile(folds, (3, 1)), levels)
    assert thrice.p == pytest.approx(once.p)


def test_a_level_with_few_cases_has_no_area_and_unknown_levels_take_no_part():
    labels, scores, folds, levels = draw(np.random.default_rng(7), (60, 9), (1.0, 1.0))
    found = auc_by_level(labels, scores, folds, levels)
    assert [one.auc is None for one in found.levels] == [True, False]
    assert found.p is None
    levels[levels == "large"] = ""
    assert [one.level for one in auc_by_level(labels, scores, folds, levels).levels] == ["small"]


def test_a_perfect_level_has_an_uncertainty():
    rng = np.random.default_rng(8)
    labels, scores, folds, levels = draw(rng, (60, 60), (50.0, 0.5))
    found = auc_by_level(labels, scores, folds, levels, order=("small", "large"))
    assert found.levels[0].auc is not None
    assert found.levels[0].auc.value == 1
    assert found.p is not None
    assert 0 < found.p < 0.05


def test_a_patient_counts_once_however_many_tumors_he_has():
    labels, scores, folds, levels = draw(np.random.default_rng(9), (60, 60), (1.2, 0.2))
    doubled = [np.repeat(values, 2) for values in (labels, scores, folds, levels)]
    kept = auc_by_level(*doubled, patients=np.repeat(np.arange(120), 2))
    alone = auc_by_level(labels, scores, folds, levels)
    assert kept.levels[0].auc is not None
    assert alone.levels[0].auc is not None
    assert kept.levels[0].auc.standard_error == pytest.approx(alone.levels[0].auc.standard_error, rel=0.1)


def test_what_does_not_fit_together_is_refused():
    labels, scores, folds, levels = draw(np.random.default_rng(1), (40, 40), (1.0, 1.0))
    with pytest.raises(ValueError, match="Each of 80 cases needs a level"):
        auc_by_level(labels, scores, folds, levels[:-1])
    with pytest.raises(ValueError, match="Both outcomes are needed"):
        auc_by_level(np.zeros(80), scores, folds, levels)


def test_levels_of_trained_models_have_wider_intervals_and_the_same_areas():
    labels, scores, folds, levels = draw(np.random.default_rng(12), (60, 60), (1.2, 0.2))
    given, trained = (auc_by_level(labels, scores, folds, levels, trained=one) for one in (False, True))
    for a, b in zip(given.levels, trained.levels, strict=True):
        assert a.auc is not None
        assert b.auc is not None
        assert a.auc.value == b.auc.value
        assert a.auc.standard_error < b.auc.standard_error
    assert given.p < trained.p
