"""The look of a training cohort: learned on known distributions, held against cases of the same and of another."""

import numpy as np
import pytest

from PDL1PredictorLib.core.sanity import SANITY
from PDL1PredictorLib.learning.reference import reference_of
from PDL1PredictorLib.learning.selection import fit_standardizer
from PDL1PredictorLib.models.reference import Seen, likeness
from PDL1PredictorLib.models.schema.reference import read_reference

NAMES = tuple(f"feature_{n}" for n in range(8))
USED = NAMES[:5]
FLOORS = np.array([measure.floor for measure in SANITY])


def drawn(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (correlated, one with heavy tails), plain measures and deep features of n cases."""
    features = rng.normal(size=(n, 8)) @ np.triu(np.ones((8, 8)))
    features[:, 1] = rng.standard_t(4, n)
    return features, rng.normal(size=(n, len(SANITY))) * 3 * FLOORS, rng.normal(size=(n, 4))


def folds(n: int, k: int = 5) -> list[tuple[np.ndarray, np.ndarray]]:
    parts = np.array_split(np.arange(n), k)
    return [(np.setdiff1d(np.arange(n), part), part) for part in parts]


class Checked:
    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self.features, self.sanity, self.deep = drawn(n, rng)
        self.standardizer = fit_standardizer(self.features)
        self.found = reference_of(
            USED, NAMES, self.standardizer, self.features, folds(n), sanity=self.sanity, deep=self.deep
        )
        self.entry = read_reference(self.found.entry())

    def flagged(self, features: np.ndarray, sanity: np.ndarray, deep: np.ndarray) -> float:
        z = self.standardizer(features)
        cases = [Seen(s, d, dict(zip(USED, row[:5], strict=True))) for s, d, row in zip(sanity, deep, z, strict=True)]
        return float(np.mean([likeness(self.entry, self.found.tables, case).unlike.flagged for case in cases]))


@pytest.fixture(scope="module")
def checked() -> Checked:
    return Checked(400, np.random.default_rng(3))


def test_about_one_in_twenty_new_cases_of_the_same_kind_is_flagged(checked: Checked):
    rng = np.random.default_rng(4)
    share = checked.flagged(*drawn(2000, rng))
    assert 0.02 < share < 0.08  # 5 % within what 400 held-out cases allow


@pytest.mark.parametrize("view", ["features", "sanity", "deep"])
def test_cases_that_are_far_in_one_view_are_flagged(checked: Checked, view: str):
    features, sanity, deep = drawn(50, np.random.default_rng(5))
    moved = {"features": features, "sanity": sanity, "deep": deep}
    moved[view] = moved[view] + 12 * moved[view].std(0) * (np.arange(moved[view].shape[1]) == 0)
    assert checked.flagged(**moved) == 1.0
    assert checked.flagged(features, sanity, deep) < 0.3


def test_at_most_one_in_twenty_of_the_held_out_cases_is_beyond_the_limit(checked: Checked):
    table = checked.found.tables["reference/held_out"]
    assert table.shape == (400, 5)
    combined = (table / np.array([checked.entry.limits[name] for name in checked.entry.views])).max(axis=1)
    p = np.array([(1 + np.sum(combined >= score)) / 401 for score in combined])
    assert np.mean(p <= 0.05) <= 0.05


def test_the_scores_lie_in_an_order_that_does_not_depend_on_whose_they_are(checked: Checked):
    table, limits = checked.found.tables["reference/held_out"], checked.found.limits
    far = (table / np.array([limits[name] for name in checked.entry.views])).max(axis=1)
    assert (np.diff(far) >= 0).all()


def test_the_smallest_sd_of_a_plain_measure_is_its_floor():
    rng = np.random.default_rng(6)
    features, _, _ = drawn(60, rng)
    same = np.zeros((60, len(SANITY)))
    found = reference_of((), NAMES, None, features, folds(60), sanity=same)
    assert found.features == ()
    for side in ("below", "above"):
        np.testing.assert_array_equal(found.tables[f"reference/sanity/{side}"], FLOORS)
    assert found.limits == {"sanity": 1.0, "sanity_z": 1.0}  # nothing within one SD is ever far


def test_each_side_has_its_own_spread_and_the_measures_go_together():
    rng = np.random.default_rng(8)
    sanity = rng.normal(size=(4000, len(SANITY))) * 3 * FLOORS
    long_below = np.where(sanity < 0, 4 * sanity, sanity)
    found = reference_of((), NAMES, None, None, folds(4000), sanity=long_below).tables
    np.testing.assert_allclose(found["reference/sanity/above"], 3 * FLOORS, rtol=0.1)
    np.testing.assert_allclose(found["reference/sanity/below"], 12 * FLOORS, rtol=0.1)
    np.testing.assert_allclose(found["reference/sanity/precision"], np.eye(len(SANITY)), atol=0.15)


def test_what_hardly_varies_is_no_farther_than_its_floor_says():
    rng = np.random.default_rng(9)
    sanity = rng.normal(size=(200, len(SANITY))) * 3 * FLOORS
    sanity[:, 4] = 0.0
    found = reference_of((), NAMES, None, None, folds(200), sanity=sanity).tables
    away = np.zeros(len(SANITY))
    away[4] = 2 * FLOORS[4]
    seen = Seen(away, np.empty(0), {})
    entry = read_reference(reference_of((), NAMES, None, None, folds(200), sanity=sanity).entry())
    assert found["reference/sanity/precision"][4, 4] == pytest.approx(1.0, abs=0.05)
    assert not likeness(entry, found, seen).unlike.flagged


def test_a_single_pair_is_learned_from_its_first_rows_alone():
    rng = np.random.default_rng(7)
    features, sanity, _ = drawn(100, rng)
    pair = (np.arange(70), np.arange(70, 100))
    found = reference_of((), NAMES, None, features, [pair], sanity=sanity)
    np.testing.assert_allclose(found.tables["reference/sanity/middle"], np.median(sanity[:70], axis=0))
    assert found.n_held_out == 30
    everyone = reference_of((), NAMES, None, features, folds(100), sanity=sanity)
    np.testing.assert_allclose(everyone.tables["reference/sanity/middle"], np.median(sanity, axis=0))


def test_where_there_is_nothing_to_look_at_there_is_no_reference():
    assert reference_of((), NAMES, None, None, folds(60)) is None
