"""Hashes of what files hold, whatever they are called, and of what an image is, whatever file it came from."""

import hashlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import grid_text
from PDL1PredictorLib.imaging.volumes.files import files_of


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


def _digest(path: Path) -> str:
    if path.is_dir():
        files = [file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")]
        return hashlib.sha256("".join(sorted(map(_digest, files))).encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
