import sys

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_seg import write_seg
from mask_image import mask_image

from PDL1PredictorLib.core.case import same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError, InputError, MissingPackageError
from PDL1PredictorLib.imaging.read import read_ct


def array(image):
    return sitk.GetArrayFromImage(image)


@pytest.fixture
def scan(grid, filled, direction, write_series, tmp_path):
    """A CT in every orientation, as DICOM; its masks are arrays in the order of the slices written."""
    image = grid((14, 12, 10), (0.7, 0.9, 2.5), direction)
    image = filled(image, np.random.default_rng(0).integers(-1000, 100, (10, 12, 14)).astype(np.int16))
    written = write_series(tmp_path / "ct", image)
    written.image = image
    written.ct = read_ct(written.folder).image
    return written


def boxes():
    tumor, node = np.zeros((10, 12, 14), np.uint8), np.zeros((10, 12, 14), np.uint8)
    tumor[2:5, 3:9, 4:12] = 1  # not symmetric along any axis
    node[4:9, 7:10, 2:6] = 1
    return tumor, node


def test_a_segment_lies_where_it_was_drawn(scan, points, tmp_path):
    tumor, node = boxes()
    path = write_seg(tmp_path / "Segmentierung ü.dcm", scan.paths, tumor, node)
    for segment, drawn in (("Tumor", tumor), ("1", tumor), ("Node", node), ("2", node)):
        mask = mask_image(path, scan.ct, segment=segment)
        assert same_grid(mask, scan.ct)
        expected = points(scan.image)[drawn > 0].mean(axis=0)
        assert np.allclose(points(mask)[array(mask) > 0].mean(axis=0), expected, atol=1e-3)
        assert int(array(mask).sum()) == int(drawn.sum())


def test_of_several_segments_one_must_be_chosen(scan, tmp_path):
    path = write_seg(tmp_path / "seg.dcm", scan.paths, *boxes())
    with pytest.raises(InputError, match=r"seg.dcm holds 2 regions: 1 \(Tumor\), 2 \(Node\)"):
        mask_image(path, scan.ct)
    with pytest.raises(InputError, match=r"no region 'Lung'. It holds: 1 \(Tumor\), 2 \(Node\)"):
        mask_image(path, scan.ct, segment="Lung")


def test_a_single_segment_needs_no_choice(scan, tmp_path):
    tumor, _ = boxes()
    assert int(array(mask_image(write_seg(tmp_path / "seg.dcm", scan.paths, tumor), scan.ct)).sum()) == int(tumor.sum())


def test_a_segment_of_another_scan_is_refused(chest, write_series, tmp_path):
    first, second = write_series(tmp_path / "a", chest), write_series(tmp_path / "b", chest)
    mask = np.zeros(chest.GetSize()[::-1], np.uint8)
    mask[2:5, 3:9, 4:12] = 1
    path = write_seg(tmp_path / "seg.dcm", first.paths, mask)
    with pytest.raises(GridMismatchError, match="seg.dcm refers to another scan"):
        mask_image(path, read_ct(second.folder).image)
    assert int(array(mask_image(path, chest)).sum()) == int(mask.sum())


def test_a_ct_of_another_grid_needs_resampling(chest, write_series, tmp_path):
    written = write_series(tmp_path / "a", chest)
    mask = np.zeros(chest.GetSize()[::-1], np.uint8)
    mask[2:6, 3:9, 4:12] = 1
    path = write_seg(tmp_path / "seg.dcm", written.paths, mask)
    finer = sitk.Expand(chest, [2, 2, 2])
    with pytest.raises(GridMismatchError, match="--resample-mask"):
        mask_image(path, finer)
    assert int(array(mask_image(path, finer, resample=True)).sum()) == pytest.approx(8 * mask.sum(), rel=0.15)


def test_an_empty_segment_is_refused(chest, write_series, tmp_path):
    written = write_series(tmp_path / "a", chest)
    mask = np.zeros(chest.GetSize()[::-1], np.uint8)
    mask[2:6, 3:9, 4:12] = 1
    path = write_seg(tmp_path / "seg.dcm", written.paths, mask, np.zeros_like(mask))
    with pytest.raises(EmptyRegionError, match="no voxel"):
        mask_image(path, chest, segment="Node")


def test_a_damaged_seg_is_refused(chest, write_series, tmp_path):
    written = write_series(tmp_path / "a", chest)
    mask = np.ones(chest.GetSize()[::-1], np.uint8)
    path = write_seg(tmp_path / "seg.dcm", written.paths, mask)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 200])
    with pytest.raises(InputError, match=r"seg\.dcm"):
        mask_image(path, chest)


def test_without_highdicom_the_remedy_is_named(chest, write_series, tmp_path, monkeypatch):
    written = write_series(tmp_path / "a", chest)
    path = write_seg(tmp_path / "seg.dcm", written.paths, np.ones(chest.GetSize()[::-1], np.uint8))
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingPackageError, match="highdicom is needed .* or save the mask as NIfTI or NRRD"):
        mask_image(path, chest)
