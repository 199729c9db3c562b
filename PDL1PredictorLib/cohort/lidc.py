"""Lung nodules of LIDC-IDRI, cropped to themselves, as training cases of a network or a cohort.

The folder holds `labels.csv` and, for each of its rows, `image/FILE` (HU) and `mask/FILE` on the same grid.
Source of the data: Armato et al. 2011, The Lung Image Database Consortium ..., doi 10.1118/1.3528204.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.splits import stratified_parts
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
SCORE = "Malignancy_value"  # from 1 to 5; not needed
COLUMNS = ("file", "patient_id", "diameter_mm", "mask_mm3", "Diagnosis")
SHARES = (0.6, 0.15, 0.25)  # of the patients: to fit, to watch, to test
PARTS = ("fit", "validation", "test")
OFFSETS = (-2, -1, 1, 2)  # lattice slices; half of the nodules are no taller than eight


@dataclass(frozen=True)
class NoduleRow:
    """A row of the table.

    Attributes:
        file: Name of image and mask.
        patient: Whose it is.
        malignant: 1 or 0, as radiologists voted.
        diameter_mm: As the table says.
        volume_mm3: Of the mask, likewise.
        score: Malignancy from 1 to 5, as the table writes it; empty where it has none.
    """

    file: str
    patient: str
    malignant: int
    diameter_mm: float
    volume_mm3: float
    score: str = ""

    @property
    def name(self) -> str:
        """Of the case."""
        return self.file.removesuffix(".nii.gz")


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
    rows = read_table(folder)
    patches = []
    for done, row in enumerate(rows, start=1):
        patches.append(_patches(folder, row.file, regions))
        progress.step("nodules", done / len(rows), f"{done} of {len(rows)} nodules are read")
    cohort = PreparedCohort(
        names=tuple(row.name for row in rows),
        targets={MALIGNANCY: Target("binary", np.array([row.malignant for row in rows], dtype=np.float64))},
        blocks={
            "slices": np.stack([hu for hu, _ in patches]),
            "slices_tumor": np.stack([tumor for _, tumor in patches]),
        },
    )
    diameter, volume = np.array([row.diameter_mm for row in rows]), np.array([row.volume_mm3 for row in rows])
    return Nodules(cohort, tuple(row.patient for row in rows), diameter, volume)


def read_table(folder: Path) -> list[NoduleRow]:
    """The rows of `labels.csv`.

    Raises:
        InputError: It lacks a column or a value, or a nodule occurs twice.
    """
    table = folder / "labels.csv"
    columns, rows = read_rows(table)
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise InputError(f"{table} lacks the columns {', '.join(missing)}. Give the folder of cropped LIDC nodules.")
    files = [row.get("file") for row in rows]
    if not files or len(set(files)) < len(files):
        raise InputError(f"{table} must name at least one nodule, and each once.")
    return [NoduleRow(row.get("file"), row.get("patient_id"), *_numbers(row, table), row.get(SCORE)) for row in rows]


def divided(patients: Sequence[str], malignant: np.ndarray, seed: int) -> list[np.ndarray]:
    """Rows of the three parts, by patient and stratified; the same for a pretraining and a cohort of the same seed.

    Args:
        patients: Of each nodule.
        malignant: (n, 1), 0 or 1.
        seed: Of the draw.
    """
    return stratified_parts(patients, malignant, SHARES, np.random.default_rng([seed, 1]))


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
