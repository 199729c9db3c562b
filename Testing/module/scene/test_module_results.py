"""A result lives in the scene: stored whole or not at all, found again, saved, out of date when it must be, removed."""

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
import slicer
import vtk
from PDL1PredictorGUI.scene import bridge, heatmap, results
from PDL1PredictorGUI.scene.fingerprint import changes, fingerprint

from PDL1PredictorLib.core.errors import PDL1Error


@pytest.fixture
def case(case_in_scene):
    return case_in_scene()


@pytest.fixture
def stored(case, result_folder):
    return results.store(result_folder, case)


def numbers(table_node, column):
    array = table_node.GetTable().GetColumnByName(column)
    return [array.GetVariantValue(row).ToDouble() for row in range(array.GetNumberOfValues())]


def texts(table_node, column):
    array = table_node.GetTable().GetColumnByName(column)
    return [array.GetValue(row) for row in range(array.GetNumberOfValues())]


def node_ids():
    scene = slicer.mrmlScene
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def expected(result_folder):
    return json.loads((result_folder / "result.json").read_text(encoding="utf-8"))


# --- what is kept


def test_the_json_and_the_report_are_kept_to_the_letter(stored, result_folder):
    assert stored.main.GetText() == (result_folder / "result.json").read_text(encoding="utf-8")
    assert stored.report.GetText() == (result_folder / "report.html").read_text(encoding="utf-8")


def test_the_tables_hold_the_numbers_of_the_json_exactly(stored, result_folder):
    lesion = expected(result_folder)["lesions"][0]
    rows = lesion["endpoints"]
    assert texts(stored.predictions, "endpoint") == [row["title"] for row in rows]
    assert numbers(stored.predictions, "probability") == [row["probability"] for row in rows]
    assert texts(stored.predictions, "status") == ["answered", "answered"]
    for name in ("interval", "uncertainty", "stability"):
        assert numbers(stored.predictions, f"{name}_low") == [row[name][0] for row in rows]
        assert numbers(stored.predictions, f"{name}_high") == [row[name][1] for row in rows]
    assert numbers(stored.predictions, "base_rate") == [row["base_rate"] for row in rows]
    assert texts(stored.predictions, "model") == ["Deep-RadScore"] * 2
    assert numbers(stored.predictions, "threshold") == [row["threshold"] for row in rows]
    assert texts(stored.features, "feature") == list(lesion["features"])
    assert numbers(stored.features, "value") == list(lesion["features"].values())
    assert numbers(stored.contributions["EGFR"], "effect") == [c["effect"] for c in rows[1]["contributions"]]
    assert texts(stored.warning_table, "code") == [warning["code"] for warning in stored.warnings]


def test_the_call_is_the_endpoints_own_word(stored, result_folder):
    row = expected(result_folder)["lesions"][0]["endpoints"][1]
    word = row["positive_word"] if row["probability"] >= row["threshold"] else row["negative_word"]
    assert texts(stored.predictions, "answer")[1] == word
    assert word in ("mutant", "wild type")


def test_where_there_is_no_answer_the_tables_hold_its_reasons_and_no_number(case, refused_folder):
    stored = results.store(refused_folder, case)
    assert texts(stored.predictions, "status") == ["not_answered"] * 2
    assert texts(stored.predictions, "answer") == ["not answered"] * 2
    assert texts(stored.predictions, "reasons") == ["unlike_training"] * 2
    for name in ("probability", "interval_low", "interval_high", "stability_low", "stability_high"):
        assert np.isnan(numbers(stored.predictions, name)).all(), name
    assert numbers(stored.predictions, "threshold") == [0.45, 0.45]  # the model's, not the patient's
    assert stored.contributions["EGFR"].GetNumberOfRows() == 0
    assert expected(refused_folder)["lesions"][0]["endpoints"][0]["probability"] > 0  # which the JSON keeps


def test_a_value_that_is_not_finite_is_nan_in_the_table(case, result_folder, tmp_path):
    folder = tmp_path / "with nan"
    shutil.copytree(result_folder, folder)
    content = expected(folder)
    name = next(iter(content["lesions"][0]["features"]))
    content["lesions"][0]["features"][name] = None
    (folder / "result.json").write_text(json.dumps(content), encoding="utf-8")
    assert math.isnan(numbers(results.store(folder, case).features, "value")[0])


