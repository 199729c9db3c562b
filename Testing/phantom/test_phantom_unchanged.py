"""Images, the ten labels and the truth behind them are those of the first phantom, to the byte."""

import csv
import hashlib
import json

import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.phantom.cohort import write_cohort
from PDL1PredictorLib.phantom.patient import draw_truth, make_patient
from PDL1PredictorLib.phantom.record import truth_record
from PDL1PredictorLib.phantom.traits import TRAITS
from PDL1PredictorLib.phantom.truth import PHANTOM_ENDPOINTS

FILES = {
    "case_0001_ct.nii.gz": "71e48d19f5c0c28c341f356ed34e8bee",
    "case_0001_tumor.nii.gz": "69732a18bf105d387f68ffefa9c87bf7",
    "case_0002_ct.nii.gz": "738bff8e9072ae86ab746940ed80a188",
    "case_0002_tumor.nii.gz": "6aff1aead20bfb7fb905dffcd1fea6a7",
}  # of the cohort of seed 4; whatever packs gzip differently may write other bytes of the same voxels
PATIENTS = {
    (11, 0): "1c054eec3c068706c42e8766f10b9d6d",
    (11, 1): "263c625e4842a34e59ee391f9b68c7c3",
    (2028, 1): "63b05f4905ac0fe15badc18348f50e8a",
}
TRUTHS = "2839329e9f30016603eacb903652ccbc"  # of 300 patients: traits, probabilities, labels
CLINICAL = (
    *("age_years", "sex", "smoking", "family_history"),
    *("slice_thickness_mm", "kernel", "manufacturer"),
)
LAWS = "2425a73adafe25ca2c68bee960e37965"


def digest(*parts):
    return hashlib.sha256(b"".join(parts)).hexdigest()[:32]


def known_then(case: Case) -> str:
    """The clinical values as the first phantom's class wrote them; a later one has fields more."""
    return f"Clinical({', '.join(f'{name}={getattr(case.clinical, name)!r}' for name in CLINICAL)})"


@pytest.mark.parametrize(("patient", "pet"), [((11, 0), True), ((11, 1), False), ((2028, 1), False)])
def test_voxels_truth_and_the_values_of_the_scan_are_what_they_were(patient, pet):
    found = make_patient(*patient, "tumor", pet)
    case = found.case
    images = [sitk.GetArrayViewFromImage(image).tobytes() for image in (case.ct, case.tumor)]
    first = (repr((case.ct.GetOrigin(), case.ct.GetSpacing(), found.traits, found.labels))[1:-1], known_then(case))
    rest = repr((found.scan, found.probabilities))[1:-1]
    assert digest(*images, f"({', '.join((*first, rest))})".encode()) == PATIENTS[patient]


def test_the_truth_of_300_patients_is_what_it_was():
    assert digest(*(repr(draw_truth(1, index)).encode() for index in range(300))) == TRUTHS


def test_the_laws_of_the_ten_endpoints_are_what_they_were():
    assert digest(json.dumps(truth_record(1, 1, "chest")["endpoints"], sort_keys=True).encode()) == LAWS


def test_files_and_columns_are_what_they_were_and_the_new_ones_stand_beside_them(tmp_path):
    write_cohort(tmp_path / "c", 2, seed=4, extent="tumor", workers=1, pet=True)
    images = tmp_path / "c" / "images"
    assert {path.name for path in images.iterdir()} == {*FILES, "case_0001_pet.nii.gz", "case_0002_pet.nii.gz"}
    assert {name: digest((images / name).read_bytes()) for name in FILES} == FILES
    labels = ",".join(PHANTOM_ENDPOINTS)
    cases, truths = ((tmp_path / "c" / name).read_text(encoding="utf-8") for name in ("cases.csv", "truth.csv"))
    old_truth = len(("case", *TRAITS, *PHANTOM_ENDPOINTS))
    assert labels in cases.splitlines()[0]
    rows = list(csv.DictReader(cases.splitlines()))
    assert [[row[key] for key in PHANTOM_ENDPOINTS] for row in rows] == [
        ["1", "1", "1", "", "0", "", "", "1", "1", "0"],
        ["", "", "0", "0", "1", "0", "0", "0", "", ""],
    ]
    old = "".join(",".join(line.split(",")[:old_truth]) + "\n" for line in truths.splitlines())
    assert digest(old.encode()) == "d130c4e0a74071678462c727efaffb6d"
