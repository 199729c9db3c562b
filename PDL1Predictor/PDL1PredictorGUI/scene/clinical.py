"""What DICOM says of the patient and the scan, where the volume came from DICOM: to fill in, never to identify."""

import re
from datetime import date
from typing import Any

import slicer

from PDL1PredictorGUI.setup.library import make_importable

AGE, SEX, THICKNESS, KERNEL, MANUFACTURER = "0010,1010", "0010,0040", "0018,0050", "0018,1210", "0008,0070"
SMOKING = "0010,21A0"
BIRTH_DATE, STUDY_DATE = "0010,0030", "0008,0020"
DAYS_PER_YEAR = 365.25
_PER_YEAR = {"Y": 1.0, "M": 12.0, "W": DAYS_PER_YEAR / 7, "D": DAYS_PER_YEAR}


def clinical_of(volumeNode: Any) -> dict[str, Any]:
    """Age, sex, smoking, slice thickness, kernel and manufacturer of a volume, as fields of `core.case.Clinical`.

    Returns:
        Only what is known and possible; empty for a volume that did not come from DICOM.
    """
    if volumeNode is None:
        return {}
    headers = Headers(volumeNode)
    found = {
        "age_years": _age(headers),
        "sex": {"M": "male", "F": "female"}.get((headers.text(SEX) or headers.patient_sex).upper()[:1]),
        "smoking": {"YES": "current"}.get(headers.text(SMOKING).upper()),  # NO may be a former smoker
        "slice_thickness_mm": _number(headers.text(THICKNESS)),
        "kernel": headers.text(KERNEL).replace("\\", " ") or None,  # several values are parted by a backslash
        "manufacturer": headers.text(MANUFACTURER) or None,
    }
    return {name: value for name, value in found.items() if value is not None and _is_possible(name, value)}


def _is_possible(name: str, value: Any) -> bool:
    make_importable()
    from PDL1PredictorLib.core.case import Clinical
    from PDL1PredictorLib.core.errors import InputError

    try:
        Clinical(**{name: value})
    except InputError:  # a phantom's age of 999, a thickness of 0
        return False
    return True


class Headers:
    """The headers of a volume's first slice in Slicer's DICOM database, and what the subject hierarchy keeps."""

    def __init__(self, volumeNode: Any) -> None:
        uids = (volumeNode.GetAttribute("DICOM.instanceUIDs") or "").split()
        database = getattr(slicer, "dicomDatabase", None)
        self._uid = uids[0] if uids and database is not None else ""
        self._database = database
        names = slicer.vtkMRMLSubjectHierarchyConstants
        self.patient_sex = _of_hierarchy(volumeNode, names.GetDICOMPatientSexAttributeName())
        self.patient_birth_date = _of_hierarchy(volumeNode, names.GetDICOMPatientBirthDateAttributeName())
        self.study_date = _of_hierarchy(volumeNode, names.GetDICOMStudyDateAttributeName())
        self.patient_number = _of_hierarchy(volumeNode, names.GetDICOMPatientIDAttributeName())

    def text(self, tag: str) -> str:
        """A value of the header; empty where it is not known, or the files are no longer there."""
        return str(self._database.instanceValue(self._uid, tag) or "").strip() if self._uid else ""


def _of_hierarchy(volumeNode: Any, attribute: str) -> str:
    """An attribute of the volume's item in the subject hierarchy, or of its study or patient above it."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(volumeNode.GetScene())
    item = hierarchy.GetItemByDataNode(volumeNode) if hierarchy is not None else 0
    while item and item != hierarchy.GetSceneItemID():
        value = hierarchy.GetItemAttribute(item, attribute)
        if value:
            return str(value).strip()
        item = hierarchy.GetItemParent(item)
    return ""


def _age(headers: Headers) -> float | None:
    """From the age, such as 063Y or 018M; else from the birth date and the date of the study, in whole years."""
    age = re.fullmatch(r"(\d{1,3})([YMWD])", headers.text(AGE).upper())
    if age:
        return int(age[1]) / _PER_YEAR[age[2]]
    born = _date(headers.text(BIRTH_DATE) or headers.patient_birth_date)
    scanned = _date(headers.text(STUDY_DATE) or headers.study_date)
    if born is None or scanned is None:
        return None
    return float(scanned.year - born.year - ((scanned.month, scanned.day) < (born.month, born.day)))


def _date(text: str) -> date | None:
    """A DICOM date, 20260131, or one as people write it, 2026-01-31."""
    try:
        return date.fromisoformat(text.replace(".", "-"))
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        return float(text.split("\\")[0])
    except ValueError:
        return None
