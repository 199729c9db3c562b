"""Hashes of what files hold, whatever they are called, and of what an image is, whatever file it came from."""

import hashlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import grid_text
from PDL1PredictorLib.imaging.volumes.files import files_of

PRINT_LETTERS = 32
SAME_PLACE_MM = 0.05  # a tenth of the smallest voxel of a CT; no hand moves a contour by less


def content_sha256(path: Path) -> str:
    """Of a volume with the data file that its header leads to, or of all files of a DICOM folder in whatever order.

    A header alone says nothing of the voxels.

    Raises:
        OSError: A file cannot be read.
    """
    files = (path,) if path.is_dir() else files_of(path)
    return "+".join(map(_digest, files))


def image_sha256(image: sitk.Image) -> str:
    """Of a volume's voxels and grid: the same for every file format that keeps both."""
    digest = hashlib.sha256(f"{grid_text(image)} {[round(d, 6) for d in image.GetDirection()]}".encode())
    digest.update(np.ascontiguousarray(sitk.GetArrayViewFromImage(image)).astype("<f4").tobytes())
    return digest.hexdigest()


def region_print(mask: sitk.Image) -> str:
    """Which voxels of a mask are set, and where: free of empty space about them and of the order of the axes.

    Args:
        mask: 0 outside; any grid.

    Returns:
        Hash, `@`, and the first voxel's place (x, y, z), LPS in mm; "" of an empty mask. `region_changed` compares two.
    """
    inside = sitk.GetArrayViewFromImage(mask) != 0
    hit = [np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {2 - axis}))) for axis in range(3)]
    if not len(hit[0]):
        return ""
    box = [(int(found[0]), int(found[-1]) + 1) for found in hit]  # (i, j, k)
    own = sitk.DICOMOrient(mask[tuple(slice(*bounds) for bounds in box)] != 0, "LPS")
    voxels = sitk.GetArrayViewFromImage(own)
    digest = hashlib.sha256(f"{voxels.shape}".encode() + np.packbits(voxels).tobytes()).hexdigest()
    return f"{digest[:PRINT_LETTERS]}@{','.join(f'{x:.3f}' for x in own.GetOrigin())}"


def region_changed(before: str, now: str) -> bool | None:
    """Whether two prints are of two regions.

    Returns:
        None where the same voxels lie at another place: of a contour that was moved, or of one that moved with its CT.
    """
    (hash_before, _, place_before), (hash_now, _, place_now) = before.partition("@"), now.partition("@")
    if hash_before != hash_now:
        return True
    try:
        places = zip(place_before.split(","), place_now.split(","), strict=True)
        moved_mm = max(abs(float(x) - float(y)) for x, y in places)
    except ValueError:  # "@" with anything behind it, from a file
        return None
    return False if moved_mm <= SAME_PLACE_MM else None


def _digest(path: Path) -> str:
    if path.is_dir():
        files = [file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")]
        return hashlib.sha256("".join(sorted(map(_digest, files))).encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
