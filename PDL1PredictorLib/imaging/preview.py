"""What a person sees while outlining: both regions with their measures, the ring on the CT's grid, a mask's tumors."""

from dataclasses import dataclass
from itertools import islice

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.results import CaseWarning, RegionMeasures
from PDL1PredictorLib.core.settings import MIN_TUMOR_VOXELS, RegionSettings
from PDL1PredictorLib.imaging.lesions import axial_slice, each_part
from PDL1PredictorLib.imaging.measures import centroid_lps_mm, longest_axial_diameter_mm, measure, volume_ml
from PDL1PredictorLib.imaging.regions import make_regions, tumor_on_lattice

MOST_TUMORS = 20


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


@dataclass(frozen=True)
class TumorPlace:
    """One tumor of a mask, with the numbers that a prediction will give it.

    Attributes:
        number: 1 for the largest, 2 for the next.
        volume_ml: On the working lattice, in mL.
        longest_axial_diameter_mm: Likewise, in mm.
        center_lps_mm: Centroid in patient coordinates (L, P, S), in mm.
        slice_number: The axial slice that holds it, counted from the feet, from 1, and how many there are.
    """

    number: int
    volume_ml: float
    longest_axial_diameter_mm: float
    center_lps_mm: tuple[float, float, float]
    slice_number: tuple[int, int]


def tumor_places(mask: sitk.Image, spacing_mm: float = 1.0) -> tuple[TumorPlace, ...]:
    """Every separate tumor of a mask that a prediction could take: at least 64 voxels, on the lattice too.

    Args:
        mask: 0 outside, on the CT's grid.
        spacing_mm: Of the working lattice.

    Returns:
        The largest first, at most 20: a threshold that was set too low makes hundreds.
    """
    parts = islice(each_part(mask, MIN_TUMOR_VOXELS), MOST_TUMORS)
    placed = [tumor_on_lattice(part, spacing_mm) for part in parts]
    kept = [one for one in placed if np.count_nonzero(sitk.GetArrayViewFromImage(one)) >= MIN_TUMOR_VOXELS]
    return tuple(_place(number, one, mask) for number, one in enumerate(kept, start=1))


def _place(number: int, tumor: sitk.Image, mask: sitk.Image) -> TumorPlace:
    center = centroid_lps_mm(tumor)
    return TumorPlace(
        number=number,
        volume_ml=volume_ml(tumor),
        longest_axial_diameter_mm=longest_axial_diameter_mm(tumor),
        center_lps_mm=center,
        slice_number=axial_slice(mask, center),
    )


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