def test_the_heat_maps_hold_the_files_voxels_at_the_files_place(stored, result_folder):
    import SimpleITK as sitk

    assert list(stored.heat_maps) == ["PDL1", "EGFR"]
    file = sitk.ReadImage(str(result_folder / "gradcam_EGFR.nrrd"))
    inside = bridge.image_of_volume(stored.heat_maps["EGFR"])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(inside), sitk.GetArrayFromImage(file))
    for corner in ((0, 0, 0), (159, 0, 0), (0, 159, 0)):
        there = file.TransformIndexToPhysicalPoint(corner)
        np.testing.assert_allclose(inside.TransformIndexToPhysicalPoint(corner), there, atol=1e-9)


def test_the_measured_regions_are_a_label_map_with_the_reports_voxel_counts(stored):
    values = slicer.util.arrayFromVolume(stored.regions)
    assert stored.regions.IsA("vtkMRMLLabelMapVolumeNode")
    assert np.count_nonzero(values == 1) == stored.lesion["tumor"]["voxels"]
    assert np.count_nonzero(values == 2) == stored.lesion["ring"]["voxels"]


def test_nothing_in_the_scene_knows_the_folder(stored, result_folder):
    for node in slicer.util.getNodesByClass("vtkMRMLStorageNode"):
        assert str(result_folder.parent) not in str(node.GetFileName())
    text = "".join(str(node) for node in stored.own_nodes() if node != stored.report)
    assert result_folder.name not in text


def test_the_nodes_lie_in_a_folder_beside_the_ct(case, result_folder):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "Study")
    hierarchy.CreateItem(study, case.volume)
    stored = results.store(result_folder, case)
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(stored.main))
    assert hierarchy.GetItemName(folder) == "PD-L1 prediction: Tumor"
    assert hierarchy.GetItemParent(folder) == study
    heat_maps = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(stored.heat_maps["EGFR"]))
    assert hierarchy.GetItemName(heat_maps) == "Heat maps"
    assert hierarchy.GetItemParent(heat_maps) == folder


# --- one per segment


def test_each_segment_keeps_its_own_result(case, stored, result_folder, phantom):
    second = bridge.put_segment(case.segmentation, "Segment_2", phantom.case.tumor, case.volume, name="Second")
    assert results.find(case.segmentation, second) is None
    case.segment_id = second
    other = results.store(result_folder, case)
    assert results.find(case.segmentation, "Segment_1") == stored
    assert results.find(case.segmentation, second) == other
    assert [result.segment_name for result in results.all_results()] == ["Tumor", "Second"]


def test_a_second_prediction_takes_the_place_of_the_first(case, stored, result_folder):
    first = {node.GetID() for node in stored.own_nodes()}
    before = slicer.mrmlScene.GetNumberOfNodes()
    second = results.store(result_folder, case)
    assert results.all_results() == [second]
    assert not first & node_ids()
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_no_segmentation_has_no_result(stored):
    assert results.find(None, "Segment_1") is None


def test_a_result_outlives_its_segment_and_keeps_its_name(case, stored):
    case.segmentation.GetSegmentation().GetSegment("Segment_1").SetName("Renamed")
    assert stored.segment_name == "Renamed"
    case.segmentation.GetSegmentation().RemoveSegment("Segment_1")
    assert stored.segment_name == "Tumor"
    slicer.mrmlScene.RemoveNode(case.segmentation)
    assert stored.segmentation is None
    assert results.all_results() == [stored]


def test_removing_leaves_the_scene_as_it_was(case, result_folder):
    heatmap.remove_colors()  # closing the scene does not: singletons stay
    before = node_ids()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    results.remove(results.store(result_folder, case))
    assert node_ids() == before
    assert hierarchy.GetItemByName("PD-L1 prediction: Tumor") == 0
    assert hierarchy.GetItemByName("Heat maps") == 0


def test_deleted_parts_are_missing_not_an_error(stored):
    for node in (stored.predictions, stored.heat_maps["EGFR"], stored.report, stored.regions):
        slicer.mrmlScene.RemoveNode(node)
    assert stored.predictions is None
    assert stored.report is None
    assert list(stored.heat_maps) == ["PDL1"]
    results.restore(stored)
    assert len(numbers(stored.predictions, "probability")) == 2
    results.remove(stored)
    assert results.all_results() == []


# --- whole or not at all


