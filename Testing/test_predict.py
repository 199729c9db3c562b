"""One case front to back, with a small model: the output is whole, repeatable, in place, and free of the patient."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import SimpleITK as sitk
import torch
from reference import need_pyradiomics
from torch.nn import functional

from PDL1PredictorLib.core.case import Case, Clinical
from PDL1PredictorLib.core.errors import CancelledError, EmptyRegionError, InputError, OutputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.explain.grad_cam import grad_cams, normalize
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.imaging.patch import deep_patch, place_map
from PDL1PredictorLib.imaging.preview import preview
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.network.by_torch import TorchNetwork
from PDL1PredictorLib.models.predictor import Predictor
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.prediction import Options, image_sha256, predict_case, predict_files
from PDL1PredictorLib.report.json_result import schema
from PDL1PredictorLib.statistics.scores import calibrated_log_odds


@pytest.fixture(scope="module")
def files(phantom, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("Patiënt mit Leerzeichen")
    sitk.WriteImage(phantom.case.ct, folder / "ct.nrrd", True)
    sitk.WriteImage(phantom.case.tumor, folder / "tumor.nrrd", True)
    return Files(folder / "ct.nrrd", folder / "tumor.nrrd", name="Frau Müller", clinical=Clinical(age_years=61))


@pytest.fixture(scope="module")
def written(files: Files, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "Ergebnis"
    predict_files(files, tiny_model, out, Options(device="cpu"))
    return out


@pytest.fixture(scope="module")
def predictor(tiny_model: Path) -> Predictor:
    return load_predictor(tiny_model)


def test_everything_is_written(written: Path):
    assert {path.name for path in written.iterdir()} == {
        "result.json",
        "report.html",
        "features.csv",
        "summary.txt",
        "tumor_and_ring.seg.nrrd",
        "gradcam.nrrd",
        "gradcam_EGFR.nrrd",
    }


def test_the_result_keeps_to_its_schema_and_tells_every_stage(written: Path):
    result = json.loads((written / "result.json").read_text(encoding="utf-8"))
    jsonschema.validate(result, schema())
    assert set(result["provenance"]["seconds"]) >= {"read", "regions", "features", "network", "answer", "model"}
    assert result["provenance"]["engine"].startswith("pdl1 ")


def test_nothing_written_names_the_patient(written: Path):
    for path in written.iterdir():
        assert "Müller".encode() not in path.read_bytes(), path.name
    assert json.loads((written / "result.json").read_text(encoding="utf-8"))["clinical"] is None


def test_the_patient_is_named_where_that_is_asked_for(files: Files, tiny_model: Path, tmp_path: Path):
    predict_files(files, tiny_model, tmp_path / "out", Options(device="cpu"), with_patient=True)
    result = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert (result["case"], result["clinical"]["age_years"]) == ("Frau Müller", 61)


def test_the_same_case_gives_the_same_answer(phantom, predictor: Predictor):
    first, second = (predict_case(phantom.case, predictor, Options(device="cpu")).lesions[0] for _ in range(2))
    assert first.endpoints == second.endpoints
    assert first.features == second.features


def test_contributions_add_up_to_the_answer(phantom, predictor: Predictor):
    result = predict_case(phantom.case, predictor, Options(device="cpu"))
    for model, answer in zip(predictor.manifest.endpoints, result.lesions[0].endpoints, strict=True):
        start = calibrated_log_odds(model.rule.slope, model.rule.intercept, predictor.score(model, np.zeros((1, 12))))[
            0
        ]
        total = start + sum(c.effect for c in answer.contributions)
        assert 1 / (1 + np.exp(-total)) == pytest.approx(answer.probability, abs=1e-6)
        effects = [abs(c.effect) for c in answer.contributions]
        assert effects == sorted(effects, reverse=True)


def two_tumors(phantom) -> Case:
    """The phantom's tumor, a second one of 6 x 6 x 6 voxels, and a speck of 8 voxels."""
    mask = sitk.GetArrayFromImage(phantom.case.tumor)
    k, j, i = (int(n) for n in np.argwhere(mask).min(axis=0))
    mask[k : k + 6, j - 30 : j - 24, i - 30 : i - 24] = 1
    mask[k : k + 2, j - 50 : j - 48, i : i + 2] = 1
    image = sitk.GetImageFromArray(mask)
    image.CopyInformation(phantom.case.tumor)
    return replace(phantom.case, tumor=image)


