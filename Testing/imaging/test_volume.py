"""The cube about the tumor: centered, true in the patient, whatever the CT's axes; its maps placed back."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.core.settings import VolumeSettings
from PDL1PredictorLib.imaging.volume import place_volume_map, spread_volume_map, tumor_volume

SETTINGS = VolumeSettings(16, 2.0)
CENTER = (9, 14, 20)  # of the tumor, k, j, i


def case(flip: bool = False, at: tuple[int, int, int] = CENTER, spacing=(1.0, 1.5, 2.0)) -> Case:
    """A ball of 40 HU in lung, 6 mm in radius, on voxels of three lengths; perhaps with the slices upside down."""
    shape = (20, 30, 40)
    places = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    distance = np.linalg.norm((places - at) * np.array(spacing[::-1]), axis=-1)
    hu = np.where(distance < 6, 40, -800).astype(np.int16)
    images = [
        sitk.GetImageFromArray(values[::-1] if flip else values) for values in (hu, (distance < 6).astype(np.uint8))
    ]
    for image in images:
        image.SetSpacing(spacing)
        image.SetOrigin((-30.0, 10.0, 50.0 + (shape[0] - 1) * spacing[2] if flip else 50.0))
        image.SetDirection((1, 0, 0, 0, 1, 0, 0, 0, -1 if flip else 1))
    return Case(*images)


def center_mm(image: sitk.Image, values: np.ndarray) -> np.ndarray:
    """Center of mass of values on an image's grid, patient coordinates."""
    where = np.indices(values.shape).reshape(3, -1)
    k, j, i = where @ values.ravel() / values.sum()
    return np.array(image.TransformContinuousIndexToPhysicalPoint((float(i), float(j), float(k))))


TRUE_CENTER = np.array([-30 + 20 * 1.0, 10 + 14 * 1.5, 50 + 9 * 2.0])


@pytest.mark.parametrize("flip", [False, True])
def test_the_cube_lies_about_the_tumor_whichever_way_the_slices_are_stored(flip: bool):
    volume = tumor_volume(case(flip), SETTINGS)
    assert volume.image.GetSize() == (16, 16, 16)
    assert volume.image.GetSpacing() == pytest.approx((2.0, 2.0, 2.0))
    tumor = sitk.GetArrayFromImage(volume.tumor).astype(float)
    np.testing.assert_allclose(center_mm(volume.tumor, tumor), TRUE_CENTER, atol=0.7)
    middle = np.array(volume.image.TransformContinuousIndexToPhysicalPoint((7.5, 7.5, 7.5)))
    assert np.abs(middle - TRUE_CENTER).max() <= 1.0 + 1e-6  # half a voxel
    assert np.median(sitk.GetArrayFromImage(volume.image)[tumor > 0]) == pytest.approx(40, abs=30)
    assert tumor.sum() * 8 == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.15)


def test_both_ways_of_storing_give_the_same_numbers():
    one, other = (tumor_volume(case(flip), SETTINGS) for flip in (False, True))
    for name in ("image", "tumor"):
        np.testing.assert_array_equal(*(sitk.GetArrayFromImage(getattr(v, name)) for v in (one, other)))


def test_what_lies_outside_the_ct_is_air_and_is_told():
    volume = tumor_volume(case(at=(9, 14, 4)), SETTINGS)
    hu = sitk.GetArrayFromImage(volume.image)
    assert volume.padded_fraction > 0.1
    assert (hu == -1024).mean() == pytest.approx(volume.padded_fraction)
    assert tumor_volume(case(), VolumeSettings(16, 1.5)).padded_fraction == 0


def with_pet(one: Case, origin=(-40.0, 0.0, 40.0)) -> Case:
    """A PET on a grid of its own whose value is its place along x, in mm, over 10, from 0 on."""
    values = np.broadcast_to(np.arange(24) * 0.4, (20, 24, 24)).astype(np.float32)
    pet = sitk.GetImageFromArray(values)
    pet.SetSpacing((4.0, 4.0, 4.0))
    pet.SetOrigin(origin)
    return replace(one, pet=pet)


def test_the_pet_is_laid_on_the_cube_in_the_patient():
    volume = tumor_volume(with_pet(case()), SETTINGS)
    suv = sitk.GetArrayFromImage(volume.suv)
    x = volume.image.GetOrigin()[0] + 2.0 * np.arange(16)
    np.testing.assert_allclose(suv[8, 8], (x + 40) / 10, atol=1e-4)
    assert tumor_volume(case(), SETTINGS).suv is None


def test_a_pet_that_does_not_show_the_tumor_is_refused():
    with pytest.raises(InputError, match="does not cover the tumor"):
        tumor_volume(with_pet(case(), origin=(500.0, 0.0, 40.0)), SETTINGS)


def test_a_tumor_between_the_points_of_the_lattice_is_refused():
    one = case()
    sheet = np.zeros((20, 30, 40), np.uint8)
    sheet[12, 10:20, 10:30] = 1  # the points of the lattice lie 1.25 slices below and above it
    tumor = sitk.GetImageFromArray(sheet)
    tumor.CopyInformation(one.tumor)
    with pytest.raises(EmptyRegionError, match="too small for voxels of 5 mm"):
        tumor_volume(replace(one, tumor=tumor), VolumeSettings(16, 5.0))


def test_a_map_is_spread_between_the_centers_of_its_cells_and_placed_on_the_cube():
    values = np.zeros((4, 4, 4))
    values[1, 2, 3] = 1.0
    spread = spread_volume_map(values, (16, 16, 16))
    assert np.unravel_index(spread.argmax(), spread.shape)[0] in (5, 6)
    assert spread.max() == pytest.approx(0.875**2 * 1.0, rel=0.01)  # the last cell goes on to the edge
    volume = tumor_volume(case(), SETTINGS)
    image = place_volume_map(values, volume)
    assert image.GetOrigin() == volume.image.GetOrigin()
    np.testing.assert_allclose(sitk.GetArrayFromImage(image), spread, atol=1e-6)
    with pytest.raises(ValueError, match="three dimensions"):
        spread_volume_map(np.zeros((4, 4)), (16, 16, 16))
