"""Networks over features learn what is there, from known values alone, the same way every time."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.deep.table_settings import ARCHITECTURES, TableTraining, best_epoch
from PDL1PredictorLib.learning.deep.table_shares import table_shares
from PDL1PredictorLib.learning.deep.table_training import Cases, masked_squares, run_table, train_table
from PDL1PredictorLib.networks.tabular import Bounds

QUICK = TableTraining(epochs=25, patience=None, learning_rate=5e-3, dropout=0.0, width=8, heads=2, layers=1,
                      feedforward=16)  # fmt: skip
FREE = (Bounds(),)


def cases(n: int = 160, seed: int = 0, noise: float = 0.3) -> Cases:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 4))
    return Cases(z, (0.8 * z[:, 0] - 0.5 * z[:, 1] + noise * rng.normal(size=n))[:, None])


def r2(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(1 - ((found - wanted) ** 2).mean() / wanted.var())


@pytest.mark.parametrize("network", ARCHITECTURES)
def test_every_network_learns_a_line(network: str):
    how = replace(QUICK, network=network, epochs=40 if network in ("rnn", "lstm", "gru") else 25)
    trained = train_table(cases(), Cases(np.zeros((0, 4)), np.zeros((0, 1))), FREE, how, 1)
    test = cases(200, seed=9)
    found = r2(trained.answers(test.table.numpy())[:, 0], test.values.numpy()[:, 0])
    assert found > (0.75 if network in ("transformer", "ann", "cnn") else 0.4)
    assert trained.history[-1]["train"] < trained.history[0]["train"]


def test_noise_is_not_learned():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(80, 4)), rng.normal(size=(80, 1))
    how = replace(QUICK, patience=5, epochs=60, network="ann")
    trained = train_table(Cases(z[:60], y[:60]), Cases(z[60:], y[60:]), FREE, how, 1)
    fresh = rng.normal(size=(400, 4))
    assert r2(trained.answers(fresh)[:, 0], rng.normal(size=400)) < 0.05


def test_the_same_seed_gives_the_same_weights_and_leaves_torch_alone():
    before = torch.get_rng_state()
    one, two, other = (
        train_table(cases(40), cases(20, 1), FREE, replace(QUICK, epochs=2), seed).answers(np.eye(4))
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 1e-3


def test_unknown_values_count_for_nothing():
    answers = torch.tensor([[1.0, 5.0], [2.0, -9.0]])
    values = torch.tensor([[0.0, float("nan")], [0.0, float("nan")]])
    assert masked_squares(answers, values) == pytest.approx(2.5)
    assert masked_squares(answers, torch.full((2, 2), float("nan"))) == 0
    whole = cases(40)
    holey = Cases(np.vstack([whole.table.numpy(), np.full((3, 4), 0.5)]), np.vstack([whole.values, [[np.nan]] * 3]))
    trained = train_table(holey, cases(20, 1), FREE, replace(QUICK, epochs=2), 1)
    assert np.isfinite(trained.answers(np.eye(4))).all()


def test_patience_ends_a_training_with_the_weights_of_its_best_epoch():
    watched = cases(30, 1)
    trained = train_table(cases(40), watched, FREE, replace(QUICK, patience=3, epochs=200, learning_rate=0.05), 1)
    best = best_epoch(trained.history)
    assert len(trained.history) == min(best + 3, 200)
    error = ((trained.answers(watched.table.numpy()) - watched.values.numpy()) ** 2).mean()
    assert error == pytest.approx(trained.history[best - 1]["validation"], rel=1e-5)


def test_bounds_keep_answers_only_where_asked():
    bounds = (Bounds(-0.2, 0.2),)
    inside = train_table(cases(), cases(20, 1), bounds, QUICK, 1).answers(np.eye(4) * 3)
    outside = train_table(cases(), cases(20, 1), bounds, replace(QUICK, bounded=False), 1).answers(np.eye(4) * 3)
    assert np.abs(inside).max() <= 0.2 + 1e-6 < np.abs(outside).max()


def test_shares_add_up_to_the_answer():
    network = train_table(cases(), cases(20, 1), FREE, QUICK, 1).network
    rows = np.random.default_rng(3).normal(size=(20, 4))
    shares = table_shares(network, rows, 0)
    wanted = run_table(network, rows)[0][:, 0] - run_table(network, np.zeros((1, 4)))[0][0, 0]
    np.testing.assert_allclose(shares.sum(axis=1), wanted, atol=0.03)
    assert np.abs(shares[:, 0]).mean() > 2 * np.abs(shares[:, 3]).mean()


@pytest.mark.parametrize(
    "wrong",
    [{"network": "mlp"}, {"epochs": 0}, {"width": 9}, {"learning_rate": 0.0}, {"dropout": 1.0}, {"noise": -1.0},
     {"weight_decay": -0.1}, {"patience": 0}],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(wrong: dict):
    with pytest.raises(InputError):
        TableTraining(**wrong)


def test_too_few_cases_are_refused():
    with pytest.raises(InputError, match="at least 2 cases"):
        train_table(cases(1), cases(5), FREE, QUICK, 1)
    with pytest.raises(InputError, match="1 to watch"):
        train_table(cases(5), Cases(np.zeros((0, 4)), np.zeros((0, 1))), FREE, replace(QUICK, patience=2), 1)
