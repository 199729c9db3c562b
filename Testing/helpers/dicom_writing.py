"""Writes small DICOM files: CT series and contours."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

Uid = Callable[[], str]


def _new_file(sop_class: str, modality: str, uid: Uid) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = sop_class
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = uid()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = sop_class
    data.Modality = modality
    data.PatientName, data.PatientID, data.PatientBirthDate = "Secret^Name", "secret-id", ""
    data.PatientSex, data.PatientAge = "F", "063Y"
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "20200101", "", "", ""
    data.ReferringPhysicianName = ""
    return data


def write_series(
    folder: Path,
    image: sitk.Image,
    change: Callable[[int, Dataset], None] | None = None,
    prefix: str = "s",
    uid: Uid = generate_uid,
) -> SimpleNamespace:
    """Write a CT volume as one DICOM file per slice; `change(n, data)` may alter slice n before it is written."""
    folder.mkdir(parents=True, exist_ok=True)
    series, frame, study = uid(), uid(), uid()
    values = sitk.GetArrayFromImage(image)
    axes = np.reshape(image.GetDirection(), (3, 3))
    paths = []
    for n, plane in enumerate(values):
        data = _new_file(CTImageStorage, "CT", uid)
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


def write_rtstruct(path: Path, rois: dict[str, list[np.ndarray]], frame: str = "", uid: Uid = generate_uid) -> Path:
    """Write contours: a dictionary from ROI name to lists of points (n, 3) in patient coordinates."""
    data = _new_file(RTStructureSetStorage, "RTSTRUCT", uid)
    data.StudyInstanceUID, data.SeriesInstanceUID = uid(), uid()
    data.StructureSetLabel = "contours"
    data.StructureSetROISequence, data.ROIContourSequence = [], []
    for number, (name, contours) in enumerate(rois.items(), start=1):
        roi = Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, frame or uid()
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
