import numpy as np
import pytest
import SimpleITK as sitk
from mask_image import mask_image

from PDL1PredictorLib.core.case import same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError, InputError
from PDL1PredictorLib.imaging.read import read_ct


def array(image):
    return sitk.GetArrayFromImage(image)


def square(ct, k, low, high):
    """A square around the voxels low to high - 1 of both in-plane axes, in patient coordinates."""
    a, b = low - 0.5, high - 0.5
    return np.array(
        [ct.TransformContinuousIndexToPhysicalPoint((i, j, k)) for i, j in ((a, a), (b, a), (b, b), (a, b))]
    )


def prism(ct, low=4, high=12, slices=range(3, 7)):
    return [square(ct, k, low, high) for k in slices]


@pytest.fixture
def ct(grid, filled, direction):
    """Three different spacings, in every orientation; oblique included."""
    image = grid((20, 18, 16), (0.7, 0.9, 2.5), direction)
    return filled(image, np.random.default_rng(0).integers(-1000, 100, (16, 18, 20)).astype(np.int16))


def test_contours_fill_the_voxels_whose_centers_they_enclose(ct, write_rtstruct, tmp_path):
    path = write_rtstruct(tmp_path / "Struktur ü.dcm", {"GTV-1": prism(ct)})
    mask = mask_image(path, ct)
    expected = np.zeros((16, 18, 20), np.uint8)
    expected[3:7, 4:12, 4:12] = 1
    assert (array(mask) == expected).all()
    assert same_grid(mask, ct)
    assert mask.GetPixelID() == sitk.sitkUInt8


def test_a_contour_inside_another_cuts_a_hole(ct, write_rtstruct, tmp_path):
    contours = [*prism(ct), *prism(ct, 6, 8)]
    mask = array(mask_image(write_rtstruct(tmp_path / "rs.dcm", {"GTV": contours}), ct))
    assert mask[3:7].sum() == 4 * (64 - 4)
    assert not mask[3:7, 6:8, 6:8].any()


def test_contours_side_by_side_are_both_filled(ct, write_rtstruct, tmp_path):
    contours = [*prism(ct, 2, 5), *prism(ct, 8, 12)]
    assert array(mask_image(write_rtstruct(tmp_path / "rs.dcm", {"GTV": contours}), ct)).sum() == 4 * (9 + 16)


def test_contours_between_slices_go_to_the_nearest(ct, write_rtstruct, tmp_path):
    contours = [square(ct, k, 4, 12) for k in (2.7, 4.4, 5.2)]
    mask = array(mask_image(write_rtstruct(tmp_path / "rs.dcm", {"GTV": contours}), ct))
    assert np.flatnonzero(mask.any(axis=(1, 2))).tolist() == [3, 4, 5]


def test_of_several_planes_at_one_slice_the_nearest_is_taken(ct, write_rtstruct, tmp_path):
    contours = [square(ct, 3 + off, 4, 12 if off == 0 else 16) for off in (-1 / 3, 0, 1 / 3)]
    mask = array(mask_image(write_rtstruct(tmp_path / "rs.dcm", {"GTV": contours}), ct))
    assert int(mask.sum()) == 64


def test_contours_in_sagittal_planes_of_the_ct_are_filled_too(ct, write_rtstruct, tmp_path):
    corners = ((2.5, 3.5), (9.5, 3.5), (9.5, 8.5), (2.5, 8.5))
    contours = [
        np.array([ct.TransformContinuousIndexToPhysicalPoint((float(i), j, k)) for j, k in corners]) for i in (5, 6, 7)
    ]
    mask = array(mask_image(write_rtstruct(tmp_path / "rs.dcm", {"GTV": contours}), ct))
    expected = np.zeros((16, 18, 20), np.uint8)
    expected[4:9, 3:10, 5:8] = 1
    assert (mask == expected).all()


def test_an_roi_is_chosen_by_name_or_number(chest, write_rtstruct, tmp_path):
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV-1": prism(chest), "Lung": prism(chest, 2, 16)})
    with pytest.raises(InputError, match=r"rs.dcm holds 2 regions: 1 \(GTV-1\), 2 \(Lung\)"):
        mask_image(path, chest)
    with pytest.raises(InputError, match=r"no region 'Tumor'. It holds: 1 \(GTV-1\), 2 \(Lung\)"):
        mask_image(path, chest, segment="Tumor")
    for segment, size in (("GTV-1", 4 * 64), ("1", 4 * 64), ("Lung", 4 * 14 * 14), ("2", 4 * 14 * 14)):
        assert int(array(mask_image(path, chest, segment=segment)).sum()) == size


