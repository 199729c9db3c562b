"""Real CTs front to back, with the small model: every kind of file, and the volumes that their contours really have."""

import json
from pathlib import Path

import pytest

from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.prediction import Options, predict_files

pytestmark = pytest.mark.real_data


def case_files(shared: Path, name: str) -> Files:
    data = shared / "data"
    if name.startswith("pat_"):
        folder = data / "ct_dicom_rtstruct" / name
        return Files(folder, next(folder.glob("DCM_RS_*.dcm")), segment="GTV-1")
    if name == "chest":
        return Files(data / "chest_ct_nrrd" / "lung1_image.nrrd", data / "chest_ct_nrrd" / "lung1_label.nrrd")
    if name == "ibsi":
        folder = shared / "ibsi" / "ct_phantom"
        return Files(folder / "phantom.nii.gz", folder / "mask.nii.gz")
    voi = data / "nsclc_radiogenomics_voi" / "voi"
    return Files(voi / f"{name}_image.nii.gz", voi / f"{name}_mask.nii.gz")


# Volumes in mL as SimpleITK counts them on the native grid; the 1 mm grid may differ by what one layer of voxels holds.
@pytest.mark.parametrize(
    ("name", "volume_ml", "warning"),
    [
        ("chest", 1.36, "thick_slices"),
        ("ibsi", 358.7, ""),
        ("pat_1", 358.7, ""),
        ("pat_2", 6.46, "patch_padded"),
        ("case_000", 18.9, "patch_padded"),
        ("case_001", 273.5, "ring_cut"),
        ("case_002", 3.43, "patch_padded"),
    ],
)
def test_a_real_tumor_is_predicted_from_its_files(
    shared: Path, tiny_model: Path, tmp_path: Path, name: str, volume_ml: float, warning: str
):
    result = predict_files(case_files(shared, name), tiny_model, tmp_path / "out", Options(device="cpu"))
    lesion = result.lesions[0]
    assert lesion.tumor.volume_ml == pytest.approx(volume_ml, rel=0.075)
    codes = {w.code for w in (*result.warnings, *lesion.warnings)}
    assert warning in codes or not warning
    written = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert written["case"] == "case"
    assert {answer.endpoint for answer in lesion.endpoints} == {"PDL1", "EGFR"}
    assert (tmp_path / "out" / "gradcam.nrrd").exists()


def test_the_dicom_patient_and_its_nifti_copy_get_the_same_answer(shared: Path, tiny_model: Path, tmp_path: Path):
    answers = []
    for name in ("ibsi", "pat_1"):
        result = predict_files(case_files(shared, name), tiny_model, tmp_path / name, Options(device="cpu"))
        answers.append([answer.probability for answer in result.lesions[0].endpoints])
    assert answers[0] == pytest.approx(answers[1], abs=1e-6)
