"""Which model is taken where none is named: one for synthetic patients, none for a patient's CT."""

import json
from pathlib import Path

import pytest

import PDL1PredictorLib as pdl1
from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cli.options import prevalence_of
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.volumes.itk import write_image
from PDL1PredictorLib.phantom.patient import PhantomPatient
from PDL1PredictorLib.resources import SYNTHETIC_MODEL, default_model, model_names


@pytest.fixture(scope="module")
def files(phantom: PhantomPatient, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic patient, marked as one (`marked`) and not (`plain`)."""
    folder = tmp_path_factory.mktemp("case")
    write_image(phantom.case.ct, folder / "marked.nii.gz", synthetic=True)
    write_image(phantom.case.ct, folder / "plain.nii.gz")
    write_image(phantom.case.tumor, folder / "tumor.nii.gz")
    return folder


def test_a_synthetic_patient_alone_has_a_model_by_default():
    assert default_model(True) == SYNTHETIC_MODEL
    with pytest.raises(InputError, match="No model was chosen") as told:
        default_model(False)
    assert all(name in str(told.value) for name in model_names())
    assert {"phantom-demo", "nsclc-radiogenomics"} <= set(model_names())


def test_a_prediction_without_a_model_is_refused_for_what_may_be_a_patients_ct(files: Path, tmp_path: Path, capsys):
    case = ["--ct", str(files / "plain.nii.gz"), "--tumor", str(files / "tumor.nii.gz")]
    assert main(["predict", *case, "--out", str(tmp_path / "r")]) != 0
    told = capsys.readouterr().err
    assert "No model was chosen" in told
    assert "nsclc-radiogenomics" in told
    assert not (tmp_path / "r").exists()


def test_the_library_refuses_it_too(files: Path):
    with pytest.raises(InputError, match="No model was chosen"):
        pdl1.predict((files / "plain.nii.gz", files / "tumor.nii.gz"))
    with pytest.raises(TypeError):
        pdl1.load_model()  # type: ignore[call-arg]


def test_a_synthetic_model_answers_for_a_marked_file_and_not_for_the_same_voxels_without_the_mark(files: Path):
    tumor, model = files / "tumor.nii.gz", pdl1.load_model(SYNTHETIC_MODEL)
    found = {
        name: pdl1.predict((files / f"{name}.nii.gz", tumor), model, device="cpu", stability=False).table()
        for name in ("marked", "plain")
    }
    assert {row["verdict"] for row in found["marked"]} == {"answered"}
    assert all("synthetic_model" in row["reasons"].split() for row in found["plain"])
    assert {row["probability"] for row in found["plain"]} == {None}
    pairs = zip(found["marked"], found["plain"], strict=True)
    assert all(one["probability"] == other["withheld"] for one, other in pairs)


def test_the_command_takes_it_for_a_marked_file_and_shifts_to_a_prevalence(files: Path, tmp_path: Path):
    case = ["--ct", str(files / "marked.nii.gz"), "--tumor", str(files / "tumor.nii.gz"), "--progress", "none"]
    shifts = ["--no-stability", "--prevalence", "PDL1=0.2"]
    assert main(["predict", *case, *shifts, "--out", str(tmp_path / "r")]) == 0
    result = json.loads((tmp_path / "r" / "result.json").read_text())
    assert result["model"]["name"] == SYNTHETIC_MODEL
    assert result["model"]["trained_on"] == "synthetic"
    first = result["lesions"][0]["endpoints"][0]
    assert (first["base_rate"], first["stability"]) == (0.2, None)
    assert result["provenance"]["settings"]["prevalence"] == {"PDL1": 0.2}
    assert any(warning["code"] == "prevalence" for warning in result["warnings"])


@pytest.mark.parametrize(
    ("typed", "endpoints", "found"),
    [
        ([], ("PDL1", "EGFR"), {}),
        (["PDL1=0.3", "EGFR=0.15"], ("PDL1", "EGFR"), {"PDL1": 0.3, "EGFR": 0.15}),
        (["0.3"], ("PDL1",), {"PDL1": 0.3}),
        (["0.3"], ("TPS", "EGFR"), {"EGFR": 0.3}),
    ],
)
def test_a_prevalence_is_read(typed, endpoints, found):
    assert prevalence_of(typed, endpoints) == found


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["0.3"], "does not say of which endpoint. Write for example PDL1=0.3"),
        (["PDL1=often"], "must be a share between 0 and 1, got 'often'"),
    ],
)
def test_a_prevalence_that_cannot_be_read_is_refused(typed, words):
    with pytest.raises(InputError, match=words):
        prevalence_of(typed, ("PDL1", "EGFR"))


@pytest.mark.parametrize(
    ("prevalence", "words"),
    [
        ({"ALK": 0.1}, "a prevalence was given for ALK"),
        ({"PDL1": 1.0}, "a share between 0 and 1"),
        ({"PDL1": 0.0}, "a share between 0 and 1"),
    ],
)
def test_a_prevalence_that_does_not_fit_the_model_is_refused(
    phantom: PhantomPatient, tiny_model: Path, prevalence, words
):
    with pytest.raises(InputError, match=words):
        pdl1.predict(phantom.case, tiny_model, prevalence=prevalence)
