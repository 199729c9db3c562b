"""What the kind of an endpoint decides: numbers fitted, calibrated and bounded; enough cases."""

import numpy as np
import pytest

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.number import clipped, fit_number, never_falling_line, out_of_fold
from PDL1PredictorLib.learning.selection import by_class, by_rank, columns_to_use, fit_number_score

NUMBER, BINARY = rules("number"), rules("binary")
NONE = np.zeros(2, dtype=bool)


def line(n: int = 120, noise: float = 1.0, seed: int = 0) -> tuple[np.ndarray, Target]:
    """y = 50 + 6 a - 3 b and noise, within 0 to 100."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    return x, Target("number", 50 + x @ np.array([6.0, -3.0]) + rng.normal(0, noise, n), low=0.0, high=100.0)


def test_a_kind_that_nobody_knows_is_refused_with_those_that_can_be_learned():
    with pytest.raises(InputError, match="'picture' cannot be learned by this version; binary and number and time"):
        rules("picture")


def test_a_line_is_found_and_bounded():
    x, target = line()
    model = NUMBER.fit(x, target, "ridge", Fitting(n_repeats=2, coverage=0.9), 1, NONE)
    answers = NUMBER.answers(model, np.array([[1.0, 1.0], [20.0, 0.0], [-20.0, 0.0]]))
    assert answers.value[0] == pytest.approx(53, abs=0.5)
    assert answers.value[1:].tolist() == [100.0, 0.0]
    assert model.half_width == pytest.approx(1.645, abs=0.4)  # 90 % of a normal error of SD 1
    assert answers.high[0] - answers.low[0] == pytest.approx(2 * model.half_width)
    assert answers.high[1] == 100.0


def test_the_mean_answers_the_mean_and_needs_no_input():
    _, target = line()
    model = NUMBER.fit(np.zeros((120, 0)), target, "mean", Fitting(n_repeats=1), 1, np.zeros(0, dtype=bool))
    assert NUMBER.answers(model, np.zeros((3, 0))).value == pytest.approx([target.values.mean()] * 3)
    assert NUMBER.tried(model)[0] == "mean"


def test_the_better_of_ridge_and_mean_is_chosen():
    x, target = line()
    how = Fitting(n_repeats=1)
    assert NUMBER.tried(NUMBER.fit(x, target, "choose", how, 1, NONE))[0] == "ridge regression"
    noise = Target("number", np.random.default_rng(3).normal(50, 5, 120), low=0.0, high=100.0)
    tried = NUMBER.fit(np.random.default_rng(4).normal(size=(120, 30)), noise, "choose", how, 1, np.zeros(30, bool))
    assert set(NUMBER.tried(tried)[1]) == {"ridge regression", "mean"}


def test_answers_worse_than_the_mean_are_not_turned_around():
    y = np.arange(20.0)
    assert never_falling_line(y, -y) == (0.0, y.mean())
    assert never_falling_line(y, np.full(20, 3.0)) == (0.0, y.mean())
    assert never_falling_line(y, 2 * y + 1) == (pytest.approx(0.5), pytest.approx(-0.5))


def test_out_of_fold_answers_do_not_know_their_case():
    y = np.array([0.0] * 9 + [100.0])
    answers = out_of_fold(np.zeros((10, 0)), y, "mean", 1, seed=0)
    assert answers[9] == 0.0  # the mean of cases without it


def test_a_selection_is_made_anew_in_every_fold():
    """Noise alone: were the columns selected on all cases, held-out answers would follow the truth."""
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        z, y = rng.normal(size=(60, 400)), rng.normal(size=60)
        honest = out_of_fold(z, y, "ridge regression", 1, seed, np.ones(400, dtype=bool))
        chosen = columns_to_use(z, y, np.ones(400, dtype=bool), by_rank)
        leaking = out_of_fold(z[:, chosen], y, "ridge regression", 1, seed)
        found.append((np.corrcoef(y, honest)[0, 1], np.corrcoef(y, leaking)[0, 1]))
    honest, leaking = np.mean(found, axis=0)
    assert abs(honest) < 0.2
    assert leaking > 0.5


def test_narrow_columns_stay_and_wide_ones_are_selected_in_their_order():
    rng = np.random.default_rng(0)
    y = rng.normal(size=80)
    x = np.column_stack([rng.normal(size=80), y + rng.normal(size=80), np.zeros(80), rng.normal(size=80), y])
    to_select = np.array([True, True, True, False, True])
    assert columns_to_use(x, y, to_select, by_rank).tolist() == [1, 3, 4]
    assert columns_to_use(x, y, None, by_rank).tolist() == [0, 1, 2, 3, 4]
    labels = (y > 0).astype(int)
    assert columns_to_use(x, labels, to_select, by_class).tolist() == [1, 3, 4]
    nothing = columns_to_use(rng.normal(size=(80, 3)), np.tile([1.0, 2.0], 40), np.ones(3, dtype=bool), by_rank)
    assert len(nothing) >= 1


def test_ranks_give_the_p_of_spearman():
    from scipy import stats

    rng = np.random.default_rng(2)
    z, y = rng.normal(size=(30, 4)).round(1), rng.normal(size=30).round(1)  # with ties
    wanted = [stats.spearmanr(column, y).pvalue for column in z.T]
    np.testing.assert_allclose(by_rank(z, y), wanted, rtol=1e-9)


def test_a_score_of_a_number_rises_with_it():
    x, target = line()
    names = ("tumor_a", "tumor_b")
    weights = fit_number_score(x, target.values, names, np.ones(2, dtype=bool), seed=1)
    assert weights["tumor_a"] > 4
    assert weights["tumor_b"] < -1.5
    assert fit_number_score(x, target.values, names, np.zeros(2, dtype=bool), seed=1) == {}
    folds = np.arange(len(x)) % 5
    assert NUMBER.tells(target.values, x[:, 0], folds)
    assert not NUMBER.tells(target.values, -x[:, 0], folds)
    assert not NUMBER.tells(target.values, np.zeros(len(x)), folds)


@pytest.mark.parametrize(
    ("known", "coverage", "words"),
    [(19, 0.9, "19 known values in training; 20"), (40, 0.98, "40 known values in training; 49"), (40, 0.9, "")],
)
def test_a_number_needs_so_many_values_as_its_interval(known: int, coverage: float, words: str):
    values = np.where(np.arange(60) < known, np.arange(60.0), np.nan)
    assert NUMBER.too_few([values], coverage).startswith(words)
    assert bool(NUMBER.too_few([values], coverage)) == bool(words)


def test_equal_values_cannot_be_learned_and_the_smallest_training_counts():
    assert NUMBER.too_few([np.full(30, 5.0)], 0.9) == "all values in training are equal"
    assert BINARY.too_few([np.tile([0.0, 1.0], 20), np.repeat([0.0, 1.0], [30, 9])], 0.9).startswith("9 positive")


def test_values_without_bounds_stay_as_they_are():
    assert clipped(np.array([-5.0, 500.0]), (None, None)).tolist() == [-5.0, 500.0]
    assert clipped(np.array([-5.0, 500.0]), (0.0, None)).tolist() == [0.0, 500.0]


def test_the_same_seed_fits_the_same_model():
    x, target = line()
    one, two = (fit_number(x, target, ("ridge regression",), 2, 0.9, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.value(x), two.value(x))
    assert one.half_width == two.half_width
