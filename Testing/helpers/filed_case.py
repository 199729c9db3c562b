"""CT series on the disk in several orientations, with tumor, ring, heat map and a result of them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import SimpleITK as sitk
from dicom_writing import write_series
from filed_result import ball, made_result

from PDL1PredictorLib.filing.making import Making
from PDL1PredictorLib.filing.source import read_source
from PDL1PredictorLib.imaging.read import read_ct

NAME = "Müller^Jörg=山田^太郎"


def _turned(degrees: float, axis: int) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    plane = [a for a in range(3) if a != axis]
    matrix = np.eye(3)
    matrix[np.ix_(plane, plane)] = [[c, -s], [s, c]]
    return matrix


AXES = {
    "straight": np.eye(3),
    "reversed": np.diag([1.0, -1.0, -1.0]),  # slices run from superior to inferior
    "coronal": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "oblique": _turned(15, 0) @ _turned(20, 2),
}


def named(name: str = NAME, charset: str = "ISO_IR 192"):
    """A change of every slice of a series: whose it is."""

    def change(_: int, data) -> None:
        data.SpecificCharacterSet, data.PatientName = charset, name
        data.StudyDescription, data.PatientID = "Thorax nativ", "id-7"
        data.PatientBirthDate = "19600102"

    return change


def made_case(folder: Path, axes: np.ndarray, change=None) -> SimpleNamespace:
    """A CT of 12 slices on the disk, tumor and ring, and a result of them."""
    image = sitk.GetImageFromArray(np.random.default_rng(3).integers(-900, 200, (12, 20, 24)).astype(np.int16))
    image.SetSpacing((0.75, 0.875, 2.5))
    image.SetDirection(axes.ravel().tolist())
    image.SetOrigin((12.5, -31.0, 107.0))
    series = write_series(folder / "ct", image, change or named())
    ct = read_ct(series.folder).image
    tumor, ring = ball(ct, 6.0), ball(ct, 8.5, 6.1)
    source = read_source(series.folder, None, ct)
    heat = sitk.GetImageFromArray(np.random.default_rng(4).random((3, 5, 7), np.float32))
    heat.SetSpacing((1.0, 1.25, 2.0))
    heat.SetDirection(axes.ravel().tolist())
    heat.SetOrigin((3.0, -20.5, 99.0))
    return SimpleNamespace(
        series=series,
        ct=ct,
        tumor=tumor,
        ring=ring,
        heat=heat,
        source=source,
        making=Making(made_result(tumor, ring, heat), source),
    )
