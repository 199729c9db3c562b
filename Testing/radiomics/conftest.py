"""What the tests of this room share: phantoms, and pyradiomics as its users call it."""

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk
from reference import need_pyradiomics

from PDL1PredictorLib.radiomics.settings import FeatureSettings

Plain = Callable[[sitk.Image, sitk.Image, FeatureSettings], dict[str, float]]


def ball_in_lung(shape: tuple[int, int, int], radius: float, seed: int = 0) -> dict[str, sitk.Image]:
    """A rough ball of tissue in lung, whole HU, with the shell of 3 voxels around it."""
    rng = np.random.default_rng(seed)
    grid = np.indices(shape)
    distance = np.sqrt(sum((grid[axis] - (shape[axis] - 1) / 2) ** 2 for axis in range(3)))
    texture = rng.normal(0, 60, shape) + 8 * grid[0] + 4 * grid[2]
    ct = np.where(distance < radius, texture, texture - 650).round()
    tumor = distance < radius
    ring = (distance >= radius) & (distance < radius + 3)
    return {
        "ct": sitk.GetImageFromArray(ct.astype(np.float32)),
        "tumor": sitk.GetImageFromArray(tumor.astype(np.uint8)),
        "ring": sitk.GetImageFromArray(ring.astype(np.uint8)),
    }


@pytest.fixture(scope="session")
def lesion() -> dict[str, sitk.Image]:
    """A small lesion in a box with odd edges."""
    return ball_in_lung((19, 21, 23), radius=4.3)


@pytest.fixture(scope="session")
def plain_pyradiomics() -> Plain:
    """pyradiomics exactly as a user calls it: one extractor, one region, no help from this project."""
    need_pyradiomics()
    import radiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    def execute(ct: sitk.Image, mask: sitk.Image, settings: FeatureSettings) -> dict[str, float]:
        bins = {"binWidth": settings.bin_width} if settings.bin_width else {"binCount": settings.bin_count}
        extractor = RadiomicsFeatureExtractor(additionalInfo=False, **bins)
        extractor.disableAllImageTypes()
        if settings.original:
            extractor.enableImageTypeByName("Original")
        if settings.wavelet:
            extractor.enableImageTypeByName("Wavelet", customArgs={"wavelet": settings.wavelet})
        if settings.log_sigma_mm:
            extractor.enableImageTypeByName("LoG", customArgs={"sigma": list(settings.log_sigma_mm)})
        extractor.disableAllFeatures()
        for family in settings.classes:
            extractor.enableFeatureClassByName(family)
        radiomics.setVerbosity(60)
        with np.errstate(all="ignore"):
            values = extractor.execute(sitk.Cast(ct, sitk.sitkFloat64), mask)
        return {name: float(value) for name, value in values.items()}

    return execute
