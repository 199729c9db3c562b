"""Pretraining on a made-up folder of nodules, with a backbone of one layer: split by patient, figures, files."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from torch import nn

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cohort.importing.lidc import import_lidc
from PDL1PredictorLib.cohort.lidc import divided, read_nodules
from PDL1PredictorLib.cohort.table import read_cohort
from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError, InputError
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.deep.pretrain import Pretraining, pretrain, pretrained_facts, pretrained_text
from PDL1PredictorLib.learning.deep.weights import load_backbone
from PDL1PredictorLib.networks.backbones import TABLE
from PDL1PredictorLib.networks.deep_ct import DeepCT

REGIONS = RegionSettings(patch_pixels=24)
HEADER = ["file", "patient_id", "diameter_mm", "mask_mm3", "Diagnosis"]


@pytest.fixture(autouse=True)
def one_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = TABLE["densenet121"]._replace(
        build=lambda: nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.BatchNorm2d(5)), channels=5, least_pixels=8
    )
    monkeypatch.setitem(TABLE, "densenet121", tiny)


def write_nodule(folder: Path, file: str, edge: int, slices: int = 5) -> None:
    """A box of 40 HU in air, `edge` voxels wide and three slices tall; voxels of 1 x 1 x 2 mm."""
    hu = np.full((slices, 16, 16), -800, np.int16)
    mask = np.zeros_like(hu, dtype=np.uint8)
    mask[1:4, 4 : 4 + edge, 4 : 4 + edge] = 1
    hu[mask > 0] = 40
    for part, values in (("image", hu), ("mask", mask)):
        image = sitk.GetImageFromArray(values)
        image.SetSpacing((1.0, 1.0, 2.0))
        (folder / part).mkdir(exist_ok=True, parents=True)
        sitk.WriteImage(image, str(folder / part / file))


def write_table(folder: Path, rows: list[list[object]], header: list[str] = HEADER) -> None:
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty patients with two nodules each; malignant ones are larger, but for some."""
    folder = tmp_path_factory.mktemp("nodules ä")
    rng = np.random.default_rng(0)
    rows = []
    for index in range(40):
        malignant = (index // 2) % 2
        edge = int(rng.integers(3, 7)) + 2 * malignant
        write_nodule(folder, f"n{index}.nii.gz", edge)
        rows.append([f"n{index}.nii.gz", f"p{index // 2}", edge, edge**2 * 6, "Malign" if malignant else "Benign"])
    write_table(folder, rows)
    return folder


def test_patches_show_the_nodule_in_the_middle_at_one_millimeter(folder: Path):
    nodules = read_nodules(folder, REGIONS)
    assert len(nodules) == 40
    hu, tumor = nodules.cohort.patches_hu[0], nodules.cohort.patches_tumor[0]
    edge = int(nodules.diameter_mm[0])
    assert hu.shape == (5, 24, 24)
    assert tumor[0].sum() == edge**2
    rows = np.flatnonzero(tumor[0].any(axis=1))
    assert abs(rows.mean() - 11.5) <= 0.5
    assert hu[0][tumor[0]].mean() > 0
    assert hu[0, 0, 0] == -1024  # beyond the crop
    assert nodules.cohort.names[0] == "n0"
    assert nodules.patients[:3] == ("p0", "p0", "p1")
    assert nodules.volume_mm3[0] == edge**2 * 6


def test_a_nodule_of_two_slices_is_read(tmp_path: Path):
    write_nodule(tmp_path, "a.nii.gz", 3, slices=2)
    write_table(tmp_path, [["a.nii.gz", "p", 3, 18, "Benign"]])
    nodules = read_nodules(tmp_path, REGIONS)
    areas = nodules.cohort.patches_tumor.sum(axis=(2, 3))[0]
    assert (areas > 0).all()  # slices without nodule are the largest one again


def test_training_divides_by_patient_and_compares_with_the_size(folder: Path):
    settings = Pretraining(seed=3, regions=RegionSettings(patch_pixels=72)).with_epochs(2)
    result = pretrain(folder, settings)
    counts = result.counts
    assert sum(part["nodules"] for part in counts.values()) == 40
    assert sum(part["patients"] for part in counts.values()) == 20  # no patient is counted in two parts
    assert counts["fit"]["nodules"] == 24
    assert result.size.n_positive == counts["test"]["malignant"]
    assert result.comparison.difference == pytest.approx(result.network.value - result.size.value)
    again = pretrain(folder, settings)
    assert again.trained.history == result.trained.history
    facts = pretrained_facts(result)
    assert facts["history"] == list(result.trained.history)
    text = pretrained_text(facts, "pdl1 pretrain")
    assert f"| network | {result.network.value:.3f} |" in text
    assert "no accuracy of a diagnosis" in text


def test_the_table_of_a_cohort_tests_those_whom_the_pretraining_was_tested_on(folder: Path, tmp_path: Path, capsys):
    table = tmp_path / "cases.csv"
    assert main(["cohort", "import", "lidc", str(folder), "--seed", "3", "--out", str(table)]) == 0
    assert "not pathology" in capsys.readouterr().out
    cohort = read_cohort(table)
    tested = {case.name for case in cohort.cases if case.split == "test"}
    nodules = read_nodules(folder, REGIONS)
    parts = divided(nodules.patients, nodules.cohort.labels, 3)
    assert tested == {nodules.cohort.names[row] for row in parts[2]}
    settings = Pretraining(seed=3, regions=RegionSettings(patch_pixels=72)).with_epochs(1)
    assert len(tested) == pretrain(folder, settings).counts["test"]["nodules"]
    assert {case.patient for case in cohort.cases if case.split == "train"}.isdisjoint(
        case.patient for case in cohort.cases if case.split == "test"
    )
    assert [case.labels["MALIGNANT"] for case in cohort.cases] == nodules.cohort.labels[:, 0].tolist()
    other = {case["case"] for case in import_lidc(folder, 4).rows if case["split"] == "test"}
    assert other != tested


def test_the_size_model_knows_nothing_of_the_test_nodules(folder: Path):
    nodules = read_nodules(folder, REGIONS)
    from PDL1PredictorLib.learning.deep.pretrain import _size_scores

    fit, test = nodules.take(np.arange(20)), nodules.take(np.arange(20, 40))
    order = np.lexsort((test.diameter_mm,))
    assert (np.diff(_size_scores(fit, test)[order]) >= 0).all()  # larger is more malignant


def test_the_command_writes_weights_that_a_training_can_start_from(folder: Path, tmp_path: Path, capsys):
    out = tmp_path / "Gewichte ü" / "lidc.safetensors"
    arguments = ["pretrain", "--data", str(folder), "--out", str(out), "--epochs", "1", "--device", "cpu"]
    assert main([*arguments, "--progress", "none"]) == 0
    assert "| network |" in capsys.readouterr().out
    assert sorted(file.name for file in out.parent.iterdir()) == ["lidc.json", "lidc.md", "lidc.safetensors"]
    facts = json.loads((out.parent / "lidc.json").read_text(encoding="utf-8"))
    assert facts["test_auc"]["network"]["n_positive"] == facts["counts"]["test"]["malignant"]
    network = DeepCT(3)
    before = network.features[0].weight.clone()
    load_backbone(network, out)
    assert not torch.equal(network.features[0].weight, before)
    assert main([*arguments, "--progress", "none"]) == 2
    assert "exists already" in capsys.readouterr().err


def test_another_backbone_may_be_pretrained_and_a_strange_one_not():
    assert Pretraining().with_backbone("resnet50").deep.backbone == "resnet50"
    assert Pretraining().deep.backbone == "densenet121"
    with pytest.raises(InputError, match="alexnet"):
        Pretraining().with_backbone("alexnet")


def test_weights_without_the_suffix_are_refused(folder: Path, tmp_path: Path, capsys):
    assert main(["pretrain", "--data", str(folder), "--out", str(tmp_path / "weights.pth")]) == 2
    assert "must be a .safetensors file, got weights.pth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "header", "message"),
    [
        (["a.nii.gz", "p", 3, 18, "Maybe"], HEADER, "row 2: needs a patient_id and a Diagnosis of Benign or Malign"),
        (["a.nii.gz", "", 3, 18, "Benign"], HEADER, "needs a patient_id"),
        (["a.nii.gz", "p", 0, 18, "Benign"], HEADER, "row 2: diameter_mm must be a positive number, got '0'"),
        (["a.nii.gz", "p", 3, "", "Benign"], HEADER, "mask_mm3 must be a positive number, got ''"),
        (["a.nii.gz", "p", 3, 18, "Benign"], [*HEADER[:4], "label"], "lacks the columns Diagnosis"),
        (["b.nii.gz", "p", 3, 18, "Benign"], HEADER, "b.nii.gz"),
    ],
)
def test_a_table_with_a_fault_is_refused(tmp_path: Path, row: list, header: list[str], message: str):
    write_nodule(tmp_path, "a.nii.gz", 3)
    write_table(tmp_path, [row], header)
    with pytest.raises(InputError, match=message):
        read_nodules(tmp_path, REGIONS)


