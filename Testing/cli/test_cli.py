"""The command line: what it says, what it refuses, with which exit status; nothing is left behind by a refusal."""

import csv
import gzip
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from reference import need_pyradiomics

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cli.options import ENGINE
from PDL1PredictorLib.core.errors import EXIT_REFUSED
from PDL1PredictorLib.models.bundle import pack
from PDL1PredictorLib.radiomics.engine import DEFAULT_ENGINE


@dataclass(frozen=True)
class Place:
    """A CT and a mask in a folder, and where output may go."""

    ct: Path
    tumor: Path
    model: Path
    out: Path

    def predict(self, *more: str, **changed: Path) -> int:
        paths = {"ct": self.ct, "tumor": self.tumor, "model": self.model, "out": self.out} | changed
        named = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
        return main(["predict", *named, "--device", "cpu", "--progress", "none", *more])


@pytest.fixture(scope="module")
def source(phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    sitk.WriteImage(phantom.case.ct, folder / "ct.nii.gz")
    sitk.WriteImage(phantom.case.tumor, folder / "tumor.nii.gz")
    return folder


@pytest.fixture
def place(source: Path, tiny_model: Path, tmp_path: Path) -> Place:
    """Copies that a test may damage."""
    for name in ("ct.nii.gz", "tumor.nii.gz"):
        shutil.copy(source / name, tmp_path / name)
    shutil.copytree(tiny_model, tmp_path / "tiny")
    return Place(tmp_path / "ct.nii.gz", tmp_path / "tumor.nii.gz", tmp_path / "tiny", tmp_path / "out" / "result")


def refused(place: Place, capsys: pytest.CaptureFixture[str], *more: str, **changed: Path) -> str:
    """The words of a refusal; nothing may be left behind by it."""
    assert place.predict(*more, **changed) == EXIT_REFUSED
    assert not place.out.parent.exists()
    return capsys.readouterr().err


def save(values: np.ndarray, like: sitk.Image, path: Path) -> None:
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(like)
    sitk.WriteImage(image, path)


def test_a_prediction_says_what_it_found_and_where_the_report_lies(place: Place, capsys):
    assert place.predict() == 0
    text = capsys.readouterr().out
    assert "PD-L1" in text
    assert "Research use only" in text
    assert f"Report: {place.out / 'report.html'}" in text
    assert (place.out / "report.html").exists()


def test_progress_as_json_is_one_object_a_line_that_ends_with_the_result(place: Place, capsys):
    assert place.predict("--progress", "json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    fractions = [line["fraction"] for line in lines if line["type"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert lines[-1] == {"type": "result", "out": str(place.out), "report": str(place.out / "report.html")}


def test_an_error_as_json_is_an_object_too(place: Place, capsys):
    assert place.predict("--progress", "json", ct=place.out / "none.nii") == EXIT_REFUSED
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["type"] == "error"
    assert "none.nii" in last["message"]


def test_a_zipped_model_gives_the_same_answer_as_its_folder(place: Place, capsys):
    pack(place.model, place.model.with_suffix(".zip"))
    assert place.predict() == 0
    assert place.predict(model=place.model.with_suffix(".zip"), out=place.out.with_name("zip")) == 0
    answers = [
        json.loads((out / "result.json").read_text())["lesions"][0]["endpoints"]
        for out in (place.out, place.out.with_name("zip"))
    ]
    assert answers[0] == answers[1]


def test_an_earlier_result_is_kept_unless_it_may_be_replaced(place: Place, capsys):
    place.out.mkdir(parents=True)
    (place.out / "mine.txt").write_text("mine")
    assert place.predict() == EXIT_REFUSED
    assert "--overwrite" in capsys.readouterr().err
    assert (place.out / "mine.txt").exists()
    assert place.predict("--overwrite") == 0
    assert not (place.out / "mine.txt").exists()


def test_other_region_settings_reach_the_report(place: Place, capsys):
    assert place.predict("--ring-mm", "5", "--exclude-air", "--exclude-bone") == 0
    result = json.loads((place.out / "result.json").read_text())
    regions = result["provenance"]["settings"]["regions"]
    assert (regions["ring_mm"], regions["exclude_air"], regions["exclude_bone"]) == (5, True, True)
    assert "other_settings" in [w["code"] for w in result["warnings"]]


def test_a_missing_file_is_refused(place: Place, capsys):
    assert "ct2.nii.gz" in refused(place, capsys, ct=place.ct.with_name("ct2.nii.gz"))
    assert "tumor2.nii.gz" in refused(place, capsys, tumor=place.ct.with_name("tumor2.nii.gz"))


def test_text_called_an_image_is_refused(place: Place, capsys):
    place.ct.write_text("no image")
    assert "ct.nii.gz" in refused(place, capsys)


def test_a_truncated_image_is_refused(place: Place, capsys):
    place.ct.write_bytes(place.ct.read_bytes()[:50_000])
    assert "ct.nii.gz" in refused(place, capsys)


def test_a_truncated_unpacked_image_is_refused(place: Place, capsys):
    whole = gzip.decompress(place.ct.read_bytes())
    cut = place.ct.with_name("cut.nii")
    cut.write_bytes(whole[: len(whole) // 2])
    assert "cut.nii" in refused(place, capsys, ct=cut)


def test_a_volume_without_the_range_of_a_ct_is_refused(place: Place, capsys, phantom):
    values = np.abs(sitk.GetArrayFromImage(phantom.case.ct)) % 900
    save(values, phantom.case.ct, place.ct)
    assert "Choose a CT, not an MR" in refused(place, capsys)


def test_a_mask_on_another_grid_is_refused_and_taken_when_that_is_allowed(place: Place, capsys, phantom):
    coarse = sitk.Resample(
        phantom.case.tumor,
        [n // 2 for n in phantom.case.tumor.GetSize()],
        sitk.Transform(),
        sitk.sitkNearestNeighbor,
        phantom.case.tumor.GetOrigin(),
        [2 * s for s in phantom.case.tumor.GetSpacing()],
        phantom.case.tumor.GetDirection(),
    )
    sitk.WriteImage(coarse, place.tumor)
    assert "--resample-mask" in refused(place, capsys)
    assert place.predict("--resample-mask") == 0


def test_an_empty_mask_is_refused(place: Place, capsys, phantom):
    save(np.zeros(phantom.case.tumor.GetSize()[::-1], np.uint8), phantom.case.tumor, place.tumor)
    assert "has no voxel" in refused(place, capsys)


def test_a_tumor_under_64_voxels_is_refused_with_its_number(place: Place, capsys, phantom):
    values = np.zeros(phantom.case.tumor.GetSize()[::-1], np.uint8)
    values[5:8, 100:103, 100:103] = 1
    save(values, phantom.case.tumor, place.tumor)
    assert "27 voxels; at least 64" in refused(place, capsys)


def test_a_mask_touching_the_border_is_predicted_with_a_warning(place: Place, capsys, phantom):
    values = np.zeros(phantom.case.tumor.GetSize()[::-1], np.uint8)
    values[:8, 100:120, 100:120] = 1
    save(values, phantom.case.tumor, place.tumor)
    assert place.predict() == 0
    codes = [w["code"] for w in json.loads((place.out / "result.json").read_text())["lesions"][0]["warnings"]]
    assert {"tumor_touches_border", "ring_cut"} <= set(codes)


def test_voxels_that_are_not_finite_are_refused(place: Place, capsys, phantom):
    for value in (np.nan, np.inf):
        values = sitk.GetArrayFromImage(phantom.case.ct).astype(np.float32)
        values[3, 4, 5] = value
        save(values, phantom.case.ct, place.ct)
        assert "NaN or infinite" in refused(place, capsys)


def test_pictures_and_series_of_volumes_are_refused(place: Place, capsys, phantom):
    sitk.WriteImage(phantom.case.ct[:, :, 10], place.ct)
    assert "dimensions" in refused(place, capsys)
    sitk.WriteImage(sitk.JoinSeries([phantom.case.ct] * 2), place.ct)
    assert "dimensions" in refused(place, capsys)


def test_clinical_values_are_checked(place: Place, capsys):
    clinical = place.ct.with_name("clinical.json")
    clinical.write_text('{"age_years": 63, "sex": "female"}')
    assert place.predict("--clinical", str(clinical), "--with-patient") == 0
    assert json.loads((place.out / "result.json").read_text())["clinical"]["age_years"] == 63
    shutil.rmtree(place.out.parent)
    clinical.write_text('{"age": 63}')
    assert "Unknown clinical values: age" in refused(place, capsys, "--clinical", str(clinical))
    clinical.write_text("age: 63")
    assert "is not JSON" in refused(place, capsys, "--clinical", str(clinical))
    assert "cannot be read" in refused(place, capsys, "--clinical", str(clinical.with_name("none.json")))


def test_a_damaged_model_is_refused(place: Place, capsys):
    weights = place.model / "network.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert "network.safetensors" in refused(place, capsys)
    weights.unlink()
    assert "network.safetensors" in refused(place, capsys)


def test_a_model_of_a_newer_schema_is_refused(place: Place, capsys):
    manifest = place.model / "model.json"
    manifest.write_text(manifest.read_text().replace('"schema_version": 4', '"schema_version": 5'))
    assert "schema" in refused(place, capsys)


def test_an_unknown_model_is_refused_with_where_to_look(place: Place, capsys):
    assert "pdl1 models" in refused(place, capsys, model=Path("no-such-model"))


def test_the_command_line_has_the_librarys_default_engine():
    assert ENGINE == DEFAULT_ENGINE


def test_an_unknown_engine_and_an_unknown_device_are_refused(place: Place, capsys):
    assert "pyradiomics" in refused(place, capsys, "--engine", "abacus")
    assert "auto, cpu, cuda, mps" in refused(place, capsys, "--device", "abacus")


def test_features_are_written_as_a_table_of_their_own(place: Place, capsys):
    table = place.out.with_name("f.csv")
    arguments = [
        "features",
        "--ct",
        str(place.ct),
        "--tumor",
        str(place.tumor),
        "--preset",
        "karim",
        "--out",
        str(table),
    ]
    assert main([*arguments, "--progress", "none"]) == 0
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 2 * 88
    assert {row["lesion"] for row in rows} == {"1"}
    assert all(np.isfinite(float(row["value"])) for row in rows)
    assert main([*arguments, "--progress", "none"]) == EXIT_REFUSED
    assert main([*arguments[:-1], str(table.with_name("g.csv")), "--preset", "all"]) == EXIT_REFUSED
    assert sorted(path.name for path in table.parent.iterdir()) == ["f.csv"]


def test_features_tell_what_must_be_known_and_measure_the_tumor_of_a_prediction(place: Place, capsys, phantom):
    values = sitk.GetArrayFromImage(phantom.case.tumor)
    values[:8, 100:120, 100:120] = 1  # a second tumor, at the border
    save(values, phantom.case.tumor, place.tumor)
    table = place.out.with_name("f.csv")
    case = ["--ct", str(place.ct), "--tumor", str(place.tumor), "--preset", "karim", "--out", str(table)]

    def rows(*more: str) -> list[dict[str, str]]:
        assert main(["features", *case, "--overwrite", *more]) == 0
        return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))

    largest = rows()
    assert "Warning (parts_left_out): The mask has 2 separate parts." in capsys.readouterr().out
    assert {(row["lesion"], row["warnings"]) for row in largest} == {("1", "parts_left_out")}
    both = rows("--lesion", "all", "--progress", "json")
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["warnings"]
    assert {warning["code"] for warning in told} >= {"tumor_touches_border", "ring_cut"}
    assert "parts_left_out" not in {warning["code"] for warning in told}
    assert both[: len(largest)] == [{**row, "warnings": ""} for row in largest]
    assert {row["warnings"] for row in both[len(largest) :]} == {" ".join(warning["code"] for warning in told)}


def test_models_lists_those_that_can_be_used_and_those_that_cannot(place: Place, capsys, monkeypatch):
    monkeypatch.setenv("PDL1_MODELS", str(place.model.parent))
    assert main(["models"]) == 0
    assert "tiny 1.0.0: Deep-RadScore, synthetic cohort" in capsys.readouterr().out
    (place.model / "model.json").write_text("{")
    assert main(["models"]) == 0
    assert "tiny: cannot be used." in capsys.readouterr().out


def test_a_phantom_cohort_is_written_and_one_of_nobody_refused(tmp_path: Path, capsys):
    arguments = ["phantom", "--seed", "3", "--extent", "tumor", "--progress", "none", "--out"]
    assert main([*arguments, str(tmp_path / "cohort"), "--n", "1"]) == 0
    assert (tmp_path / "cohort" / "cases.csv").exists()
    assert main([*arguments, str(tmp_path / "none"), "--n", "0"]) == EXIT_REFUSED
    assert not (tmp_path / "none").exists()


def test_training_with_too_few_patients_or_over_an_existing_folder_is_refused(tmp_path: Path, capsys):
    assert main(["train", "--recipe", "deepradscore", "--n", "10", "--out", str(tmp_path / "m")]) == EXIT_REFUSED
    assert "40 to 100000 synthetic patients, got 10" in capsys.readouterr().err
    (tmp_path / "a file of the user's").touch()
    assert main(["train", "--recipe", "deepradscore", "--out", str(tmp_path)]) == EXIT_REFUSED
    assert "exists already" in capsys.readouterr().err


def test_no_command_at_all_says_how_to_use_it(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "usage: pdl1" in capsys.readouterr().err


def test_both_engines_side_by_side(place: Place, capsys):
    need_pyradiomics()
    table = place.out.with_name("both.csv")
    arguments = ["features", "--ct", str(place.ct), "--tumor", str(place.tumor), "--preset", "karim", "--out"]
    assert main([*arguments, str(table), "--engine", "both", "--progress", "none"]) == 0
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 2 * 88
    assert all(float(row["relative_difference"]) < 1e-9 for row in rows)
    assert list(rows[0]) == ["feature", "pdl1", "pyradiomics", "relative_difference"]
    said = capsys.readouterr().out
    assert "Largest relative difference of each class:" in said
    assert "glszm" in said
