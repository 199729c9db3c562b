"""The scanner: the lattice it samples, its blur and its noise."""

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.phantom import draws, exact

KERNEL_BLUR_MM = {"soft": 0.9, "medium": 0.65, "sharp": 0.4}  # SD of the in-plane point spread function
KERNEL_NOISE_HU = {"soft": 9.0, "medium": 13.0, "sharp": 20.0}  # at slices of 2 mm
NOISE_RANGE_HU = (8.0, 25.0)
THICKNESSES_MM = (1.0, 1.5, 2.0, 2.5, 3.0)
MANUFACTURERS = ("Phantom A", "Phantom B", "Phantom C")
MATRIX = 512
PIXEL_RANGE_MM = (0.70, 0.90)
NEIGHBOR_SHARE = 0.06  # of each neighboring slice: a Gaussian slice profile whose width at half height is the thickness


@dataclass(frozen=True)
class Scan:
    """How a phantom was scanned; none of it depends on the traits.

    Attributes:
        pixel_mm: In-plane spacing.
        slice_mm: Slice thickness and spacing.
        kernel: "soft", "medium" or "sharp".
        manufacturer: Invented name.
        noise_hu: Standard deviation of the noise, in HU.
        length_mm: Extent along z of the chest-wide scan.
        table_z_mm: Where the scanner puts z = 0 of the anatomy.
    """

    pixel_mm: float
    slice_mm: float
    kernel: str
    manufacturer: str
    noise_hu: float
    length_mm: float
    table_z_mm: float

    @property
    def blur_mm(self) -> float:
        """Standard deviation of the in-plane point spread function, in mm."""
        return KERNEL_BLUR_MM[self.kernel]


def draw_scan(rng: np.random.Generator) -> Scan:
    """Draw the scanner's values of one patient."""
    slice_mm = float(rng.choice(THICKNESSES_MM))
    kernel = str(rng.choice(list(KERNEL_BLUR_MM)))
    noise = (
        KERNEL_NOISE_HU[kernel] * math.sqrt(2.0 / slice_mm) * draws.uniform(rng, 0.85, 1.15)
    )  # fewer photons, more noise
    return Scan(
        pixel_mm=round(float(draws.uniform(rng, *PIXEL_RANGE_MM)), 3),
        slice_mm=slice_mm,
        kernel=kernel,
        manufacturer=str(rng.choice(MANUFACTURERS)),
        noise_hu=float(np.clip(noise, *NOISE_RANGE_HU)),
        length_mm=float(draws.uniform(rng, 100.0, 140.0)),
        table_z_mm=round(float(draws.uniform(rng, -400.0, 400.0)), 1),
    )


@dataclass(frozen=True, eq=False)
class Lattice:
    """Voxel centers in the anatomy's own frame: x to the left, y to the back, z to the head, in mm.

    Attributes:
        x: (ni,), ascending, equally spaced; so are the others.
        y: (nj,).
        z: (nk,).
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a volume on this lattice, (nk, nj, ni)."""
        return len(self.z), len(self.y), len(self.x)

    @property
    def spacing_kji_mm(self) -> np.ndarray:
        """(3,), in the order (k, j, i)."""
        return np.array([axis[1] - axis[0] for axis in (self.z, self.y, self.x)])

    @property
    def origin_kji_mm(self) -> np.ndarray:
        """(3,), in the order (k, j, i)."""
        return np.array([self.z[0], self.y[0], self.x[0]])

    def near(self, center_kji_mm: np.ndarray, reach_kji_mm: np.ndarray) -> tuple[slice, slice, slice]:
        """The block of voxels whose centers lie within `reach` of `center` along each axis."""
        low, high = center_kji_mm - reach_kji_mm, center_kji_mm + reach_kji_mm
        axes = (self.z, self.y, self.x)
        bounds = [np.searchsorted(axis, (a, b)) for axis, a, b in zip(axes, low, high, strict=True)]
        k, j, i = (slice(int(first), int(last)) for first, last in bounds)
        return k, j, i

    def block(self, where: tuple[slice, slice, slice]) -> "Lattice":
        """The same voxels, only those of a block."""
        return Lattice(x=self.x[where[2]], y=self.y[where[1]], z=self.z[where[0]])


def chest_lattice(scan: Scan, middle_z_mm: float) -> Lattice:
    """The chest-wide lattice: 512 x 512 about the body's axis, `scan.length_mm` long about `middle_z_mm`."""
    across = (np.arange(MATRIX) - (MATRIX - 1) / 2) * scan.pixel_mm
    slices = round(scan.length_mm / scan.slice_mm)
    return Lattice(x=across, y=across, z=middle_z_mm + (np.arange(slices) - (slices - 1) / 2) * scan.slice_mm)


def acquire(volume: np.ndarray, scan: Scan, rng: np.random.Generator) -> np.ndarray:
    """What the scanner makes of the true volume; `volume` is used up.

    Noise is added before the in-plane blur, so that it is as coarse as the kernel makes it.

    Args:
        volume: True HU, float32 (k, j, i).
        scan: Blur and noise.
        rng: For the noise.

    Returns:
        int16 (k, j, i), HU, at least -1024.
    """
    blur_px = scan.blur_mm / scan.pixel_mm
    middle, *beyond = (exact.gaussian_weights(blur_px) ** 2).tolist()
    kept = middle + 2 * exact.total(beyond)  # variance left, per axis
    white_hu = np.float32(scan.noise_hu / kept)
    noise = draws.NormalNumbers(rng)
    result = np.empty(volume.shape, np.int16)
    last = len(volume) - 1
    for k in range(len(volume)):
        beside = volume[max(k - 1, 0)] + volume[min(k + 1, last)]
        image = volume[k] * np.float32(1 - 2 * NEIGHBOR_SHARE) + beside * np.float32(NEIGHBOR_SHARE)
        image += white_hu * noise.draw(image.shape)
        image = exact.blur(exact.blur(image, blur_px, axis=0), blur_px, axis=1)
        result[k] = np.clip(np.rint(image), -1024, 32767)
    return result


def to_image(values: np.ndarray, lattice: Lattice, scan: Scan) -> sitk.Image:
    """A volume (k, j, i) with its place in patient coordinates (LPS, mm)."""
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((scan.pixel_mm, scan.pixel_mm, scan.slice_mm))
    image.SetOrigin((float(lattice.x[0]), float(lattice.y[0]), float(lattice.z[0]) + scan.table_z_mm))
    return image
