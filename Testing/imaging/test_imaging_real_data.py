"""Real scans: what was drawn by others must come out as they published it."""

import numpy as np
import pytest
import SimpleITK as sitk
from mask_image import mask_image

from PDL1PredictorLib.core.case import Case, same_grid
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.lattice import Box, lattice_of, sample
from PDL1PredictorLib.imaging.measures import measure
from PDL1PredictorLib.imaging.patch import deep_patch, place_map
from PDL1PredictorLib.imaging.read import read_ct
from PDL1PredictorLib.imaging.regions import make_regions

pytestmark = pytest.mark.real_data


def array(image):
    return sitk.GetArrayFromImage(image)


def test_the_rtstruct_of_the_ibsi_patient_is_the_ibsi_mask_voxel_by_voxel(shared):
    folder = shared / "data" / "ct_dicom_rtstruct" / "pat_1"
    ct = read_ct(folder).image
    mask = mask_image(folder, ct, segment="GTV-1")
    ibsi = read_ct(shared / "ibsi" / "ct_phantom" / "phantom.nii.gz").image
    ibsi_mask = mask_image(shared / "ibsi" / "ct_phantom" / "mask.nii.gz", ibsi)
    assert same_grid(ct, ibsi)
    assert (array(ct) == array(ibsi)).all()
    assert (array(mask) == array(ibsi_mask)).all()
    assert measure(ct, mask).volume_ml == pytest.approx(358.68, abs=0.01)


def test_the_rtstruct_of_the_second_patient_has_its_volume(shared):
    folder = shared / "data" / "ct_dicom_rtstruct" / "pat_2"
    found = read_ct(folder)
    mask = mask_image(folder, found.image)
    assert found.image.GetSize() == (141, 138, 41)
    assert found.image.GetSpacing() == pytest.approx((0.977, 0.977, 3.0), abs=1e-6)
    assert measure(found.image, mask).volume_ml == pytest.approx(6.5, abs=0.5)
    assert len(np.flatnonzero(array(mask).any(axis=(1, 2)))) == 7  # one slice per contour


def test_the_rtstruct_of_one_patient_is_refused_on_the_other(shared):
    folder = shared / "data" / "ct_dicom_rtstruct"
    with pytest.raises(InputError, match="refers to another scan"):
        mask_image(folder / "pat_2", read_ct(folder / "pat_1").image)


def test_overlapping_segments_of_dcmqi_lie_on_their_slices(shared):
    pytest.importorskip("highdicom")
    ct = read_ct(shared / "data" / "dicom_seg" / "ct-3slice")
    path = shared / "data" / "dicom_seg" / "partial_overlaps.dcm"
    assert (ct.clinical.age_years, ct.clinical.sex) == (60.0, "male")
    with pytest.raises(InputError, match=r"holds 5 regions: 1 \(GREEN\), 2 \(ORANGE\)"):
        mask_image(path, ct.image)
    # frames in the file: z of the plane, and its number of voxels
    for segment, per_slice in (("GREEN", [0, 9602, 0]), ("3", [117, 117, 10509]), ("LIGHT_BLUE", [6693, 0, 0])):
        assert array(mask_image(path, ct.image, segment=segment)).sum(axis=(1, 2)).tolist() == per_slice


def test_a_whole_chest_ct_with_thick_slices_goes_from_file_to_patch(shared):
    folder = shared / "data" / "chest_ct_nrrd"
    ct = read_ct(folder / "lung1_image.nrrd").image
    mask = mask_image(folder / "lung1_label.nrrd", ct)
    assert int(array(mask).sum()) == 837
    case = Case(ct, mask)
    regions = make_regions(case, RegionSettings(), 15.0)
    assert [warning.code for warning in regions.warnings] == ["thick_slices"]
    assert measure(regions.ct, regions.tumor).volume_ml == pytest.approx(measure(ct, mask).volume_ml, rel=0.05)
    patch = deep_patch(case, regions, RegionSettings())
    assert patch.slab_mm == 5.0
    placed = place_map(np.eye(5), patch)
    assert placed.GetSize() == (160, 160, 1)
    middle = placed.TransformIndexToPhysicalPoint([80, 80, 0])
    assert ct.TransformPhysicalPointToIndex(middle)[2] in np.flatnonzero(array(mask).any(axis=(1, 2)))


def test_a_crop_of_a_real_ct_has_the_values_of_itk_on_the_whole(shared):
    ct = read_ct(shared / "data" / "chest_ct_nrrd" / "lung1_image.nrrd").image
    lattice = lattice_of(ct, 1.0)
    box = Box((100, 120, 130), (130, 150, 160))
    reference = lattice.image(np.zeros(box.shape, np.uint8), box)
    exact = sitk.Cast(ct, sitk.sitkFloat64)
    itk = array(sitk.Resample(exact, reference, sitk.Transform(), sitk.sitkBSpline, -9999.0, sitk.sitkFloat64))
    assert np.abs(sample(ct, lattice, box, "cubic") - itk).max() < 1e-5


def test_a_tight_crop_warns_of_what_is_cut_but_is_measured(shared):
    folder = shared / "data" / "nsclc_radiogenomics_voi" / "voi"
    ct = read_ct(folder / "case_001_image.nii.gz").image
    regions = make_regions(Case(ct, mask_image(folder / "case_001_mask.nii.gz", ct)), RegionSettings(), 15.0)
    assert [warning.code for warning in regions.warnings] == ["tumor_touches_border", "ring_cut"]
    assert measure(regions.ct, regions.ring).voxels > 10000
    assert same_grid(regions.ct, ct)  # already 1 mm: the lattice is the grid itself
    assert (array(regions.ct) == array(ct)).all()
