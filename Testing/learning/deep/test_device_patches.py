"""Moves on the device against those on the CPU: each move exactly, and what is drawn in distribution."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from prepared import prepared
from scipy.stats import chi2_contingency, kstest

from PDL1PredictorLib.learning.deep.augmentation import augment, batches
from PDL1PredictorLib.learning.deep.device_patches import DevicePatches, Moves, draw_moves
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.networks.deep_ct import input_channels


class Scripted:
    """A generator for `augment` that draws what it is told."""

    def __init__(self, degrees: float, shift: tuple[int, int], coins: tuple[bool, ...]) -> None:
        self._degrees, self._shift = degrees, shift
        self._coins = iter(coins)

    def uniform(self, low: float, high: float) -> float:
        return self._degrees

    def integers(self, low: int, high: int, size: int) -> np.ndarray:
        return np.array(self._shift)

    def random(self) -> float:
        return 0.2 if next(self._coins) else 0.8


def patches(n: int, n_slices: int, edge: int) -> DevicePatches:
    rng = np.random.default_rng(n)
    hu = rng.integers(-900, 300, (n, n_slices, edge, edge)).astype(np.int16)
    labels = np.arange(n, dtype=float)[:, None] % 2
    names = [f"case-{i}" for i in range(n)]
    cohort = prepared(names, "A", (), np.zeros((n, 0)), hu, rng.random(hu.shape) < 0.4, labels)
    return DevicePatches(cohort, "cpu")


def moves(slices: list[int], degrees: list[float] | None, shift: list, coins: list) -> Moves:
    angles = None if degrees is None else torch.tensor(degrees, dtype=torch.float64)
    return Moves(torch.tensor(slices), angles, torch.tensor(shift), *torch.tensor(coins).T)


@pytest.mark.parametrize("reach", [2, 5])  # cropped at another place, or rolled
@pytest.mark.parametrize("degrees", [None, 0.0, 7.3, -33.0, 90.0])
@pytest.mark.parametrize("edge", [22, 23])
def test_each_move_is_exactly_that_of_the_cpu(reach: int, degrees: float | None, edge: int):
    here, pixels = patches(3, 2, edge), 16
    settings = DeepTraining(shift_pixels=reach, moves="all", rotation_degrees=0.0 if degrees is None else 90.0)
    coins = list(itertools.product((False, True), repeat=3))
    shifts = [(0, 0), (reach, -reach), (-1, 2), (-reach, 0)]
    cases = [(n % 3, n % 2, shift, coin) for n, (shift, coin) in enumerate(itertools.product(shifts, coins))]
    rows, slices, shift, coin = (list(part) for part in zip(*cases, strict=True))
    angles = None if degrees is None else [degrees] * len(rows)
    hu, tumor = here.moved(torch.tensor(rows), moves(slices, angles, shift, coin), pixels, reach)
    for index, (row, one, by, thrown) in enumerate(cases):
        stored = here.hu[row, one].numpy(), here.tumor[row, one].numpy()
        expected = augment(*stored, Stage(1, pixels, 1e-3), settings, Scripted(degrees or 0.0, by, thrown))
        np.testing.assert_allclose(hu[index], expected[0], rtol=0, atol=1e-3 if degrees else 0)
        np.testing.assert_array_equal(tumor[index], expected[1])


def test_beyond_the_patch_its_edge_goes_on_and_there_is_no_tumor():
    here = patches(1, 1, 16)
    here.hu[:], here.tumor[:] = -700, True
    turned = moves([0], [45.0], [[0, 0]], [[False] * 3])
    hu, tumor = here.moved(torch.tensor([0]), turned, 16, 0)
    assert (hu == -700).all()
    assert tumor[0, 0, 0] == 0
    assert tumor[0, 8, 8] == 1


SMALL = DeepTraining(batch=2, shift_pixels=1, moves="all", noise=0.0)


def seen_on_the_cpu(here: DevicePatches, settings: DeepTraining, n: int) -> Counter:
    rng, stage = np.random.default_rng(3), Stage(1, 4, 1e-3)
    chosen = rng.integers(here.hu.shape[1], size=n)
    pairs = [(here.hu[0, one].numpy(), here.tumor[0, one].numpy()) for one in chosen]
    return Counter(augment(*pair, stage, settings, rng)[0].tobytes() for pair in pairs)


def seen_on_the_device(here: DevicePatches, settings: DeepTraining, n: int) -> Counter:
    drawn = draw_moves(n, here.hu.shape[1], settings, torch.Generator().manual_seed(4))
    hu, _ = here.moved(torch.zeros(n, dtype=torch.long), drawn, 4, settings.shift_pixels)
    return Counter(one.numpy().tobytes() for one in hu)


def p_of_equal_odds(a: Counter, b: Counter) -> float:
    kinds = sorted(set(a) | set(b))
    return chi2_contingency([[found[kind] for kind in kinds] for found in (a, b)]).pvalue


@pytest.mark.parametrize("edge", [6, 5])  # cropped elsewhere, or rolled
def test_every_outcome_is_as_likely_as_on_the_cpu(edge: int):
    here = patches(1, 2, edge)
    expected, found = seen_on_the_cpu(here, SMALL, 6000), seen_on_the_device(here, SMALL, 6000)
    assert set(found) == set(expected)
    assert len(found) == 2 * 9 * 8
    assert p_of_equal_odds(expected, found) > 0.01


def test_other_odds_would_be_noticed():
    here = patches(1, 2, 6)
    expected, found = seen_on_the_cpu(here, SMALL, 6000), seen_on_the_device(here, SMALL, 6000)
    for kind in list(found)[:36]:
        found[kind] = round(found[kind] * 1.5)
    assert p_of_equal_odds(expected, found) < 1e-6


def test_rotations_are_uniform_either_way_and_every_case_has_its_own():
    settings = DeepTraining(rotation_degrees=10.0)
    degrees = draw_moves(5000, 5, settings, torch.Generator().manual_seed(15)).degrees
    assert kstest(degrees.numpy(), "uniform", (-10, 20)).pvalue > 0.01
    assert len(degrees.unique()) == 5000


def test_what_is_switched_off_is_not_done():
    drawn = draw_moves(500, 1, DeepTraining(shift_pixels=0), torch.Generator().manual_seed(6))
    assert drawn.degrees is None
    assert not drawn.shift.any()
    assert not drawn.mirrored.any()


def test_each_move_is_drawn_apart_from_the_others():
    drawn = draw_moves(8000, 2, DeepTraining(moves="all"), torch.Generator().manual_seed(7))
    columns = [drawn.slices, drawn.turned, drawn.transposed, drawn.mirrored, *drawn.shift.T]
    together = np.corrcoef(np.stack([column.double().numpy() for column in columns]))
    assert abs(together - np.eye(len(columns))).max() < 4.5 / np.sqrt(8000)


def test_an_epoch_sees_every_case_once_in_another_order_and_keeps_labels_with_their_cases():
    here = patches(300, 1, 8)  # more than are moved at once
    here.hu[:] = (torch.arange(300) * 3 - 1000)[:, None, None, None].to(torch.int16)
    here.labels = torch.arange(300.0)[:, None]
    settings, generator = DeepTraining(batch=7, shift_pixels=1, noise=0.0), torch.Generator().manual_seed(8)
    orders = []
    for _ in range(2):
        steps = list(here.batches(Stage(1, 6, 1e-3), settings, generator))
        assert [tuple(x.shape) for x, _ in steps] == [(7, 3, 6, 6)] * 42
        seen = torch.cat([labels[:, 0] for _, labels in steps])
        assert len(seen.unique()) == 294  # six wait for the next epoch
        shown = torch.cat([x[:, 0, 0, 0] for x, _ in steps])
        expected = input_channels(here.hu[seen.long(), 0].float(), here.tumor[seen.long(), 0])[:, 0, 0, 0]
        torch.testing.assert_close(shown, expected)
        orders.append(seen)
    assert not torch.equal(*orders)


def test_fewer_cases_than_a_batch_make_one_smaller_batch():
    (x, labels), *more = patches(3, 2, 8).batches(Stage(1, 8, 1e-3), DeepTraining(), torch.Generator())
    assert (len(x), len(labels), more) == (3, 3, [])


def test_the_noise_is_that_of_the_cpu():
    n, stage = 40, Stage(1, 32, 1e-3)
    hu, tumor = np.full((n, 1, 32, 32), -300, np.int16), np.zeros((n, 1, 32, 32), bool)
    cohort = prepared([str(i) for i in range(n)], "A", (), np.zeros((n, 0)), hu, tumor, np.ones((n, 1)))
    settings = DeepTraining(batch=n, noise=0.05)
    ((host, _),) = batches(cohort, stage, settings, np.random.default_rng(1))
    ((here, _),) = DevicePatches(cohort, "cpu").batches(stage, settings, torch.Generator().manual_seed(1))
    clean = input_channels(torch.full((n, 32, 32), -300.0), torch.zeros(n, 32, 32))
    for x in (host, here):
        assert kstest((x - clean).flatten().numpy()[::7], "norm", (0, 0.05)).pvalue > 0.01
        assert len((x - clean)[:, :, 0, 0].unique()) == n * 3  # each pixel, channel and case its own
    assert here.dtype == host.dtype == torch.float32


def test_the_same_seed_gives_the_same_epoch():
    def epoch(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        settings = DeepTraining(batch=4, shift_pixels=2, rotation_degrees=10)
        return torch.cat([x for x, _ in patches(9, 2, 16).batches(Stage(1, 12, 1e-3), settings, generator)])

    assert torch.equal(epoch(1), epoch(1))
    assert not torch.equal(epoch(1), epoch(2))
