"""The network's training: missing labels, directions kept, public weights, same seed same network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from prepared import prepared

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.deep.augmentation import augment
from PDL1PredictorLib.learning.deep.inference import deep_features, masked_loss
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage, identity
from PDL1PredictorLib.learning.deep.training import train_deep_ct
from PDL1PredictorLib.learning.deep.weights import load_backbone
from PDL1PredictorLib.networks.deep_ct import DeepCT


def bright_or_dark(n: int, pixels: int = 32) -> PreparedCohort:
    """Tumors of 140 or -60 HU; the label of endpoint A says which, B is unknown throughout."""
    labels = np.full((n, 2), np.nan)
    labels[:, 0] = np.arange(n) % 2
    patches = np.full((n, pixels, pixels), -850, np.int16)
    patches[:, 8:24, 8:24] = np.where(labels[:, 0] == 1, 140, -60)[:, None, None]
    tumors = np.zeros((n, pixels, pixels), bool)
    tumors[:, 8:24, 8:24] = True
    names = tuple(f"case-{i}" for i in range(n))
    return prepared(names, ("PDL1", "EGFR"), (), np.zeros((n, 0)), patches[:, None], tumors[:, None], labels)


SETTINGS = DeepTraining(stages=(Stage(5, 32, 3e-3),), batch=8, shift_pixels=2)


def test_only_known_labels_enter_the_loss():
    logits = torch.tensor([[0.0, 100.0], [0.0, -100.0]])
    labels = torch.tensor([[1.0, float("nan")], [0.0, float("nan")]])
    assert masked_loss(logits, labels) == pytest.approx(np.log(2))
    assert masked_loss(logits, torch.full((2, 2), float("nan"))) == 0


def test_it_learns_bright_from_dark_and_the_same_seed_gives_the_same_network():
    cohort = bright_or_dark(32)
    first = train_deep_ct(cohort, cohort, SETTINGS, seed=3)
    second = train_deep_ct(cohort, cohort, SETTINGS, seed=3)
    _, logits = deep_features(first.network, cohort)
    assert logits[1::2, 0].min() > logits[::2, 0].max()
    assert first.history == second.history
    assert len(first.history) == 5
    for name, value in first.network.state_dict().items():
        torch.testing.assert_close(second.network.state_dict()[name], value, rtol=0, atol=0)


def test_bfloat16_on_the_cpu_learns_the_same_and_is_not_taken_unasked():
    cohort, sixteen = bright_or_dark(32), replace(SETTINGS, cpu_bfloat16=True)
    exact, near = (train_deep_ct(cohort, cohort, settings, seed=3) for settings in (SETTINGS, sixteen))
    first, second = (trained.history[0]["train"] for trained in (exact, near))
    assert first != second
    assert first == pytest.approx(second, rel=0.3)
    logits = near.deep_features(cohort)[1]
    assert logits[1::2, 0].min() > logits[::2, 0].max()


def test_checkpoints_of_before_still_know_their_training():
    """A setting that was added later is no part of a training's name until it is used."""
    names = "stages batch weight_decay dropout shift_pixels noise n_deep backbone patience class_weights moves"
    assert list(identity(DeepTraining())) == [*names.split(), "rotation_degrees", "mixed_precision"]
    assert identity(replace(SETTINGS, cpu_bfloat16=True))["cpu_bfloat16"] is True


def test_training_leaves_the_global_random_state_alone():
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    train_deep_ct(bright_or_dark(8), bright_or_dark(8), DeepTraining(stages=(Stage(1, 32, 1e-3),), batch=8), seed=0)
    torch.testing.assert_close(torch.rand(3), expected)


def test_augmentation_keeps_a_diagonal_a_diagonal():
    stripes = np.add.outer(np.arange(64), np.arange(64)) % 8 < 4  # constant along i - j
    seen = set()
    for seed in range(12):
        both = augment(stripes.astype(np.int16), stripes, Stage(1, 32, 1e-3), SETTINGS, np.random.default_rng(seed))
        assert both.shape == (2, 32, 32)
        np.testing.assert_array_equal(both[0, 1:, :-1], both[0, :-1, 1:])
        seen.add(both.tobytes())
    assert len(seen) > 1


def test_a_torchvision_weight_file_starts_the_backbone(tmp_path: Path):
    source = DeepCT(1)
    weights = {f"features.{k}": v for k, v in source.features.state_dict().items()} | {
        "classifier.weight": torch.zeros(2)
    }
    safetensors.torch.save_file(weights, tmp_path / "densenet.safetensors")
    old_names = {k.replace("norm1", "norm.1").replace("conv2.", "conv.2."): v for k, v in weights.items()}
    torch.save(old_names, tmp_path / "densenet.pth")
    for file in ("densenet.safetensors", "densenet.pth"):
        network = DeepCT(2)
        load_backbone(network, tmp_path / file)
        torch.testing.assert_close(network.features.conv0.weight, source.features.conv0.weight)


@pytest.mark.parametrize("content", [b"not weights", b""])
def test_a_file_of_no_weights_is_refused(tmp_path: Path, content: bytes):
    file = tmp_path / "weights.pth"
    file.write_bytes(content)
    with pytest.raises(InputError, match="not a DenseNet121 weight file"):
        load_backbone(DeepCT(1), file)


def test_a_pickle_that_runs_code_is_not_run(tmp_path: Path):
    import pickle

    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "run",))

    (tmp_path / "weights.pth").write_bytes(pickle.dumps({"features.conv0.weight": Trap()}))
    with pytest.raises(InputError, match="not a DenseNet121 weight file"):
        load_backbone(DeepCT(1), tmp_path / "weights.pth")
    assert not (tmp_path / "run").exists()
