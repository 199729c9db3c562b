"""NIfTI that contradicts itself, or holds what is no volume: the rules of docs/input.md."""

import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import same_grid
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.volumes.files import read_volume

PIXDIM, SLOPE, UNITS, CODES, QUATERN, SFORM, MAGIC = 80, 112, 123, 252, 256, 280, 344
# right, anterior, superior; the axes run toward left, posterior, superior
AXIAL = np.array([[-2, 0, 0, 10], [0, -3, 0, 20], [0, 0, 5, -30.0]])


@pytest.fixture
def nifti(grid, filled, tmp_path):
    """Write a volume of 4 x 5 x 6 voxels of 2 x 3 x 5 mm, parts of the header changed: (offset, layout, values)."""

    def write(*changes, dtype=np.int16, name="ct.nii"):
        values = np.arange(120).reshape(6, 5, 4).astype(dtype)
        image = filled(grid((4, 5, 6), (2.0, 3.0, 5.0)), values)
        image.SetOrigin((-10.0, -20.0, -30.0))
        sitk.WriteImage(image, str(tmp_path / "plain.nii"))
        content = bytearray((tmp_path / "plain.nii").read_bytes())
        for offset, layout, *new in changes:
            struct.pack_into("<" + layout, content, offset, *new)
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return tmp_path / name

    return write


def sform(affine):
    return (SFORM, "12f", *np.ravel(affine))


def codes(loaded):
    return [warning.code for warning in loaded.warnings]


@pytest.mark.parametrize(("qform", "code"), [(1, 1), (1, 0), (0, 1), (0, 2)])
def test_either_transform_alone_and_both_that_agree_give_one_place(nifti, qform, code):
    found = read_volume(nifti((CODES, "2h", qform, code), sform(AXIAL)), "CT")
    assert found.warnings == ()
    assert found.image.GetSpacing() == (2.0, 3.0, 5.0)
    assert found.image.GetOrigin() == (-10.0, -20.0, -30.0)
    assert found.image.GetDirection() == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1))


def test_pixdim_of_ones_beside_a_sform_takes_the_spacing_of_the_sform_and_says_so(nifti):
    found = read_volume(nifti((PIXDIM, "3f", 1, 1, 1), (CODES, "2h", 0, 1), sform(AXIAL)), "CT")
    assert codes(found) == ["spacing_from_sform"]
    assert "1 x 1 x 1 mm in pixdim and of 2 x 3 x 5 mm in its sform" in found.warnings[0].text
    assert found.image.GetSpacing() == (2.0, 3.0, 5.0)


def test_pixdim_that_says_something_else_than_the_sform_is_refused(nifti):
    path = nifti((PIXDIM, "3f", 2, 3, 2.5), (CODES, "2h", 0, 1), sform(AXIAL))
    with pytest.raises(InputError, match="its pixdim says voxels of 2 x 3 x 2.5 mm, its sform 2 x 3 x 5 mm"):
        read_volume(path, "CT")


MIRRORED = AXIAL * [[-1], [1], [1]]
MOVED = AXIAL.copy()
MOVED[0, 3] += 4
UNIT = AXIAL / [[2], [3], [5]]


@pytest.mark.parametrize(("affine", "words"), [(MIRRORED, "RPS"), (MOVED, "from .-14, -20"), (UNIT, "of 1 x 1 x 1 mm")])
def test_qform_and_sform_that_disagree_are_refused_with_both(nifti, affine, words):
    with pytest.raises(InputError, match=f"its qform says voxels of 2 x 3 x 5 mm along LPS.*its sform .*{words}"):
        read_volume(nifti((CODES, "2h", 1, 1), sform(affine)), "CT")
    read_volume(nifti((CODES, "2h", 1, 0), sform(affine)), "CT")  # a sform without a code says nothing


def test_qform_and_sform_a_hair_apart_are_read_with_a_warning(nifti):
    affine = AXIAL.copy()
    affine[0, 3] += 0.1
    found = read_volume(nifti((CODES, "2h", 1, 1), sform(affine)), "CT")
    assert codes(found) == ["geometry_adjusted"]
    assert "up to 0.1 mm apart" in found.warnings[0].text
    assert found.image.GetOrigin()[0] == pytest.approx(-10.1)


