"""Which cases a batch has: pairs of CT and mask in a folder, by their names, or all tumors of the scene.

A name is cut into words at every `_`, `-`, `.` and space. Words such as `ct` and `image` mark a CT, words such as
`mask`, `tumor` and `seg` a mask; the last such word of a file's name decides, else that of its folder, else it is a CT.
What is left of path and name without these words must be equal for both: `a_ct.nii` with `a_mask.nii`, `image/a.nii`
with `mask/a.nii`, `a/CT/*.dcm` with `a/RTSTRUCT.dcm`. One CT and one mask that are left over in a folder are a pair.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.setup.library import make_importable

MASK_WORDS = {
    *("mask", "masks", "seg", "segs", "segmentation", "segmentations", "label", "labels", "labelstr", "labelmap"),
    *("tumor", "tumour", "lesion", "nodule", "roi", "contour", "gtv", "gtvp", "rtstruct", "rtss"),
}
CT_WORDS = {"ct", "image", "images", "imagestr", "img", "volume", "scan", "series", "dicom", "0000"}
MAX_HEADERS = 20  # read in one DICOM folder: thousands of slices would take a minute


@dataclass(frozen=True)
class FileCase:
    """A CT and a mask on disk."""

    name: str
    ct: Path
    mask: Path


@dataclass(frozen=True, eq=False)
class SceneCase:
    """A volume and a segment of the scene."""

    name: str
    volume: Any
    segmentation: Any
    segment_id: str


@dataclass(frozen=True)
class BadCase:
    """What looks like a case and cannot be one, with the reason."""

    name: str
    problem: str


BatchCase = FileCase | SceneCase | BadCase


@dataclass(frozen=True)
class _Item:
    path: Path
    is_mask: bool
    key: str
    group: str  # the first folder on the way


def cases_of_folder(folder: Path) -> list[BatchCase]:
    """The cases of a folder and all folders below it, by name; those without a partner say so."""
    items = list(_items(folder))
    keys: dict[str, list[_Item]] = {}
    for item in items:
        keys.setdefault(item.key, []).append(item)
    cases: list[BatchCase] = []
    lonely: dict[str, list[_Item]] = {}
    for key, found in keys.items():
        cts, masks = _parted(found)
        if len(cts) == len(masks) == 1:
            cases.append(FileCase(key, cts[0].path, masks[0].path))
        elif cts and masks:
            cases.append(BadCase(key, _several(found, folder)))
        else:
            for item in found:
                lonely.setdefault(item.group, []).append(item)
    for group, found in lonely.items():
        cts, masks = _parted(found)
        if len(cts) == len(masks) == 1:
            name = group or cts[0].key
            cases.append(FileCase(name, cts[0].path, masks[0].path))
        else:
            cases += [BadCase(item.key, _no_partner(item, folder)) for item in found]
    return sorted(cases, key=lambda case: case.name)


def _parted(items: list[_Item]) -> tuple[list[_Item], list[_Item]]:
    return [item for item in items if not item.is_mask], [item for item in items if item.is_mask]


def _several(items: list[_Item], folder: Path) -> str:
    names = ", ".join(str(item.path.relative_to(folder)) for item in items)
    return _("It is not clear which files belong together: {names}. Leave one CT and one mask.").format(names=names)


def _no_partner(item: _Item, folder: Path) -> str:
    path = item.path.relative_to(folder)
    if item.is_mask:
        return _("There is no CT for the mask {path}. Name both alike, such as a_ct and a_mask.").format(path=path)
    return _("There is no mask for the CT {path}. Name both alike, such as a_ct and a_mask.").format(path=path)


def _items(folder: Path) -> Iterator[_Item]:
    make_importable()
    from PDL1PredictorLib.imaging.dicom.files import is_dicom
    from PDL1PredictorLib.imaging.volumes.files import SUFFIXES

    for inside in [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]:
        if any(part.startswith(".") for part in inside.relative_to(folder).parts):
            continue
        files = sorted(path for path in inside.iterdir() if path.is_file() and not path.name.startswith("."))
        volumes = [path for path in files if path.name.lower().endswith(SUFFIXES)]
        for path in volumes:
            stem = path.name[: -max(len(end) for end in SUFFIXES if path.name.lower().endswith(end))]
            yield _item(folder, path, stem)
        yield from _dicom_items(folder, inside, [path for path in files if path not in volumes and is_dicom(path)])


def _item(folder: Path, path: Path, stem: str, is_mask: bool | None = None) -> _Item:
    """What a file or DICOM folder is; `is_mask` where its content has told already."""
    parts = [*path.relative_to(folder).parts[:-1], stem]
    if is_mask is None:
        marks = [word for part in parts for word in _words(part) if word.lower() in MASK_WORDS | CT_WORDS]
        is_mask = bool(marks) and marks[-1].lower() in MASK_WORDS
    kept = ["_".join(word for word in _words(part) if word.lower() not in MASK_WORDS | CT_WORDS) for part in parts]
    key = "/".join(part for part in kept if part)
    folders = path.relative_to(folder).parts[:-1]
    return _Item(path, is_mask, key or folder.name, folders[0] if folders else "")


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[_\-.\s]+", text) if word]


def _dicom_items(folder: Path, inside: Path, files: list[Path]) -> Iterator[_Item]:
    """The CT series of a DICOM folder as one item, and each RTSTRUCT or SEG of it."""
    if not files:
        return
    from PDL1PredictorLib.core.errors import InputError
    from PDL1PredictorLib.imaging.dicom.files import header

    looked_at = files
    if len(files) > MAX_HEADERS:  # slices are alike; a mask among them stands out by its size
        usual = median(path.stat().st_size for path in files)
        odd = [path for path in files[1:] if not 0.8 * usual <= path.stat().st_size <= 1.25 * usual]
        looked_at = [files[0], *odd[:MAX_HEADERS]]
    slices = len(files) > len(looked_at)
    for path in looked_at:
        try:
            modality = str(header(path, ["Modality"]).get("Modality", ""))
        except InputError:  # told when the case is read
            continue
        if modality in ("RTSTRUCT", "SEG"):
            yield _item(folder, path, path.stem, is_mask=True)
        else:
            slices = True
    if slices:
        stem = "" if inside == folder else inside.name
        yield _item(folder, inside, stem, is_mask=False) if stem else _Item(inside, False, folder.name, "")


def cases_of_scene() -> list[BatchCase]:
    """Every tumor segment of the scene with the volume that it was drawn on."""
    from PDL1PredictorGUI.scene.ring import tumors

    volumes = [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if not bridge.why_not_ct(node)]
    cases: list[BatchCase] = []
    for segmentation in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        role = segmentation.GetReferenceImageGeometryReferenceRole()
        volume = segmentation.GetNodeReference(role) or (volumes[0] if len(volumes) == 1 else None)
        for segment_id, segment in tumors(segmentation):
            name = f"{segmentation.GetName()}, {segment.GetName()}"
            if volume is None:
                cases.append(BadCase(name, _("It is not known on which volume this segment was drawn.")))
            elif volume in volumes:
                cases.append(SceneCase(name, volume, segmentation, segment_id))
            else:
                cases.append(BadCase(name, bridge.why_not_ct(volume)))
    return cases
