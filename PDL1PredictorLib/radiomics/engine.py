"""What every radiomics engine offers, and how one is chosen."""

from collections.abc import Callable, Mapping
from typing import Protocol

import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.radiomics.settings import FeatureSettings


class Engine(Protocol):
    """Measures regions on one image. Engines differ in speed and in what they need installed, never in the values."""

    @property
    def name(self) -> str:
        """The name by which it is chosen."""

    @property
    def version(self) -> str:
        """Version of the package that computes, for the provenance of a result."""

    def extract(
        self, ct: sitk.Image, masks: Mapping[str, sitk.Image], settings: FeatureSettings, progress: Progress
    ) -> dict[str, float]:
        """Measure every region on every image that the settings name.

        Nothing is resampled here, and every filter acts on the whole of `ct`: give it `settings.margin_at(spacing)`
        around the regions. Intensities are taken as 64-bit numbers, whatever their type.

        Args:
            ct: Intensities in HU on the grid on which is measured.
            masks: Region name ("tumor", "ring") to its mask on the same grid: not 0 inside.
            settings: What is measured.
            progress: A step per image; raises when the user cancels.

        Returns:
            Value per name, the names of `settings.feature_names(region)` of each region in the order of `masks`. A
            value that is not defined for a region is NaN.

        Raises:
            EmptyRegionError: A region has too few voxels.
            GridMismatchError: A mask lies on another grid.
            InputError: A region or the image cannot be measured.
            CancelledError: The user cancelled.
        """


def _pyradiomics() -> Engine:
    from PDL1PredictorLib.radiomics.pyradiomics_engine import PyradiomicsEngine

    return PyradiomicsEngine()


def _pdl1() -> Engine:
    from PDL1PredictorLib.radiomics.pdl1_engine import PDL1Engine

    return PDL1Engine()


ENGINES: dict[str, Callable[[], Engine]] = {"pdl1": _pdl1, "pyradiomics": _pyradiomics}


DEFAULT_ENGINE = "pdl1"


def engine(name: str = DEFAULT_ENGINE) -> Engine:
    """Look an engine up by its name.

    Raises:
        InputError: There is no such engine.
        MissingPackageError: The package that it needs is not installed.
    """
    try:
        build = ENGINES[name]
    except KeyError:
        raise InputError(f"Radiomics engine {name!r} is not known. Known engines: {', '.join(ENGINES)}.") from None
    return build()
