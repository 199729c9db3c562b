"""Training on volumes: moves that keep what they should, a bright spot that is found, a time that is told."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.deep.volume.cases import Volumes, batches, moved_channels
from PDL1PredictorLib.learning.deep.volume.settings import VolumeTraining, best_epoch
from PDL1PredictorLib.learning.deep.volume.training import (
    answers_of,
    estimate_text,
    maps_of,
    seconds_per_epoch,
    train_volume,
)

STILL = VolumeTraining(mirror=False, degrees=0.0, scale=0.0, contrast=0.0, noise=0.0, modality_dropout=0.0)
SMALL = VolumeTraining(epochs=30, patience=None, batch=8, widths=(4, 8), n_deep=4, dropout=0.2, noise=0.01)


def volumes(n: int = 60, with_pet: bool = True, voxels: int = 16, seed: int = 0) -> Volumes:
    """Balls of soft tissue in lung; positive where the ball is hot in the PET, and the core bright in the CT."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.5).astype(float)
    at = np.indices((voxels,) * 3) - (voxels - 1) / 2
    distance = np.sqrt((at**2).sum(axis=0))
    hu = rng.normal(-800, 20, (n, *distance.shape))
    hu[:, distance < 5] = rng.normal(20, 20, (n, int((distance < 5).sum())))
    hu[:, distance < 3] += (100 * labels)[:, None]
    suv = np.where(distance < 5, 2 + 6 * labels[:, None, None, None], 0.5) * 100
    tumor = np.broadcast_to(distance < 5, hu.shape).copy()
    has_pet = np.arange(n) % 5 > 0
    suv[~has_pet] = 0
    return Volumes(hu.astype(np.int16), tumor, suv.astype(np.int16) if with_pet else None, has_pet, labels[:, None])


def test_without_moves_training_sees_what_prediction_sees():
    cases, rows = volumes(6), np.arange(6)
    moved = moved_channels(cases, rows, STILL, np.random.default_rng(0), "cpu").numpy()
    np.testing.assert_allclose(moved, cases.channels(rows), atol=2e-3)
    assert moved.shape == (6, 5, 16, 16, 16)
    assert volumes(6, with_pet=False).channels(rows).shape == (6, 3, 16, 16, 16)


def test_mirrors_keep_a_diagonal_stripe_and_turns_stay_in_the_axial_plane():
    cases = volumes(1)
    k, j, i = np.indices((16, 16, 16))
    hu = np.where(np.abs(j - i) < 3, 40, -800)
    hu[k < 4] = -1000
    cases = replace(cases, hu=hu[None].astype(np.int16), tumor=np.ones((1, 16, 16, 16), bool))
    seen = []
    for seed in range(16):
        moved = moved_channels(cases, np.array([0]), replace(STILL, mirror=True), np.random.default_rng(seed), "cpu")
        lung = moved[0, 0].numpy()
        np.testing.assert_array_equal(lung[8] > 0, (np.abs(j - i) < 3)[8])
        seen.append(bool(lung[:4].mean() < lung[-4:].mean()))
    assert set(seen) == {True, False}  # mirrored along the body's axis in some


def test_a_turn_moves_nothing_along_the_body_and_a_scale_enlarges():
    cases = volumes(1)
    turned = moved_channels(cases, np.array([0]), replace(STILL, degrees=90.0), np.random.default_rng(4), "cpu")
    by_slice = turned[0, 2].ne(0).float().mean(dim=(1, 2)).numpy()
    np.testing.assert_allclose(by_slice, cases.tumor[0].mean(axis=(1, 2)), atol=0.03)
    how, own = replace(STILL, scale=0.2), float(cases.tumor.mean())
    sizes = [
        float(moved_channels(cases, np.array([0]), how, np.random.default_rng(seed), "cpu")[0, 2].ne(0).float().mean())
        for seed in range(6)
    ]
    assert min(sizes) < 0.9 * own < 1.1 * own < max(sizes)


def test_some_cases_with_a_pet_are_shown_without_it_and_none_the_other_way_round():
    cases = volumes(60)
    how = replace(STILL, modality_dropout=0.5)
    seen = moved_channels(cases, np.arange(60), how, np.random.default_rng(0), "cpu")[:, 4].mean(dim=(1, 2, 3)).numpy()
    assert set(seen[~cases.has_pet]) == {0.0}
    assert 0.3 < seen[cases.has_pet].mean() < 0.7


def test_an_epoch_shows_every_case_at_most_once_in_whole_batches():
    cases = volumes(21)
    labels = [b for _, b in batches(cases, np.arange(21), replace(STILL, batch=8), np.random.default_rng(0), "cpu")]
    assert [len(b) for b in labels] == [8, 8]
    assert len(next(iter(batches(cases, np.arange(5), STILL, np.random.default_rng(0), "cpu")))[1]) == 5


@pytest.fixture(scope="module")
def trained():
    return train_volume(volumes(), np.arange(40), np.arange(40, 60), SMALL, seed=1)


def test_a_known_signal_is_found_with_and_without_the_pet(trained):
    cases = volumes(200, seed=9)
    rows = np.arange(len(cases))
    assert roc_auc_score(cases.labels[:, 0], answers_of(trained.network, cases, rows)[:, 0]) > 0.9
    alone = replace(cases, has_pet=np.zeros(len(cases), bool), suv=np.zeros_like(cases.suv))
    assert roc_auc_score(cases.labels[:, 0], answers_of(trained.network, alone, rows)[:, 0]) > 0.75
    assert len(trained.history) == SMALL.epochs
    assert not any(module.training for module in trained.network.modules())
    assert all(value.is_contiguous() for value in trained.network.state_dict().values())  # as a file has them


