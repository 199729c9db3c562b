"""A case as files, and what they hold: the way in for predictions, tables of features, checks and training."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case, Clinical
from PDL1PredictorLib.core.provenance import Outline
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.dicom.files import FRAME_KEY
from PDL1PredictorLib.imaging.lesions import choose_tumors
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.read import read_ct, read_mask, read_pet


@dataclass(frozen=True)
class Files:
    """Where a case lies.

    Attributes:
        ct: Volume file or DICOM folder.
        tumor: Mask file, RTSTRUCT or DICOM SEG.
        segment: Which region of the mask file, by name or number, where it has several.
        series: Which series of the DICOM folder, where it has several.
        ring: Mask file of an edited ring, used in place of the drawn one.
        resample_mask: Bring a mask on another grid onto the CT's.
        clinical: What is known besides; completes what the files say.
        name: How the case is called.
        pet: Volume file of a PET in SUV, or DICOM folder of one, on a grid of its own.
        fill_gaps: Interpolate contours of an RTSTRUCT that are missing on more than two slices in a row.
    """

    ct: Path
    tumor: Path
    segment: str | None = None
    series: str | None = None
    ring: Path | None = None
    resample_mask: bool = False
    clinical: Clinical = field(default_factory=Clinical)
    name: str = "case"
    pet: Path | None = None
    fill_gaps: bool = False


@dataclass(frozen=True, eq=False)
class ReadCase:
    """What the files hold.

    Attributes:
        case: The case.
        ring: The edited ring on the CT's grid, where one was given.
        warnings: What the reader of the answer must know.
    """

    case: Case
    ring: sitk.Image | None
    warnings: tuple[CaseWarning, ...]

    def __repr__(self) -> str:
        """The case on one line, and its warnings in words."""
        edited = "" if self.ring is None else ", with an edited ring"
        return "\n".join([f"{self.case!r}{edited}", *(f"Warning: {warning.text}" for warning in self.warnings)])


def read_case(files: Files) -> ReadCase:
    """Read and check a case.

    Raises:
        InputError: A file cannot be used; the message says why.
        GridMismatchError: The mask lies on another grid.
    """
    loaded = read_ct(files.ct, series=files.series)
    tumor = read_mask(files.tumor, loaded.image, files.segment, files.resample_mask, files.fill_gaps)
    ring = None if files.ring is None else read_mask(files.ring, loaded.image, resample=files.resample_mask)
    pet = None if files.pet is None else read_pet(files.pet)
    clinical = files.clinical.with_defaults(loaded.clinical)
    own = None if pet is None else pet.image
    case = Case(loaded.image, tumor.image, clinical, files.name, own, loaded.synthetic, tumor.outline, loaded.study)
    told = (*loaded.warnings, *tumor.warnings, *(() if ring is None else ring.warnings), *_of_pet(pet, loaded))
    told = (*told, *_of_outline(tumor.outline))
    return ReadCase(case, None if ring is None else ring.image, told)


def _of_outline(outline: Outline | None) -> Iterator[CaseWarning]:
    """That no reader has confirmed a contour that a program has drawn, or that nothing says it."""
    if outline is not None and not outline.checked:
        text = (
            f"The contour is {outline.text}. Look at it in three planes, correct it, and mark it as checked (3D "
            "Slicer's status of the segment: completed)."
        )
        yield CaseWarning("contour_unchecked", text)


def _of_pet(pet: Loaded | None, ct: Loaded) -> Iterator[CaseWarning]:
    """What was repaired in reading it, and whether it was taken in another position than the CT."""
    if pet is None:
        return
    yield from pet.warnings
    frames = [one.image.GetMetaData(FRAME_KEY) for one in (pet, ct) if one.image.HasMetaDataKey(FRAME_KEY)]
    if len(set(frames)) > 1:
        text = (
            "PET and CT refer to two frames of reference, so the patient may have moved between them. They are laid on "
            "each other as they are: look at both before you believe the answer."
        )
        yield CaseWarning("pet_frame", text)


def read_one_tumor(files: Files) -> ReadCase:
    """A case with the largest tumor of its mask, as training sees it.

    Raises:
        InputError: A file cannot be used, or the mask has no tumor; the message says why.
    """
    read = read_case(files)
    tumors = choose_tumors(read.case.tumor)
    case = replace(read.case, tumor=tumors.chosen[0][1])
    return replace(read, case=case, warnings=(*read.warnings, *tumors.warnings))