@pytest.mark.parametrize("qform", [0, 1])
def test_a_sheared_sform_is_called_sheared(nifti, qform):
    affine = AXIAL.copy()
    affine[0, 2] = 2.5
    with pytest.raises(InputError, match="is sheared: its axes i and k are at 63.43 degrees instead of 90"):
        read_volume(nifti((CODES, "2h", qform, 1), sform(affine)), "CT")


def test_a_shear_that_moves_no_corner_by_a_tenth_of_a_voxel_is_squared_with_a_warning(nifti):
    affine = AXIAL.copy()
    affine[0, 2] = 0.01
    found = read_volume(nifti((CODES, "2h", 0, 1), sform(affine)), "CT")
    assert codes(found) == ["geometry_adjusted"]
    axes = np.reshape(found.image.GetDirection(), (3, 3))
    assert axes.T @ axes == pytest.approx(np.eye(3), abs=1e-9)


@pytest.mark.parametrize("tilt", [1e-5, 1e-4, 1e-3, 0.3])
def test_an_oblique_file_of_itk_has_no_contradiction_however_small_its_tilt(nifti, grid, tmp_path, tilt):
    c, s = np.cos(tilt), np.sin(tilt)  # near a half turn the quaternion keeps an angle to 0.001 only
    image = grid((300, 300, 4), (0.7, 0.7, 5.0), np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]))
    sitk.WriteImage(image, str(tmp_path / "tilted.nii"))
    found = read_volume(tmp_path / "tilted.nii", "CT")
    assert found.warnings == ()
    assert same_grid(found.image, image)


@pytest.mark.parametrize(("unit", "factor"), [(0, 1), (1, 1000), (2, 1), (3, 0.001)])
def test_the_unit_of_length_is_honored(nifti, unit, factor):
    tiny = AXIAL / factor
    change = [(UNITS, "B", unit), (PIXDIM, "3f", *(np.array([2, 3, 5]) / factor)), (CODES, "2h", 0, 1), sform(tiny)]
    found = read_volume(nifti(*change), "CT").image
    assert found.GetSpacing() == pytest.approx((2, 3, 5))
    assert found.GetOrigin() == pytest.approx((-10, -20, -30))


def test_meters_that_are_millimeters_and_unknown_units_are_refused(nifti):
    with pytest.raises(InputError, match="gives the spacing 2000 x 3000 x 5000 mm; .* between 0.001 and 100 mm"):
        read_volume(nifti((UNITS, "B", 1)), "CT")
    with pytest.raises(InputError, match="unit of length 5, which NIfTI does not know"):
        read_volume(nifti((UNITS, "B", 5)), "CT")


@pytest.mark.parametrize(("slope", "intercept", "last"), [(2, -1000, -762), (1, -1024, -905), (0.5, 0, 59.5)])
def test_slope_and_intercept_are_applied(nifti, slope, intercept, last):
    values = sitk.GetArrayFromImage(read_volume(nifti((SLOPE, "2f", slope, intercept)), "CT").image)
    assert values.dtype == np.float32
    assert values[-1, -1, -1] == last
    assert values[0, 0, 0] == intercept


@pytest.mark.parametrize(("slope", "intercept"), [(np.nan, np.nan), (np.nan, 0), (0, -1024), (0, np.nan)])
def test_a_slope_that_means_none_is_not_applied_and_that_is_said(nifti, slope, intercept):
    found = read_volume(nifti((SLOPE, "2f", slope, intercept)), "CT")
    assert codes(found) == ["scaling_ignored"]
    assert sitk.GetArrayFromImage(found.image)[-1, -1, -1] == 119
    assert read_volume(nifti((SLOPE, "2f", 0, 0)), "CT").warnings == ()


@pytest.mark.parametrize(("slope", "intercept"), [(np.inf, 0), (1, np.nan), (1, -np.inf), (np.nan, 5)])
def test_a_slope_that_means_nothing_is_refused(nifti, slope, intercept):
    with pytest.raises(InputError, match="both must be finite"):
        read_volume(nifti((SLOPE, "2f", slope, intercept)), "CT")


