"""Regions of a DICOM SEG: what the file promises is held against what it has, before anything is read at its size."""

import importlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import generate_uid

from PDL1PredictorLib.core.errors import GridMismatchError, InputError, MissingPackageError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.dicom.algorithm import outline_of_segment
from PDL1PredictorLib.imaging.dicom.files import require_same_frame, uid
from PDL1PredictorLib.imaging.label_maps import Entry, choose
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.placing import place_mask
from PDL1PredictorLib.imaging.plain_words import plain_words

KINDS = ("BINARY", "FRACTIONAL", "LABELMAP")
CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # segmentation, label map segmentation
MAX_VOXELS = 1 << 28  # as many as a CT of 1024 slices has; a larger stack needs a CT that is large too
MAX_SHARE = 4  # of the CT's voxels
MAX_FRAME_PIXELS = 1 << 24


def read_seg(data: Any, path: Path, ct: sitk.Image, segment: str | None) -> Loaded:
    """One segment of a DICOM SEG on its own grid, uint8 0/1; and which program has drawn it, where that is said.

    Args:
        data: The whole data set, which is changed.
        path: Its file, for messages.
        ct: The CT that it was drawn on.
        segment: Label or number of the segment; None if there is only one.

    Raises:
        InputError: Damaged, stored in a way that cannot be read, or it is not clear which segment is meant.
        GridMismatchError: Drawn on another scan.
        MissingPackageError: highdicom is not installed.
    """
    try:
        highdicom = importlib.import_module("highdicom")
    except ImportError as error:
        raise MissingPackageError(
            f"highdicom is needed to read the DICOM SEG {path.name}. Install "
            "pdl1predictor[dicom], or save the mask as NIfTI or NRRD."
        ) from error
    with plain_words(path, "DICOM SEG"):
        _require_readable(data, path.name)
        _require_sound(data, path.name)
        entries = _entries(data, path.name)
        number = entries[choose(entries, segment, path.name)].number
        outline = outline_of_segment(data, number)
        frame = str(data.get("FrameOfReferenceUID") or "")
        require_same_frame(ct, frame, path.name)
        if not frame:
            data.FrameOfReferenceUID = generate_uid()  # highdicom knows of no patient without one
        maximum = _maximum(data, path.name)
        volume = _volume(highdicom, data, number, path.name, max(MAX_VOXELS, MAX_SHARE * ct.GetNumberOfPixels()))
    what = f"Segment {number} of {path.name}"
    values = np.asarray(volume.array)[..., 0]
    mask = _image(_cut(values, maximum, what), volume.affine)
    told = _fractions(values, maximum, math.prod(mask.GetSpacing()), what)
    warnings = (*told, *([] if frame else [_without_frame(mask, ct, path.name)]))
    return Loaded(mask, warnings, outline=outline)


def _require_readable(data: Any, source: str) -> None:
    """Refuse what is whole, but of a kind that no package here reads."""
    syntax = uid(data.file_meta.get("TransferSyntaxUID"))
    if not syntax.is_little_endian:
        raise InputError(
            f"{source} is stored as {syntax.name or 'nothing that it names'}, which cannot be read. "
            "Export it as little endian."
        )
    if data.get("SOPClassUID") not in CLASSES:
        name = uid(data.get("SOPClassUID")).name
        raise InputError(f"{source} is no segmentation of voxels but {name or 'of no kind'}. Export it as such.")
    kind = data.get("SegmentationType")
    if kind not in KINDS:
        raise InputError(f"{source} is a SEG of the type {kind}; known are {', '.join(KINDS)}. Export it again.")
    if syntax.is_encapsulated and syntax.is_compressed:
        try:
            missing = not pydicom.pixels.get_decoder(syntax).is_available
        except NotImplementedError:
            missing = True
        if missing:
            raise InputError(f"{source} is compressed as {syntax.name}, which cannot be read. Export it uncompressed.")


def _require_sound(data: Any, source: str) -> None:
    """Refuse a file that has fewer frames, or fewer bytes of pixels, than it promises."""
    rows, columns, frames = (int(data.get(name) or 0) for name in ("Rows", "Columns", "NumberOfFrames"))
    described = len(data.get("PerFrameFunctionalGroupsSequence") or [])
    if min(rows, columns, frames) < 1 or rows * columns > MAX_FRAME_PIXELS:
        raise InputError(
            f"{source} is a damaged DICOM SEG: {frames} frames of {rows} x {columns} pixels. Export it again."
        )
    if described != frames:
        raise InputError(
            f"{source} is a damaged DICOM SEG: it says where {described} of its {frames} frames lie. Export it again."
        )
    if uid(data.file_meta.TransferSyntaxUID).is_encapsulated:
        return
    needed = math.ceil(rows * columns * frames * int(data.get("BitsAllocated") or 0) / 8)
    held = len(data.get("PixelData") or b"")
    if not needed or held < needed:
        raise InputError(
            f"{source} is a damaged DICOM SEG: it holds {held} of the {needed} bytes of its pixels. Export it again."
        )


