"""DICOM SEG."""

import importlib
import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError, MissingPackageError
from PDL1PredictorLib.imaging.dicom_files import require_same_frame
from PDL1PredictorLib.imaging.label_maps import Entry, choose
from PDL1PredictorLib.imaging.loaded import Loaded


def read_seg(path: Path, ct: sitk.Image, segment: str | None) -> Loaded:
    try:
        highdicom = importlib.import_module("highdicom")
    except ImportError as error:
        raise MissingPackageError(
            f"highdicom is needed to read the DICOM SEG {path.name}. Install it, or save the mask as NIfTI or NRRD."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            seg = highdicom.seg.segread(path)
        except Exception as error:
            raise InputError(f"{path.name} is a damaged DICOM SEG ({error}). Export it again.") from error
        entries = [Entry(int(s.SegmentNumber), str(s.get("SegmentLabel", ""))) for s in seg.SegmentSequence]
        number = entries[choose(entries, segment, path.name)].number
        require_same_frame(ct, str(seg.get("FrameOfReferenceUID", "")), path.name)
        try:
            volume = seg.get_volume(segment_numbers=[number], combine_segments=False)
        except Exception as error:
            raise InputError(
                f"Segment {number} of {path.name} cannot be read as a volume ({error}). Export it again."
            ) from error
    mask = sitk.GetImageFromArray((np.asarray(volume.array)[..., 0] >= 0.5).astype(np.uint8))
    columns = volume.affine[:3, 2::-1]  # the frames may run against the normal: the affine says how they lie
    spacing = np.linalg.norm(columns, axis=0)
    mask.SetSpacing(spacing.tolist())
    mask.SetDirection((columns / spacing).ravel().tolist())
    mask.SetOrigin(volume.affine[:3, 3].tolist())
    return Loaded(mask)
