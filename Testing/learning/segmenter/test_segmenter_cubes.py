"""Examples of the network of contours: clicks inside, known truth alone, tumors pasted elsewhere, the division."""

import numpy as np
import pytest
import SimpleITK as sitk
from clicked import made_ct
from scipy import ndimage

from PDL1PredictorLib.cohort.crops import Scene, continued, nsclc_parts
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.segmenter.cubes import WIDE, counts_of, cubes_of, hosts_of, read_cubes
from PDL1PredictorLib.learning.segmenter.drawing import click, draw, line, pasted
from PDL1PredictorLib.segmentation.shown import VOXELS, channels, spacing_for


@pytest.fixture(scope="module")
def cubes():
    made = made_ct()
    mask = sitk.GetImageFromArray(made.tumor.astype(np.uint8))
    mask.CopyInformation(made.ct)
    return cubes_of("ball", "phantom", Scene(sitk.Cast(made.ct, sitk.sitkFloat32), mask, mask * 0 + 1), True)


def crop(cut: int = 0):
    """A ball of 4 voxels within 10 x 10 x 10; `cut` slices are taken away."""
    away = np.linalg.norm(np.indices((10, 10, 10)).T - 4.5, axis=-1).T
    tumor = (away < 3)[cut:]
    hu = np.where(tumor, 30.0, -850.0).astype(np.float32)
    return sitk.GetImageFromArray(hu), sitk.GetImageFromArray(tumor.astype(np.uint8))


def test_a_crop_is_continued_by_its_mirror_image_without_the_tumor():
    ct, mask = crop(cut=2)  # the tumor reaches the first slice, as in LIDC
    scene = continued(ct, mask, 5.0, True, np.random.default_rng(0))
    hu, tumor, known = (sitk.GetArrayFromImage(image) for image in (scene.ct, scene.tumor, scene.known))
    assert hu.shape == (18, 20, 20)
    assert tumor.sum() == sitk.GetArrayFromImage(mask).sum()
    assert (hu[tumor == 0] < -600).all()
    assert known.all()
    assert scene.ct.GetOrigin() == (-5.0, -5.0, -5.0)


def test_beyond_a_cut_tumor_nothing_is_known():
    ct, mask = crop(cut=4)
    scene = continued(ct, mask, 5.0, False, np.random.default_rng(0))
    known = sitk.GetArrayFromImage(scene.known)
    assert known.sum() == 6 * 10 * 10
    assert (sitk.GetArrayFromImage(scene.ct)[4] > 0).any()  # the tumor goes on beyond the cut


def test_a_tumor_is_kept_at_the_spacing_of_a_click_and_at_the_next(cubes):
    assert [cube.spacing_mm for cube in cubes] == [0.75, 1.5]
    assert [cube.wide for cube in cubes] == [False, True]
    for cube in cubes:
        assert cube.tumor.shape == (WIDE,) * 3
        middle = np.argwhere(cube.tumor).mean(axis=0)
        assert np.abs(middle - WIDE / 2).max() < 1.5
        assert cube.tumor.sum() * cube.spacing_mm**3 == pytest.approx(4 / 3 * np.pi * 8**3, rel=0.1)
        assert np.median(cube.hu[cube.tumor]) == pytest.approx(40, abs=5)


def test_the_spacing_leaves_room_about_the_tumor():
    assert [spacing_for(mm) for mm in (5, 28, 30, 57, 60, 200)] == [0.75, 0.75, 1.5, 1.5, 2.5, 2.5]


def test_clicks_and_lines_lie_in_the_tumor_and_the_channels_show_them(cubes):
    cube, rng = cubes[0], np.random.default_rng(0)
    for _ in range(20):
        place = click(cube.tumor, rng)
        assert cube.tumor[tuple(np.rint(place).astype(int))]
    ends = line(cube.tumor, cube.spacing_mm, rng)
    assert np.linalg.norm(ends[0] - ends[1]) * cube.spacing_mm == pytest.approx(16, abs=4)
    shown = channels(np.full((8, 8, 8), -1000.0), np.array([[1.0, 2.0, 3.0]]))
    assert shown.shape == (4, 8, 8, 8)
    assert (shown[:2] == -1).all()
    assert shown[2, 1, 2, 3] == 1
    assert shown[2, 1, 2, 5] == pytest.approx(np.exp(-0.5))
    assert not shown[3].any()
    assert channels(np.zeros((8, 8, 8)), np.array([[0.0, 0, 0], [6.0, 0, 0]]))[3, 6, 0, 0] == 1


