"""How IBSI prepares an image: frozen settings, and those of its five configurations."""

import math
from dataclasses import dataclass
from typing import Literal

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.lattice import Kind

Dimensions = Literal["2D", "2.5D", "3D"]
DIMENSIONS: tuple[Dimensions, ...] = ("2D", "2.5D", "3D")


@dataclass(frozen=True)
class IbsiSettings:
    """Interpolation, resegmentation and gray levels.

    Attributes:
        name: How this choice is called.
        spacing_mm: Spacing to interpolate to, (k, j, i), None along an axis that stays as it is; None for none at all.
        kind: Interpolation of the image, rounded to whole HU after; a mask is always linear and cut at 0.5.
        range_hu: Intensities that belong to the region, both ends included; None for all.
        outlier_sd: Standard deviations from the region's mean beyond which a voxel does not belong to it; None for all.
        bin_width: Width of the gray levels, which start at the lower end of `range_hu`; None with `bin_count`.
        bin_count: Number of gray levels from the region's least to its greatest intensity; None with `bin_width`.
        dimensions: How texture is looked at: each slice alone ("2D"), all slices together but no neighbors across
            ("2.5D"), or "3D".

    Raises:
        InputError: Values that do not go together.

    Source: Zwanenburg et al. 2020, doi 10.1148/radiol.2020191145, and the IBSI reference manual, arXiv:1612.07003.
    """

    name: str
    spacing_mm: tuple[float | None, float | None, float | None] | None = None
    kind: Kind = "linear"
    range_hu: tuple[float, float] | None = None
    outlier_sd: float | None = None
    bin_width: float | None = None
    bin_count: int | None = None
    dimensions: tuple[Dimensions, ...] = ("3D",)

    def __post_init__(self) -> None:
        if (self.bin_width is None) == (self.bin_count is None):
            raise InputError("Give either bin_width or bin_count and leave the other None.")
        if self.bin_width is not None and not (math.isfinite(self.bin_width) and self.bin_width > 0):
            raise InputError(f"bin_width must be positive, got {self.bin_width!r}.")
        if self.bin_count is not None and not (type(self.bin_count) is int and self.bin_count >= 2):
            raise InputError(f"bin_count must be a whole number from 2, got {self.bin_count!r}.")
        if self.bin_width is not None and self.range_hu is None:
            raise InputError("Gray levels of a fixed width start at the lower end of range_hu: give it too.")
        if self.range_hu is not None and not self.range_hu[0] < self.range_hu[1]:
            raise InputError(f"range_hu must rise, got {self.range_hu!r}.")
        if self.outlier_sd is not None and not self.outlier_sd > 0:
            raise InputError(f"outlier_sd must be positive, got {self.outlier_sd!r}.")
        if any(not (mm is None or mm > 0) for mm in self.spacing_mm or ()):
            raise InputError(f"spacing_mm must be positive along every axis, got {self.spacing_mm!r}.")
        if self.kind not in ("linear", "cubic"):
            raise InputError(f"kind must be linear or cubic, got {self.kind!r}.")
        if not self.dimensions or set(self.dimensions) - set(DIMENSIONS):
            raise InputError(f"dimensions must be some of {', '.join(DIMENSIONS)}, got {self.dimensions!r}.")


DIGITAL_PHANTOM = IbsiSettings("digital phantom", range_hu=(1, 6), bin_width=1, dimensions=DIMENSIONS)
CONFIGURATIONS = (
    IbsiSettings("A", range_hu=(-500, 400), bin_width=25, dimensions=("2D", "2.5D")),
    IbsiSettings("B", (None, 2, 2), range_hu=(-500, 400), bin_count=32, dimensions=("2D", "2.5D")),
    IbsiSettings("C", (2, 2, 2), range_hu=(-1000, 400), bin_width=25),
    IbsiSettings("D", (2, 2, 2), outlier_sd=3, bin_count=32),
    IbsiSettings("E", (2, 2, 2), kind="cubic", range_hu=(-1000, 400), outlier_sd=3, bin_count=32),
)
FILTERS_IN_SLICES = IbsiSettings("A", range_hu=(-1000, 400), bin_count=2)  # of IBSI-2; the bins are not looked at
FILTERS_IN_SPACE = IbsiSettings("B", (1, 1, 1), kind="cubic", range_hu=(-1000, 400), bin_count=2)