def _entries(data: Any, source: str) -> list[Entry]:
    """The segments; number 0 of a label map is the background, described or not."""
    segments = data.get("SegmentSequence") or []
    every = [Entry(int(item.SegmentNumber), str(item.get("SegmentLabel") or "")) for item in segments]
    entries = [entry for entry in every if entry.number > 0]
    if not entries:
        raise InputError(f"{source} holds no segment. Choose the SEG with the tumor.")
    numbers = [entry.number for entry in entries]
    if len(set(numbers)) < len(numbers):
        raise InputError(f"{source} holds several segments of one number: {numbers}. Export it again.")
    return entries


def _maximum(data: Any, source: str) -> int:
    """The value of a whole voxel in a SEG of fractions; 0 for the other kinds."""
    if data.SegmentationType != "FRACTIONAL":
        return 0
    maximum = int(data.get("MaximumFractionalValue") or 0)
    if maximum < 1:
        raise InputError(f"{source} holds fractions but does not say of which maximum. Export it again.")
    return maximum


def _volume(highdicom: Any, data: Any, number: int, source: str, most: int) -> Any:
    seg = highdicom.seg.Segmentation.from_dataset(data, copy=False)
    geometry = seg.get_volume_geometry(allow_missing_positions=True)
    if geometry is None:
        raise InputError(
            f"{source} does not say that its frames lie at even distances in one stack. Export it as a volume."
        )
    voxels = math.prod(geometry.spatial_shape)
    if voxels > most:
        size = " x ".join(str(n) for n in geometry.spatial_shape[::-1])
        raise InputError(f"{source} spans {size} voxels, far more than this CT. Export it again.")
    return seg.get_volume(segment_numbers=[number], combine_segments=False, rescale_fractional=False)


def _cut(values: np.ndarray, maximum: int, what: str) -> np.ndarray:
    """0 and 1, from fractions by at least half of the maximum."""
    if not maximum:
        return (values > 0).astype(np.uint8)
    if int(values.max()) > maximum:
        raise InputError(f"{what} has the value {values.max()}, above its maximum {maximum}. Export it again.")
    return (values >= (maximum + 1) // 2).astype(np.uint8)


def _fractions(values: np.ndarray, maximum: int, voxel_mm3: float, what: str) -> list[CaseWarning]:
    if not maximum:
        return []
    half = (maximum + 1) // 2
    below = int(np.count_nonzero((values > 0) & (values < half)))
    above = int(np.count_nonzero((values >= half) & (values < maximum)))
    if not below and not above:
        return []
    text = (
        f"{what} holds fractions, cut at 0.5: {below} voxels below it ({below * voxel_mm3 / 1000:.3g} mL) were left "
        f"out, {above} voxels from 0.5 to 1 ({above * voxel_mm3 / 1000:.3g} mL) count whole."
    )
    return [CaseWarning("fractions_cut", text)]


def _image(values: np.ndarray, affine: np.ndarray) -> sitk.Image:
    mask = sitk.GetImageFromArray(values)
    columns = affine[:3, 2::-1]  # the frames may run against the normal: the affine says how they lie
    spacing = np.linalg.norm(columns, axis=0)
    mask.SetSpacing(spacing.tolist())
    mask.SetDirection((columns / spacing).ravel().tolist())
    mask.SetOrigin(affine[:3, 3].tolist())
    return mask


def _without_frame(mask: sitk.Image, ct: sitk.Image, source: str) -> CaseWarning:
    try:
        place_mask(mask, ct, resample=False)
    except GridMismatchError as error:
        raise GridMismatchError(
            f"{source} does not say in which frame of reference it was drawn, and does not lie on this CT's voxels "
            f"({error}) Choose the CT that it was drawn on, or export the SEG again."
        ) from error
    text = (
        f"{source} does not say in which frame of reference it was drawn: that it belongs to this CT is assumed, since "
        "it lies on its voxels. Check where it lies."
    )
    return CaseWarning("frame_unknown", text)
