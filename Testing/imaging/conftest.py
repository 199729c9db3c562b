"""Tiny phantoms and DICOM files, made on the spot."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dicom_writing
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset

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


@pytest.fixture
def write_series() -> Callable[..., SimpleNamespace]:
    return dicom_writing.write_series


@pytest.fixture
def write_rtstruct() -> Callable[..., Path]:
    return dicom_writing.write_rtstruct


@pytest.fixture
def chest(grid: Callable[..., sitk.Image]) -> sitk.Image:
    """A small CT with three different spacings and noise in every voxel, so that no two slices are alike."""
    image = grid((24, 20, 12), (0.75, 0.875, 2.5))
    values = np.random.default_rng(1).integers(-1000, 400, image.GetSize()[::-1]).astype(np.int16)
    return _filled(image, values)


@pytest.fixture
def pydicom_read() -> Callable[[Path], Dataset]:
    return pydicom.dcmread
