"""Two layers on a frozen backbone: they learn, repeat themselves, and are the network's own once put into it."""

import numpy as np
import pytest
import torch
from prepared import prepared

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.deep.heads import Head, HeadTraining, into_network, train_head
from PDL1PredictorLib.learning.deep.inference import deep_features, embed
from PDL1PredictorLib.networks.deep_ct import DeepCT


def separable(n: int, seed: int, shift: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Thirty channels, of which one in a scale of its own tells the classes apart and one never varies."""
    rng = np.random.default_rng(seed)
    labels = np.column_stack([np.arange(n) % 2, np.full(n, np.nan)]).astype(float)
    x = rng.normal(size=(n, 30)).astype(np.float32)
    x[:, 3] = 100 + 0.2 * (x[:, 3] + shift * labels[:, 0])
    x[:, 4] = 0
    return x, labels


def test_it_tells_new_cases_apart_and_repeats_itself_and_leaves_the_global_state_alone():
    torch.manual_seed(2)
    expected = torch.rand(3)
    torch.manual_seed(2)
    (x, y), (new, truth) = separable(100, 0, 4.0), separable(100, 1, 4.0)
    first, second = train_head(x, y, seed=3), train_head(x, y, seed=3)
    right = (first.logits(new)[:, 0] > 0) == (truth[:, 0] == 1)
    assert right.mean() > 0.9
    np.testing.assert_array_equal(first.reduce_weight, second.reduce_weight)
    assert not np.array_equal(first.reduce_weight, train_head(x, y, seed=4).reduce_weight)
    torch.testing.assert_close(torch.rand(3), expected)
    assert first.deep(new).shape == (100, 10)
    assert first.history[-1]["train"] < 0.5 < first.history[0]["train"]


def test_an_endpoint_without_any_label_learns_nothing():
    x, y = separable(40, 0)
    head = train_head(x, y)
    assert head.classifier_bias[1] == 0
    assert head.classifier_bias[0] != 0


def test_a_head_is_two_matrices_by_hand():
    head = Head(np.array([[1.0, 2.0]]), np.array([0.5]), np.array([[2.0], [-1.0]]), np.array([0.0, 1.0]))
    np.testing.assert_allclose(head.deep(np.array([[1.0, 1.0]])), [[3.5]])
    np.testing.assert_allclose(head.logits(np.array([[1.0, 1.0]])), [[7.0, -2.5]])


def test_early_stopping_keeps_the_best_epoch_of_the_validation_cases():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(20, 50)), rng.integers(0, 2, (20, 1)).astype(float)
    watched = rng.normal(size=(200, 50)), rng.integers(0, 2, (200, 1)).astype(float)
    head = train_head(x, noise, settings=HeadTraining(patience=5, dropout=0.0), validation=watched)
    losses = [epoch["validation"] for epoch in head.history]
    assert len(losses) == int(np.argmin(losses)) + 1 + 5 < 150
    p = 1 / (1 + np.exp(-head.logits(watched[0])))
    loss = -np.mean(np.where(watched[1] == 1, np.log(p), np.log(1 - p)))
    assert loss == pytest.approx(min(losses), abs=1e-5)


def test_class_weights_raise_the_logits_of_a_rare_class():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 5)), (np.arange(100)[:, None] < 10).astype(float)
    plain = train_head(x, y, settings=HeadTraining(epochs=300)).logits(x).mean()
    weighted = train_head(x, y, settings=HeadTraining(epochs=300, class_weights=True)).logits(x).mean()
    assert plain < -1 < -0.7 < weighted


def small_cohort(n: int = 3, slices: int = 2, pixels: int = 40) -> PreparedCohort:
    rng = np.random.default_rng(0)
    hu = rng.integers(-900, 100, (n, slices, pixels, pixels)).astype(np.int16)
    labels = (np.arange(n) % 2)[:, None].astype(float)
    return prepared(tuple("abcdefgh"[:n]), ("A",), (), np.zeros((n, 0)), hu, hu > -100, labels)


@pytest.fixture(scope="module")
def network() -> DeepCT:
    torch.manual_seed(0)
    return DeepCT(1).eval()


def test_a_head_in_the_network_gives_what_it_gives_on_the_embeddings(network: DeepCT):
    cohort = small_cohort()
    pooled = embed(network, cohort)
    assert pooled.shape == (3, 1024)
    assert pooled.dtype == np.float32
    head = train_head(pooled, np.column_stack([cohort.labels, cohort.labels]), n_deep=4, settings=HeadTraining(20))
    state = torch.get_rng_state()
    into_network(network, head)
    assert torch.equal(torch.get_rng_state(), state)
    deep, logits = deep_features(network, cohort)
    np.testing.assert_allclose(deep, head.deep(pooled), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(logits, head.logits(pooled), rtol=1e-3, atol=1e-4)
    assert logits.shape == (3, 2)


def test_all_slices_are_averaged_and_a_crop_is_its_center(network: DeepCT):
    cohort = small_cohort()
    second = cohort.with_blocks(slices=cohort.patches_hu[:, 1:], slices_tumor=cohort.patches_tumor[:, 1:])
    mean = (embed(network, cohort, slices="first") + embed(network, second)) / 2
    np.testing.assert_allclose(embed(network, cohort), mean, rtol=1e-4, atol=1e-5)
    inner = np.s_[:, :, 4:36, 4:36]
    cropped = cohort.with_blocks(slices=cohort.patches_hu[inner], slices_tumor=cohort.patches_tumor[inner])
    np.testing.assert_array_equal(embed(network, cohort, pixels=32), embed(network, cropped))


def test_deep_features_are_the_mean_of_those_of_every_slice(network: DeepCT):
    cohort = small_cohort()
    n_slices = cohort.patches_hu.shape[1]
    alone = [
        deep_features(
            network, cohort.with_blocks(slices=cohort.patches_hu[:, [i]], slices_tumor=cohort.patches_tumor[:, [i]])
        )
        for i in range(n_slices)
    ]
    for found, wanted in zip(deep_features(network, cohort), zip(*alone, strict=True), strict=True):
        np.testing.assert_allclose(found, np.mean(wanted, axis=0), atol=1e-9)
    for found, wanted in zip(deep_features(network, cohort, slices="first"), alone[0], strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert np.abs(alone[0][0] - alone[1][0]).max() > 1e-3  # the slices differ, so the mean is another number


def test_a_head_of_other_channels_is_refused(network: DeepCT):
    head = train_head(*separable(10, 0), settings=HeadTraining(1))
    with pytest.raises(ValueError, match="takes 30 channels; densenet121 gives 1024"):
        into_network(network, head)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((3, 2)), np.zeros((2, 1)), r"labels \(n, e\) of the same n, at least 2; got \(3, 2\) and \(2, 1\)"),
        (np.zeros((1, 2)), np.zeros((1, 1)), "at least 2"),
        (np.zeros((3, 2)), np.zeros(3), "at least 2"),
        (np.full((3, 2), np.nan), np.zeros((3, 1)), "must be finite"),
    ],
)
def test_unfit_arrays_are_refused(x: np.ndarray, y: np.ndarray, message: str):
    with pytest.raises(InputError, match=message):
        train_head(x, y)


def test_early_stopping_without_validation_cases_is_refused():
    with pytest.raises(InputError, match="needs validation cases"):
        train_head(*separable(10, 0), settings=HeadTraining(patience=3))


@pytest.mark.parametrize("change", [{"epochs": 0}, {"dropout": 1.0}, {"learning_rate": 0.0}, {"patience": 0}])
def test_impossible_settings_of_the_layers_are_refused(change: dict):
    with pytest.raises(InputError, match="impossible|patience must be at least 1"):
        HeadTraining(**change)
