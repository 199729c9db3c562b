"""Contours as clinics export them, on their whole CTs: volumes by point in polygon, voxel centers on the CT's grid.

Without the copies that lung1_001 stores of all 85 contours, `1,SUV_primair` has 124.4 mL by this convention (123.9 mL
by another counting, 0.4 % less). The other volumes are those that the contours had before anything was repaired.
"""

import tarfile

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.imaging.read import read_ct, read_mask

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="session")
def whole_ct(shared, tmp_path_factory):
    """The CT and the RTSTRUCT of a patient, unpacked and read once."""
    read = {}

    def get(name):
        if name not in read:
            folder = tmp_path_factory.mktemp(name)
            with tarfile.open(shared / "data" / "whole_ct" / f"{name}.tar.xz") as archive:
                archive.extractall(folder, filter="data")  # nothing outside the folder, no links, no devices
            read[name] = (read_ct(folder / name / "ct").image, folder / name / "rtstruct.dcm")
        return read[name]

    return get


@pytest.mark.parametrize(
    ("name", "roi", "volume_ml", "told"),
    [
        ("lung1_001", "GTV-1", 155.8, []),
        ("lung1_001", "PTV-1", 590.0, []),
        ("lung1_001", "1,SUV_primair", 123.9, ["contours_repeated"]),
        ("lung1_003", "GTV-1", 34.7, []),
        ("lung1_003", "GTV-2", 38.6, []),
        ("lung1_003", "GTV-3", 8.71, []),
        ("lung1_003", "Heart", 992.4, ["contours_interpolated"]),  # 986.4 mL without the slice that was forgotten
        ("4dlung_113", "Tumor_c40", 67.6, []),
        ("4dlung_113", "LN_c40", 6.41, []),
    ],
)
def test_a_region_has_the_volume_of_its_contours(whole_ct, name, roi, volume_ml, told):
    ct, path = whole_ct(name)
    loaded = read_mask(path, ct, segment=roi)
    voxels = np.count_nonzero(sitk.GetArrayViewFromImage(loaded.image))
    assert voxels * np.prod(ct.GetSpacing()) / 1000 == pytest.approx(volume_ml, rel=0.005)
    assert [warning.code for warning in loaded.warnings] == told


def test_every_contour_stored_twice_is_said_so(whole_ct):
    ct, path = whole_ct("lung1_001")
    (warning,) = read_mask(path, ct, segment="1,SUV_primair").warnings
    assert "Of the 170 contours of ROI 1,SUV_primair of rtstruct.dcm, 85 repeat another" in warning.text


def test_a_region_of_points_is_refused(whole_ct):
    ct, path = whole_ct("lung1_003")
    with pytest.raises(ValueError, match=r"has no closed contour \(1 of type POINT\)"):
        read_mask(path, ct, segment="I1")
