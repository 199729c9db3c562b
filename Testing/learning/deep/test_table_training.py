"""Networks over features learn what is there, from known values alone, the same way every time."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.deep.table_settings import ARCHITECTURES, RECURRENT, TableTraining, best_epoch
from PDL1PredictorLib.learning.deep.table_shares import table_shares
from PDL1PredictorLib.learning.deep.table_training import (
    Cases,
    masked_entropy,
    masked_squares,
    run_table,
    train_table,
)
from PDL1PredictorLib.networks.tabular import Bounds, Span

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


def test_the_entropy_is_of_shares_between_bounds_and_squares_elsewhere():
    spans, nan = Span((Bounds(-1.0, 3.0), Bounds())), float("nan")
    raw = torch.tensor([[0.0, 1.0], [2.0, 5.0]])
    half = float(np.log(2))  # a share of a half: whatever it should be, the entropy is that
    assert masked_entropy(raw, torch.tensor([[-1.0, nan], [nan, nan]]), spans) == pytest.approx(half)
    assert masked_entropy(raw, torch.tensor([[1.0, 4.0], [nan, nan]]), spans) == pytest.approx((half + 9) / 2)
    share = 1 / (1 + np.exp(-2.0))
    wanted = -(0.75 * np.log(share) + 0.25 * np.log(1 - share))
    assert masked_entropy(raw, torch.tensor([[nan, nan], [2.0, nan]]), spans) == pytest.approx(wanted)
    assert masked_entropy(raw, torch.full((2, 2), nan), spans) == 0


def test_shares_are_learned_and_told_by_squares():
    bounds, how = (Bounds(-1.5, 1.5),), replace(QUICK, loss="shares", epochs=40)
    own = Cases(cases().table.numpy(), np.clip(cases().values.numpy(), -1.5, 1.5))
    trained = train_table(own, cases(20, 1), bounds, how, 1)
    assert r2(trained.answers(own.table.numpy())[:, 0], own.values.numpy()[:, 0]) > 0.75
    error = ((trained.answers(own.table.numpy()) - own.values.numpy()) ** 2).mean()
    assert trained.history[-1]["train"] == pytest.approx(error, rel=0.3)


@pytest.mark.parametrize("bounds", [FREE, (Bounds(-2.0, 2.0),)])
def test_a_line_beside_a_network_is_fitted_first_and_not_trained(bounds: tuple[Bounds]):
    how = replace(QUICK, line=True, epochs=1, learning_rate=1e-9)
    values = np.clip(cases().values.numpy(), -2, 2)
    values[:5] = np.nan
    own = Cases(cases().table.numpy(), values)
    first = train_table(own, cases(20, 1), bounds, how, 1)
    test = cases(200, seed=9)
    assert r2(first.answers(test.table.numpy())[:, 0], test.values.numpy()[:, 0]) > 0.8
    later = train_table(own, cases(20, 1), bounds, replace(how, epochs=5, learning_rate=5e-3), 1)
    assert torch.equal(first.network.line.weight, later.network.line.weight)
    assert np.abs(first.answers(np.eye(4)) - later.answers(np.eye(4))).max() > 1e-4


def test_what_a_line_leaves_is_learned_by_the_network_beside_it():
    def bent(n: int, seed: int) -> Cases:
        z = np.random.default_rng(seed).normal(size=(n, 4))
        return Cases(z, (z[:, 0] + np.abs(z[:, 1]) - 0.8)[:, None])

    test, how = bent(200, 9), replace(QUICK, line=True, epochs=60)
    wanted = test.values.numpy()[:, 0]
    line = train_table(bent(200, 0), bent(20, 1), FREE, replace(how, epochs=1, learning_rate=1e-9), 1)
    both = train_table(bent(200, 0), bent(20, 1), FREE, how, 1)
    assert r2(line.answers(test.table.numpy())[:, 0], wanted) < 0.8
    assert r2(both.answers(test.table.numpy())[:, 0], wanted) > 0.9


def test_an_endpoint_without_a_known_value_has_a_line_of_nothing():
    values = np.column_stack([cases(40).values.numpy()[:, 0], np.full(40, np.nan)])
    how = replace(QUICK, line=True, epochs=2)
    trained = train_table(Cases(cases(40).table.numpy(), values), cases(20, 1), (*FREE, *FREE), how, 1)
    assert (trained.network.line.weight[1] == 0).all()
    assert (trained.network.line.weight[0] != 0).all()


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
     {"weight_decay": -0.1}, {"patience": 0}, {"loss": "hinge"}, {"loss": "shares", "bounded": False}],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(wrong: dict):
    with pytest.raises(InputError):
        TableTraining(**wrong)


def test_too_few_cases_are_refused():
    with pytest.raises(InputError, match="at least 2 cases"):
        train_table(cases(1), cases(5), FREE, QUICK, 1)
    with pytest.raises(InputError, match="1 to watch"):
        train_table(cases(5), Cases(np.zeros((0, 4)), np.zeros((0, 1))), FREE, replace(QUICK, patience=2), 1)


def rising(n: int, seed: int) -> Cases:
    """Slabs of the same values in another order: whether they rise from below to above is the number.

    Neither sum nor spread of the slabs tells it; every fourth case lacks a slab.
    """
    rng = np.random.default_rng(seed)
    up = rng.random(n) < 0.5
    steps = np.where(up[:, None], np.arange(4) - 1.5, 1.5 - np.arange(4))
    slabs = np.stack([steps, rng.normal(size=(n, 4))], axis=2) + rng.normal(0, 0.1, (n, 4, 2))
    slabs[::4, 1] = np.nan
    return Cases(slabs, np.where(up, 1.0, -1.0)[:, None])


@pytest.mark.parametrize("network", RECURRENT)
def test_what_the_order_of_slabs_tells_is_learned_by_a_recurrent_network(network: str):
    how, test = replace(QUICK, network=network, epochs=30), rising(200, 9)
    trained = train_table(rising(160, 0), rising(20, 1), FREE, how, 1)
    found = trained.answers(test.table.numpy())
    wanted = test.values.numpy()
    assert r2(found[:, 0], wanted[:, 0]) > 0.8
    turned = trained.answers(test.table.numpy()[:, ::-1].copy())  # above is below
    assert r2(turned[:, 0], wanted[:, 0]) < -1
    assert np.abs(turned - found).max() > 1


@pytest.mark.parametrize("changes", [{"network": "ann"}, {"network": "transformer"}, {"network": "gru", "line": True}])
def test_slabs_for_a_network_that_does_not_read_them_are_refused(changes: dict):
    with pytest.raises(InputError, match="Slabs are read by rnn, lstm, gru without a line"):
        train_table(rising(20, 0), rising(8, 1), FREE, replace(QUICK, **changes), 1)
