"""The way in: regions, or a case, and settings; a named feature vector out."""

import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.regions import Regions, make_regions
from PDL1PredictorLib.radiomics.engine import DEFAULT_ENGINE, engine
from PDL1PredictorLib.radiomics.settings import FeatureSettings


def extract_features(
    regions: Regions, settings: FeatureSettings, engine_name: str = DEFAULT_ENGINE, progress: Progress = SILENT
) -> dict[str, float]:
    """Radiomic features of the tumor and of its ring.

    Args:
        regions: Resampled CT, tumor and ring on one grid, with `settings.margin_at(spacing)` of image around them.
        settings: What is measured.
        engine_name: Which engine computes it.
        progress: A step per image; raises when the user cancels.

    Returns:
        Value per name, names and order of `settings.feature_names()`: the tumor, then the ring. An undefined value is
        NaN.

    Raises:
        EmptyRegionError: A region has too few voxels.
        InputError: A region cannot be measured, or there is no such engine.
        MissingPackageError: The engine is not installed.
        CancelledError: The user cancelled.
    """
    masks = {"tumor": regions.tumor, "ring": regions.ring}
    return engine(engine_name).extract(regions.ct, masks, settings, progress)


def case_features(
    case: Case,
    region_settings: RegionSettings,
    settings: FeatureSettings,
    engine_name: str = DEFAULT_ENGINE,
    progress: Progress = SILENT,
    ring: sitk.Image | None = None,
) -> dict[str, float]:
    """Radiomic features of a case: its regions are made first; see `extract_features` and, for `ring`, `make_regions`.

    Raises:
        EmptyRegionError: A region has too few voxels.
        InputError: The case cannot be prepared or measured, or there is no such engine.
        MissingPackageError: The engine is not installed.
        CancelledError: The user cancelled.
    """
    with progress.part("regions", 0.0, 0.2, "tumor and ring"):
        regions = make_regions(case, region_settings, settings.margin_at(region_settings.spacing_mm), ring)
    with progress.part("features", 0.2, 1.0, "features") as features_progress:
        return extract_features(regions, settings, engine_name, features_progress)
