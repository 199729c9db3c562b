"""The two regions that everything is measured in: the tumor and the ring around it."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.case import Case, require_region, require_same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.body import bone, outside_air
from PDL1PredictorLib.imaging.lattice import Box, Lattice, canonical_view, lattice_of, sample_hu, sample_mask

THICK_SLICES_MM = 3.0
DISTANCE_SLACK_MM = 1e-6  # 3 * 0.7 is a hair above 2.1
SIDES = (("below", "above"), ("in front", "behind"), ("on the right", "on the left"))  # start and stop of k, j, i


@dataclass(frozen=True, eq=False)
class Regions:
    """A tumor and its ring on one box of the working lattice.

    Attributes:
        ct: float32, whole Hounsfield units.
        tumor: uint8, 1 inside.
        ring: uint8, 1 inside, on the same grid; shares no voxel with the tumor.
        warnings: What the reader must know: `tumor_touches_border`, `ring_cut`, `ring_edited`, `thick_slices`,
            `large_tumor`.
    """

    ct: sitk.Image
    tumor: sitk.Image
    ring: sitk.Image
    warnings: tuple[CaseWarning, ...]


def make_regions(
    case: Case, settings: RegionSettings, margin_mm: float = 0.0, ring: sitk.Image | None = None
) -> Regions:
    """Resample a case around its tumor and draw the ring there, or take the ring that a person drew.

    The ring holds the lattice voxels outside the tumor whose center lies at most `ring_mm` from the center of the
    nearest tumor voxel (Euclidean, three-dimensional, end included). Straight off a flat face this is `ring_mm` from
    the tumor's boundary to the ring's outer face too, as both lie half a voxel beyond their centers (exact where
    `ring_mm` is a multiple of the spacing).

    Args:
        case: CT and tumor on their native grid.
        settings: Spacing, ring and what is left out of it.
        margin_mm: Room kept around both regions, for filters; >= 0.
        ring: An edited ring, a mask on the CT's grid: resampled as the tumor is and used in place of the drawn one;
            its part inside the tumor is left out, and nothing else is excluded from it.

    Returns:
        Both regions on the bounding box of tumor and ring, plus the margin, clipped to the CT.

    Raises:
        EmptyRegionError: Fewer than 64 tumor voxels are left on the lattice, or the ring has none.
        GridMismatchError: The edited ring lies on another grid.
        ValueError: The margin is negative.

    Source: Zhang et al. 2024, doi 10.1186/s40364-024-00561-5, "CT image preprocessing" (ring of 3 mm, 1 mm voxels).
    """
    if not margin_mm >= 0:
        raise ValueError(f"margin_mm must not be negative, got {margin_mm!r}.")
    lattice = lattice_of(case.ct, settings.spacing_mm)
    native = _bounding_box(canonical_view(case.tumor, lattice))
    tumor_box, tumor = _region_on(lattice, case.tumor, native)
    require_region(lattice.image(tumor.astype(np.uint8), tumor_box), f"tumor, resampled to {lattice.spacing_mm:g} mm,")
    margin = int(np.ceil(margin_mm / settings.spacing_mm - DISTANCE_SLACK_MM))
    made = _Made(lattice, tumor_box, tumor, margin)
    drawn = _drawn_ring(case, settings, made) if ring is None else _given_ring(case, ring, made)
    return Regions(
        ct=lattice.image(sample_hu(case.ct, lattice, drawn.box), drawn.box),
        tumor=lattice.image(_pasted(tumor, tumor_box, drawn.box).astype(np.uint8), drawn.box),
        ring=lattice.image(drawn.values.astype(np.uint8), drawn.box),
        warnings=(
            *_border_warnings(native, lattice),
            *drawn.warnings,
            *_slice_warnings(lattice),
            *_size_warnings(tumor_box, settings),
        ),
    )


@dataclass(frozen=True, eq=False)
class _Made:
    """The tumor on the lattice, and the margin in lattice voxels."""

    lattice: Lattice
    tumor_box: Box
    tumor: np.ndarray
    margin: int

    def around(self, box: Box) -> Box:
        return box.grown(self.margin).clipped(self.lattice.whole)


@dataclass(frozen=True, eq=False)
class _Ring:
    """A ring over the box of both regions with their margin."""

    values: np.ndarray
    box: Box
    warnings: list[CaseWarning]


def _drawn_ring(case: Case, settings: RegionSettings, made: _Made) -> _Ring:
    reach = int((settings.ring_mm + DISTANCE_SLACK_MM) / settings.spacing_mm)
    ring_box = made.tumor_box.grown(reach)  # may leave the CT: what is lost there is told to the user
    ring_and_outside = _shell(np.pad(made.tumor, reach), settings)
    inside = ring_box.clipped(made.lattice.whole)
    box = made.around(ring_box)
    ring = _pasted(ring_and_outside[inside.slices_in(ring_box)], inside, box)
    if settings.exclude_air:
        ring &= ~outside_air(case.ct, made.lattice, box)
    if settings.exclude_bone:
        ring &= ~bone(case.ct, made.lattice, box)
    if not ring.any():
        raise EmptyRegionError(
            f"The ring of {settings.ring_mm:g} mm around the tumor has no voxel"
            + (" once air or bone is left out" if settings.exclude_air or settings.exclude_bone else "")
            + ". Check the contour, choose a thicker ring, or keep air and bone in it."
        )
    return _Ring(ring, box, _ring_warnings(ring_and_outside, ring_box, inside))


def _given_ring(case: Case, mask: sitk.Image, made: _Made) -> _Ring:
    require_same_grid(case.ct, mask)
    require_region(mask, "edited ring", minimum=1)
    ring_box, found = _region_on(made.lattice, mask, _bounding_box(canonical_view(mask, made.lattice)))
    box = made.around(ring_box.joined(made.tumor_box))
    ring = _pasted(found, ring_box, box) & ~_pasted(made.tumor, made.tumor_box, box)
    if not ring.any():
        raise EmptyRegionError(
            f"The edited ring has no voxel outside the tumor on the {made.lattice.spacing_mm:g} mm grid. "
            "Draw it around the tumor, or let it be drawn again."
        )
    text = "The ring was edited by hand: it is not the one that the model was trained with."
    return _Ring(ring, box, [CaseWarning("ring_edited", text)])


def tumor_on_lattice(mask: sitk.Image, spacing_mm: float) -> sitk.Image:
    """A tumor's mask as `make_regions` resamples it, on its own bounding box; without a voxel if nothing is left."""
    lattice = lattice_of(mask, spacing_mm)
    box, found = _region_on(lattice, mask, _bounding_box(canonical_view(mask, lattice)))
    return lattice.image(found.astype(np.uint8), box)


