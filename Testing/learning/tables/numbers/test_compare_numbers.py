"""Models of a number under cross-validation: data whose truth is known, patients, chance, bounds."""

from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.tables.chance import by_chance
from PDL1PredictorLib.learning.tables.held_out import HeldOut, TableSettings, held_out, units_of
from PDL1PredictorLib.learning.tables.input_table import InputTable
from PDL1PredictorLib.learning.tables.numbers.comparison import Networks, compare_numbers, r2_of_each
from PDL1PredictorLib.learning.tables.numbers.linear import ridge
from PDL1PredictorLib.learning.tables.numbers.models import FOREST, MEAN, MEDIAN, RIDGE, Bounded, number_models
from PDL1PredictorLib.learning.tables.numbers.number_table import UNBOUNDED, Span

ONCE = TableSettings(seed=2, n_folds=4, n_repeats=1, n_permutations=0)
RIDGE_ALONE = {RIDGE: Bounded(ridge, UNBOUNDED)}


def table_of(x, labels, patients=None):
    names = None if patients is None else tuple(f"p{one:03}" for one in patients)
    inputs = tuple(f"i{n}" for n in range(x.shape[1]))
    rows = tuple(range(2, 2 + len(labels)))
    return InputTable("t.csv", "0" * 64, "y", inputs, x, labels, 0, (), (), names, row_numbers=rows)


def linear(rng, n, share, d=5):
    """A sum of inputs that holds this share of the number's variance."""
    x = rng.normal(size=(n, d))
    weights = rng.normal(size=d)
    told = x @ weights / np.linalg.norm(weights)
    noise = rng.normal(size=n)
    noise -= noise.mean() + told * (noise @ told) / (told @ told)  # the share holds in these very cases
    told, noise = (part / part.std() for part in (told - told.mean(), noise))
    return table_of(x, 30 + 10 * (np.sqrt(share) * told + np.sqrt(1 - share) * noise))


def r2_of(table, settings=ONCE, makes=RIDGE_ALONE):
    units = units_of(table, yes_no=False)
    return r2_of_each(units, held_out(table.x, units, settings, makes))


@pytest.fixture(scope="module")
def found():
    return compare_numbers(linear(np.random.default_rng(1), 240, 0.6), replace(ONCE, n_repeats=2), cuts=(30,))


def test_a_linear_table_is_told_as_well_as_it_can_be(found):
    by_kind = {one.kind: one for one in found.results}
    assert list(by_kind)[:2] == [MEAN, MEDIAN]
    for kind in ("ridge", "LASSO", "LASSO, one standard error"):
        r2 = by_kind[kind].figures["r2"]
        assert r2.value == pytest.approx(0.6, abs=0.04)
        assert r2.interval[0] < 0.6 < r2.interval[1]
        assert by_kind[kind].line["slope"] == pytest.approx(1, abs=0.2)
    assert 0.2 < by_kind[FOREST].figures["r2"].value < 0.6
    assert by_kind[MEAN].figures["r2"].value == 0
    assert by_kind[MEAN].spearman is None
    assert found.best.kind in ("ridge", "LASSO")
    (cut,) = found.best.cuts
    assert cut.auc is not None
    assert cut.auc.value > 0.8


def test_noise_has_no_r2():
    rng = np.random.default_rng(7)
    found = [r2_of(linear(rng, 60, 0.0))[0] for _ in range(40)]
    assert -0.1 < np.mean(found) <= 0.01
    assert np.mean(np.array(found) > 0.05) < 0.15


def test_p_is_uniform_where_there_is_nothing():
    rng, p = np.random.default_rng(8), []
    for seed in range(50):  # permutations are drawn from it, too
        table, settings = linear(rng, 24, 0.0, d=2), TableSettings(seed, n_folds=2, n_repeats=1, n_permutations=9)
        chance = by_chance(table.x, units_of(table, False), settings, RIDGE_ALONE, figures=r2_of_each)
        p.append(chance.p[RIDGE])
    assert np.mean(p) == pytest.approx(0.55, abs=0.14)  # of 0.1, 0.2 ... 1
    assert np.mean(np.array(p) <= 0.1) < 0.26


def test_p_is_small_where_there_is_something():
    table = linear(np.random.default_rng(3), 60, 0.5)
    settings = replace(ONCE, n_permutations=9)
    chance = by_chance(table.x, units_of(table, False), settings, RIDGE_ALONE, figures=r2_of_each)
    assert chance.p[RIDGE] == chance.best == pytest.approx(0.1)


