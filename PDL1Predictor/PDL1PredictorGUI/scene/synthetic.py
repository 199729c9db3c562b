"""Which CTs are synthetic: only those may be answered by a model that was trained on synthetic patients.

The mark is an attribute of the volume. Slicer does not read the mark of a file: a synthetic CT that comes from a file,
other than the sample patient, counts as a real one.
"""

from typing import Any

import slicer

ATTRIBUTE = "PDL1Predictor.Synthetic"


def mark_synthetic(volume: Any) -> None:
    """Marks a CT that the library's phantom made."""
    volume.SetAttribute(ATTRIBUTE, "1")


def is_synthetic(volume: Any) -> bool:
    """Whether a CT carries the mark; anything else counts as a real one."""
    return volume is not None and volume.GetAttribute(ATTRIBUTE) == "1"


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
