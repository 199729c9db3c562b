"""The engine of this project: the values of pyradiomics, many times faster, from packages with wheels everywhere."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.radiomics.checks import MANY_GRAY_LEVELS, require_measurable
from PDL1PredictorLib.radiomics.compiled import require_numba
from PDL1PredictorLib.radiomics.features.shape import shape_features
from PDL1PredictorLib.radiomics.features.texture import image_features
from PDL1PredictorLib.radiomics.filters import Intensities, WaveletBands, at_voxels, laplacian_of_gaussian
from PDL1PredictorLib.radiomics.memory import require_memory
from PDL1PredictorLib.radiomics.rehearsal import get_ready
from PDL1PredictorLib.radiomics.settings import WAVELET_BANDS, FeatureSettings, log_image_name
from PDL1PredictorLib.radiomics.voxels import RegionVoxels

Values = dict[str, float]


class PDL1Engine:
    """All features from lists of the regions' voxels, with kernels that numba compiles, on all cores.

    Args:
        threads: How many images are measured at a time; None for one per core, or OMP_NUM_THREADS where that is less.
            The values do not depend on it.

    Raises:
        MissingPackageError: numba is not installed.
    """

    name = "pdl1"

    def __init__(self, threads: int | None = None) -> None:
        require_numba()
        self._threads = threads or _cores()

    @property
    def version(self) -> str:
        """Version of the project, whose code computes."""
        import PDL1PredictorLib

        return PDL1PredictorLib.__version__

    def extract(
        self, ct: sitk.Image, masks: Mapping[str, sitk.Image], settings: FeatureSettings, progress: Progress
    ) -> Values:
        """Measure every region on every image; see `Engine.extract`."""
        require_measurable(ct, masks, settings, MANY_GRAY_LEVELS)
        i_mm, j_mm, k_mm = ct.GetSpacing()
        regions = {
            name: RegionVoxels.of(sitk.GetArrayViewFromImage(mask), (k_mm, j_mm, i_mm)) for name, mask in masks.items()
        }
        require_memory(ct, regions.values(), settings, self._threads, _widest_range(ct, regions))
        with ThreadPoolExecutor(self._threads, thread_name_prefix="radiomics") as pool:
            try:
                found = _measure(pool, ct, regions, settings, progress)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        progress.step("features", 1.0)
        return {name: found[name] for region in masks for name in settings.feature_names(region)}


def _widest_range(ct: sitk.Image, regions: Mapping[str, RegionVoxels]) -> float:
    read = at_voxels(sitk.GetArrayViewFromImage(ct))
    return max(float(np.ptp(read(region))) for region in regions.values())


def _measure(
    pool: ThreadPoolExecutor,
    ct: sitk.Image,
    regions: Mapping[str, RegionVoxels],
    settings: FeatureSettings,
    progress: Progress,
) -> Values:
    """All values by name, one job per image and region; a step before each image that is waited for.

    A filter is begun while other images are measured, so that no job waits long for one.
    """
    get_ready(pool, progress)
    array = sitk.GetArrayViewFromImage(ct)
    everywhere = list(regions.values())
    jobs: dict[str, list[Future[Values]]] = {}

    def submit(image_name: str, read: Intensities) -> None:
        jobs[image_name] = [
            pool.submit(_intensity_values, f"{name}_{image_name}", region, read, settings)
            for name, region in regions.items()
        ]

    filters = list(_filters(pool, ct, everywhere, settings)) if settings.intensity_classes() else []
    begun = [begin() for begin, _ in filters[:1]]
    if "shape" in settings.classes:
        jobs["shape"] = [pool.submit(_shape_values, name, region) for name, region in regions.items()]
    if settings.intensity_classes() and settings.original:
        submit("original", at_voxels(array))
    for number, (_, (*names, last)) in enumerate(filters):
        for name in names:
            submit(name, _once_there(begun[number], name))
        begun += [begin() for begin, _ in filters[number + 1 : number + 2]]
        submit(last, _once_there(begun[number], last))
    del begun, filters  # a filtered image is held no longer than it is read
    return _collected(jobs, settings, progress)


Filtered = Future[dict[str, Intensities]]


def _filters(
    pool: ThreadPoolExecutor, ct: sitk.Image, regions: list[RegionVoxels], settings: FeatureSettings
) -> Iterator[tuple[Callable[[], Filtered], tuple[str, ...]]]:
    """What begins a filter, and the names of the images that it brings."""
    if settings.wavelet is not None:
        bands = pool.submit(WaveletBands, sitk.GetArrayViewFromImage(ct), settings.wavelet, regions)
        for passes in WaveletBands.PAIRS:
            names = tuple(f"wavelet-{band}" for band in WAVELET_BANDS if band.startswith(passes))
            yield partial(pool.submit, _two_bands, bands, passes), names
    for sigma_mm in settings.log_sigma_mm:
        yield partial(pool.submit, _laplacian, ct, sigma_mm, regions), (log_image_name(sigma_mm),)


def _two_bands(bands: Future[WaveletBands], passes: str) -> dict[str, Intensities]:
    return {f"wavelet-{name}": read for name, read in bands.result().pair(passes).items()}


def _laplacian(ct: sitk.Image, sigma_mm: float, regions: list[RegionVoxels]) -> dict[str, Intensities]:
    return {log_image_name(sigma_mm): laplacian_of_gaussian(ct, sigma_mm, regions)}


def _collected(jobs: dict[str, list[Future[Values]]], settings: FeatureSettings, progress: Progress) -> Values:
    n_steps = len(settings.image_names()) + 1
    found: Values = {}
    names = [name for name in ("shape", *settings.image_names()) if name in jobs]
    for done, image_name in enumerate(names):
        progress.step("features", done / n_steps, image_name)
        for part in jobs[image_name]:
            found |= part.result()
    return found


def _once_there(filtered: Filtered, name: str) -> Intensities:
    return lambda region: filtered.result()[name](region)


def _shape_values(region_name: str, region: RegionVoxels) -> Values:
    return {f"{region_name}_original_shape_{name}": value for name, value in shape_features(region).items()}


def _intensity_values(prefix: str, region: RegionVoxels, read: Intensities, settings: FeatureSettings) -> Values:
    return {f"{prefix}_{name}": value for name, value in image_features(read(region), region, settings).items()}


def _cores() -> int:
    """Cores that this process may use; processes that share a machine are told by OMP_NUM_THREADS to use fewer."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(told)) if told.isdecimal() and int(told) > 0 else cores
