"""What every reader of this room brings back: the volume, what the header says, and what the reader must know."""

from dataclasses import dataclass, field

import SimpleITK as sitk

from PDL1PredictorLib.core.case import Clinical, Study
from PDL1PredictorLib.core.provenance import Outline
from PDL1PredictorLib.core.results import CaseWarning


@dataclass(frozen=True, eq=False)
class Loaded:
    """A volume as read.

    Attributes:
        image: Hounsfield units of a CT, labels or 0/1 of a mask. A CT from DICOM carries its frame of reference, and
            nothing else of the header.
        warnings: What was repaired, left out or assumed in reading, in numbers. Codes in docs/output.md, rules in
            docs/input.md.
        clinical: What a DICOM header says of age, sex and scan; never a name or number. Empty for other formats.
        synthetic: Whether the file is marked as of a synthetic patient.
        outline: How a mask was drawn by a program, where its file says that it was.
        study: Day, and a hash of the patient's number, of DICOM; only written where the patient may be named.
    """

    image: sitk.Image
    warnings: tuple[CaseWarning, ...] = ()
    clinical: Clinical = field(default_factory=Clinical)
    synthetic: bool = False
    outline: Outline | None = None
    study: Study = field(default_factory=Study)
