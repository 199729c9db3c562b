"""Five backbones side by side: one row each, the same cases, and the command that writes the table."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prepared import prepared
from torch import nn

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import CancelledError, InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.deep import comparison as backbones
from PDL1PredictorLib.learning.deep.comparison import backbones_text, compare_backbones, divided
from PDL1PredictorLib.learning.deep.cost import measured
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.networks.backbones import TABLE
from PDL1PredictorLib.networks.names import WHOLE

TINY = DeepTraining(stages=(Stage(1, 76, 1e-3),), batch=3, shift_pixels=0)


def cohort(n: int, pixels: int = 76) -> PreparedCohort:
    rng = np.random.default_rng(0)
    hu = rng.integers(-900, 100, (n, 1, pixels, pixels)).astype(np.int16)
    labels = np.column_stack([np.full(n, np.nan), np.arange(n) % 2]).astype(float)
    return prepared(tuple(f"c{i}" for i in range(n)), ("EGFR", "PDL1"), (), np.zeros((n, 0)), hu, hu > 0, labels)


@pytest.fixture
def one_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WHOLE:
        tiny = TABLE[name]._replace(
            build=lambda: nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.BatchNorm2d(5)), channels=5
        )
        monkeypatch.setitem(TABLE, name, tiny)


def test_each_backbone_is_trained_once_and_measured():
    part = cohort(4)
    rows = compare_backbones(part, part, part, "PDL1", TINY)
    assert [row["key"] for row in rows] == list(WHOLE)
    parameters = {row["backbone"]: row["parameters"] for row in rows}
    assert parameters["ResNet50"] == 23_508_032 + (2048 * 10 + 10) + (10 + 1)
    for row in rows:
        assert 0 <= row["low"] <= row["auc"] <= row["high"] <= 1
        assert (row["n_positive"], row["n_negative"], row["epochs"], row["device"]) == (2, 2, 1, "cpu")
        assert row["seconds"] > 0
    json.dumps(rows, allow_nan=False)


@pytest.mark.usefixtures("one_layer")
def test_the_same_cases_and_seed_serve_all_and_unlabeled_cases_none(monkeypatch: pytest.MonkeyPatch):
    seen = []
    original = backbones.train_deep_ct

    def watched(fit, validation, settings, seed, device, progress):
        seen.append((fit.names, fit.endpoints, validation.names, seed, settings.backbone))
        return original(fit, validation, settings, seed, device, progress=progress)

    monkeypatch.setattr(backbones, "train_deep_ct", watched)
    whole = cohort(8)
    whole.targets["PDL1"].values[0] = np.nan
    rows = compare_backbones(whole, whole, whole, "PDL1", TINY, seed=4, names=("vgg19", "resnet50"))
    names = tuple(f"c{i}" for i in range(1, 8))
    assert seen == [(names, ("PDL1",), names, 4, "vgg19"), (names, ("PDL1",), names, 4, "resnet50")]
    assert rows[0]["auc"] == rows[1]["auc"]  # the same layer, the same draws


def test_no_patient_is_divided_and_the_table_may_name_the_test_cases():
    whole = cohort(40)
    patients = [f"p{i // 4}" for i in range(40)]
    owner = dict(zip(whole.names, patients, strict=True))
    parts = divided(whole, patients, seed=2)
    assert sorted(name for part in parts for name in part.names) == sorted(whole.names)
    groups = [{owner[name] for name in part.names} for part in parts]
    assert sum(len(group) for group in groups) == len(set(patients))
    named = divided(whole, patients, seed=2, test=np.arange(8))
    assert named[2].names == whole.names[:8]
    assert len(named[0]) + len(named[1]) == 32


def test_an_endpoint_that_is_not_there_or_has_one_class_is_refused():
    part = cohort(4)
    with pytest.raises(InputError, match="has no endpoint 'KRAS'; it has EGFR, PDL1"):
        compare_backbones(part, part, part, "KRAS", TINY)
    with pytest.raises(InputError, match="The fit cases need both positive and negative EGFR"):
        compare_backbones(part, part, part, "EGFR", TINY)


@pytest.mark.usefixtures("one_layer")
def test_a_comparison_can_be_cancelled():
    part = cohort(4)
    with pytest.raises(CancelledError):
        compare_backbones(part, part, part, "PDL1", TINY, progress=Progress(cancelled=lambda: True))


def test_the_text_says_what_is_not_known():
    row = {
        "backbone": "VGG19",
        "auc": 0.7,
        "low": 0.5,
        "high": 0.9,
        "n_positive": 11,
        "n_negative": 22,
        "parameters": 20_000_000,
        "epochs": 3,
        "seconds": 5.2,
        "peak_memory_mb": None,
        "device": "cpu",
    }
    text = backbones_text([row, {**row, "peak_memory_mb": 1234}], "PDL1", "pdl1 backbones")
    assert "| VGG19 | 0.700 | 0.500 to 0.900 | 20.0 M | 3 | 5 | not known |" in text
    assert "| 1.2 GB |" in text
    assert "11 positive and 22 negative test cases" in text


def test_the_cost_of_a_block_is_its_seconds_and_the_peak_of_the_memory():
    with measured() as cost:
        np.ones(40_000_000)  # 320 MB
    assert cost.seconds > 0
    if cost.peak_memory_mb is not None:
        assert cost.peak_memory_mb > 320


@pytest.mark.usefixtures("one_layer")
def test_the_command_writes_the_table_as_json_and_markdown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(backbones, "COMPARISON", replace(TINY, stages=(Stage(1, 80, 1e-3),)))
    out = tmp_path / "Vergleich ö"
    arguments = ["backbones", "--n", "12", "--seed", "2", "--only", "vgg19,resnet50", "--workers", "1"]
    assert main([*arguments, "--device", "cpu", "--progress", "none", "--out", str(out)]) == 0
    facts = json.loads((out / "backbones.json").read_text(encoding="utf-8"))
    assert [row["key"] for row in facts["backbones"]] == ["vgg19", "resnet50"]
    assert facts["endpoint"] == "PDL1"
    assert (out / "backbones.md").read_text(encoding="utf-8") in capsys.readouterr().out
    assert main([*arguments, "--device", "cpu", "--progress", "none", "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_the_command_refuses_a_strange_backbone(tmp_path: Path, capsys):
    assert main(["backbones", "--only", "alexnet", "--out", str(tmp_path / "out"), "--progress", "none"]) == 2
    assert "must be one of densenet121" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
