"""What a person sees while outlining: both regions' size and intensity, and the ring on the CT's own grid."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.results import CaseWarning, RegionMeasures
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.measures import measure
from PDL1PredictorLib.imaging.regions import make_regions


@dataclass(frozen=True, eq=False)
class Preview:
    """The regions as the prediction will measure them.

    Attributes:
        tumor: Measures on the working lattice.
        ring: Measures on the working lattice.
        ring_on_ct: uint8, 1 in the ring, on the CT's grid: to be shown and edited.
        warnings: What the reader must know.
    """

    tumor: RegionMeasures
    ring: RegionMeasures
    ring_on_ct: sitk.Image
    warnings: tuple[CaseWarning, ...]


def preview(case: Case, settings: RegionSettings, ring: sitk.Image | None = None) -> Preview:
    """Draw and measure the regions of a case.

    Args:
        case: CT and tumor.
        settings: How the regions are made.
        ring: An edited ring on the CT's grid, measured in place of the drawn one.

    Raises:
        EmptyRegionError: A region has too few voxels.
        GridMismatchError: The edited ring lies on another grid.
    """
    regions = make_regions(case, settings, ring=ring)
    shown = ring if ring is not None else _on_grid(regions.ring, case)
    return Preview(measure(regions.ct, regions.tumor), measure(regions.ct, regions.ring), shown, regions.warnings)


def _on_grid(ring: sitk.Image, case: Case) -> sitk.Image:
    """The ring on the CT's grid: voxels whose center lies in the drawn ring, and never the tumor's own."""
    native = sitk.Resample(ring, case.ct, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
    values = sitk.GetArrayFromImage(native) * (sitk.GetArrayViewFromImage(case.tumor) == 0)
    image = sitk.GetImageFromArray(values.astype(np.uint8))
    image.CopyInformation(case.ct)
    return image
