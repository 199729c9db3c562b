"""The folder that a prediction leaves behind."""

import csv
import json
import math

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import OutputError
from PDL1PredictorLib.core.results import codes
from PDL1PredictorLib.report.write import write_all


def test_everything_is_written_also_under_a_name_with_spaces_and_any_letters(make_result, tmp_path):
    folder = tmp_path / "Müller 患者 1"
    folder.mkdir()
    write_all(make_result(lesions=2), folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "features.csv",
        "gradcam.nrrd",
        "gradcam_EGFR.nrrd",
        "gradcam_lesion2.nrrd",
        "gradcam_lesion2_EGFR.nrrd",
        "report.html",
        "result.json",
        "summary.txt",
        "tumor_and_ring.seg.nrrd",
    ]
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    named = [e["heat_map"] for lesion in content["lesions"] for e in lesion["endpoints"] if e["heat_map"]]
    assert sorted(named) == sorted(path.name for path in folder.glob("gradcam*"))


def test_the_patient_is_left_out_of_every_file_unless_asked_for(make_result, tmp_path):
    for wanted in (False, True):
        folder = tmp_path / str(wanted)
        folder.mkdir()
        write_all(make_result(name="Erika Mustermann"), folder, with_patient=wanted)
        having = {path.name for path in folder.iterdir() if b"Erika" in path.read_bytes()}
        assert having == ({"report.html", "result.json"} if wanted else set())


def test_heat_maps_keep_values_and_geometry(make_result, tmp_path):
    result = make_result(tilt_degrees=12)
    write_all(result, tmp_path)
    written, image = sitk.ReadImage(str(tmp_path / "gradcam.nrrd")), result.lesions[0].heat_maps[0].image
    assert written.GetPixelID() == sitk.sitkFloat32
    assert np.array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(image))
    assert written.GetOrigin() == image.GetOrigin()
    assert np.allclose(written.GetSpacing(), image.GetSpacing(), rtol=1e-12)
    assert np.allclose(written.GetDirection(), image.GetDirection(), atol=1e-12)


def test_features_come_back_exactly_and_a_missing_one_is_empty(make_result, tmp_path):
    result = make_result(lesions=2)
    write_all(result, tmp_path)
    with (tmp_path / "features.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["lesion", "feature", "value", "warnings"]
    assert {row["warnings"] for row in rows if row["lesion"] == "1"} == {
        codes((*result.warnings, *result.lesions[0].warnings))
    }
    assert rows[0]["warnings"].startswith("thick_slices")
    for lesion in result.lesions:
        read = {row["feature"]: row["value"] for row in rows if row["lesion"] == str(lesion.index)}
        assert list(read) == list(lesion.features)
        for name, value in lesion.features.items():
            assert read[name] == "" if math.isnan(value) else float(read[name]) == value


def test_a_folder_that_is_not_there_is_refused(make_result, tmp_path):
    with pytest.raises(OutputError, match="is not a folder"):
        write_all(make_result(), tmp_path / "absent")
