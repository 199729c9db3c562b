"""Moves of the training patches: what they keep and what they change."""

import numpy as np
import pytest
from prepared import prepared

from PDL1PredictorLib.learning.deep.augmentation import augment, batches, batches_per_epoch
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage

STILL = DeepTraining(shift_pixels=0)


def corner_patch() -> tuple[np.ndarray, np.ndarray]:
    """A square that no turn and no mirror leaves as it is."""
    hu = np.full((16, 16), -1000, np.int16)
    hu[2, 5] = 100
    return hu, hu == 100


def seen_with(settings: DeepTraining, seeds: int) -> set[bytes]:
    stage = Stage(1, 16, 1e-3)
    return {augment(*corner_patch(), stage, settings, np.random.default_rng(seed)).tobytes() for seed in range(seeds)}


def test_the_diagonal_moves_are_four_and_all_moves_are_eight():
    assert len(seen_with(STILL, 40)) == 4
    assert len(seen_with(DeepTraining(shift_pixels=0, moves="all"), 80)) == 8


def test_a_rotation_by_ninety_degrees_is_numpys(monkeypatch: pytest.MonkeyPatch):
    class Quarter:
        """Draws 90 degrees, no shift, no turn, no mirror."""

        def uniform(self, low: float, high: float) -> float:
            return 90.0

        def integers(self, low: int, high: int, size: int) -> np.ndarray:
            return np.zeros(size, int)

        def random(self) -> float:
            return 0.9

    hu, tumor = corner_patch()
    both = augment(hu, tumor, Stage(1, 16, 1e-3), DeepTraining(shift_pixels=0, rotation_degrees=90), Quarter())
    np.testing.assert_allclose(both[0], np.rot90(hu), atol=1e-3)
    np.testing.assert_array_equal(both[1], np.rot90(tumor))


def test_a_rotation_stays_within_the_intensities_and_keeps_the_mask_binary():
    rng = np.random.default_rng(0)
    hu, tumor = rng.integers(-900, 100, (32, 32)), rng.random((32, 32)) < 0.5
    both = augment(hu, tumor, Stage(1, 20, 1e-3), DeepTraining(shift_pixels=3, rotation_degrees=30), rng)
    assert both.shape == (2, 20, 20)
    assert hu.min() - 1e-3 <= both[0].min()
    assert both[0].max() <= hu.max() + 1e-3
    assert set(np.unique(both[1])) == {0.0, 1.0}


@pytest.mark.parametrize(("n", "batch", "steps"), [(11, 4, 2), (3, 4, 1), (4, 4, 1), (900, 16, 56)])
def test_what_does_not_fill_a_batch_waits(n: int, batch: int, steps: int):
    assert batches_per_epoch(n, batch) == steps


def test_every_case_of_an_epoch_is_seen_once():
    n = 6
    patches = np.zeros((n, 2, 8, 8), np.int16)
    bits = (np.arange(n)[:, None] >> np.arange(3) & 1).astype(float)  # each case by its number
    cohort = prepared("abcdef", "ABC", (), np.zeros((n, 0)), patches, patches > 0, bits)
    settings = DeepTraining(batch=3, shift_pixels=1)
    seen = [y for _, y in batches(cohort, Stage(1, 6, 1e-3), settings, np.random.default_rng(1))]
    assert [len(y) for y in seen] == [3, 3]
    assert sorted(int(value @ np.array([1.0, 2.0, 4.0])) for y in seen for value in y.numpy()) == [0, 1, 2, 3, 4, 5]
