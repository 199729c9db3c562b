"""Training of the network of contours on a few made-up cubes: it learns, goes on after a stop, is written and read."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from clicked import made_ct

from PDL1PredictorLib.core.errors import BundleError, CancelledError, InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.segmenter.cubes import WIDE, Cubes, WideCube
from PDL1PredictorLib.learning.segmenter.drawing import shown_of
from PDL1PredictorLib.learning.segmenter.export import check_agreement, write_segmenter
from PDL1PredictorLib.learning.segmenter.training import (
    SegmenterTraining,
    loss_of,
    shares_of,
    train_segmenter,
    watched_cases,
)
from PDL1PredictorLib.networks.segmenter import SegmenterNetwork
from PDL1PredictorLib.segmentation.network import GRAPH, MAX_BYTES, SETTINGS, WEIGHTS, read_segmenter
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.segment import segment

WIDTHS = (2, 3, 4, 5)
SETTINGS_2 = SegmenterTraining(seed=3, epochs=2, examples=3, batch=2, widths=WIDTHS, threads=1)


def ball_cube(name: str, radius: float) -> WideCube:
    away = np.linalg.norm(np.indices((WIDE,) * 3).T - WIDE / 2, axis=-1).T
    tumor = away <= radius
    hu = np.where(tumor, 40, -850).astype(np.int16)
    return WideCube(name, "LIDC", False, 0.75, hu, tumor, np.ones_like(tumor), True)


@pytest.fixture(scope="module")
def parts():
    return Cubes(tuple(ball_cube(f"a{r}", r) for r in (6.0, 9.0)), {}), Cubes((ball_cube("b", 7.0),), {})


@pytest.fixture(scope="module")
def trained(parts):
    return train_segmenter(*parts, SETTINGS_2)


def test_the_loss_is_that_of_a_sum_by_hand():
    """Two voxels, one known: log-odds 0 is log 2, and Dice 1 - (2 * 0.5 + 1) / (0.5 + 1 + 1)."""
    logits, tumor = torch.zeros(1, 1, 1, 2), torch.ones(1, 1, 1, 2)
    known = torch.tensor([[[[1.0, 0.0]]]])
    assert float(loss_of(logits, tumor, known)) == pytest.approx(np.log(2) + 1 - 2 / 2.5)
    assert float(loss_of(logits, tumor, torch.ones(1, 1, 1, 2))) == pytest.approx(np.log(2) + 1 - 3 / 4)


def test_what_is_unknown_gives_no_gradient():
    logits = torch.zeros(1, 1, 1, 2, requires_grad=True)
    loss_of(logits, torch.ones(1, 1, 1, 2), torch.tensor([[[[1.0, 0.0]]]])).backward()
    assert logits.grad[0, 0, 0, 0] != 0
    assert logits.grad[0, 0, 0, 1] == 0


def test_the_same_seed_gives_the_same_network_whatever_the_threads(parts, trained):
    other = train_segmenter(*parts, replace(SETTINGS_2, threads=2))
    for name, value in trained.network.state_dict().items():
        assert torch.equal(value, other.network.state_dict()[name]), name
    assert len(trained.history) == 2
    assert not trained.network.training


def test_a_training_that_was_cancelled_goes_on_to_the_same_end(parts, trained, tmp_path):
    file = tmp_path / "état.checkpoint"
    steps = []
    stop = Progress(lambda *_: steps.append(1), lambda: len(steps) >= 2)
    with pytest.raises(CancelledError):
        train_segmenter(*parts, SETTINGS_2, progress=stop, checkpoint=file)
    assert file.is_file()
    went_on = train_segmenter(*parts, SETTINGS_2, checkpoint=file)
    assert went_on.history == trained.history
    for name, value in trained.network.state_dict().items():
        assert torch.equal(value, went_on.network.state_dict()[name]), name
    with pytest.raises(InputError, match="other settings"):
        train_segmenter(*parts, replace(SETTINGS_2, seed=4), checkpoint=file)


def test_what_is_written_is_read_back_and_answers_alike(parts, trained, tmp_path):
    write_segmenter(trained, tmp_path, "tiny", "0.1", shown_of(parts[1]), {"fit": 2})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CARD.md", GRAPH, WEIGHTS, SETTINGS]
    read = read_segmenter(tmp_path)
    assert read.title == "tiny 0.1"
    made = made_ct()
    found = segment(made.ct, Prompt((made.center,)), read, with_spread=False)
    # two steps teach nothing: the network says that it is unsure, or what it gives is small beside the CT
    assert found.method == "network" or "segment_network_unsure" in [w.code for w in found.warnings]
    facts = json.loads((tmp_path / SETTINGS).read_text(encoding="utf-8"))
    (tmp_path / SETTINGS).write_text(json.dumps({**facts, "shown": {}}), encoding="utf-8")
    with pytest.raises(BundleError, match="this version shows"):
        read_segmenter(tmp_path)
    (tmp_path / SETTINGS).write_text(json.dumps(facts), encoding="utf-8")
    (tmp_path / WEIGHTS).write_bytes((tmp_path / WEIGHTS).read_bytes()[:-1] + b"\1")
    with pytest.raises(BundleError, match="not the file that was written"):
        read_segmenter(tmp_path)


def test_another_network_than_the_written_one_is_noticed(parts, trained, tmp_path):
    write_segmenter(trained, tmp_path, "tiny", "0.1", shown_of(parts[1]), {"fit": 2})
    read = read_segmenter(tmp_path)
    key = "last.bias"
    read.weights[key] = read.weights[key] + 1
    module = trained.network
    check_agreement(read, trained, shown_of(parts[1]))  # torch is given the same weights, and still agrees
    read.weights["constant.x"] = np.zeros(1, np.float32)
    swapped = read.graph.replace(b"Relu", b"Tanh")
    broken = type(read)("tiny", "0.1", swapped, read.weights)
    with pytest.raises(ValueError, match="answers otherwise"):
        check_agreement(broken, trained, shown_of(parts[1]))
    assert not module.training


def test_the_shipped_size_fits_in_three_megabytes():
    weights = sum(p.numel() for p in SegmenterNetwork().parameters())
    assert 2 * weights < 0.8 * MAX_BYTES


def test_sources_have_their_shares_and_wider_cubes_come_less_often():
    one = ball_cube("a", 6.0)
    nodules = [replace(one, name=str(n)) for n in range(6)]
    cases = [*nodules, replace(one, wide=True), replace(one, source="NSCLC")]
    shares = shares_of(cases)
    assert shares.sum() == pytest.approx(1)
    assert shares[:7].sum() == pytest.approx(0.5)  # 0.4 of LIDC and of NSCLC each, none of phantoms
    assert shares[0] / shares[6] == pytest.approx(0.7 / 0.3)
    assert shares[7] == pytest.approx(0.5)


def test_each_source_is_watched_at_a_clicks_own_spacing():
    one = ball_cube("a", 6.0)
    many = [replace(one, name=str(n), source="phantom") for n in range(100)]
    watched = watched_cases([*many, replace(one, wide=True), replace(one, source="NSCLC")])
    assert [cube.source for cube in watched] == ["NSCLC", *["phantom"] * 40]
    assert not any(cube.wide for cube in watched)