def test_a_folder_without_a_table_or_with_a_nodule_twice_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="labels.csv is no file"):
        read_nodules(tmp_path, REGIONS)
    write_table(tmp_path, [["a.nii.gz", "p", 3, 18, "Benign"]] * 2)
    with pytest.raises(InputError, match="each once"):
        read_nodules(tmp_path, REGIONS)


def test_a_mask_on_another_grid_or_without_a_voxel_is_refused(tmp_path: Path):
    write_nodule(tmp_path, "a.nii.gz", 3)
    write_table(tmp_path, [["a.nii.gz", "p", 3, 18, "Benign"]])
    file = str(tmp_path / "mask" / "a.nii.gz")
    mask = sitk.ReadImage(file)
    sitk.WriteImage(mask * 0, file)
    with pytest.raises(EmptyRegionError, match=r"a.nii.gz has no voxel at 1 mm"):
        read_nodules(tmp_path, REGIONS)
    mask.SetSpacing((1.0, 1.0, 2.5))
    sitk.WriteImage(mask, file)
    with pytest.raises(GridMismatchError, match="the mask on"):
        read_nodules(tmp_path, REGIONS)


def test_too_few_malignant_nodules_are_refused(tmp_path: Path):
    for index in range(6):
        write_nodule(tmp_path, f"n{index}.nii.gz", 3)
    write_table(tmp_path, [[f"n{index}.nii.gz", f"p{index}", 3, 18, "Benign"] for index in range(6)])
    with pytest.raises(InputError, match="has 0 malignant of"):
        pretrain(tmp_path, Pretraining())


@pytest.mark.real_data
def test_the_real_nodules_are_read_as_their_table_counts_them(shared: Path, tmp_path: Path):
    """The first forty: reading all takes too long for every run of the tests."""
    source = shared / "data" / "lidc_nodule_voi"
    lines = (source / "labels.csv").read_text(encoding="utf-8").splitlines()[:41]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for part in ("image", "mask"):
        (tmp_path / part).symlink_to(source / part)
    nodules = read_nodules(tmp_path, RegionSettings(patch_pixels=72))
    assert nodules.cohort.patches_hu.shape == (40, 5, 72, 72)
    malignant = sum(line.split(",")[13] == "Malign" for line in lines[1:])
    assert nodules.cohort.labels.sum() == malignant
    assert (nodules.cohort.patches_tumor[:, 0].sum(axis=(1, 2)) > 0).all()
    inside = [
        hu[tumor].mean() for hu, tumor in zip(nodules.cohort.patches_hu, nodules.cohort.patches_tumor, strict=True)
    ]
    assert np.median(inside) > -400  # soft tissue and ground glass, not air