def test_a_folder_with_the_series_and_one_rtstruct_is_enough(chest, write_series, write_rtstruct, tmp_path):
    written = write_series(tmp_path, chest)
    ct = read_ct(tmp_path).image
    with pytest.raises(InputError, match="holds 0 RTSTRUCT or SEG files"):
        mask_image(tmp_path, ct)
    write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest)}, written.frame)
    assert int(array(mask_image(tmp_path, ct)).sum()) == 4 * 64
    write_rtstruct(tmp_path / "rs2.dcm", {"GTV": prism(chest)}, written.frame)
    with pytest.raises(InputError, match=r"holds 2 RTSTRUCT or SEG files: rs.dcm, rs2.dcm"):
        mask_image(tmp_path, ct)


def test_contours_of_another_scan_are_refused_by_its_frame_of_reference(chest, write_series, write_rtstruct, tmp_path):
    written = write_series(tmp_path / "ct", chest)
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest)}, "1.2.3.4")
    with pytest.raises(
        GridMismatchError, match=rf"ROI GTV of rs.dcm refers to another scan.*1\.2\.3\.4.*{written.frame}"
    ):
        mask_image(path, read_ct(written.folder).image)
    assert mask_image(path, chest)  # a CT from NIfTI has no frame of reference to compare with


def test_contours_outside_the_ct_are_refused(chest, write_rtstruct, tmp_path):
    contours = [contour + np.array([0, 0, 500]) for contour in prism(chest)]
    with pytest.raises(GridMismatchError, match="leaves the CT's field of view"):
        mask_image(write_rtstruct(tmp_path / "rs.dcm", {"GTV": contours}), chest)


def test_a_contour_across_the_slices_is_refused(chest, write_rtstruct, tmp_path):
    tilted = prism(chest)
    tilted[1] = tilted[1] + np.array([[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1]])
    with pytest.raises(GridMismatchError, match=r"leaves its plane by 0.40 slices"):
        mask_image(write_rtstruct(tmp_path / "rs.dcm", {"GTV": tilted}), chest)


def test_contours_of_a_much_coarser_series_are_refused(chest, write_rtstruct, tmp_path):
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest, slices=range(1, 10, 4))})
    with pytest.raises(InputError, match="no contour on 3 slices in a row"):
        mask_image(path, chest)


def test_an_roi_without_contours_is_refused(chest, write_rtstruct, tmp_path):
    with pytest.raises(EmptyRegionError, match="ROI GTV of rs.dcm has no closed contour"):
        mask_image(write_rtstruct(tmp_path / "rs.dcm", {"GTV": []}), chest)


def test_a_file_without_any_roi_is_refused(chest, write_rtstruct, tmp_path):
    with pytest.raises(InputError, match="rs.dcm holds no ROI"):
        mask_image(write_rtstruct(tmp_path / "rs.dcm", {}), chest)


def test_contours_between_voxel_centers_are_refused(chest, write_rtstruct, tmp_path):
    tiny = [
        np.array(
            [chest.TransformContinuousIndexToPhysicalPoint((x, y, 4)) for x, y in ((5.2, 5.2), (5.4, 5.2), (5.3, 5.4))]
        )
    ]
    with pytest.raises(EmptyRegionError, match="encloses no voxel center"):
        mask_image(write_rtstruct(tmp_path / "rs.dcm", {"GTV": tiny}), chest)


def test_a_ct_slice_is_no_mask(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    with pytest.raises(InputError, match="is DICOM CT; a mask is an RTSTRUCT or a SEG"):
        mask_image(written.paths[0], chest)


@pytest.mark.parametrize("kept", [0.3, 0.67, 0.9, 0.999])
def test_an_rtstruct_that_is_cut_off_is_refused(chest, write_rtstruct, tmp_path, kept):
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest)})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(InputError, match=r"rs\.dcm .*(cut off|damaged|without a modality)"):
        mask_image(path, chest)


def test_an_rtstruct_with_a_contour_that_is_no_list_of_points_is_refused(chest, write_rtstruct, tmp_path, pydicom_read):
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest)})
    data = pydicom_read(path)
    data.ROIContourSequence[0].ContourSequence[1].ContourData = ["1", "2", "3", "4"]
    data.save_as(path)
    with pytest.raises(InputError, match="rs.dcm is a damaged RTSTRUCT"):
        mask_image(path, chest)


def test_what_an_rtstruct_lacks_is_named(chest, write_rtstruct, pydicom_read, tmp_path):
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": []})
    data = pydicom_read(path)
    del data.ROIContourSequence[0].ReferencedROINumber
    data.save_as(path)
    with pytest.raises(InputError, match=r"is a damaged RTSTRUCT \(it has no ReferencedROINumber\)"):
        mask_image(path, chest)
