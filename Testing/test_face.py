"""`import PDL1PredictorLib as pdl1`: what a notebook gets, and that it is what the commands give."""

import csv
import json
import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import SimpleITK as sitk

import PDL1PredictorLib as pdl1
from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.case import Case, Clinical
from PDL1PredictorLib.core.errors import InputError, OutputError
from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.face import Prediction
from PDL1PredictorLib.imaging.case_files import Files, ReadCase
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.resources import SYNTHETIC_MODEL

ROOT = Path(__file__).resolve().parents[1]
SIMPLE = FeatureSettings(name="simple", classes=("firstorder", "shape"), wavelet=None)
NAMES = {"features", "load_model", "predict", "read_case", "read_cohort"}


@pytest.fixture(scope="module")
def paths(phantom, tmp_path_factory) -> tuple[Path, Path]:
    """A case of two tumors as files: the second is a cube of 6 voxels in the corner."""
    folder = tmp_path_factory.mktemp("face")
    values = sitk.GetArrayFromImage(phantom.case.tumor)
    assert not values[:7, :7, :7].any()
    values[:6, :6, :6] = 1
    mask = sitk.GetImageFromArray(values)
    mask.CopyInformation(phantom.case.tumor)
    sitk.WriteImage(phantom.case.ct, str(folder / "ct.nii.gz"))
    sitk.WriteImage(mask, str(folder / "tumor.nii.gz"))
    return folder / "ct.nii.gz", folder / "tumor.nii.gz"


@pytest.fixture(scope="module")
def case(paths) -> ReadCase:
    return pdl1.read_case(*paths, name="patient 7")


@pytest.fixture(scope="module")
def model(tiny_model):
    return pdl1.load_model(tiny_model)


@pytest.fixture(scope="module")
def prediction(case, model) -> Prediction:
    return pdl1.predict(case, model, device="cpu")


def run(code: str) -> str:
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()


def test_the_names_are_offered_before_anything_is_loaded():
    heavy = {"torch", "SimpleITK", "numpy", "scipy", "jinja2", "numba"}
    code = f"import sys, PDL1PredictorLib as pdl1; print(*dir(pdl1)); print(sorted({heavy!r} & set(sys.modules)))"
    names, loaded = run(code).splitlines()
    assert set(names.split()) >= NAMES
    assert loaded == "[]"


def test_reading_and_measuring_load_no_torch(paths):
    ct, tumor = map(str, paths)
    code = f"import sys, PDL1PredictorLib as pdl1; pdl1.read_case({ct!r}, {tumor!r}); print('torch' in sys.modules)"
    assert run(code) == "False"


def test_the_mark_of_type_hints_travels_with_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "py.typed" in project["tool"]["setuptools"]["package-data"]["PDL1PredictorLib"]
    assert (ROOT / "PDL1PredictorLib" / "py.typed").is_file()


def test_a_name_that_is_not_there_is_refused():
    with pytest.raises(AttributeError, match="has no attribute 'lood_model'"):
        pdl1.lood_model  # noqa: B018 - asking is the test


def test_predict_stays_a_function_after_its_page_is_loaded():
    code = "import PDL1PredictorLib.prediction, PDL1PredictorLib as pdl1; print(callable(pdl1.predict))"
    assert run(code) == "True"


def test_the_model_is_the_one_that_the_command_takes():
    assert pdl1.load_model(SYNTHETIC_MODEL).summary.name == SYNTHETIC_MODEL


def test_a_model_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="There is no model 'nobody'"):
        pdl1.load_model("nobody")


def test_a_prediction_is_the_one_of_the_command(paths, tiny_model, prediction, tmp_path):
    ct, tumor = map(str, paths)
    out = tmp_path / "command"
    options = ["--ct", ct, "--tumor", tumor, "--model", str(tiny_model), "--device", "cpu", "--out", str(out)]
    assert main(["predict", *options, "--progress", "none"]) == 0
    saved = prediction.save(tmp_path / "face")
    assert {file.name for file in saved.iterdir()} == {file.name for file in out.iterdir()}
    one, other = (json.loads((folder / "result.json").read_text(encoding="utf-8")) for folder in (out, saved))
    for result in (one, other):
        del result["provenance"]["created_utc"], result["provenance"]["seconds"]
    assert one == other
    assert (saved / "features.csv").read_bytes() == (out / "features.csv").read_bytes()


def test_what_is_saved_names_no_patient_unless_asked(prediction, tmp_path):
    free = prediction.save(tmp_path / "free") / "result.json"
    named = prediction.save(str(tmp_path / "named"), with_patient=True) / "result.json"
    assert "patient 7" not in free.read_text(encoding="utf-8")
    assert "patient 7" in named.read_text(encoding="utf-8")
    with pytest.raises(OutputError):
        prediction.save(tmp_path / "free")
    assert prediction.save(tmp_path / "free", overwrite=True) == tmp_path / "free"


