"""A PET of the scene as SUV: from its DICOM series, or by its own voxels; where the user sees it."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import vtk
from PDL1PredictorGUI.background.case_files import export_case
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.scene.fingerprint import changes, fingerprint
from PDL1PredictorGUI.scene.pet import pet_in_suv, why_not_pet
from pet_series import FACTOR, pet_volume, write_pet

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.read import read_pet


class Database:
    """Stands for Slicer's DICOM database, which the host has not: one series."""

    def __init__(self, written):
        self.file, self.series = written.paths[0], written.series

    def fileForInstance(self, uid):
        return str(self.file) if uid == "1.2.1" else ""

    def instanceValue(self, uid, tag):
        return {"0020,000E": self.series}.get(tag, "") if uid == "1.2.1" else ""


@pytest.fixture
def loaded_pet(slicer_scene, tmp_path, monkeypatch):
    """A function: the volume that Slicer makes of a PET series, in Bq/mL."""

    def load(change=lambda n, data: None):
        written = write_pet(tmp_path / "pet ü", change)
        monkeypatch.setattr(slicer, "dicomDatabase", Database(written), raising=False)
        grid = pet_volume()
        activity = np.ones((4, 5, 6), np.float32) * (1000.0 * np.arange(1, 5))[:, None, None]
        image = sitk.GetImageFromArray(activity.astype(np.float32))
        image.CopyInformation(grid)
        volume = bridge.volume_of_image(image, "PET")
        volume.SetAttribute("DICOM.instanceUIDs", "1.2.1 1.2.2 1.2.3 1.2.4")
        return volume

    return load


@pytest.fixture
def suv(slicer_scene):
    """A volume whose voxels are SUV."""
    image = sitk.Image([6, 5, 4], sitk.sitkFloat32) + 2.5
    image.SetSpacing((4.0, 4.0, 3.0))
    return bridge.volume_of_image(image, "SUV")


def under(volume, harden=False):
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    turn = vtk.vtkTransform()
    turn.Translate(30, -20, 10)
    turn.RotateZ(90)
    transform.SetMatrixTransformToParent(turn.GetMatrix())
    volume.SetAndObserveTransformNodeID(transform.GetID())
    if harden:
        volume.HardenTransform()


def test_a_pet_from_dicom_is_converted_by_its_headers_slice_by_slice(loaded_pet):
    volume = loaded_pet()
    assert why_not_pet(volume, None) == ""
    image, told = pet_in_suv(volume)
    values = sitk.GetArrayFromImage(image)
    for n in range(4):
        np.testing.assert_allclose(values[n], 1000 * (n + 1) * FACTOR, rtol=1e-4)
    assert image.GetOrigin() == pytest.approx((-10.0, 20.0, -30.0))
    assert told == ()


def test_the_pet_follows_a_transform_above_it(loaded_pet):
    volume = loaded_pet()
    under(volume)
    image, _told = pet_in_suv(volume)
    ras = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    volume.GetRASBounds(ras)
    center = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    middle = [(ras[2 * axis] + ras[2 * axis + 1]) / 2 for axis in range(3)]
    assert [-center[0], -center[1], center[2]] == pytest.approx(middle, abs=1e-3)
    assert sitk.GetArrayFromImage(image)[3].mean() == pytest.approx(4000 * FACTOR, rel=1e-4)


def test_a_pet_that_is_no_longer_where_its_series_lies_is_refused(loaded_pet):
    volume = loaded_pet()
    under(volume, harden=True)
    with pytest.raises(InputError, match="no longer where its DICOM series lies"):
        pet_in_suv(volume)


def test_a_series_without_weight_says_so_before_anything_is_started(loaded_pet):
    def weightless(n, data):
        del data.PatientWeight

    assert "patient's weight" in why_not_pet(loaded_pet(weightless), None)


def test_other_voxels_must_be_suv(suv):
    assert why_not_pet(suv, None) == ""
    image, _told = pet_in_suv(suv)
    assert sitk.GetArrayFromImage(image).max() == 2.5
    slicer.util.arrayFromVolume(suv)[:] = 25_000.0  # Bq/mL
    slicer.util.arrayFromVolumeModified(suv)
    assert "which are no SUV" in why_not_pet(suv, None)
    with pytest.raises(InputError, match="which are no SUV"):
        pet_in_suv(suv)


def test_without_the_files_of_its_series_a_pet_in_activity_is_refused(loaded_pet, monkeypatch):
    volume = loaded_pet()
    monkeypatch.delattr(slicer, "dicomDatabase")
    assert "which are no SUV" in why_not_pet(volume, None)


def test_what_cannot_be_a_pet_is_refused_by_name(suv):
    assert "is the CT itself" in why_not_pet(suv, suv)
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    assert "Empty holds no voxels" in why_not_pet(empty, None)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(suv) or hierarchy.CreateItem(hierarchy.GetSceneItemID(), suv)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "MR")
    assert "is MR, not PET" in why_not_pet(suv, None)


def test_it_is_exported_in_suv_and_names_no_patient(loaded_pet, put_case, small_images, tmp_path):
    case = put_case(*small_images)
    folder = tmp_path / "run"
    folder.mkdir()
    files = export_case(case.volume, case.segmentation, case.segment_id, folder, pet=loaded_pet())
    assert files.pet == folder / "pet.nrrd"
    assert sitk.GetArrayFromImage(read_pet(files.pet).image).max() == pytest.approx(4000 * FACTOR, rel=1e-4)
    assert not [path for path in folder.iterdir() if b"Secret" in path.read_bytes()]
    bare = export_case(case.volume, case.segmentation, case.segment_id, folder)
    assert bare.pet is None


def test_a_result_is_out_of_date_when_the_pet_changes(case_in_scene, suv):
    case = case_in_scene()
    case.pet = suv
    before = fingerprint(case)
    assert changes(before, fingerprint(case)) == []
    case.pet = None
    assert changes(before, fingerprint(case)) == ["the PET has changed"]
    without = {name: value for name, value in fingerprint(case).items() if name != "pet"}  # from before PETs
    assert changes(without, fingerprint(case)) == []
