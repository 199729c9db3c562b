"""Which CTs are synthetic: only those may be answered by a model that was trained on synthetic patients.

The mark is an attribute of the volume, named as the field by which the library marks a file. Slicer does not read that
field: a synthetic CT that comes from a file, other than the sample patient, counts as a real one.
"""

from typing import Any

import slicer

from PDL1PredictorGUI.setup.library import make_importable


def synthetic_field() -> tuple[str, str]:
    """Name and value of the field that marks a synthetic patient's CT, in a file and in the scene."""
    make_importable()
    from PDL1PredictorLib.core.case import SYNTHETIC_KEY, SYNTHETIC_MARK

    return SYNTHETIC_KEY, SYNTHETIC_MARK


def mark_synthetic(volume: Any) -> None:
    """Marks a CT that the library's phantom made."""
    volume.SetAttribute(*synthetic_field())


def is_synthetic(volume: Any) -> bool:
    """Whether a CT carries the mark; anything else counts as a real one."""
    name, value = synthetic_field()
    return volume is not None and volume.GetAttribute(name) == value


def same_patient(one: Any, other: Any) -> bool:
    """Whether two CTs lie under one patient of the subject hierarchy, as series from DICOM do."""
    found = _patient(one)
    return bool(found) and found == _patient(other)


def _patient(volume: Any) -> int:
    """The volume's patient in the subject hierarchy; 0 if it has none."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(volume) if volume is not None and hierarchy is not None else 0
    level = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMLevelPatient()
    return int(hierarchy.GetItemAncestorAtLevel(item, level)) if item else 0