def _region_on(lattice: Lattice, mask: sitk.Image, native: Box) -> tuple[Box, np.ndarray]:
    """A region's bounding box on the lattice, and its voxels there; the whole search box where it has none."""
    # linear interpolation reaches one native voxel beyond the mask
    around = native.grown(1)
    search = lattice.box_over_native(around.start, around.stop)
    found = sample_mask(mask, lattice, search)
    if not found.any():
        return search, found
    tight = _bounding_box(found)
    start = tuple(a + b for a, b in zip(search.start, tight.start, strict=True))
    stop = tuple(a + b for a, b in zip(search.start, tight.stop, strict=True))
    box = Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
    return box, found[box.slices_in(search)]


def _shell(tumor: np.ndarray, settings: RegionSettings) -> np.ndarray:
    distance_mm = ndimage.distance_transform_edt(~tumor, sampling=settings.spacing_mm)
    return np.asarray((distance_mm > 0) & (distance_mm <= settings.ring_mm + DISTANCE_SLACK_MM))


def _pasted(values: np.ndarray, box: Box, onto: Box) -> np.ndarray:
    result = np.zeros(onto.shape, values.dtype)
    result[box.slices_in(onto)] = values
    return result


def _bounding_box(mask: np.ndarray) -> Box:
    """Of a mask with at least one voxel, (k, j, i)."""
    spans = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        spans.append((int(hit[0]), int(hit[-1]) + 1))
    (k0, k1), (j0, j1), (i0, i1) = spans
    return Box((k0, j0, i0), (k1, j1, i1))


def _border_warnings(native: Box, lattice: Lattice) -> list[CaseWarning]:
    sides = _sides_outside(native.grown(1), Box((0, 0, 0), lattice.native_shape))
    if not sides:
        return []
    text = (
        f"The tumor touches the border of the CT ({', '.join(sides)}) and may be cut there. "
        "Use a series that shows all of it."
    )
    return [CaseWarning("tumor_touches_border", text)]


def _ring_warnings(ring: np.ndarray, box: Box, inside: Box) -> list[CaseWarning]:
    lost = 1 - np.count_nonzero(ring[inside.slices_in(box)]) / np.count_nonzero(ring)
    if lost <= 0:
        return []
    sides = ", ".join(_sides_outside(box, inside))
    text = (
        f"The field of view cuts {100 * lost:.1f} % of the ring ({sides}); it was measured on the rest. "
        "Use a series that shows more around the tumor."
    )
    return [CaseWarning("ring_cut", text)]


def _sides_outside(box: Box, field: Box) -> list[str]:
    sides = []
    for axis, (low, high) in enumerate(SIDES):
        sides += [low] if box.start[axis] < field.start[axis] else []
        sides += [high] if box.stop[axis] > field.stop[axis] else []
    return sides


def _slice_warnings(lattice: Lattice) -> list[CaseWarning]:
    slices_mm = max(lattice.native_spacing_mm)
    if slices_mm <= THICK_SLICES_MM + DISTANCE_SLACK_MM:
        return []
    text = (
        f"The CT's slices lie {slices_mm:.3g} mm apart, more than {THICK_SLICES_MM:g} mm: texture across the slices is "
        "interpolated. Use the thin-slice series if there is one."
    )
    return [CaseWarning("thick_slices", text)]


def _size_warnings(tumor: Box, settings: RegionSettings) -> list[CaseWarning]:
    width_mm = max(tumor.shape[1:]) * settings.spacing_mm
    patch_mm = settings.patch_pixels * settings.spacing_mm
    if width_mm <= patch_mm:
        return []
    text = (
        f"The tumor is {width_mm:.0f} mm wide, the patch that the network sees {patch_mm:.0f} mm: "
        "the network sees only its middle."
    )
    return [CaseWarning("large_tumor", text)]