def test_shuffled_labels_are_not_found():
    cases = volumes(80, with_pet=False)
    rng = np.random.default_rng(1)
    shuffled = replace(cases, labels=rng.permutation(cases.labels))
    found = train_volume(shuffled, np.arange(50), np.arange(50, 80), replace(SMALL, epochs=8), seed=1)
    area = roc_auc_score(shuffled.labels[50:, 0], answers_of(found.network, shuffled, np.arange(50, 80))[:, 0])
    assert abs(area - 0.5) < 0.3


def test_the_same_seed_gives_the_same_weights_and_leaves_the_random_state(trained):
    before = torch.get_rng_state()
    short = replace(SMALL, epochs=2)
    one, other, third = (
        train_volume(volumes(), np.arange(40), np.arange(0), short, seed).network for seed in (1, 1, 2)
    )
    for name, value in one.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], rtol=0, atol=0)
    assert not torch.equal(one.reduce.weight, third.reduce.weight)
    assert torch.equal(before, torch.get_rng_state())


def test_patience_ends_a_training_at_its_best_epoch():
    how = replace(SMALL, patience=2, learning_rate=0.05)
    found = train_volume(volumes(30), np.arange(20), np.arange(20, 30), how, seed=1)
    best = best_epoch(found.history)
    assert len(found.history) in (best + 2, SMALL.epochs)
    assert best_epoch(({"train": 1.0}, {"train": 0.5})) == 2


def test_a_missing_label_is_left_out():
    cases = volumes(30)
    labels = cases.labels.copy()
    labels[:10] = np.nan
    found = train_volume(replace(cases, labels=labels), np.arange(30), np.arange(0), replace(SMALL, epochs=1), seed=1)
    assert np.isfinite(found.history[0]["train"])


WITHIN = replace(SMALL, pool="contour", ring=2)


def test_within_the_contour_training_sees_the_contour_that_prediction_sees():
    cases, rows = replace(volumes(6), pool="contour"), np.arange(6)
    moved = moved_channels(cases, rows, STILL, np.random.default_rng(0), "cpu").numpy()
    np.testing.assert_allclose(moved, cases.channels(rows), atol=2e-3)
    np.testing.assert_array_equal(moved[:, 5], cases.tumor)
    assert cases.channels(rows[:0]).shape == (0, 6, 16, 16, 16)


def test_within_the_contour_a_known_signal_is_found_and_noise_is_not():
    cases = replace(volumes(60, with_pet=False), pool="contour")
    new = replace(volumes(100, with_pet=False, seed=9), pool="contour")
    rows, shuffled = np.arange(100), replace(cases, labels=np.random.default_rng(1).permutation(cases.labels))
    areas = [
        roc_auc_score(
            new.labels[:, 0], answers_of(train_volume(own, np.arange(60), rows[:0], how, 1).network, new, rows)
        )
        for own, how in ((cases, WITHIN), (cases, replace(WITHIN, cpu_bfloat16=True)), (shuffled, WITHIN))
    ]
    assert min(areas[:2]) > 0.9
    assert areas[2] < 0.85


def test_maps_are_those_of_grad_cam_and_hot_where_the_tumor_is():
    cases = volumes(60, with_pet=False, seed=3)
    network = train_volume(cases, np.arange(60), np.arange(0), replace(SMALL, epochs=15), seed=1).network
    rows = np.flatnonzero(cases.labels[:, 0] == 1)[:8]
    maps = maps_of(network, cases, rows)
    assert maps.shape == (len(rows), 1, 8, 8, 8)
    output = network(torch.from_numpy(cases.channels(rows)).requires_grad_(), None)
    (gradient,) = torch.autograd.grad(output.answers.sum(), output.maps)
    raw = (gradient.mean(dim=(2, 3, 4), keepdim=True) * output.maps).sum(dim=1).relu().detach().numpy()
    np.testing.assert_allclose(maps[:, 0], raw / raw.max(axis=(1, 2, 3), keepdims=True), atol=1e-4)
    inside = cases.tumor[0].reshape(8, 2, 8, 2, 8, 2).mean(axis=(1, 3, 5)) > 0.5
    assert maps[:, 0, inside].mean() > 1.5 * maps[:, 0, ~inside].mean()
    assert maps_of(network, cases, rows[:0]).shape[0] == 0


def test_the_time_of_a_study_is_told_before_it_begins():
    assert seconds_per_epoch(volumes(), np.arange(40), SMALL, "cpu") > 0
    text = estimate_text(41.0, VolumeTraining(), 12)
    assert text == "an epoch takes about 41 s here; 12 trainings of up to 40 epochs take at most 5.5 h"
    assert "at most 8 min" in estimate_text(1.0, VolumeTraining(), 12)


def test_progress_hears_of_every_epoch_and_can_end_it():
    told = []
    progress = Progress(lambda stage, fraction, text: told.append((round(fraction, 3), text)))
    train_volume(volumes(20), np.arange(20), np.arange(0), replace(SMALL, epochs=2), 1, progress=progress)
    assert [fraction for fraction, _ in told] == [0.5, 1.0]
    assert told[0][1].startswith("epoch 1: train ")


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 0},
        {"batch": 1},
        {"dropout": 1.0},
        {"degrees": 200.0},
        {"patience": 0},
        {"pool": "tumor"},
        {"ring": 8},
        {"pooled": (0, 1)},
        {"pooled": (3, 1)},
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict):
    with pytest.raises(InputError):
        VolumeTraining(**changes)


def test_too_few_cases_are_refused():
    with pytest.raises(InputError, match="needs at least 2 cases to train on, and 1 to watch"):
        train_volume(volumes(3), np.arange(3), np.arange(0), VolumeTraining(), 1)
