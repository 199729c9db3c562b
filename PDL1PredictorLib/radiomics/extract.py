"""The way in: regions, or a case as read, and settings; named feature vectors out."""

from dataclasses import dataclass, replace

from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.case_files import ReadCase
from PDL1PredictorLib.imaging.lesions import LARGEST, choose_tumors, require_one_for_ring
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


@dataclass(frozen=True, eq=False)
class MeasuredTumors:
    """Features of the tumors of a case.

    Attributes:
        features: By the tumor's number, value per name, as `extract_features` gives them.
        warnings: By the tumor's number, what the reader must know: of reading, of the choice, and of its own regions.
    """

    features: dict[int, dict[str, float]]
    warnings: dict[int, tuple[CaseWarning, ...]]

    @property
    def told(self) -> tuple[CaseWarning, ...]:
        """All warnings, each once."""
        return tuple(dict.fromkeys(warning for warnings in self.warnings.values() for warning in warnings))


def measure_tumors(
    read: ReadCase,
    region_settings: RegionSettings,
    settings: FeatureSettings,
    engine_name: str = DEFAULT_ENGINE,
    lesion: str = LARGEST,
    progress: Progress = SILENT,
) -> MeasuredTumors:
    """Radiomic features of a case as read: its regions are made first, as for a prediction.

    Args:
        read: The case, with an edited ring where there is one.
        region_settings: How the regions are made.
        settings: What is measured.
        engine_name: Which engine computes it.
        lesion: Which tumor, as in `choose_tumors`.
        progress: A step per image; raises when the user cancels.

    Raises:
        EmptyRegionError: A region has too few voxels.
        InputError: The case cannot be prepared or measured, or there is no such tumor or engine.
        MissingPackageError: The engine is not installed.
        CancelledError: The user cancelled.
    """
    tumors = choose_tumors(read.case.tumor, lesion)
    require_one_for_ring(len(tumors.chosen), read.ring)
    features, warnings = {}, {}
    for position, (number, mask) in enumerate(tumors.chosen):
        low, share = position / len(tumors.chosen), 1 / len(tumors.chosen)
        with progress.part("regions", low, low + 0.2 * share, "tumor and ring"):
            case = replace(read.case, tumor=mask)
            margin_mm = settings.margin_at(region_settings.spacing_mm)
            regions = make_regions(case, region_settings, margin_mm, read.ring)
        with progress.part("features", low + 0.2 * share, low + share, "features") as part:
            features[number] = extract_features(regions, settings, engine_name, part)
        warnings[number] = (*read.warnings, *tumors.warnings, *regions.warnings)
    return MeasuredTumors(features, warnings)