def test_of_several_tumors_the_largest_is_predicted_unless_all_are_asked_for(phantom, predictor: Predictor):
    case = two_tumors(phantom)
    alone = predict_case(phantom.case, predictor, Options(device="cpu"))
    largest = predict_case(case, predictor, Options(device="cpu"))
    every = predict_case(case, predictor, Options(device="cpu", lesion="all"))
    second = predict_case(case, predictor, Options(device="cpu", lesion="2"))
    assert [lesion.index for lesion in largest.lesions] == [1]
    assert largest.lesions_found == 2
    assert largest.lesions[0].endpoints == alone.lesions[0].endpoints
    assert [lesion.index for lesion in every.lesions] == [1, 2]
    assert every.lesions[1].endpoints == second.lesions[0].endpoints
    assert [w.code for w in largest.warnings] == ["parts_left_out", "specks_left_out"]
    assert [w.code for w in every.warnings] == ["specks_left_out"]
    with pytest.raises(InputError, match="Tumor 3 was asked for; the mask has 2"):
        predict_case(case, predictor, Options(device="cpu", lesion="3"))


@pytest.mark.parametrize("lesion", ["0", "-1", "second", "", "²"])
def test_a_lesion_that_is_no_number_is_refused(lesion: str):
    with pytest.raises(InputError, match="'largest', 'all' or a number from 1"):
        Options(lesion=lesion)


def test_a_mask_of_specks_only_is_refused(phantom, predictor: Predictor):
    mask = np.zeros(phantom.case.tumor.GetSize()[::-1], np.uint8)
    mask[4:20:2, 100:120:2, 100:120:2] = 1
    image = sitk.GetImageFromArray(mask)
    image.CopyInformation(phantom.case.tumor)
    with pytest.raises(InputError, match="No connected part of the mask has 64 voxels"):
        predict_case(replace(phantom.case, tumor=image), predictor, Options(device="cpu"))


def test_other_region_settings_are_used_and_told(phantom, predictor: Predictor):
    result = predict_case(phantom.case, predictor, Options(device="cpu", regions=RegionSettings(ring_mm=6)))
    usual = predict_case(phantom.case, predictor, Options(device="cpu"))
    assert result.lesions[0].ring.volume_ml > 1.5 * usual.lesions[0].ring.volume_ml
    assert next(w.text for w in result.warnings if w.code == "other_settings").endswith("ring_mm 3.0 -> 6.")
    assert not usual.warnings


def test_a_gpu_without_memory_is_told_and_the_answer_is_the_same(phantom, predictor: Predictor, monkeypatch):
    usual = predict_case(phantom.case, predictor, Options(device="cpu"))

    def poor(self: TorchNetwork, device: str) -> DeepCT:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(TorchNetwork, "module", poor)
    monkeypatch.setattr("PDL1PredictorLib.prediction.choose_device", lambda wanted: "cuda")
    result = predict_case(phantom.case, predictor, Options())
    assert result.lesions[0].endpoints == usual.lesions[0].endpoints
    assert "gpu_out_of_memory" in [w.code for w in result.lesions[0].warnings]
    assert result.provenance.device == "cpu"


