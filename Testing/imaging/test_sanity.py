"""The plain measures of a case, on blocks whose every value is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.sanity import SANITY, SANITY_NAMES
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.imaging.sanity import LEAST_NOISE_HU, pixel_aspect, sanity_row

SHAPE = (24, 28, 32)  # (k, j, i), 1 mm
TUMOR = (slice(8, 16), slice(9, 19), slice(10, 22))  # 8 x 10 x 12 voxels


def image(values: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> sitk.Image:
    made = sitk.GetImageFromArray(values)
    made.SetSpacing(spacing)
    return made


def block(inside: float | np.ndarray = 40.0, outside: float = -800.0, spacing=(1.0, 1.0, 1.0)) -> Case:
    """A block of one density in lung of another."""
    hu, mask = np.full(SHAPE, outside), np.zeros(SHAPE, np.uint8)
    mask[TUMOR] = 1
    hu[TUMOR] = inside
    hu[0] = 40.0  # a wall, so that it may be a CT
    hu[:, 0] = -1000.0
    return Case(image(hu.astype(np.int16), spacing), image(mask, spacing))


def measured(case: Case) -> dict[str, float]:
    regions = make_regions(case, RegionSettings(), 2.0)
    return dict(zip(SANITY_NAMES, sanity_row(case, regions), strict=True))


def test_densities_volume_and_spacings_are_those_of_the_block():
    found = measured(block())
    assert found["tumor_mean_hu"] == found["tumor_dense_hu"] == 40
    assert found["tumor_sd_hu"] == 0
    assert found["log_volume_ml"] == pytest.approx(math.log(0.96))
    assert found["log_in_plane_mm"] == found["log_between_mm"] == 0
    assert found["air_share"] == 0
    assert found["ring_dark_hu"] < -700  # the spline rings a little beside the block's edge
    assert -850 < found["ring_mean_hu"] < -750


def test_a_picture_that_is_brighter_is_so_in_every_density():
    usual, bright = measured(block()), measured(block(140.0, -700.0))
    for name in ("tumor_mean_hu", "tumor_dense_hu", "ring_mean_hu", "ring_dark_hu"):
        assert bright[name] - usual[name] == pytest.approx(100, abs=5), name
    assert bright["tumor_sd_hu"] == usual["tumor_sd_hu"] == 0


def test_air_in_the_outline_is_its_share_below_900_hu():
    inside = np.full((8, 10, 12), 40.0)
    inside[:2] = -980.0  # a quarter
    assert measured(block(inside))["air_share"] == pytest.approx(0.25, abs=0.03)  # the spline blurs the border
    assert measured(block(-850.0))["air_share"] == 0


def test_spacings_are_the_cts_own_and_in_their_own_places():
    found = measured(block(spacing=(1.5, 1.5, 3.0)))
    assert found["log_in_plane_mm"] == pytest.approx(math.log(1.5))
    assert found["log_between_mm"] == pytest.approx(math.log(3.0))


def with_noise(sd_hu: float, case: Case) -> Case:
    values = sitk.GetArrayFromImage(case.ct).astype(np.float64)
    noise = np.random.default_rng(4).normal(size=values.shape)
    return replace(case, ct=image((values + sd_hu * noise).astype(np.float32), case.ct.GetSpacing()))


def test_the_noise_is_that_of_the_quietest_places_and_grows_as_the_noise_does():
    flat = block(-800.0)
    twenty, forty = (math.exp(measured(with_noise(sd, flat))["log_noise_hu"]) for sd in (20, 40))
    assert 0.5 * 20 < twenty < 20  # quiet by chance, and never more than there is
    assert forty / twenty == pytest.approx(2, abs=0.05)


def test_edges_are_no_noise():
    assert measured(block())["log_noise_hu"] == pytest.approx(math.log(LEAST_NOISE_HU))
    quiet = with_noise(20, block(-800.0))
    with_edges = with_noise(20, block(40.0))
    apart = measured(with_edges)["log_noise_hu"] - measured(quiet)["log_noise_hu"]
    assert abs(apart) < 0.35


def test_lung_that_varies_smoothly_is_no_noise():
    flat = block(-800.0)
    smooth = ndimage.gaussian_filter(np.random.default_rng(5).normal(size=flat.ct.GetSize()[::-1]), 1.5)
    values = (sitk.GetArrayFromImage(flat.ct) + 100 * smooth / smooth.std()).astype(np.float32)
    varied = replace(flat, ct=image(values, flat.ct.GetSpacing()))
    assert math.exp(measured(varied)["log_noise_hu"]) < 5
    assert math.exp(measured(with_noise(50, varied))["log_noise_hu"]) > 25


def test_pixels_of_a_scanner_are_square_and_those_of_swapped_axes_are_not():
    assert pixel_aspect(block(spacing=(0.7, 0.7, 2.5))) == pytest.approx(1.0)
    assert pixel_aspect(block(spacing=(2.5, 0.7, 0.7))) == pytest.approx(2.5 / 0.7)
    assert pixel_aspect(block(spacing=(0.7, 2.5, 0.7))) == pytest.approx(2.5 / 0.7)


def test_every_measure_has_a_name_words_and_a_floor():
    assert len(set(SANITY_NAMES)) == len({measure.words for measure in SANITY}) == len(SANITY)
    assert all(measure.floor > 0 for measure in SANITY)
    assert np.isfinite(list(measured(block()).values())).all()
