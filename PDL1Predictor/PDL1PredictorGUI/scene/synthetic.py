"""Which CTs are synthetic: only those may be answered by a model that was trained on synthetic patients.

The mark is an attribute of the volume, saved with the scene. It is set where the library's mark stands in the file that
the volume was read from, and its voxels are still those of the file.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import slicer

from PDL1PredictorGUI.setup.library import make_importable

ATTRIBUTE = "PDL1Predictor.Synthetic"


def mark_synthetic(volume: Any) -> None:
    """Marks a CT that the library's phantom made."""
    volume.SetAttribute(ATTRIBUTE, "1")


def is_synthetic(volume: Any) -> bool:
    """Whether a CT is known to be synthetic; anything else counts as a real one."""
    if volume is None:
        return False
    if volume.GetAttribute(ATTRIBUTE) is None and _comes_from_a_marked_file(volume):
        mark_synthetic(volume)
    return bool(volume.GetAttribute(ATTRIBUTE) == "1")


def _comes_from_a_marked_file(volume: Any) -> bool:
    storage = volume.GetStorageNode()
    path = Path(storage.GetFileName() or "") if storage is not None else Path()
    if not path.is_file() or volume.GetModifiedSinceRead():
        return False
    return _is_marked(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _is_marked(path: Path, _time: int) -> bool:
    make_importable()
    from PDL1PredictorLib.core.errors import PDL1Error
    from PDL1PredictorLib.imaging.read import is_synthetic as says_so

    try:
        return says_so(path)
    except (PDL1Error, OSError):  # a kind of file that the library does not read
        return False


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