def fingerprints(rng, n_patients=24, rows=3):
    """Every patient has inputs of its own, nearly the same in all its rows, and a number without relation to them."""
    patients = np.repeat(np.arange(n_patients), rows)
    own = rng.normal(size=(n_patients, 8))
    return table_of(own[patients] + 0.05 * rng.normal(size=(patients.size, 8)), rng.normal(size=n_patients)[patients],
                    patients)  # fmt: skip


def test_patients_are_held_out_whole_and_answered_once():
    table = fingerprints(np.random.default_rng(1))
    units = units_of(table, yes_no=False)
    assert (units.words, units.labels.size) == ("patients", 24)
    found = held_out(table.x, units, ONCE, RIDGE_ALONE)
    assert found.scores.shape == (1, 1, 24)
    assert sorted(np.bincount(found.folds[0])) == [6, 6, 6, 6]


def test_without_the_patients_fingerprints_look_like_signal():
    """The twin: rows of one patient on both sides of a fold are recognized."""
    rng = np.random.default_rng(4)
    makes = {FOREST: number_models(UNBOUNDED)[FOREST]}
    tables = [fingerprints(rng, 16, 6) for _ in range(4)]
    kept = np.mean([r2_of(table, makes=makes)[0] for table in tables])
    torn = np.mean([r2_of(replace(table, patients=None), makes=makes)[0] for table in tables])
    assert kept < 0.1
    assert torn > 0.4


def test_patients_with_many_rows_weigh_no_more():
    """Those with four rows have 40, those with one 0: a mean over rows would answer 32."""
    rng = np.random.default_rng(5)
    patients = np.repeat(np.arange(40), [4] * 20 + [1] * 20)
    table = table_of(rng.normal(size=(100, 3)), np.where(patients < 20, 40.0, 0.0), patients)
    units = units_of(table, yes_no=False)
    found = held_out(table.x, units, ONCE, RIDGE_ALONE)
    assert found.scores.mean() == pytest.approx(20, abs=2)
    by_row = held_out(table.x, replace(units, owner=np.arange(100), labels=table.labels), ONCE, RIDGE_ALONE)
    assert by_row.scores.mean() > 28  # the twin


def test_the_order_of_rows_changes_nothing_where_patients_are_named():
    table = fingerprints(np.random.default_rng(6))
    order = np.random.default_rng(0).permutation(72)
    turned = replace(table, x=table.x[order], labels=table.labels[order],
                     patients=tuple(table.patients[row] for row in order))  # fmt: skip
    assert r2_of(turned) == pytest.approx(r2_of(table), abs=1e-9)


def test_answers_stay_within_their_bounds():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 1))
    table = table_of(x, np.clip(50 + 200 * x[:, 0], 0, 100))
    units = units_of(table, yes_no=False)
    free, cut = (
        held_out(table.x, units, ONCE, {RIDGE: number_models(span)[RIDGE]}).scores for span in (UNBOUNDED, Span(0, 100))
    )
    assert free.min() < 0
    assert free.max() > 100
    assert (cut.min(), cut.max()) == (0, 100)


class Known:
    """A model that answers with its first input."""

    weighs_rows = True

    def fit(self, x, values, patients, weights):
        return self

    def predict(self, x):
        return x[:, 0]


def test_networks_are_fitted_in_the_first_repetitions_on_the_same_folds():
    table = linear(np.random.default_rng(1), 40, 0.5)
    networks = Networks({"net": lambda seed, n: Known()}, repeats=2)
    found = compare_numbers(table, replace(ONCE, n_repeats=3), networks=networks)
    net, first = found.results[-1], found.results[0]
    assert (net.kind, net.answers.predicted.shape, net.p) == ("net", (2, 40), None)
    assert (net.answers.folds == first.answers.folds[:2]).all()
    assert compare_numbers(table, ONCE, networks=Networks({"net": Known}, 0)).results[-1].kind != "net"


def test_the_same_seed_finds_the_same_and_another_other_folds():
    table = linear(np.random.default_rng(1), 40, 0.5)
    assert r2_of(table) == r2_of(table)
    assert r2_of(table) != r2_of(table, replace(ONCE, seed=3))


def test_too_few_patients_for_the_folds_are_refused():
    with pytest.raises(InputError, match="4 folds need at least 8 patients, there are 7"):
        compare_numbers(fingerprints(np.random.default_rng(0), 7, 4), ONCE)


def test_r2_of_perfect_scores_is_one():
    table = linear(np.random.default_rng(1), 40, 0.5)
    units = units_of(table, yes_no=False)
    folds = np.arange(40)[None] % 4
    assert r2_of_each(units, HeldOut(np.stack([table.labels, -table.labels])[:, None], folds))[0] == 1
