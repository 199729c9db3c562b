"""Tiny phantoms and DICOM files, made on the spot."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from PDL1PredictorLib.core.case import Case

LUNG_HU = -800
TUMOR_HU = 40


def _rotation(degrees: float, axis: int) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    plane = [a for a in range(3) if a != axis]
    matrix = np.eye(3)
    matrix[np.ix_(plane, plane)] = [[c, -s], [s, c]]
    return matrix


ORIENTATIONS = {
    "LPS": np.eye(3),
    "RAS": np.diag([-1.0, -1.0, 1.0]),
    "sagittal": np.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]]),  # i runs to P, j to I, k to R
    "oblique": _rotation(15, 0) @ _rotation(20, 2),
}


@pytest.fixture(params=ORIENTATIONS)
def direction(request: pytest.FixtureRequest) -> np.ndarray:
    """Columns i, j, k of a stored volume."""
    return ORIENTATIONS[request.param]


def _points(image: sitk.Image) -> np.ndarray:
    """Patient coordinates of every voxel, (k, j, i, 3)."""
    k, j, i = np.indices(image.GetSize()[::-1])
    axes = np.reshape(image.GetDirection(), (3, 3)) * np.asarray(image.GetSpacing())
    return np.stack([i, j, k], axis=-1) @ axes.T + np.asarray(image.GetOrigin())


@pytest.fixture
def points() -> Callable[[sitk.Image], np.ndarray]:
    return _points


@pytest.fixture
def grid() -> Callable[..., sitk.Image]:
    """An empty volume whose middle lies at `center`."""

    def make(
        size: tuple[int, int, int],
        spacing: tuple[float, float, float],
        direction: np.ndarray | None = None,
        center: tuple[float, float, float] = (12.5, -31.0, 107.0),
    ) -> sitk.Image:
        axes = np.eye(3) if direction is None else direction
        image = sitk.Image(list(size), sitk.sitkInt16)
        image.SetSpacing(spacing)
        image.SetDirection(axes.ravel().tolist())
        middle = axes @ ((np.asarray(size) - 1) / 2 * np.asarray(spacing))
        image.SetOrigin((np.asarray(center) - middle).tolist())
        return image

    return make


def _filled(image: sitk.Image, values: np.ndarray) -> sitk.Image:
    result = sitk.GetImageFromArray(values)
    result.CopyInformation(image)
    return result


@pytest.fixture
def filled() -> Callable[[sitk.Image, np.ndarray], sitk.Image]:
    """Values (k, j, i) on the grid of a volume."""
    return _filled


@pytest.fixture
def ball_case() -> Callable[..., Case]:
    """A ball of soft tissue in lung; the border slice is outside air so that the range is a CT's."""

    def make(image: sitk.Image, center: Any, radius_mm: float) -> Case:
        inside = np.linalg.norm(_points(image) - np.asarray(center), axis=-1) <= radius_mm
        values = np.where(inside, TUMOR_HU, LUNG_HU).astype(np.int16)
        return Case(_filled(image, values), _filled(image, inside.astype(np.uint8)))

    return make


@pytest.fixture
def box_case() -> Callable[..., Case]:
    """A case on 1 mm voxels with a box-shaped tumor, (k, j, i) from `start` up to `stop`."""

    def make(shape: tuple[int, int, int], start: tuple[int, int, int], stop: tuple[int, int, int]) -> Case:
        mask = np.zeros(shape, np.uint8)
        mask[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = 1
        ct = np.where(mask, TUMOR_HU, LUNG_HU).astype(np.int16)
        return Case(sitk.GetImageFromArray(ct), sitk.GetImageFromArray(mask))

    return make


def _new_file(sop_class: str, modality: str) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = sop_class
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = sop_class
    data.Modality = modality
    data.PatientName, data.PatientID, data.PatientBirthDate = "Secret^Name", "secret-id", ""
    data.PatientSex, data.PatientAge = "F", "063Y"
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "20200101", "", "", ""
    data.ReferringPhysicianName = ""
    return data


@pytest.fixture
def write_series() -> Callable[..., SimpleNamespace]:
    """Write a CT volume as one DICOM file per slice; `change(n, data)` may alter slice n before it is written."""

    def write(
        folder: Path, image: sitk.Image, change: Callable[[int, Dataset], None] | None = None, prefix: str = "s"
    ) -> SimpleNamespace:
        folder.mkdir(parents=True, exist_ok=True)
        series, frame, study = generate_uid(), generate_uid(), generate_uid()
        values = sitk.GetArrayFromImage(image)
        axes = np.reshape(image.GetDirection(), (3, 3))
        paths = []
        for n, plane in enumerate(values):
            data = _new_file(CTImageStorage, "CT")
            data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
            data.SeriesDescription, data.SeriesNumber, data.InstanceNumber = "Thorax", 1, n + 1
            data.PositionReferenceIndicator = ""
            data.Manufacturer, data.ConvolutionKernel = "Maker", "B30f"
            data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
            data.ImagePositionPatient = [round(x, 6) for x in image.TransformIndexToPhysicalPoint([0, 0, n])]
            data.ImageOrientationPatient = [round(float(x), 9) for x in [*axes[:, 0], *axes[:, 1]]]
            data.PixelSpacing = [image.GetSpacing()[1], image.GetSpacing()[0]]
            data.SliceThickness = image.GetSpacing()[2]
            data.Rows, data.Columns = plane.shape
            data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
            data.BitsAllocated = data.BitsStored = 16
            data.HighBit, data.PixelRepresentation = 15, 0
            data.RescaleSlope, data.RescaleIntercept = 1, -1024
            data.PixelData = (plane.astype(np.int32) + 1024).astype("<u2").tobytes()
            if change is not None:
                change(n, data)
            # the names of the files run against the positions, so that reading by name is not enough
            path = folder / f"{prefix}{len(values) - n:03d}.dcm"
            data.save_as(path, enforce_file_format=True)
            paths.append(path)
        return SimpleNamespace(folder=folder, paths=paths, series=series, frame=frame)

    return write


@pytest.fixture
def write_rtstruct() -> Callable[..., Path]:
    """Write contours: a dictionary from ROI name to lists of points (n, 3) in patient coordinates."""

    def write(path: Path, rois: dict[str, list[np.ndarray]], frame: str = "") -> Path:
        data = _new_file(RTStructureSetStorage, "RTSTRUCT")
        data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
        data.StructureSetLabel = "contours"
        data.StructureSetROISequence, data.ROIContourSequence = [], []
        for number, (name, contours) in enumerate(rois.items(), start=1):
            roi = Dataset()
            roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, frame or generate_uid()
            data.StructureSetROISequence.append(roi)
            item = Dataset()
            item.ReferencedROINumber, item.ContourSequence = number, []
            for points in contours:
                contour = Dataset()
                contour.ContourGeometricType = "CLOSED_PLANAR"
                contour.NumberOfContourPoints = len(points)
                contour.ContourData = [f"{x:.6f}" for x in np.asarray(points).ravel()]
                item.ContourSequence.append(contour)
            data.ROIContourSequence.append(item)
        data.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def chest(grid: Callable[..., sitk.Image]) -> sitk.Image:
    """A small CT with three different spacings and noise in every voxel, so that no two slices are alike."""
    image = grid((24, 20, 12), (0.75, 0.875, 2.5))
    values = np.random.default_rng(1).integers(-1000, 400, image.GetSize()[::-1]).astype(np.int16)
    return _filled(image, values)


@pytest.fixture
def pydicom_read() -> Callable[[Path], Dataset]:
    return pydicom.dcmread
