"""Hounsfield units are told by air, lung and soft tissue; padding is no evidence."""

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import require_ct
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.hounsfield import evidence, judge

PADDING = (-1024, -1000, -2000, -2048, -3024, -32768)


def tissues(shares, seed=0):
    """Voxels (20, 20, 20): shares of lung, fat, muscle and bone, with the noise of a scanner."""
    rng = np.random.default_rng(seed)
    centers = {"air": -1000, "lung": -850, "fat": -100, "muscle": 40, "bone": 700}
    spread = {"air": 15, "lung": 60, "fat": 15, "muscle": 20, "bone": 200}
    parts = [rng.normal(centers[name], spread[name], round(8000 * share)) for name, share in shares.items()]
    return np.rint(np.concatenate(parts)).reshape(20, 20, 20)


CHEST = {"air": 0.25, "lung": 0.25, "fat": 0.125, "muscle": 0.3125, "bone": 0.0625}
LUNG_CROP = {"lung": 0.875, "muscle": 0.125}
WALL_CROP = {"lung": 0.1875, "fat": 0.125, "muscle": 0.65625, "bone": 0.03125}
VOLUMES = {"chest": CHEST, "crop in the lung": LUNG_CROP, "crop at the wall": WALL_CROP}


def padded(values, padding):
    """The same with padding outside a circle in every slice."""
    _, j, i = np.indices(values.shape)
    return np.where(np.hypot(j - 9.5, i - 9.5) > 9.5, padding, values)


def window(low, high):
    return lambda hu: np.rint(np.clip((hu - low) / (high - low), 0, 1) * 255)


WRONG = {
    "stored values": lambda hu: hu + 1024,
    "stored values of another scanner": lambda hu: hu + 1000,
    "stored values cut off at 0": lambda hu: np.maximum(hu + 1024, 0),
    "rescaled twice": lambda hu: hu - 1024,
    "doubled": lambda hu: 2 * hu,
    "a tenth": lambda hu: hu / 10,
    "halved": lambda hu: hu / 2,
    "a picture of the soft tissue window": window(-160, 240),
    "a picture of the lung window": window(-1350, 150),
    "scaled to 0..1": lambda hu: (hu - hu.min()) / (hu.max() - hu.min()),
    "standardized": lambda hu: (hu - hu.mean()) / hu.std(),
    "inverted": lambda hu: -hu,
    "inverted stored values": lambda hu: 4095 - (hu + 1024),
    "a mask": lambda hu: (hu > -400).astype(float),
    "an MR": lambda hu: np.abs(np.where(hu < -400, 20, 300 + hu)),
    "bytes swapped": lambda hu: hu.astype("<i2").view(">i2").astype(float),
}


@pytest.mark.parametrize("padding", [None, *PADDING])
@pytest.mark.parametrize("name", VOLUMES)
def test_a_ct_is_accepted_with_any_padding(name, padding):
    hu = tissues(VOLUMES[name])
    found = judge(hu if padding is None else padded(hu, padding))
    assert (found.refusal, found.doubt) == ("", "")


@pytest.mark.parametrize("padding", [None, -2000, -3024, -32768])
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", VOLUMES)
def test_what_is_no_hounsfield_unit_is_refused_whatever_the_padding(name, wrong, padding):
    values = WRONG[wrong](tissues(VOLUMES[name]))
    assert judge(values if padding is None else padded(values, padding)).refusal


@pytest.mark.parametrize("padding", [-1024, -1000])
@pytest.mark.parametrize("wrong", sorted(set(WRONG) - {"a tenth"}))
def test_padding_that_could_be_air_is_no_evidence_either(wrong, padding):
    found = judge(padded(WRONG[wrong](tissues(CHEST)), padding))
    assert found.refusal


def test_the_refusal_says_in_numbers_what_lies_where():
    values = padded(tissues(CHEST) + 1024, -2000)
    outside = np.mean(values == -2000)
    with pytest.raises(InputError, match=rf"0\.0% of the voxels look like air or lung.*{outside:.0%} of the voxels"):
        require_ct(sitk.GetImageFromArray(values))


@pytest.mark.parametrize("intercept", [0, -1024])
def test_twice_the_slope_of_a_whole_chest_is_refused(intercept):
    stored = tissues(CHEST) + 1024
    assert judge(2 * stored + intercept).refusal
    assert not judge(stored - 1024).refusal


def test_noisy_padding_is_padding_too():
    hu = tissues(CHEST)
    noise = np.random.default_rng(1).normal(-3024, 20, hu.shape)
    outside = padded(np.zeros_like(hu), 1) > 0
    assert not judge(np.where(outside, noise, hu)).refusal
    assert judge(np.where(outside, noise, hu + 1024)).refusal


def test_metal_contrast_and_noise_are_no_reason_to_refuse():
    hu = tissues(CHEST)
    hu[0, 0, :10] = 30000
    hu[1, :, :5] = 400
    assert not judge(hu).refusal
    assert not judge(hu + np.random.default_rng(2).normal(0, 120, hu.shape)).refusal


def test_a_crop_of_lung_alone_is_accepted_with_its_doubt():
    hu = tissues({"lung": 1.0})
    hu[0, 0, 0] = -506
    assert require_ct(sitk.GetImageFromArray(hu)).startswith(
        "No voxel is as dense as soft tissue (the highest is -506)"
    )
    with pytest.raises(InputError, match="a chest CT in Hounsfield units has air"):
        require_ct(sitk.GetImageFromArray(hu - 300))


def test_a_crop_with_hardly_any_lung_is_accepted_with_its_doubt():
    hu = tissues({"fat": 0.25, "muscle": 0.75})
    hu[0, 0, :16] = np.linspace(-900, -600, 16)  # 0.2 % of 8000
    assert judge(hu).doubt.startswith("Only 0.2% of the voxels look like air or lung")
    assert judge(hu + 1024).refusal
    assert "0.0%" in judge(padded(tissues({"muscle": 1.0}) + 900, -2000)).refusal


def test_values_that_are_all_alike_are_left_out_and_counted():
    values = padded(tissues(CHEST), -2000)
    found = evidence(values)
    assert found.spikes == ((-2000, np.mean(values == -2000)),)
    assert found.air == pytest.approx(0.5, abs=0.03)


def test_several_values_below_10000_are_refused_but_one_is_padding():
    hu = padded(tissues(CHEST), -32768)
    assert not judge(hu).refusal
    hu[0, 0, 0] = -20000
    assert "which no CT in Hounsfield units has" in judge(hu).refusal


def test_a_large_volume_is_judged_by_part_of_its_voxels():
    hu = np.tile(tissues(CHEST), (8, 8, 8))  # 4.1 million
    assert judge(hu) == judge(tissues(CHEST))
    assert judge(hu + 1024).refusal


@pytest.mark.parametrize("raw", [True, False])
def test_volumes_drawn_without_noise_are_judged_by_their_few_values(raw):
    values = np.full((8, 8, 8), -900)
    values[2:6, 2:6, 2:6] = 40
    assert bool(judge(values + 1024 * raw).refusal) == raw
