"""Lung nodules of LIDC-IDRI, cropped to themselves, as training cases of a network.

The folder holds `labels.csv` and, for each of its rows, `image/FILE` (HU) and `mask/FILE` on the same grid.
Source of the data: Armato et al. 2011, The Lung Image Database Consortium ..., doi 10.1118/1.3528204.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.case import require_same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.imaging.lattice import lattice_of, sample_mask
from PDL1PredictorLib.imaging.patch import slice_patches
from PDL1PredictorLib.imaging.volumes.files import read_volume

MALIGNANCY = "MALIGNANCY"
DIAGNOSES = {"Benign": 0, "Malign": 1}
COLUMNS = ("file", "patient_id", "diameter_mm", "mask_mm3", "Diagnosis")
OFFSETS = (-2, -1, 1, 2)  # lattice slices; half of the nodules are no taller than eight


@dataclass(frozen=True, eq=False)
class Nodules:
    """n nodules.

    Attributes:
        cohort: Patches and labels, no features; the endpoint is malignancy as radiologists voted.
        patients: Of each nodule.
        diameter_mm: (n,).
        volume_mm3: (n,), of the mask.
    """

    cohort: PreparedCohort
    patients: tuple[str, ...]
    diameter_mm: np.ndarray
    volume_mm3: np.ndarray

    def __len__(self) -> int:
        return len(self.cohort)

    def take(self, rows: np.ndarray) -> "Nodules":
        """These rows, in this order."""
        patients = tuple(self.patients[row] for row in rows)
        return Nodules(self.cohort.take(rows), patients, self.diameter_mm[rows], self.volume_mm3[rows])


def read_nodules(folder: Path, regions: RegionSettings, progress: Progress = SILENT) -> Nodules:
    """Read every nodule and cut its patches as those of tumors are cut.

    Args:
        folder: With `labels.csv`, `image/` and `mask/`.
        regions: Spacing and number of pixels of the patches.
        progress: Told after every nodule.

    Raises:
        InputError: The table lacks a column or a value, a nodule occurs twice, or a file cannot be read.
        GridMismatchError: A mask lies on another grid than its image.
        EmptyRegionError: A mask has no voxel.
    """
    table = folder / "labels.csv"
    columns, rows = read_rows(table)
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise InputError(f"{table} lacks the columns {', '.join(missing)}. Give the folder of cropped LIDC nodules.")
    files = [row.get("file") for row in rows]
    if not files or len(set(files)) < len(files):
        raise InputError(f"{table} must name at least one nodule, and each once.")
    numbers = [_numbers(row, table) for row in rows]
    patches = []
    for done, file in enumerate(files, start=1):
        patches.append(_patches(folder, file, regions))
        progress.step("nodules", done / len(files), f"{done} of {len(files)} nodules are read")
    cohort = PreparedCohort(
        names=tuple(file.removesuffix(".nii.gz") for file in files),
        targets={MALIGNANCY: Target("binary", np.array([label for label, _, _ in numbers], dtype=np.float64))},
        blocks={
            "slices": np.stack([hu for hu, _ in patches]),
            "slices_tumor": np.stack([tumor for _, tumor in patches]),
        },
    )
    diameter, volume = (np.array([values[column] for values in numbers]) for column in (1, 2))
    return Nodules(cohort, tuple(row.get("patient_id") for row in rows), diameter, volume)


def _numbers(row: Row, table: Path) -> tuple[int, float, float]:
    """Label, diameter and volume of one row."""
    diagnosis = row.get("Diagnosis")
    if row.fault or diagnosis not in DIAGNOSES or not row.get("patient_id"):
        reason = row.fault or f"needs a patient_id and a Diagnosis of {' or '.join(DIAGNOSES)}, got {diagnosis!r}"
        raise InputError(f"{table}, row {row.number}: {reason}.")
    sizes = []
    for name in ("diameter_mm", "mask_mm3"):
        try:
            size = float(row.get(name))
        except ValueError:
            size = math.nan
        if not 0 < size < math.inf:
            raise InputError(f"{table}, row {row.number}: {name} must be a positive number, got {row.get(name)!r}.")
        sizes.append(size)
    return DIAGNOSES[diagnosis], sizes[0], sizes[1]


def _patches(folder: Path, file: str, regions: RegionSettings) -> tuple[np.ndarray, np.ndarray]:
    """HU int16 and nodule bool, (slices, rows, columns); slices without nodule are the largest one again."""
    image = read_volume(folder / "image" / file, "nodule").image
    mask = read_volume(folder / "mask" / file, "mask").image > 0
    require_same_grid(image, mask)
    lattice = lattice_of(image, regions.spacing_mm)
    nodule = sample_mask(mask, lattice, lattice.whole)
    if not nodule.any():
        raise EmptyRegionError(f"The mask {file} has no voxel at {regions.spacing_mm:g} mm. Leave the nodule out.")
    patches = slice_patches(image, lattice.image(nodule.astype(np.uint8), lattice.whole), regions, OFFSETS)
    patches += (patches[0],) * (len(OFFSETS) + 1 - len(patches))
    hu = np.concatenate([sitk.GetArrayFromImage(patch.image) for patch in patches]).astype(np.int16)
    return hu, np.concatenate([sitk.GetArrayFromImage(patch.tumor) for patch in patches]).astype(bool)
