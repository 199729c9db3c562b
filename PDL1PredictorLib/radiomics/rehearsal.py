"""Every kernel is run once on a toy region before the first extraction, so that a machine that compiles says so."""

import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning

import numpy as np

from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.radiomics.features.shape import shape_features
from PDL1PredictorLib.radiomics.features.texture import image_features
from PDL1PredictorLib.radiomics.filters import WaveletBands
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.voxels import RegionVoxels

PATIENCE_S = 3.0  # loading compiled kernels takes less, compiling them more
_READY = threading.Event()


def get_ready(pool: ThreadPoolExecutor, progress: Progress) -> None:
    """Load the compiled kernels; where there are none yet, tell that they are compiled now, once for this machine.

    Raises:
        CancelledError: The user cancelled; what was begun is finished in the background.
    """
    if _READY.is_set():
        return
    rehearsed = pool.submit(rehearse)
    try:
        rehearsed.result(timeout=PATIENCE_S)
    except StillRunning:
        progress.step("features", 0.0, "compiling the radiomics kernels, once")
        rehearsed.result()
    _READY.set()


def rehearse() -> None:
    """Measure a toy region with everything."""
    rng = np.random.default_rng(0)
    image = rng.integers(-500, 500, (12, 12, 12)).astype(np.float64)
    mask = np.zeros(image.shape, bool)
    mask[4:8, 4:8, 4:8] = True
    region = RegionVoxels.of(mask, (1.0, 1.0, 1.0))
    shape_features(region)
    bands = WaveletBands(image, "haar", [region]).pair("HH")
    image_features(bands["HHH"](region), region, FeatureSettings("rehearsal"))