def test_a_slope_that_leaves_the_numbers_is_found_as_voxels_that_are_not_finite(nifti):
    with pytest.raises(InputError, match="118 voxels that are NaN or infinite"):
        read_volume(nifti((SLOPE, "2f", 3e38, 0), (CODES, "2h", 0, 1), dtype=np.float32), "CT")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((70, "2h", 32, 64), "complex numbers; one number per voxel"),
        ((70, "2h", 128, 24), "colors"),
        ((68, "h", 1007), "vectors"),
        ((70, "2h", 4, 32), "32 bits per voxel"),
        ((70, "h", 77), "data type 77"),
        ((40, "h", 9), "9 dimensions"),
        ((42, "h", -4), "the size -4 x 5 x 6"),
        ((108, "f", 300), "begin at byte 300"),
        ((108, "f", np.nan), "begin at byte nan"),
        ((MAGIC, "4s", b"ni1\0"), "header of a pair of files"),
        ((MAGIC, "4s", b"n+7\0"), "not a whole NIfTI file .*Analyze 7.5 is not read"),
        ((CODES, "2h", 77, 1), "qform_code is 77"),
        ((QUATERN, "f", 1.5), "its quaternion has the length"),
        ((PIXDIM - 4, "f", 3), "qfac .pixdim.0.. is 3"),
        ((268, "f", 1e30), "places the first voxel at"),
    ],
)
def test_what_a_header_cannot_say_is_refused_in_words(nifti, change, words):
    plain = (CODES, "2h", 1, 0)
    read_volume(nifti(plain), "CT")
    with pytest.raises(InputError, match=words):
        read_volume(nifti(plain, change), "CT")


def test_several_volumes_are_refused_before_they_are_read(grid, tmp_path):
    series = sitk.JoinSeries([grid((4, 5, 6), (1, 1, 1))] * 2)
    sitk.WriteImage(series, str(tmp_path / "ct.nii"))
    content = (tmp_path / "ct.nii").read_bytes()
    (tmp_path / "ct.nii").write_bytes(content[:400])  # cut off too: the dimensions are what is said
    with pytest.raises(InputError, match="has 4 dimensions; a volume of 3 is needed"):
        read_volume(tmp_path / "ct.nii", "CT")


def test_nothing_is_said_on_the_screen(nifti, capfd):
    read_volume(nifti((PIXDIM, "3f", 1, 1, 1), (CODES, "2h", 0, 1), sform(AXIAL)), "CT")
    assert capfd.readouterr() == ("", "")


def test_nifti_2_and_big_endian_are_read_alike(nifti):
    path = nifti()
    expected = read_volume(path, "CT").image
    old = path.read_bytes()
    new = bytearray(544)
    struct.pack_into("<i8shh8q", new, 0, 540, b"n+2\0\r\n\x1a\n", 4, 16, 3, 4, 5, 6, 1, 1, 1, 1)
    struct.pack_into("<8d", new, 104, 1, 2, 3, 5, 0, 0, 0, 0)
    struct.pack_into("<q2d", new, 168, 544, 1, 0)
    struct.pack_into("<2i", new, 344, 0, 1)
    struct.pack_into("<12d", new, 400, *np.ravel(AXIAL))
    struct.pack_into("<i", new, 500, 2)
    path.write_bytes(bytes(new) + old[352:])
    found = read_volume(path, "CT").image
    assert same_grid(found, expected)
    assert (sitk.GetArrayFromImage(found) == sitk.GetArrayFromImage(expected)).all()
    big = bytearray(352)
    struct.pack_into(">i", big, 0, 348)
    struct.pack_into(">8h", big, 40, 3, 4, 5, 6, 1, 1, 1, 1)
    struct.pack_into(">2h", big, 70, 4, 16)
    struct.pack_into(">8f", big, 76, 1, 2, 3, 5, 0, 0, 0, 0)
    struct.pack_into(">f", big, 108, 352)
    struct.pack_into(">2h", big, CODES, 0, 1)
    struct.pack_into(">12f", big, SFORM, *np.ravel(AXIAL))
    struct.pack_into(">4s", big, MAGIC, b"n+1\0")
    path.write_bytes(bytes(big) + np.frombuffer(old[352:], "<i2").astype(">i2").tobytes())
    found = read_volume(path, "CT").image
    assert same_grid(found, expected)
    assert (sitk.GetArrayFromImage(found) == sitk.GetArrayFromImage(expected)).all()


def test_a_nii_beside_a_nii_gz_of_the_same_name_is_not_read_in_its_place(nifti):
    zipped = nifti(name="ct.nii.gz")
    nifti((SLOPE, "2f", 2, 0), name="ct.nii")  # ITK takes this one for both
    assert sitk.GetArrayFromImage(read_volume(zipped, "CT").image)[-1, -1, -1] == 119
