"""A result is written as the command line writes it, whole or not at all; the report opens in the browser."""

import csv
import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import slicerhost
import vtk
from PDL1PredictorGUI.scene import results, saving

from PDL1PredictorLib.core.errors import InputError, OutputError


@pytest.fixture
def case(case_in_scene):
    return case_in_scene()


@pytest.fixture
def stored(case, result_folder):
    return results.store(result_folder, case)


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- results


def test_the_folder_is_that_of_the_command_line(stored, result_folder, tmp_path):
    saved = saving.save_results(stored, tmp_path / "out mit ü" / "one")
    assert saved == tmp_path / "out mit ü" / "one"
    assert names(saved) == names(result_folder)
    for name in ("result.json", "report.html", "summary.txt"):
        assert (saved / name).read_bytes() == (result_folder / name).read_bytes()
    assert (saved / "tumor_and_ring.seg.nrrd").read_bytes() == (result_folder / "tumor_and_ring.seg.nrrd").read_bytes()
    assert sorted(rows(saved / "features.csv")) == sorted(rows(result_folder / "features.csv"))
    for name in ("gradcam.nrrd", "gradcam_EGFR.nrrd"):
        a, b = sitk.ReadImage(str(saved / name)), sitk.ReadImage(str(result_folder / name))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(a), sitk.GetArrayFromImage(b))
        for get in ("GetOrigin", "GetSpacing", "GetDirection"):
            np.testing.assert_allclose(getattr(a, get)(), getattr(b, get)(), atol=1e-9)


def test_what_was_saved_can_be_stored_again(stored, case, tmp_path):
    again = results.store(saving.save_results(stored, tmp_path / "one"), case)
    assert again.main.GetText() == json.dumps(again.content, ensure_ascii=False, indent=2) + "\n"
    assert list(again.heat_maps) == ["PDL1", "EGFR"]


def test_in_a_folder_that_holds_something_a_new_one_is_made(stored, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    first, second = saving.save_results(stored, tmp_path), saving.save_results(stored, tmp_path)
    assert (first.name, second.name) == ("Tumor PD-L1 prediction", "Tumor PD-L1 prediction (2)")
    assert names(tmp_path) == sorted([first.name, second.name, "notes.txt"])


@pytest.mark.parametrize("name", ['a/b\\c:d*"<>|?', "../../up", "..", "Läsion 1"])
def test_a_segments_name_never_leads_out_of_the_folder(stored, case, tmp_path, name):
    (tmp_path / "notes.txt").write_text("mine")
    case.segmentation.GetSegmentation().GetSegment("Segment_1").SetName(name)
    saved = saving.save_results(stored, tmp_path)
    assert saved.parent == tmp_path
    assert saved.is_dir()
    assert not set(saved.name) & set('<>:"/\\|?*')


def test_what_the_user_deleted_is_left_out(stored, tmp_path):
    for node in (stored.report, stored.regions, stored.heat_maps["EGFR"]):
        slicer.mrmlScene.RemoveNode(node)
    saved = saving.save_results(stored, tmp_path / "one")
    assert names(saved) == ["features.csv", "gradcam.nrrd", "result.json", "summary.txt"]


def test_heat_maps_are_written_where_the_ct_is_now(stored, case, result_folder, tmp_path):
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 10.0)  # to the right: L falls
    transform.SetMatrixTransformToParent(matrix)
    for node in (case.volume, stored.heat_maps["EGFR"]):
        node.SetAndObserveTransformNodeID(transform.GetID())
    saved = saving.save_results(stored, tmp_path / "one")
    there = sitk.ReadImage(str(saved / "gradcam_EGFR.nrrd")).GetOrigin()
    before = sitk.ReadImage(str(result_folder / "gradcam_EGFR.nrrd")).GetOrigin()
    np.testing.assert_allclose(there, np.add(before, (-10, 0, 0)), atol=1e-9)


def test_a_place_that_cannot_be_written_is_refused_and_left_clean(stored, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="file"):
        saving.save_results(stored, tmp_path / "file" / "one")
    with pytest.raises(OutputError, match="is a file|exists already"):
        saving.save_results(stored, tmp_path / "file")
    assert names(tmp_path) == ["file"]


def test_a_full_disk_leaves_nothing(stored, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving, "_write_heat_maps", full)
    with pytest.raises(OutputError, match="No space left on device"):
        saving.save_results(stored, tmp_path / "one")
    assert names(tmp_path) == []


# --- features


def test_features_are_written_in_full_precision(stored, tmp_path):
    path = tmp_path / "features.csv"
    count = saving.save_features(stored, path)
    header, *lines = rows(path)
    assert header == ["lesion", "feature", "value", "warnings"]
    assert count == len(lines) == len(stored.lesion["features"])
    assert {name: float(value) for _, name, value, _ in lines} == stored.lesion["features"]
    assert {told for *_, told in lines} == {" ".join(warning["code"] for warning in stored.warnings)}


def test_the_filter_takes_every_word_in_any_case(stored, tmp_path):
    path = tmp_path / "features.csv"
    path.write_text("an older one")
    assert saving.save_features(stored, path, "RING mean") > 0
    found = [name for _, name, *_ in rows(path)[1:]]
    assert found == [n for n in stored.lesion["features"] if "ring" in n.lower() and "mean" in n.lower()]
    assert 0 < len(found) < len(saving.matching(stored, "ring"))
    assert saving.save_features(stored, path, "no such feature") == 0
    assert rows(path) == [["lesion", "feature", "value", "warnings"]]


def test_features_cannot_be_written_to_a_folder(stored, tmp_path):
    with pytest.raises(OutputError):
        saving.save_features(stored, tmp_path)


# --- the report


@pytest.fixture
def no_leftovers():
    yield
    saving.discard_reports()


def opened():
    return [record for record in slicerhost.dialogs.shown if record.kind == "url"]


def test_the_report_opens_in_the_browser(stored, result_folder, no_leftovers):
    path = saving.open_report(stored)
    assert path.read_bytes() == (result_folder / "report.html").read_bytes()
    assert [record.text for record in opened()] == ["file://" + str(path)]
    assert str(path).startswith(slicer.app.temporaryPath)


def test_nothing_of_opened_reports_is_left(stored):
    paths = [saving.open_report(stored), saving.open_report(stored)]
    assert paths[0] != paths[1]
    saving.discard_reports()
    assert not any(path.parent.exists() for path in paths)
    saving.discard_reports()


def test_a_deleted_report_is_told(stored):
    slicer.mrmlScene.RemoveNode(stored.report)
    with pytest.raises(InputError, match="deleted from the scene"):
        saving.open_report(stored)


def test_no_browser_is_told(stored, monkeypatch, no_leftovers):
    import qt

    monkeypatch.setattr(qt.QDesktopServices, "openUrl", staticmethod(lambda _url: False))
    with pytest.raises(OutputError, match="No browser"):
        saving.open_report(stored)


def test_a_temporary_folder_that_is_a_file_is_told(stored, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(type(slicer.app), "temporaryPath", property(lambda _self: str(tmp_path / "file")))
    with pytest.raises(OutputError, match="Free some space"):
        saving.open_report(stored)


def test_the_report_survives_the_temporary_folder_of_the_prediction(case, result_folder, tmp_path, no_leftovers):
    folder = tmp_path / "temporary"
    shutil.copytree(result_folder, folder)
    result = results.store(folder, case)
    shutil.rmtree(folder)
    assert saving.open_report(result).stat().st_size > 10_000
