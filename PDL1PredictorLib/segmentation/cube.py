"""The box about the click in which the tumor is sought: the CT on isotropic points, and what of it is the body."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.imaging.body import outside_air
from PDL1PredictorLib.imaging.lattice import Box, Lattice, lattice_of, sample

OUTSIDE_HU = -1024.0


@dataclass(frozen=True, eq=False)
class Cube:
    """A box of a lattice.

    Attributes:
        lattice: Of the whole CT.
        box: Which points.
        hu: float32 (k, j, i); -1024 beyond the CT.
        body: Which points lie in the CT and not in the air outside the patient.
    """

    lattice: Lattice
    box: Box
    hu: np.ndarray
    body: np.ndarray

    @property
    def spacing_mm(self) -> float:
        """Between neighbors."""
        return self.lattice.spacing_mm

    def place(self, point_lps_mm: np.ndarray) -> np.ndarray:
        """Where a patient point lies in the arrays, (k, j, i), not rounded."""
        return np.asarray(self.lattice.position_kji(point_lps_mm.tolist()) - np.array(self.box.start))

    def point(self, place_kji: np.ndarray) -> np.ndarray:
        """The patient point (x, y, z) of a place in the arrays."""
        return np.array(self.lattice.point_lps_mm((place_kji + np.array(self.box.start)).tolist()))


def cube_about(ct: sitk.Image, center_lps_mm: np.ndarray, half_mm: float, spacing_mm: float) -> Cube:
    """The box whose edges lie `half_mm` from a point; it may reach beyond the CT."""
    lattice = lattice_of(ct, spacing_mm)
    middle = np.rint(lattice.position_kji(center_lps_mm.tolist())).astype(int)
    reach = int(np.ceil(half_mm / spacing_mm))
    (k0, j0, i0), (k1, j1, i1) = (middle - reach).tolist(), (middle + reach + 1).tolist()
    box = Box((k0, j0, i0), (k1, j1, i1))
    hu = sample(ct, lattice, box, "linear", OUTSIDE_HU).astype(np.float32)
    inside = np.zeros(box.shape, bool)
    inside[box.clipped(lattice.whole).slices_in(box)] = True
    return Cube(lattice, box, hu, inside & ~outside_air(ct, lattice, box))


def on_grid_of(ct: sitk.Image, cube: Cube, signed: np.ndarray) -> sitk.Image:
    """What lies above 0 in a cube, as a mask on the CT's own grid.

    Args:
        ct: The grid wanted.
        cube: Where the values lie.
        signed: Distance to the surface, (k, j, i), positive inside; linear between points.
    """
    whole = np.zeros(ct.GetSize()[::-1], np.uint8)
    view = _writable_view(whole, cube.lattice)
    starts, stops = [], []
    positions = []
    for axis in range(3):
        native = _native_to_lattice(cube.lattice, axis) - cube.box.start[axis]
        within = np.flatnonzero((native >= 0) & (native <= cube.box.shape[axis] - 1))
        if not len(within):
            return _mask(whole, ct)
        starts.append(int(within[0]))
        stops.append(int(within[-1]) + 1)
        positions.append(native[within])
    grid = np.meshgrid(*positions, indexing="ij")
    values = ndimage.map_coordinates(signed.astype(np.float32), grid, order=1)
    view[tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))] = values > 0
    return _mask(whole, ct)


def _native_to_lattice(lattice: Lattice, axis: int) -> np.ndarray:
    """Lattice position of each of the CT's voxels along an axis of the lattice."""
    n, native_mm = lattice.native_shape[axis], lattice.native_spacing_mm[axis]
    return np.asarray((np.arange(n) - (n - 1) / 2) * native_mm / lattice.spacing_mm + (lattice.shape[axis] - 1) / 2)


def _writable_view(whole: np.ndarray, lattice: Lattice) -> np.ndarray:
    turned = whole.transpose(lattice.native_axes)
    return turned[tuple(slice(None, None, -1 if flip else 1) for flip in lattice.reversed_axes)]


def _mask(whole: np.ndarray, ct: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(whole)
    image.CopyInformation(ct)
    return image