@pytest.mark.parametrize("missing", ["result.json", "report.html", "gradcam_EGFR.nrrd", "tumor_and_ring.seg.nrrd"])
def test_a_folder_with_something_missing_leaves_the_scene_as_it_was(case, stored, result_folder, tmp_path, missing):
    folder = tmp_path / "broken"
    shutil.copytree(result_folder, folder)
    (folder / missing).unlink()
    before = node_ids()
    with pytest.raises(PDL1Error, match=missing.replace(".", r"\.")):
        results.store(folder, case)
    assert node_ids() == before
    assert results.all_results() == [stored]


def test_a_damaged_json_is_refused(case, result_folder, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(result_folder, folder)
    (folder / "result.json").write_text("{", encoding="utf-8")
    with pytest.raises(PDL1Error, match=r"result\.json cannot be read"):
        results.store(folder, case)


def test_a_folder_of_two_tumors_is_refused(case, result_folder, tmp_path):
    folder = tmp_path / "two"
    shutil.copytree(result_folder, folder)
    content = expected(folder)
    content["lesions"] *= 2
    (folder / "result.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(PDL1Error, match="holds 2 tumors"):
        results.store(folder, case)


# --- out of date


def test_a_result_holds_while_nothing_changes(case, stored):
    assert results.why_stale(stored, fingerprint(case)) == []
    case.segmentation.GetSegmentation().GetSegment("Segment_1").SetName("Renamed")
    case.volume.SetName("Renamed")
    case.device = "cuda"
    assert not results.is_stale(stored, fingerprint(case))


def move(node):
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 5.0)
    transform.SetMatrixTransformToParent(matrix)
    node.SetAndObserveTransformNodeID(transform.GetID())


def change_one_voxel_of_the_ct(case):
    slicer.util.arrayFromVolume(case.volume)[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(case.volume)


def change_one_voxel_of_the_contour(case):
    import SimpleITK as sitk

    mask = bridge.mask_of_segment(case.segmentation, case.segment_id, case.volume)
    voxels = sitk.GetArrayFromImage(mask)
    voxels[tuple(np.argwhere(voxels)[0])] = 0
    changed = sitk.GetImageFromArray(voxels)
    changed.CopyInformation(mask)
    bridge.put_segment(case.segmentation, case.segment_id, changed, case.volume)


def edit_the_ring(case):
    case.ring_segment_id = case.segment_id


def change_the_settings(case):
    case.regions = replace(case.regions, ring_mm=5.0)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (change_one_voxel_of_the_ct, "CT"),
        (lambda case: move(case.volume), "CT"),
        (change_one_voxel_of_the_contour, "contour"),
        (lambda case: move(case.segmentation), "contour"),
        (lambda case: case.segmentation.GetSegmentation().RemoveSegment(case.segment_id), "contour"),
        (edit_the_ring, "ring"),
        (change_the_settings, "region settings"),
        (lambda case: setattr(case, "model", "other"), "model"),
    ],
)
def test_a_change_makes_the_result_out_of_date_and_says_which(case, stored, change, word):
    change(case)
    reasons = results.why_stale(stored, fingerprint(case))
    assert len(reasons) == 1
    assert word in reasons[0]
    assert results.is_stale(stored, fingerprint(case))


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ("inprogress", "completed", "the contour was marked as checked since, which the result does not say"),
        ("completed", "inprogress", "the contour is no longer marked as checked, as the result says"),
    ],
)
def test_a_reader_who_checks_a_clicks_contour_makes_the_result_out_of_date(case, result_folder, before, now, words):
    segment = case.segmentation.GetSegmentation().GetSegment(case.segment_id)
    segment.SetTag("PDL1_Origin", "semi-automatic: drawn from a click, to be checked by a reader")
    segment.SetTag("Segmentation.Status", before)
    stored = results.store(result_folder, case)
    assert results.why_stale(stored, fingerprint(case)) == []
    segment.SetTag("Segmentation.Status", now)
    assert results.why_stale(stored, fingerprint(case)) == [words]
    change_one_voxel_of_the_contour(case)
    assert results.why_stale(stored, fingerprint(case)) == ["the contour has changed", words]
    case.segmentation.GetSegmentation().RemoveSegment(case.segment_id)
    assert results.why_stale(stored, fingerprint(case)) == ["the contour has changed"]


def test_of_a_readers_own_contour_and_an_earlier_versions_result_the_status_says_nothing(case, result_folder):
    segment = case.segmentation.GetSegmentation().GetSegment(case.segment_id)
    stored = results.store(result_folder, case)
    segment.SetTag("Segmentation.Status", "completed")
    assert results.why_stale(stored, fingerprint(case)) == []
    now = {**fingerprint(case), "checked": "yes"}
    assert changes({name: value for name, value in now.items() if name != "checked"}, now) == []


