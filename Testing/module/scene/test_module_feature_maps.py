"""Maps of features in the scene: volumes in the result's folder, in place, colored from least to greatest, removed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
from PDL1PredictorGUI.scene import feature_maps, results
from PDL1PredictorGUI.scene.result_nodes import damage

FEATURE = "tumor_original_glcm_Contrast"
ROW = {"feature": FEATURE, "title": "Contrast (GLCM), tumor", "unit": "", "file": f"map_{FEATURE}.nrrd"}
ROW |= {"low": 0.5, "high": 2.5, "outside": -1.5, "slices": 2, "tumor_slices": 9}


@pytest.fixture
def folder(result_folder: Path, tmp_path: Path) -> Path:
    """A result with one map: 2 slices of 3 x 4 voxels."""
    copied = tmp_path / "with a map"
    shutil.copytree(result_folder, copied)
    content = json.loads((copied / "result.json").read_text(encoding="utf-8"))
    content["lesions"][0]["voxel_maps"] = [ROW]
    (copied / "result.json").write_text(json.dumps(content), encoding="utf-8")
    values = np.full((2, 3, 4), -1.5, np.float32)
    values[0, 0, 0], values[1, 2, 3] = 0.5, 2.5
    image = sitk.GetImageFromArray(values)
    image.SetOrigin((10.0, -20.0, 30.0))
    sitk.WriteImage(image, str(copied / ROW["file"]))
    return copied


def test_a_map_is_a_volume_of_the_result_in_its_place(case_in_scene, folder: Path):
    stored = results.store(folder, case_in_scene())
    node = stored.voxel_maps[FEATURE]
    assert node.GetName().endswith("Contrast (GLCM), tumor")
    assert slicer.util.arrayFromVolume(node).shape == (2, 3, 4)
    assert np.allclose(node.GetOrigin(), (-10.0, 20.0, 30.0))  # RAS
    assert node in stored.own_nodes()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    inner = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node))
    assert hierarchy.GetItemName(inner) == "Maps of features"


def test_its_colors_run_from_least_to_greatest_and_voxels_without_a_value_are_clear(case_in_scene, folder: Path):
    node = results.store(folder, case_in_scene()).voxel_maps[FEATURE]
    display = node.GetVolumeDisplayNode()
    assert display.GetColorNode() is feature_maps.colors()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.5, 2.5)
    assert display.GetApplyThreshold()
    assert -1.5 < display.GetLowerThreshold() < 0.5
    assert display.GetUpperThreshold() > 2.5
    assert not display.GetInterpolate()


def test_it_goes_with_the_result_and_its_colors_with_the_last(case_in_scene, folder: Path):
    stored = results.store(folder, case_in_scene())
    feature_maps.colors()
    results.remove(stored)
    assert slicer.mrmlScene.GetSingletonNode(feature_maps.COLORS_TAG, "vtkMRMLColorTableNode") is None
    assert not [n for n in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if "Contrast" in n.GetName()]


def test_a_result_without_maps_has_no_folder_for_them(case_in_scene, result_folder: Path):
    stored = results.store(result_folder, case_in_scene())
    assert stored.voxel_maps == {}
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    assert not hierarchy.GetItemByName("Maps of features")


@pytest.mark.parametrize("changed", [{"low": "0"}, {"high": None}, {"outside": True}, {"file": 3}, {"title": None}])
def test_a_damaged_entry_is_found(folder: Path, changed: dict):
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert damage(json.dumps(content)) == ""
    content["lesions"][0]["voxel_maps"] = [{**ROW, **changed}]
    assert damage(json.dumps(content))


def test_names_carry_the_unit_where_there_is_one():
    assert feature_maps.node_title(ROW) == "Contrast (GLCM), tumor"
    assert feature_maps.node_title({**ROW, "unit": "HU"}) == "Contrast (GLCM), tumor (HU)"
