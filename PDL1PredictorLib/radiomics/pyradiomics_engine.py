"""The reference engine: pyradiomics, with every filtered image computed once for all regions."""

import importlib
import logging
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Any

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import MissingPackageError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.radiomics.checks import require_measurable
from PDL1PredictorLib.radiomics.features.gray_levels import bin_edges
from PDL1PredictorLib.radiomics.settings import FeatureSettings

_ONE_AT_A_TIME = threading.Lock()  # log level, warning filters and BLAS threads belong to the whole process


class PyradiomicsEngine:
    """Values of `RadiomicsFeatureExtractor(...).execute(ct, mask)` of pyradiomics on the same images, region by region.

    That extractor filters the whole image anew for each region, and makes the gray levels anew for each feature class.
    Its filters act on the image alone, so each filtered image is computed once here; the crop to a region and its gray
    levels, once per image and region.

    Raises:
        MissingPackageError: pyradiomics is not installed.
    """

    name = "pyradiomics"

    def __init__(self) -> None:
        self._package = _pyradiomics("radiomics")
        self._images = _pyradiomics("radiomics.imageoperations")
        self._classes = {family: _sharing(cls) for family, cls in self._package.getFeatureClasses().items()}

    @property
    def version(self) -> str:
        """Version of pyradiomics."""
        return str(self._package.__version__).removeprefix("v")

    def extract(
        self, ct: sitk.Image, masks: Mapping[str, sitk.Image], settings: FeatureSettings, progress: Progress
    ) -> dict[str, float]:
        """Measure every region on every image; see `Engine.extract`."""
        require_measurable(ct, masks, settings)
        image = sitk.Cast(ct, sitk.sitkFloat64)  # in 32 bits the wavelet is off by a thousandth
        regions = {name: _Region(image, mask) for name, mask in masks.items()}
        n_steps = len(settings.image_names()) + 1
        found: dict[str, float] = {}
        with _quiet_and_single_threaded():
            if "shape" in settings.classes:
                progress.step("features", 0.0, "shape")
                for name, region in regions.items():
                    found |= self._measure(("shape",), f"{name}_original", image, region, settings)
            for done, (filtered, image_name) in enumerate(self._filtered(image, settings), start=1):
                progress.step("features", done / n_steps, image_name)
                for name, region in regions.items():
                    found |= self._measure(
                        settings.intensity_classes(), f"{name}_{image_name}", filtered, region, settings
                    )
        progress.step("features", 1.0)
        return self._in_order(found, tuple(masks), settings)

    def _filtered(self, image: sitk.Image, settings: FeatureSettings) -> Iterator[tuple[sitk.Image, str]]:
        """Every image that is measured, with its name."""
        if settings.original:
            yield image, "original"
        if settings.wavelet is not None:
            for filtered, name, _ in self._images.getWaveletImage(image, None, wavelet=settings.wavelet):
                yield filtered, name
        for filtered, name, _ in self._images.getLoGImage(image, None, sigma=list(settings.log_sigma_mm)):
            yield filtered, name

    def _measure(
        self, families: tuple[str, ...], prefix: str, image: sitk.Image, region: "_Region", settings: FeatureSettings
    ) -> dict[str, float]:
        """The features of these classes on one image inside one region, by full name."""
        cropped = region.crop(image)
        if settings.bin_count is not None:  # pyradiomics has no words for what this refuses
            bin_edges(*region.range_of(cropped), settings)
        options = _options(settings) | {"sharedGrayLevels": {}}
        found: dict[str, float] = {}
        for family in families:
            computed = self._classes[family](cropped, region.mask, **options).execute()
            found |= {f"{prefix}_{family}_{name}": float(value) for name, value in computed.items()}
        return found

    def _in_order(
        self, found: dict[str, float], regions: tuple[str, ...], settings: FeatureSettings
    ) -> dict[str, float]:
        """The features in the order of the settings; nothing is dropped, nothing added."""
        expected = [name for region in regions for name in settings.feature_names(region)]
        different = sorted(set(found) ^ set(expected))
        if different:
            raise MissingPackageError(
                f"pyradiomics {self.version} and the feature table differ in {len(different)} names, such as "
                f'{", ".join(different[:3])}. Install pyradiomics 3.0.1 as the README tells under "Radiomics".'
            )
        return {name: found[name] for name in expected}


class _Region:
    """A mask cut to its bounding box (label 1), and the same cut for every image of that grid."""

    def __init__(self, image: sitk.Image, mask: sitk.Image) -> None:
        inside = sitk.Cast(sitk.NotEqual(mask, 0), sitk.sitkUInt32)
        inside.CopyInformation(image)  # equal to a thousandth of a millimeter; from here on exactly
        shape = sitk.LabelShapeStatisticsImageFilter()
        shape.Execute(inside)
        box = shape.GetBoundingBox(1)  # x, y, z, then the size in x, y, z
        self._start, self._size = box[:3], box[3:]
        self.mask = self.crop(inside)

    def crop(self, image: sitk.Image) -> sitk.Image:
        return sitk.RegionOfInterest(image, self._size, self._start)

    def range_of(self, cropped: sitk.Image) -> tuple[float, float]:
        """Least and greatest intensity in the region."""
        values = sitk.GetArrayViewFromImage(cropped)[sitk.GetArrayViewFromImage(self.mask) != 0]
        return float(values.min()), float(values.max())


def _options(settings: FeatureSettings) -> dict[str, Any]:
    """The settings in the words of pyradiomics; what is left out keeps its default."""
    if settings.bin_count is not None:
        return {"label": 1, "binCount": settings.bin_count}
    return {"label": 1, "binWidth": settings.bin_width}


def _sharing(feature_class: type) -> type:
    """The same feature class, but the first one on an image and region makes the gray levels for all of them."""

    def apply_binning(self: Any, matrix: np.ndarray) -> np.ndarray:
        shared = self.settings["sharedGrayLevels"]
        if not shared:
            gray_levels = feature_class._applyBinning(self, matrix)  # type: ignore[attr-defined]
            gray_levels.flags.writeable = False  # nobody may spoil it for the next class
            shared |= {"matrix": gray_levels, "coefficients": dict(self.coefficients)}
        self.coefficients |= shared["coefficients"]
        return np.asarray(shared["matrix"])

    # the module names the logger that is silenced
    return type(
        feature_class.__name__,
        (feature_class,),
        {"__module__": feature_class.__module__, "_applyBinning": apply_binning},
    )


@contextmanager
def _quiet_and_single_threaded() -> Iterator[None]:
    """Silence the log and warnings of pyradiomics, hold linear algebra to one thread, leave the process as it was.

    Its log tells of every image what the table knows anyway, and its warnings are those of undefined values, which
    come back as NaN. The eigenvalues (feature MCC) are of many tiny matrices: waking threads for them takes ten times
    the work.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings(), _one_blas_thread():
        warnings.simplefilter("ignore")
        logger = logging.getLogger("radiomics")
        level = logger.level
        logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            logger.setLevel(level)


def _one_blas_thread() -> Any:
    try:
        threadpoolctl = importlib.import_module("threadpoolctl")
    except ImportError:  # comes with scikit-learn; without it only time is lost (or set OPENBLAS_NUM_THREADS=1)
        return nullcontext()
    return threadpoolctl.threadpool_limits(limits=1, user_api="blas")


def _pyradiomics(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            "The radiomics engine pyradiomics 3.0.1 is not installed. It has no ready package for Python 3.10 and "
            'later: install it as the README tells under "Radiomics".'
        ) from error
