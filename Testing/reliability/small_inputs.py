"""One small, sound input of every format: the same bytes whenever they are made."""

import gzip
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from dicom_seg import write_seg
from dicom_writing import write_rtstruct, write_series

SHAPE, SPACING_MM = (12, 28, 32), (2.5, 1.5, 1.25)  # k, j, i
ORIGIN_MM = (-20.0, -30.0, 100.0)  # x, y, z
CENTER_MM, RADIUS_MM = np.array([15.0, 21.0, 20.0]), 8.0


def small_chest() -> tuple[sitk.Image, sitk.Image]:
    """CT and mask: lung with a ball of soft tissue, a wall of fat and muscle, air outside; noise in every voxel."""
    tumor = ball_mask()
    hu = np.full(SHAPE, -830.0)
    hu[:, :4], hu[:, 4:7], hu[:, 7:9] = -1000, -100, 55  # outside, fat, muscle
    hu[:, :, -4:] = 40
    hu[tumor == 1] = 35
    hu += np.random.default_rng(3).integers(-15, 16, SHAPE)
    return placed(hu.astype(np.int16)), placed(tumor)


def ball_mask() -> np.ndarray:
    """The ball, uint8 (k, j, i)."""
    places = np.indices(SHAPE) * np.array(SPACING_MM)[:, None, None, None]
    return (((places - CENTER_MM[:, None, None, None]) ** 2).sum(axis=0) <= RADIUS_MM**2).astype(np.uint8)


def ball_contours() -> list[np.ndarray]:
    """Its outlines, one a slice, each (n, 3) in mm."""
    return [points for k in range(SHAPE[0]) if (points := _circle(k)) is not None]


def placed(values: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(SPACING_MM[::-1])
    image.SetOrigin(ORIGIN_MM)
    return image


BALL_ML = float(ball_mask().sum() * np.prod(SPACING_MM) / 1000)


def write_volumes(folder: Path) -> dict[str, Path]:
    """CT and mask in every volume format, by suffix: `ct.nii.gz`, `mask.nrrd` ..."""
    folder.mkdir(parents=True, exist_ok=True)
    ct, mask = small_chest()
    for name, image in (("ct", ct), ("mask", mask)):
        for suffix in (".nii", ".mha", ".mhd", ".nhdr"):
            sitk.WriteImage(image, str(folder / f"{name}{suffix}"))
        sitk.WriteImage(image, str(folder / f"{name}.nrrd"), useCompression=True)
        (folder / f"{name}.nii.gz").write_bytes(gzip.compress((folder / f"{name}.nii").read_bytes(), mtime=0))
    return {path.name: path for path in sorted(folder.iterdir()) if path.suffix != ".raw"}


def write_dicom(folder: Path) -> dict[str, Path]:
    """A series (`series`, a folder), contours (`rtstruct.dcm`) and a segmentation (`seg.dcm`) of it."""
    ct, mask = small_chest()
    uid = fixed_uids()
    written = write_series(folder / "series", ct, uid=uid)
    rtstruct = write_rtstruct(folder / "rtstruct.dcm", {"GTV": ball_contours()}, written.frame, uid)
    seg = write_seg(folder / "seg.dcm", written.paths, sitk.GetArrayFromImage(mask), names=("Tumor",))
    _make_fixed(seg, uid)
    return {"series": written.folder, "rtstruct.dcm": rtstruct, "seg.dcm": seg}


def fixed_uids() -> Callable[[], str]:
    """UIDs in a row, instead of random ones."""
    numbers = count(1)
    return lambda: f"1.2.826.0.1.3680043.8.498.{next(numbers)}"


def _circle(k: int) -> np.ndarray | None:
    """Contour of the ball in slice k, (n, 3) in mm, None where there is none."""
    height_mm = k * SPACING_MM[0] - CENTER_MM[0]
    if abs(height_mm) >= RADIUS_MM - 0.1:
        return None
    radius_mm = np.sqrt(RADIUS_MM**2 - height_mm**2)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x, y, z = ORIGIN_MM
    rows, columns = CENTER_MM[1] + radius_mm * np.sin(angles), CENTER_MM[2] + radius_mm * np.cos(angles)
    return np.column_stack([x + columns, y + rows, np.full(len(angles), z + k * SPACING_MM[0])])


def _make_fixed(seg: Path, uid: Callable[[], str]) -> None:
    """Take out of a segmentation what differs from one writing to the next."""
    data = pydicom.dcmread(seg)
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid()
    data.SeriesInstanceUID = uid()
    for element in data.iterall():
        if element.VR == "DA" and element.value:
            element.value = "20200101"
        if element.VR == "TM" and element.value:
            element.value = "120000"
        if element.VR == "DT" and element.value:
            element.value = "20200101120000"
        if element.keyword == "DimensionOrganizationUID":
            element.value = "1.2.826.0.1.3680043.8.498.999"
    data.save_as(seg)