@pytest.mark.parametrize("stage", ["read", "features", "network", "report"])
def test_cancelling_at_any_stage_leaves_nothing(files: Files, tiny_model: Path, tmp_path: Path, stage: str):
    reached = []
    progress = Progress(lambda name, fraction, text: reached.append(name), lambda: stage in reached)
    with pytest.raises(CancelledError):
        predict_files(files, tiny_model, tmp_path / "new" / "out", Options(device="cpu"), progress=progress)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_leaves_nothing(files: Files, tiny_model: Path, tmp_path: Path, monkeypatch):
    def full(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PDL1PredictorLib.prediction.write_all", full)
    with pytest.raises(OutputError, match="No space left on device"):
        predict_files(files, tiny_model, tmp_path / "out", Options(device="cpu"))
    assert list(tmp_path.iterdir()) == []


def _heed_interrupts() -> None:
    """A shell starts what runs in the background deaf to Ctrl-C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signals from outside")
def test_an_interrupt_of_the_running_command_leaves_nothing(files: Files, tiny_model: Path, tmp_path: Path):
    command = [sys.executable, "-m", "PDL1PredictorLib", "predict", "--ct", str(files.ct), "--tumor", str(files.tumor)]
    command += ["--model", str(tiny_model), "--out", str(tmp_path / "out"), "--progress", "json", "--device", "cpu"]
    for number in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_heed_interrupts
        ) as running:
            for line in running.stdout:
                if '"features"' in line:
                    running.send_signal(number)
                    break
            _, errors = running.communicate(timeout=600)  # ended by hand, not by the clock
        assert running.returncode == 130, errors
        assert "Cancelled. Nothing was written." in errors
        assert list(tmp_path.iterdir()) == []


DIRECTIONS = {
    "LPS": np.eye(3),
    "flipped": np.diag([-1.0, -1.0, 1.0]),
    "upside down": np.diag([1.0, -1.0, -1.0]),
    "stored sagittally": np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
    "oblique": np.array([[0.94, -0.342, 0.0], [0.342, 0.94, 0.0], [0.0, 0.0, 1.0]]),
    "tilted": np.array([[1.0, 0.0, 0.0], [0.0, 0.966, -0.259], [0.0, 0.259, 0.966]]),
}


def case_with_a_bright_spot(direction: np.ndarray) -> tuple[Case, tuple[float, float, float]]:
    """A soft tumor in lung, and 25 mm to the left of its center and 12 mm behind it a spot of metal."""
    size, spacing = (150, 160, 80), np.array([0.9, 0.8, 1.5])
    if abs(direction[0, 0]) < 0.5:  # the slices run along the first axis
        size, spacing = (160, 80, 150), np.array([0.8, 1.5, 0.9])
    u, _, v = np.linalg.svd(direction)
    direction = u @ v  # exactly orthogonal
    center = np.array([10.0, -20.0, 30.0])
    origin = center - direction @ ((np.array(size) - 1) / 2 * spacing)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in size), indexing="ij"), -1)
    points = origin + (index * spacing) @ direction.T
    spot = center + np.array([25.0, 12.0, 0.0])
    values = np.full(size, -850.0)
    inside = np.linalg.norm(points - center, axis=-1) <= 12
    values[inside] = 40
    values[np.linalg.norm(points - spot, axis=-1) <= 4] = 2500
    images = []
    for array in (values.astype(np.int16), inside.astype(np.uint8)):
        image = sitk.GetImageFromArray(array.transpose(2, 1, 0))
        image.SetSpacing(spacing.tolist())
        image.SetOrigin(origin.tolist())
        image.SetDirection(direction.ravel().tolist())
        images.append(image)
    return Case(images[0], images[1]), tuple(spot)


def brightness(patch) -> sitk.Image:
    """Stands in for a network's heat map: the brightness of 4 mm cells, in patient space."""
    hu = torch.from_numpy(sitk.GetArrayFromImage(patch.image)).float()[None].requires_grad_()
    maps = functional.avg_pool2d((hu - 1000).relu(), 4)
    heat = normalize(grad_cams(maps, maps.sum(dim=(2, 3))))[0, 0]
    return place_map(heat.numpy(), patch)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_bright_spot_lights_up_at_its_place_in_the_patient(name: str):
    case, spot = case_with_a_bright_spot(DIRECTIONS[name])
    settings = RegionSettings()
    patch = deep_patch(case, make_regions(case, settings), settings)
    heat = brightness(patch)
    values = sitk.GetArrayFromImage(heat)
    k, j, i = np.argwhere(values > 0.9).mean(axis=0)
    found = np.array(heat.TransformContinuousIndexToPhysicalPoint((float(i), float(j), float(k))))
    in_plane = np.reshape(heat.GetDirection(), (3, 3))[:, :2]
    assert np.abs(in_plane.T @ (found - spot)).max() < 2.5  # cells of 4 mm
    assert 0.85 < values.max() <= 1.0  # the finer grid need not meet the center of the brightest cell
    column, row, _ = heat.TransformPhysicalPointToContinuousIndex(spot)  # a tilted slice cuts the ball off its center
    assert values[0, round(row), round(column)] > 0.5


def test_a_spot_on_the_other_side_does_not_light_up_here():
    case, spot = case_with_a_bright_spot(np.eye(3))
    settings = RegionSettings()
    heat = brightness(deep_patch(case, make_regions(case, settings), settings))
    mirrored = (2 * 10.0 - spot[0], spot[1], spot[2])
    assert heat.EvaluateAtPhysicalPoint(mirrored) == 0


def test_the_hash_of_a_volume_is_of_its_voxels_and_grid_not_of_its_file(phantom):
    case = phantom.case
    assert image_sha256(case.ct) == image_sha256(sitk.Cast(case.ct, sitk.sitkFloat64))
    moved = sitk.Image(case.ct)
    moved.SetOrigin((1.0, 2.0, 3.0))
    changed = sitk.Image(case.ct)
    changed[0, 0, 0] = changed[0, 0, 0] + 1
    assert len({image_sha256(image) for image in (case.ct, moved, changed)}) == 3


def test_a_tumor_too_small_after_resampling_is_refused(predictor: Predictor):
    values = np.full((40, 40, 40), -850, np.int16)
    values[18:22, 18:22, 18:22] = 40
    ct, tumor = sitk.GetImageFromArray(values), sitk.GetImageFromArray((values > 0).astype(np.uint8))
    for image in (ct, tumor):
        image.SetSpacing((0.5, 0.5, 0.5))
    with pytest.raises(EmptyRegionError, match="at least 64"):
        predict_case(Case(ct, tumor), predictor, Options(device="cpu"))


def test_output_over_an_earlier_result_is_refused_and_the_result_kept(written: Path, files: Files, tiny_model: Path):
    before = (written / "result.json").read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        predict_files(files, tiny_model, written, Options(device="cpu"))
    assert (written / "result.json").read_bytes() == before


def test_an_edited_ring_is_used_and_told(files: Files, phantom, tiny_model: Path, tmp_path: Path):
    wide = preview(phantom.case, RegionSettings(ring_mm=6)).ring_on_ct
    sitk.WriteImage(wide, tmp_path / "Ring ö.nrrd", True)
    edited = predict_files(
        replace(files, ring=tmp_path / "Ring ö.nrrd"), tiny_model, tmp_path / "a", Options(device="cpu")
    )
    usual = predict_files(files, tiny_model, tmp_path / "b", Options(device="cpu"))
    assert edited.lesions[0].ring.voxels > 1.5 * usual.lesions[0].ring.voxels
    assert "ring_edited" in [w.code for w in edited.lesions[0].warnings]
    assert edited.lesions[0].tumor == usual.lesions[0].tumor


def test_an_edited_ring_for_several_tumors_is_refused(phantom, predictor: Predictor):
    case = two_tumors(phantom)
    with pytest.raises(InputError, match="An edited ring belongs to one tumor"):
        predict_case(case, predictor, Options(device="cpu", lesion="all"), ring=case.tumor)


def test_both_engines_give_the_same_answer(phantom, predictor: Predictor):
    need_pyradiomics()
    ours, judge = (
        predict_case(phantom.case, predictor, Options(device="cpu", engine=name)).lesions[0]
        for name in ("pdl1", "pyradiomics")
    )
    assert ours.features == pytest.approx(judge.features, rel=1e-9)
    assert [e.probability for e in ours.endpoints] == pytest.approx([e.probability for e in judge.endpoints], abs=1e-9)
