"""How a case is prepared: frozen, checked when built, carried whole from the window to the report."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from PDL1PredictorLib.core.errors import InputError

REGIONS = {"tumor": "tumor", "ring": "peritumoral ring"}  # prefix of a feature's name: words for people
RING_MM_RANGE = (0.5, 20.0)
NEIGHBORS = (-4, -2, 2, 4)  # slices of the lattice that a network sees beside the first one, as in paper 004
MIN_TUMOR_VOXELS = 64  # fewer leave most texture features undefined or ruled by single voxels


@dataclass(frozen=True)
class RegionSettings:
    """Resampling and the two regions.

    Attributes:
        spacing_mm: Edge of the isotropic voxels on which everything is measured, in mm; 0.25 to 5.
        ring_mm: Thickness of the peritumoral ring outside the tumor's boundary, in mm; 0.5 to 20.
        exclude_air: Leave voxels outside the patient's body out of the ring.
        exclude_bone: Leave bone out of the ring.
        patch_pixels: Edge of the square patch that the network sees, in voxels.
        patch_margin_mm: What lies farther than this from the box around the tumor is air for the network, in mm; None
            shows all. For models that were trained on volumes cropped around the tumor.
    """

    spacing_mm: float = 1.0
    ring_mm: float = 3.0
    exclude_air: bool = False
    exclude_bone: bool = False
    patch_pixels: int = 160
    patch_margin_mm: float | None = None

    def __post_init__(self) -> None:
        low, high = RING_MM_RANGE
        if not (math.isfinite(self.ring_mm) and low <= self.ring_mm <= high):
            raise InputError(f"The ring's thickness must lie between {low} and {high} mm, got {self.ring_mm!r}.")
        if not (math.isfinite(self.spacing_mm) and 0.25 <= self.spacing_mm <= 5.0):
            raise InputError(f"The working spacing must lie between 0.25 and 5 mm, got {self.spacing_mm!r}.")
        if not 16 <= self.patch_pixels <= 512:
            raise InputError(f"The patch must be 16 to 512 pixels wide, got {self.patch_pixels!r}.")
        if self.patch_margin_mm is not None and not 0 < self.patch_margin_mm < math.inf:
            raise InputError(f"The patch's margin must be positive, got {self.patch_margin_mm!r}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a margin that is not used is left out, as in files from before there was one."""
        values = asdict(self)
        if self.patch_margin_mm is None:
            del values["patch_margin_mm"]
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read back what `to_dict` wrote.

        Raises:
            InputError: A name is not a setting, or a value is out of its bounds.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(f"Unknown region settings: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
        return cls(**values)


@dataclass(frozen=True)
class VolumeSettings:
    """The cube about the tumor that a three-dimensional network sees.

    Attributes:
        voxels: Along each edge, 16 to 128.
        spacing_mm: Edge of a voxel, in mm; 0.5 to 5.
    """

    voxels: int = 64
    spacing_mm: float = 1.5

    def __post_init__(self) -> None:
        if not 16 <= self.voxels <= 128:
            raise InputError(f"The volume must be 16 to 128 voxels wide, got {self.voxels!r}.")
        if not (math.isfinite(self.spacing_mm) and 0.5 <= self.spacing_mm <= 5.0):
            raise InputError(f"The volume's spacing must lie between 0.5 and 5 mm, got {self.spacing_mm!r}.")

    @property
    def edge_mm(self) -> float:
        """How far it reaches from side to side."""
        return self.voxels * self.spacing_mm

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read back what `to_dict` wrote.

        Raises:
            InputError: A name is not a setting, or a value is out of its bounds or of another type.
        """
        if not isinstance(values, dict) or set(values) != {field.name for field in fields(cls)}:
            raise InputError(f"A volume has voxels and spacing_mm, got {values!r:.100}.")
        voxels, spacing_mm = values["voxels"], values["spacing_mm"]
        if type(voxels) is not int or type(spacing_mm) not in (int, float):
            raise InputError(
                f"A volume's voxels and spacing_mm are numbers, got {voxels!r:.60} and {spacing_mm!r:.60}."
            )
        return cls(voxels, float(spacing_mm))
