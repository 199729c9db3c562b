"""A heat map that is filed has the values of its NRRD, at the same place."""

import highdicom
import numpy as np
import pydicom
import SimpleITK as sitk

from PDL1PredictorLib.filing.heat import heat_map


def read_back(path):
    """Values (k, j, i) and the 4 x 4 matrix from (k, j, i) to mm, in the order of the positions."""
    volume = highdicom.imread(path).get_volume()
    return volume.array, volume.affine


def affine(image: sitk.Image) -> np.ndarray:
    """From (k, j, i) to mm."""
    steps = np.reshape(image.GetDirection(), (3, 3)) * np.asarray(image.GetSpacing())
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = steps[:, ::-1], image.GetOrigin()
    return matrix


def test_values_and_place_come_back(case, tmp_path):
    lesion = case.making.result.lesions[0]
    heat_map(case.making, lesion, lesion.heat_maps[0], 1, "2.25.5").save_as(tmp_path / "heat.dcm")
    values, found = read_back(tmp_path / "heat.dcm")
    wanted = sitk.GetArrayFromImage(case.heat)
    if not np.allclose(found, affine(case.heat), atol=1e-6):  # highdicom may run through the slices the other way
        values = values[::-1]
        turned = found.copy()
        turned[:3, 3] = found[:3, 3] + (len(wanted) - 1) * found[:3, 0]
        turned[:3, 0] = -found[:3, 0]
        assert np.allclose(turned, affine(case.heat), atol=1e-6)
    assert np.array_equal(values.astype(np.float32), wanted)


def test_its_unit_and_quantity_are_coded(oblique):
    lesion = oblique.making.result.lesions[0]
    made = heat_map(oblique.making, lesion, lesion.heat_maps[0], 1, "2.25.5")
    groups = made.SharedFunctionalGroupsSequence[0]
    meaning = groups.RealWorldValueMappingSequence[0]
    assert meaning.MeasurementUnitsCodeSequence[0].CodeValue == "1"
    assert meaning.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue == "130402"
    assert made.ContentQualification == "RESEARCH"
    assert "RESEARCH USE ONLY" in made.ContentDescription


def test_the_whole_way_ends_with_the_values_of_the_nrrd(filed):
    for number, name in ((1, "gradcam.nrrd"), (2, "gradcam_EGFR.nrrd")):
        image = sitk.ReadImage(str(filed / name))
        data = pydicom.dcmread(filed / "dicom" / f"heat_{number}.dcm")
        values = np.frombuffer(data.FloatPixelData, "<f4").reshape(sitk.GetArrayFromImage(image).shape)
        assert np.array_equal(values, sitk.GetArrayFromImage(image))
        place = data.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient
        assert np.allclose([float(x) for x in place], image.GetOrigin(), atol=1e-6)
    assert values.max() == 1.0
