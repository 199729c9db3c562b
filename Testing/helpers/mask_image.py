"""The mask alone, for tests that do not ask what the reader says of it."""

import SimpleITK as sitk

from PDL1PredictorLib.imaging.read import read_mask


def mask_image(*arguments, **options) -> sitk.Image:
    """As `read_mask`, without its warnings."""
    return read_mask(*arguments, **options).image