def test_paths_do_as_well_as_what_was_read(paths, tiny_model, prediction):
    for given in (paths, Files(*paths)):
        other = pdl1.predict(given, tiny_model, device="cpu")
        assert [row["probability"] for row in other.table()] == [row["probability"] for row in prediction.table()]


def test_a_case_in_memory_is_predicted(phantom, model):
    assert len(pdl1.predict(phantom.case, model, device="cpu").lesions) == 1


def test_paths_in_the_wrong_place_are_refused():
    with pytest.raises(InputError, match=r"A case is what read_case\(ct, tumor\) gives"):
        pdl1.predict("ct.nii.gz", "tumor.nii.gz")  # type: ignore[arg-type]


def test_warnings_of_reading_come_first_into_the_result(case, model):
    told = CaseWarning("thick_slices", "thick")
    prediction = pdl1.predict(replace(case, warnings=(told,)), model, device="cpu")
    assert prediction.result.warnings[0] == told
    assert [warning.code for warning in prediction.warnings][:2] == ["thick_slices", "parts_left_out"]
    assert all(row["warnings"].startswith("thick_slices parts_left_out") for row in prediction.table())


def test_options_reach_the_prediction(case, model):
    both = pdl1.predict(case, model, device="cpu", lesion="all", ring_mm=5)
    assert [lesion.index for lesion in both.lesions] == [1, 2]
    assert "other_settings" in {warning.code for warning in both.warnings}
    assert both.result.provenance.settings["regions"]["ring_mm"] == 5
    (second,) = pdl1.predict(case, model, device="cpu", lesion=2).lesions
    assert second.index == 2


def test_seconds_are_those_of_one_prediction(case, model):
    before = dict(SILENT.seconds)  # the silent one is shared, and its seconds would add up
    assert pdl1.predict(case, model, device="cpu").result.provenance.seconds["features"] > 0
    assert SILENT.seconds == before


def test_features_are_those_of_the_command(paths, case, tmp_path):
    ct, tumor = map(str, paths)
    out = tmp_path / "features.csv"
    assert main(["features", "--ct", ct, "--tumor", tumor, "--preset", "karim", "--out", str(out)]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = pdl1.features(case, preset="karim")
    assert {row["feature"]: float(row["value"] or "nan") for row in rows} == pytest.approx(found, nan_ok=True, abs=0)
    assert [warning.code for warning in found.warnings] == rows[0]["warnings"].split() == ["parts_left_out"]


def test_features_of_another_tumor_ring_and_settings_of_ones_own(case):
    usual = pdl1.features(case, SIMPLE)
    assert {name.split("_")[0] for name in usual} == {"tumor", "ring"}
    assert (
        usual["tumor_original_shape_MeshVolume"]
        > pdl1.features(case, SIMPLE, lesion=2)["tumor_original_shape_MeshVolume"]
    )
    wider = pdl1.features(case, SIMPLE, ring_mm=6)
    assert wider["ring_original_shape_MeshVolume"] > usual["ring_original_shape_MeshVolume"]
    with pytest.raises(InputError, match="of one tumor"):
        pdl1.features(case, SIMPLE, lesion="all")


def test_clinical_values_come_as_plain_values(paths):
    read = pdl1.read_case(*paths, clinical={"age_years": 63, "smoking": "never"})
    assert (read.case.clinical.age_years, read.case.clinical.smoking) == (63, "never")
    assert pdl1.read_case(*paths, clinical=Clinical(sex="female")).case.clinical.sex == "female"
    with pytest.raises(InputError, match="Unknown clinical values: age"):
        pdl1.read_case(*paths, clinical={"age": 63})


def test_an_edited_ring_travels_with_the_case(paths, case, phantom, tmp_path):
    mask = sitk.BinaryDilate(phantom.case.tumor != 0, (5, 5, 2)) & (phantom.case.tumor == 0)
    sitk.WriteImage(mask, str(tmp_path / "ring.nrrd"))
    edited = pdl1.features(pdl1.read_case(*paths, ring=tmp_path / "ring.nrrd"), SIMPLE)
    assert "ring_edited" in {warning.code for warning in edited.warnings}
    assert edited != pdl1.features(case, SIMPLE)


def test_a_case_shows_itself_on_a_line_and_its_warnings_below(case):
    assert repr(case).startswith("Case(patient 7, CT of ")
    warned = replace(case, ring=case.case.tumor, warnings=(CaseWarning("thick_slices", "Thick slices."),))
    assert repr(warned).splitlines() == [f"{case.case!r}, with an edited ring", "Warning: Thick slices."]
    assert isinstance(case.case, Case)


def test_a_cohort_is_read(paths, tmp_path):
    table = tmp_path / "cases.csv"
    table.write_text(f"case,image,mask,PDL1,EGFR\na,{paths[0]},{paths[1]},1,0\n", encoding="utf-8")
    assert pdl1.read_cohort(table, endpoints=["EGFR"]).endpoints == ("EGFR",)
