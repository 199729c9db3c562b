"""The CT series that a result was made from, as the objects that are filed beside it need it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import grid_difference, same_grid
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.dicom.files import header, is_dicom, quiet

UTF_8 = "ISO_IR 192"
NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID", "SOPClassUID")
EVEN_IF_EMPTY = (  # what must be there, known or not
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
)
COPIED = (  # what every object of a patient's study says alike: patient, study, patient at the study, clinical trial
    *("PatientName", "PatientID", "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence", "TypeOfPatientID"),
    *("PatientBirthDate", "PatientBirthTime", "PatientSex", "OtherPatientIDs", "OtherPatientIDsSequence"),
    *("OtherPatientNames", "EthnicGroup", "PatientComments", "QualityControlSubject", "PatientIdentityRemoved"),
    *("DeidentificationMethod", "DeidentificationMethodCodeSequence", "PatientSpeciesDescription"),
    *("StudyInstanceUID", "StudyID", "StudyDate", "StudyTime", "AccessionNumber", "IssuerOfAccessionNumberSequence"),
    *("ReferringPhysicianName", "StudyDescription", "ProcedureCodeSequence", "PhysiciansOfRecord"),
    *("PatientAge", "PatientSize", "PatientWeight", "AdmissionID", "AdditionalPatientHistory"),
    *("ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID"),
    *("ClinicalTrialSiteName", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID"),
    *("ClinicalTrialTimePointID", "ClinicalTrialTimePointDescription"),
)


@dataclass(frozen=True, eq=False)
class Source:
    """Slices of a CT.

    Attributes:
        slices: Their headers without pixels, text decoded, in the order of the volume that was read.
    """

    slices: tuple[Any, ...]

    def text(self, tag: str) -> str:
        """A value of the first slice as text, "" where it is missing."""
        return str(self.slices[0].get(tag) or "")

    def instances(self) -> Iterator[tuple[str, str]]:
        """Class and UID of each slice."""
        for one in self.slices:
            yield str(one.SOPClassUID), str(one.SOPInstanceUID)


def require_series(ct: Path) -> None:
    """Refuse a CT that is no DICOM series, before long work.

    Raises:
        InputError: It is a volume file: there is no study to file anything in.
    """
    if not ct.is_dir() and not is_dicom(ct):
        raise InputError(
            f"The result can be filed as DICOM only beside a CT that is a DICOM series; {ct.name} is a volume file, "
            "which names no study. Choose the folder of the series (--ct), name the series that the file was made from "
            "(--dicom SERIES), or leave out --dicom."
        )


@quiet()
def read_source(ct: Path, series: str | None, volume: sitk.Image) -> Source:
    """The slices of a CT that was read.

    Args:
        ct: Folder of the series, or one of its files.
        series: SeriesInstanceUID, where the folder holds several.
        volume: The CT as it was read from there.

    Raises:
        InputError: It is no DICOM series, lacks what other objects need to refer to it, or has changed since.
    """
    from PDL1PredictorLib.imaging.dicom.series import slices_of  # loads pydicom

    require_series(ct)
    return _source([one.path for one in slices_of(ct, series)], ct, volume)


def _source(slices: list[Path], ct: Path, volume: sitk.Image) -> Source:
    found = tuple(map(_decoded, slices))
    first = found[0]
    if (len(found), first.Rows, first.Columns) != volume.GetSize()[::-1]:
        raise InputError(f"The series in {ct} changed while it was read. Predict again.")
    for tag in NEEDED:
        if any(not one.get(tag) for one in found):
            raise InputError(
                f"The CT series has slices without {tag}, so no other object can refer to it. Export it again from "
                "the archive, or leave out --dicom."
            )
    if len({str(one.SOPInstanceUID) for one in found}) != len(found):
        raise InputError(
            "Slices of the CT series share one SOPInstanceUID, so no other object can refer to them. Export it again "
            "from the archive, or leave out --dicom."
        )
    return Source(found)


@quiet()
def require_copy(volume: sitk.Image, ct: Path, series: str | None) -> tuple[sitk.Image, Source]:
    """The CT of a series, of which a volume must be a copy: its axes may run another way, its voxels are the same.

    Returns:
        The CT as it lies in the series, and its slices.

    Raises:
        InputError: It is another CT, was cropped, resampled or changed; or what `read_source` refuses.
    """
    from PDL1PredictorLib.imaging.dicom.series import read_with_slices

    require_series(ct)
    loaded, slices = read_with_slices(ct, series)  # the folder is looked into once: it may be large, and far away
    original = loaded.image
    ours, theirs = (sitk.DICOMOrient(image, "LPS") for image in (volume, original))
    same = same_grid(ours, theirs)
    if not same or not np.array_equal(sitk.GetArrayViewFromImage(ours), sitk.GetArrayViewFromImage(theirs)):
        why = "its voxels have other values" if same else grid_difference(ours, theirs)
        raise InputError(
            f"The CT is no copy of the series in {ct}: {why}. Name the series that it was loaded from, predict the "
            "series itself, or leave out --dicom."
        )
    return original, _source([one.path for one in slices], ct, original)


def on_grid_of(original: sitk.Image, mask: sitk.Image) -> sitk.Image:
    """A mask of a copy on the grid of the series: the same voxels, in the order of its slices."""
    if same_grid(original, mask):
        return mask
    return sitk.Resample(mask, original, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)


def _decoded(path: Path) -> Any:
    data = header(path)
    try:
        data.decode()
    except Exception as error:  # pydicom converts here, and each type of value fails in its way
        raise InputError(f"{path.name} has damaged text in its header ({error}). Export it again.") from error
    for element in data.iterall():
        if element.VR == "PN" and element.value:  # names keep the bytes and the letters of the header that they lay in
            element.value = [str(one) for one in element.value] if element.VM > 1 else str(element.value)
    data.SpecificCharacterSet = UTF_8
    for name in EVEN_IF_EMPTY:
        if name not in data:
            setattr(data, name, "")
    return data