def test_what_is_drawn_fits_together_however_it_is_turned(cubes):
    cube = cubes[0]
    for seed in range(8):
        one = draw(cube, (), np.random.default_rng(seed))
        assert one.shown.shape == (4, VOXELS, VOXELS, VOXELS)
        assert one.tumor.sum() == cube.tumor.sum()
        assert one.shown[0][one.tumor > 0].mean() > one.shown[0][one.tumor == 0].mean() + 0.5
        peak = np.unravel_index(one.shown[2].argmax(), one.shown[2].shape)
        assert one.tumor[peak] == 1


def test_a_pasted_tumor_is_itself_and_far_from_it_is_the_host():
    tumor = np.zeros((20, 20, 20), bool)
    tumor[9:11, 9:11, 9:11] = True
    made = pasted(np.where(tumor, 40.0, -800.0), tumor, np.full(tumor.shape, -900, np.int16), 1.0)
    assert (made[tumor] == 40).all()
    assert made[0, 0, 0] == -900
    assert made[8, 9, 9] == -800  # within the halo
    assert made[9, 9, 14] == pytest.approx(-800 - 100 * (4 - 1.5) / 4)


def test_hosts_lie_in_lung():
    within = sitk.ConstantPad(made_ct(radius_mm=3.0).ct, [20] * 3, [20] * 3, 40)
    hosts = list(hosts_of(within, np.random.default_rng(0)))
    assert {mm for mm, _ in hosts} == {0.75, 1.5, 2.5}
    for _, host in hosts:
        middle = host[WIDE // 2 - 2 : WIDE // 2 + 2, WIDE // 2 - 2 : WIDE // 2 + 2, WIDE // 2 - 2 : WIDE // 2 + 2]
        assert middle.mean() < -700


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(InputError, match="no cases for the part 'fit'"):
        read_cubes(None, None, 0, 1)


def test_cropped_tumors_are_divided_by_patient_and_read(tmp_path):
    ct, mask = crop()
    (tmp_path / "voi").mkdir()
    for n in range(8):
        sitk.WriteImage(sitk.Cast(ct, sitk.sitkInt16), str(tmp_path / "voi" / f"case_{n}_image.nii.gz"))
        sitk.WriteImage(mask, str(tmp_path / "voi" / f"case_{n}_mask.nii.gz"))
    parts = read_cubes(None, tmp_path, 0, 1)
    names = [{cube.name for cube in part.cases} for part in parts]
    assert not names[0] & names[1]
    test = {crop.name for crop in nsclc_parts(tmp_path, 1)[2]}
    assert test
    assert set.union(*names) == {f"case_{n}" for n in range(8)} - test
    assert {cube.source for part in parts for cube in part.cases} == {"NSCLC"}
    assert counts_of(parts) == dict(zip(("fit", "validation"), (len(part.cases) for part in parts), strict=True))
    (tmp_path / "voi" / "case_3_mask.nii.gz").unlink()
    with pytest.raises(InputError, match=r"no case_3_mask\.nii\.gz"):
        read_cubes(None, tmp_path, 0, 1)


def test_lung_near_the_crops_end_is_as_if_the_mirrored_tumor_were_measured():
    """The tumor's mirror image and its halo become lung; farther away the mirror image stays."""
    ct, mask = crop()
    hu = sitk.GetArrayFromImage(ct)
    hu[0] = -100.0  # a wall, 2 voxels from the tumor
    image = sitk.GetImageFromArray(hu)
    made = sitk.GetArrayFromImage(continued(image, mask, 10.0, True, np.random.default_rng(0)).ct)
    tumor = np.pad(sitk.GetArrayFromImage(mask) > 0, 10, mode="symmetric")
    near = ndimage.distance_transform_edt(~tumor) <= 1.5
    wide = np.pad(hu, 10, mode="symmetric")
    inside = np.zeros(wide.shape, bool)
    inside[10:20, 10:20, 10:20] = True
    assert (made[near & ~inside] < -600).all()
    assert np.array_equal(made[~near | inside], wide[~near | inside])
