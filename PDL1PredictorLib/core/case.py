"""A case: a CT, a tumor mask on the same grid, and clinical values; valid once built."""

import hashlib
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from typing import Any, Self

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError, InputError, printable
from PDL1PredictorLib.core.hounsfield import judge
from PDL1PredictorLib.core.provenance import Outline
from PDL1PredictorLib.core.settings import MIN_TUMOR_VOXELS

MIN_SLICES = 3
GRID_TOLERANCE_MM = 1e-3  # writers round origin and spacing; a micrometre is no shift that anyone can see
SNAP_VOXELS = 0.1  # part of the smallest voxel edge: writers round cosines, which grows toward the far corner
SYNTHETIC_KEY = "ITK_FileNotes"  # a note in a NRRD or MetaImage file; ITK makes of it the `descrip` of a NIfTI file
SYNTHETIC_MARK = "PDL1Predictor synthetic patient"  # what it says where the CT is of one
OTHER = "other"  # the field of `Clinical` that holds declared values
NO_DIFFERENCE = 1e-9  # mm or cosine: the last bit of a sum


@dataclass(frozen=True)
class Clinical:
    """What is known of the patient and the scan; every value may be missing.

    Attributes:
        age_years: 0 to 120.
        sex: "male" or "female".
        smoking: "never", "former" or "current".
        family_history: Cancer among close relatives, of the kind that the model's cohort counts.
        slice_thickness_mm: As the scanner states it.
        kernel: Reconstruction kernel as the scanner states it.
        manufacturer: Maker of the scanner.
        tube_current_ma: X-ray tube current, in mA; of a scan that adapts it the median of its slices.
        other: Values that a cohort declares, by name, as number or word; see `core.clinical_columns`.
    """

    age_years: float | None = None
    sex: str | None = None
    smoking: str | None = None
    family_history: bool | None = None
    slice_thickness_mm: float | None = None
    kernel: str | None = None
    manufacturer: str | None = None
    tube_current_ma: float | None = None
    other: Mapping[str, float | str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        self._check_number("age_years", 0, 120)
        self._check_number("slice_thickness_mm", 0.05, 50)
        self._check_number("tube_current_ma", 1, 3000)
        self._check_word("sex", ("male", "female"))
        self._check_word("smoking", ("never", "former", "current"))
        if self.family_history is not None and not isinstance(self.family_history, bool):
            raise InputError(f"family_history must be true or false, got {self.family_history!r}.")
        for name in ("kernel", "manufacturer"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise InputError(f"{name} must be text, got {value!r}.")
        self._check_other()

    def _check_other(self) -> None:
        if not isinstance(self.other, Mapping):
            raise InputError(f"other must name declared values, got {self.other!r}.")
        for name, value in self.other.items():
            plain = isinstance(value, str) or (isinstance(value, (int, float)) and not isinstance(value, bool))
            if name in self.__dataclass_fields__ or not plain or value != value:
                raise InputError(f"The declared value {name} must be a number or a word, got {value!r}.")

    def _check_number(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if value is None:
            return
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (is_number and math.isfinite(value) and low <= value <= high):
            raise InputError(f"{name} must be a number from {low} to {high}, got {value!r}.")

    def _check_word(self, name: str, words: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if value is not None and value not in words:
            raise InputError(f"{name} must be one of {', '.join(words)}, got {value!r}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, missing ones as None; `other` is there where something is."""
        found = asdict(self)
        if not self.other:
            del found["other"]
        return found

    def with_defaults(self, other: "Clinical") -> "Clinical":
        """This, with the values that are missing here taken from `other`."""
        missing = {f.name: getattr(other, f.name) for f in fields(self) if getattr(self, f.name) is None}
        return replace(self, **missing, other={**other.other, **self.other})

    @classmethod
    def from_dict(cls, values: dict[str, Any], declared: Sequence[str] = ()) -> Self:
        """Read the values of a JSON object.

        Args:
            values: By name.
            declared: Names of declared values, which become `other`.

        Raises:
            InputError: A name is not known, or a value is impossible.
        """
        known = [f.name for f in fields(cls) if f.name != OTHER]
        if not isinstance(values, dict):
            raise InputError(f"Clinical values must be a JSON object with some of: {', '.join((*known, *declared))}.")
        unknown = sorted(set(values) - {*known, *declared, OTHER})
        if unknown:
            names = ", ".join((*known, *declared))
            raise InputError(f"Unknown clinical values: {', '.join(unknown)}. Known: {names}.")
        own = {name: value for name, value in values.items() if name in declared and value is not None}
        given = {name: value for name, value in values.items() if name not in declared}
        return cls(**{**given, **({OTHER: {**given.get(OTHER, {}), **own}} if own else {})})


@dataclass(frozen=True)
class Study:
    """Of which day the images are, and whose: what two studies of a patient are held against each other by.

    Attributes:
        day: Of the study; None where it is not known.
        patient: `patient_key` of the patient's number; empty where it is not known.
    """

    day: date | None = None
    patient: str = ""

    def to_dict(self) -> dict[str, str | None]:
        """Plain values for JSON: `date` and `patient`, None where they are not known."""
        return {"date": None if self.day is None else self.day.isoformat(), "patient": self.patient or None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `to_dict` made.

        Raises:
            ValueError: There is no such day, or a key is none.
        """
        day, patient = values.get("date"), values.get("patient")
        if patient is not None and not (isinstance(patient, str) and re.fullmatch(r"[0-9a-f]{64}", patient)):
            raise ValueError(f"{patient!r} is no key of a patient")
        return cls(None if day is None else date.fromisoformat(str(day)), patient or "")


def patient_key(number: str) -> str:
    """A hash of a patient's number, by which two results are known to be of one patient; empty for an empty one.

    Whoever tries all numbers of a hospital finds the one behind it: it belongs only where the patient may be named.
    """
    plain = " ".join(number.split())
    return hashlib.sha256(f"PDL1Predictor patient {plain}".encode()).hexdigest() if plain else ""


def day_of(text: str) -> date | None:
    """A day as DICOM writes it (20260131), or people (2026-01-31); None where it is none."""
    try:
        return date.fromisoformat(text.strip().replace(".", "-"))
    except ValueError:
        return None


@dataclass(frozen=True, eq=False)
class Case:
    """One tumor of one patient.

    Attributes:
        ct: The volume in Hounsfield units, any direction, at least 3 slices, all voxels finite.
        tumor: uint8, 1 inside the tumor and 0 outside, on the CT's grid, at least 64 voxels.
        clinical: What is known besides.
        name: How the case is called in tables; carries nothing that identifies a patient unless the user put it there.
        pet: A PET in SUV, where there is one, on a grid of its own, all voxels finite.
        synthetic: Whether the CT is known to be of a synthetic patient: the phantom says so, or a mark in its file. A
            CT that was cropped or saved by another program has lost the mark, and counts as a patient's.
        outline: How the tumor's contour was drawn by a program, where that is known; None for any other contour.
        study: Of which day the CT is, and whose, as far as its files say.

    Raises:
        InputError: The CT cannot be one.
        GridMismatchError: The two lie on different grids.
        EmptyRegionError: The tumor has too few voxels.
    """

    ct: sitk.Image
    tumor: sitk.Image
    clinical: Clinical = field(default_factory=Clinical)
    name: str = "case"
    pet: sitk.Image | None = None
    synthetic: bool = False
    outline: Outline | None = None
    study: Study = field(default_factory=Study)

    def __post_init__(self) -> None:
        require_ct(self.ct)
        if self.pet is not None:
            require_pet(self.pet)
        require_same_grid(self.ct, self.tumor)
        require_region(self.tumor)

    def __repr__(self) -> str:
        """One line: a volume's own text would fill the screen."""
        return f"Case({printable(self.name)}, CT of {grid_text(self.ct)})"


def grid_text(image: sitk.Image) -> str:
    """A volume's grid in words, for messages."""
    size = " x ".join(str(n) for n in image.GetSize())
    spacing = " x ".join(f"{s:.4g}" for s in image.GetSpacing())
    origin = ", ".join(f"{o:.4g}" for o in image.GetOrigin())
    return f"{size} voxels of {spacing} mm, origin ({origin})"


def same_grid(a: sitk.Image, b: sitk.Image) -> bool:
    """Whether two volumes have one grid: equal size, and corners at the same place to a thousandth of a mm."""
    return corners_apart_mm(a, b) <= GRID_TOLERANCE_MM


def corners_apart_mm(a: sitk.Image, b: sitk.Image) -> float:
    """How far the corners of two volumes lie apart at most, in mm; infinite if their sizes differ."""
    if a.GetDimension() != b.GetDimension() or a.GetSize() != b.GetSize():
        return math.inf
    far = [n - 1 for n in a.GetSize()]
    corners = list(itertools.product(*((0, n) for n in far)))
    return max(math.dist(a.TransformIndexToPhysicalPoint(c), b.TransformIndexToPhysicalPoint(c)) for c in corners)


def grid_difference(a: sitk.Image, b: sitk.Image) -> str:
    """Which parts of two grids differ, with digits enough to see it; for messages."""
    if a.GetDimension() != b.GetDimension() or a.GetSize() != b.GetSize():
        return "their sizes differ"
    parts = [
        f"{name} by up to {apart:.2g}{unit}"
        for name, unit, apart in (
            ("spacing", " mm", _most_apart(a.GetSpacing(), b.GetSpacing())),
            ("origin", " mm", _most_apart(a.GetOrigin(), b.GetOrigin())),
            ("direction cosines", "", _most_apart(a.GetDirection(), b.GetDirection())),
        )
        if apart > NO_DIFFERENCE
    ]
    return f"they differ in {', '.join(parts)}, and corners lie up to {corners_apart_mm(a, b):.3g} mm apart"


def _most_apart(a: Sequence[float], b: Sequence[float]) -> float:
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def require_same_grid(ct: sitk.Image, mask: sitk.Image) -> None:
    """Refuse two volumes on different grids.

    Raises:
        GridMismatchError: They differ in size, spacing, origin or direction.
    """
    if not same_grid(ct, mask):
        raise GridMismatchError(
            f"The CT lies on {grid_text(ct)}; the mask on {grid_text(mask)}: {grid_difference(ct, mask)}. "
            "Export the mask on the CT's grid, or ask for it to be resampled (--resample-mask)."
        )


def require_volume(image: sitk.Image, what: str = "image") -> None:
    """Refuse what is not a three-dimensional scalar volume with at least 3 slices and a real spacing.

    Raises:
        InputError: With the dimension, components, size or spacing that came.
    """
    if image.GetDimension() != 3:
        raise InputError(
            f"The {what} has {image.GetDimension()} dimensions; a volume of 3 is needed. Choose one volume."
        )
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(
            f"The {what} has {image.GetNumberOfComponentsPerPixel()} values per voxel; one is needed. "
            "Colour pictures and vector volumes cannot be used."
        )
    if min(image.GetSize()) < MIN_SLICES:
        raise InputError(
            f"The {what} has {' x '.join(map(str, image.GetSize()))} voxels; at least {MIN_SLICES} slices are needed "
            "along each axis. Choose the whole series."
        )
    if not all(math.isfinite(s) and s > 0 for s in image.GetSpacing()):
        raise InputError(
            f"The {what} has the spacing {image.GetSpacing()} mm; every spacing must be positive. Export it again."
        )


def require_ct(ct: sitk.Image) -> str:
    """Refuse what cannot be a chest CT in Hounsfield units.

    Returns:
        Why it cannot be told for sure, in numbers; "" where it can.

    Raises:
        InputError: Not a volume, voxels that are not finite, or values that lie where no air, lung and tissue do.
    """
    require_volume(ct, "CT")
    values = sitk.GetArrayViewFromImage(ct)
    if not np.issubdtype(values.dtype, np.integer):
        bad = int(values.size - np.count_nonzero(np.isfinite(values)))
        if bad:
            raise InputError(f"The CT has {bad} voxels that are NaN or infinite. Export it again from its source.")
    judgement = judge(values)
    if judgement.refusal:
        raise InputError(judgement.refusal)
    return judgement.doubt


def require_pet(pet: sitk.Image) -> None:
    """Refuse what is not a volume of finite numbers.

    Raises:
        InputError: It is none.
    """
    require_volume(pet, "PET")
    values = sitk.GetArrayViewFromImage(pet)
    bad = int(values.size - np.count_nonzero(np.isfinite(values)))
    if bad:
        raise InputError(f"The PET has {bad} voxels that are NaN or infinite. Export it again from its source.")


def require_region(mask: sitk.Image, what: str = "tumor", minimum: int = MIN_TUMOR_VOXELS) -> None:
    """Refuse an empty or very small region.

    Raises:
        EmptyRegionError: With the number of voxels that came.
    """
    voxels = int(np.count_nonzero(sitk.GetArrayViewFromImage(mask)))
    if voxels == 0:
        raise EmptyRegionError(f"The {what} has no voxel. Outline the {what}, then predict.")
    if voxels < minimum:
        raise EmptyRegionError(
            f"The {what} has {voxels} voxels; at least {minimum} are needed for features that mean anything. "
            "Check the contour, or use a thinner-slice series."
        )