def test_an_edit_that_is_taken_back_is_no_change(case, stored):
    change_one_voxel_of_the_ct(case)
    slicer.util.arrayFromVolume(case.volume)[0, 0, 0] -= 1
    slicer.util.arrayFromVolumeModified(case.volume)
    assert not results.is_stale(stored, fingerprint(case))


def test_a_result_is_out_of_date_when_nothing_can_be_predicted_any_more(stored):
    assert results.is_stale(stored, None)


def test_what_changed_during_the_run_counts_as_changed(case, result_folder):
    exported = fingerprint(case)
    change_one_voxel_of_the_contour(case)
    assert results.is_stale(results.store(result_folder, case, exported), fingerprint(case))


# --- under a transform


def rotated_transform():
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    turn = vtk.vtkTransform()
    turn.Translate(7, -4, 11)
    turn.RotateWXYZ(25, 1, 2, 3)
    transform.SetMatrixTransformToParent(turn.GetMatrix())
    return transform


def world_corner(volume, ijk=(159, 0, 0)):
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    world = [0.0] * 3
    volume.TransformPointToWorld(matrix.MultiplyPoint([*ijk, 1])[:3], world)
    return world


def test_under_a_transform_the_map_lies_in_the_world_as_written_and_follows_the_ct(case, result_folder):
    plain = results.store(result_folder, case)
    written, measured = world_corner(plain.heat_maps["EGFR"]), world_corner(plain.regions, (0, 0, 0))
    transform = rotated_transform()
    case.volume.SetAndObserveTransformNodeID(transform.GetID())
    exported = fingerprint(case)
    stored = results.store(result_folder, case, exported)  # the folder's maps are in the world, as exported
    np.testing.assert_allclose(world_corner(stored.heat_maps["EGFR"]), written, atol=1e-6)
    np.testing.assert_allclose(world_corner(stored.regions, (0, 0, 0)), measured, atol=1e-6)
    matrix = vtk.vtkMatrix4x4()
    transform.GetMatrixTransformToParent(matrix)
    matrix.SetElement(2, 3, matrix.GetElement(2, 3) + 10)
    transform.SetMatrixTransformToParent(matrix)
    np.testing.assert_allclose(world_corner(stored.heat_maps["EGFR"]), np.add(written, (0, 0, 10)), atol=1e-6)


def test_a_ct_moved_during_the_run_takes_the_map_along(case, result_folder):
    written = world_corner(results.store(result_folder, case).heat_maps["EGFR"])
    exported = fingerprint(case)
    move(case.volume)  # 5 mm to the right
    stored = results.store(result_folder, case, exported)
    np.testing.assert_allclose(world_corner(stored.heat_maps["EGFR"]), np.add(written, (5, 0, 0)), atol=1e-6)


# --- saved and loaded


def test_everything_comes_back_from_a_bundle(case, stored, result_folder, tmp_path):
    lesion = expected(result_folder)["lesions"][0]
    heat = slicer.util.arrayFromVolume(stored.heat_maps["EGFR"]).copy()
    corner = world_corner(stored.heat_maps["EGFR"])
    file = tmp_path / "Szene mit ü.mrb"
    assert slicer.util.saveScene(str(file))
    slicer.mrmlScene.Clear(0)
    assert results.all_results() == []
    slicer.util.loadScene(str(file))
    (found,) = results.all_results()
    assert found == results.find(slicer.util.getNode("Segmentation"), "Segment_1")
    results.restore(found)
    assert found.main.GetText() == (result_folder / "result.json").read_text(encoding="utf-8")
    assert found.report.GetText() == (result_folder / "report.html").read_text(encoding="utf-8")
    assert numbers(found.features, "value") == list(lesion["features"].values())
    assert numbers(found.predictions, "probability") == [row["probability"] for row in lesion["endpoints"]]
    assert list(found.contributions) == ["PDL1", "EGFR"]
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(found.heat_maps["EGFR"]), heat)
    np.testing.assert_allclose(world_corner(found.heat_maps["EGFR"]), corner, atol=1e-4)
    case.volume, case.segmentation = slicer.util.getNode("CT"), slicer.util.getNode("Segmentation")
    assert results.why_stale(found, fingerprint(case)) == []
    change_one_voxel_of_the_contour(case)
    assert results.is_stale(found, fingerprint(case))


def test_restoring_makes_no_second_set_of_nodes(stored):
    before = node_ids()
    results.restore(stored)
    assert node_ids() == before
