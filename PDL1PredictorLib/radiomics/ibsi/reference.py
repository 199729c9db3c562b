"""The published reference values, and how many of them are met."""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.imaging.volumes.files import read_volume
from PDL1PredictorLib.radiomics.ibsi.features import Codes, ibsi_features, statistics
from PDL1PredictorLib.radiomics.ibsi.filters import laplacian_of_gaussian, wavelet
from PDL1PredictorLib.radiomics.ibsi.prepare import Prepared, discretized, prepare
from PDL1PredictorLib.radiomics.ibsi.settings import (
    CONFIGURATIONS,
    DIGITAL_PHANTOM,
    FILTERS_IN_SLICES,
    FILTERS_IN_SPACE,
)
from PDL1PredictorLib.radiomics.voxels import RegionVoxels

FILTER_REACH = 16  # voxels; the second level of db3 reaches 9
ONE_MORE_DIGIT = 1e-9  # 0.698 - 0.694 is a hair above 0.004


class Compared(NamedTuple):
    """One feature beside its reference value.

    Attributes:
        code: IBSI code.
        feature: IBSI's name.
        aggregation: Such as `3D:avg`; empty for what is no texture.
        value: Ours.
        reference: The consensus of the initiative.
        tolerance: How far a value may lie from it.
    """

    code: str
    feature: str
    aggregation: str
    value: float
    reference: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the value, rounded to three digits as the reference is, lies within the tolerance."""
        slack = ONE_MORE_DIGIT * max(abs(self.reference), 1e-30)
        return abs(float(f"{self.value:.3g}") - self.reference) <= self.tolerance + slack

    def __str__(self) -> str:
        where = f" {self.aggregation}" if self.aggregation else ""
        return f"{self.feature} ({self.code}){where}: {self.value:.6g}, {self.reference:g} +- {self.tolerance:g}"


class Agreement(NamedTuple):
    """A configuration: what was compared, and what does not agree."""

    name: str
    compared: tuple[Compared, ...]

    @property
    def misses(self) -> tuple[Compared, ...]:
        """What lies outside the tolerance."""
        return tuple(each for each in self.compared if not each.agrees)

    def __str__(self) -> str:
        agreeing = len(self.compared) - len(self.misses)
        return "\n".join([f"{self.name}: {agreeing}/{len(self.compared)}", *(f"  {miss}" for miss in self.misses)])


def check_features(folder: Path, progress: Progress = SILENT) -> list[Agreement]:
    """Measure both phantoms in every configuration of IBSI-1.

    Slice-wise texture ("2D") is counted by itself: pyradiomics, whose features these are, has none.

    Args:
        folder: Holds `ibsi1_*.csv`, `ct_phantom/` and `digital_phantom/`, each with `phantom.nii.gz` and
            `mask.nii.gz`.
        progress: A step per configuration.

    Returns:
        One agreement per configuration, and one more where it has slice-wise texture.

    Raises:
        InputError: A file is missing or cannot be read.
        CancelledError: The user cancelled.
    """
    found = []
    for number, settings in enumerate((DIGITAL_PHANTOM, *CONFIGURATIONS)):
        progress.step("ibsi", number / (len(CONFIGURATIONS) + 1), settings.name)
        digital = settings is DIGITAL_PHANTOM
        image, mask = read_phantom(folder / ("digital_phantom" if digital else "ct_phantom"))
        values = ibsi_features(prepare(image, mask, settings), settings)
        rows = read_rows(folder / f"ibsi1_{'digital_phantom' if digital else f'config_{settings.name}'}.csv")
        compared = compare(values, rows)
        flat = [each for each in compared if each.aggregation.startswith("2D")]
        found.append(Agreement(settings.name, tuple(each for each in compared if each not in flat)))
        if flat:
            found.append(Agreement(f"{settings.name}, slice by slice", tuple(flat)))
    progress.step("ibsi", 1.0)
    return found


class FilterTest(NamedTuple):
    """A filter of IBSI-2.

    Attributes:
        number: First part of its identifier, such as 3 of 3.A.
        apply: Filters an image, along its last axes, slice by slice with 2: image, spacing (k, j, i) in mm, axes.
    """

    number: int
    apply: Callable[[np.ndarray, tuple[float, float, float], int], np.ndarray]


FILTERS = (
    FilterTest(1, lambda image, spacing_mm, axes: image),
    FilterTest(
        3, lambda image, spacing_mm, axes: laplacian_of_gaussian(image, [1.5 / mm for mm in spacing_mm[-axes:]])
    ),
    FilterTest(6, lambda image, spacing_mm, axes: wavelet(image, "db3", "LLH"[-axes:], level=1)),
    FilterTest(7, lambda image, spacing_mm, axes: wavelet(image, "db3", "HHH"[-axes:], level=2)),
)


def check_filters(folder: Path, progress: Progress = SILENT) -> list[Agreement]:
    """Measure the statistics of the CT phantom's filtered images as IBSI-2 does.

    Letter A is slice by slice on the native grid, B in three dimensions on voxels of 1 mm.

    Args:
        folder: As in `check_features`, with `ibsi2_reference_values.csv`.
        progress: A step per filter.

    Returns:
        One agreement per filter and letter.

    Raises:
        InputError: A file is missing or cannot be read.
        CancelledError: The user cancelled.
    """
    image, mask = read_phantom(folder / "ct_phantom")
    codes = {row["tag"]: row["ibsi_code"] for row in read_rows(folder / "ibsi1_config_A.csv")}
    rows = [
        {**row, "ibsi_code": codes.get(row["feature_tag"], ""), "aggregation": "", "reference": row["consensus_value"]}
        for row in read_rows(folder / "ibsi2_reference_values.csv", delimiter=";")
    ]
    found = []
    for axes, settings in ((2, FILTERS_IN_SLICES), (3, FILTERS_IN_SPACE)):
        prepared = _cut(prepare(image, mask, settings))
        region = RegionVoxels.of(prepared.inside, prepared.spacing_mm)
        for number, test in enumerate(FILTERS):
            name = f"{test.number}.{settings.name}"
            progress.step("ibsi", (axes - 2 + number / len(FILTERS)) / 2, f"filter {name}")
            values = test.apply(prepared.image, prepared.spacing_mm, axes)[prepared.inside]
            values_by_code = statistics(values, discretized(values, settings), region)
            compared = compare(values_by_code, [row for row in rows if row["filter_id"] == name])
            found.append(Agreement(f"filter {name}", tuple(compared)))
    progress.step("ibsi", 1.0)
    return found


def _cut(prepared: Prepared) -> Prepared:
    """The region and as much image around it as the filters reach; where the image ends, it ends as before."""
    region = RegionVoxels.of(prepared.inside, prepared.spacing_mm)
    box = tuple(
        slice(max(low - FILTER_REACH, 0), high + FILTER_REACH)
        for low, high in zip(region.start, region.stop, strict=True)
    )
    return Prepared(prepared.image[box], prepared.outline[box], prepared.inside[box], prepared.spacing_mm)


def compare(values: Codes, rows: Iterable[dict[str, str]]) -> list[Compared]:
    """Put each value beside its reference; a value without one is left out.

    Args:
        values: By IBSI code and aggregation.
        rows: Of a reference table.
    """
    known = {(row["ibsi_code"], row["aggregation"]): row for row in rows if row["reference"]}
    return [
        Compared(code, row["feature"], aggregation, value, float(row["reference"]), float(row["tolerance"]))
        for (code, aggregation), value in values.items()
        if (row := known.get((code, aggregation))) is not None
    ]


def read_phantom(folder: Path) -> tuple[sitk.Image, sitk.Image]:
    """Image and mask.

    Raises:
        InputError: One is missing or cannot be read.
    """
    images = []
    for name in ("phantom", "mask"):
        path = folder / f"{name}.nii.gz"
        try:
            images.append(read_volume(path, name).image)
        except InputError as error:
            raise InputError(f"{path} cannot be read. {WHAT_IS_NEEDED}") from error
    return images[0], images[1]


def read_rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a table of reference values.

    Raises:
        InputError: It is missing, cannot be read or is no such table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read. {WHAT_IS_NEEDED}") from error
    if not rows or "tolerance" not in rows[0]:
        raise InputError(f"{path} is no table of reference values. {WHAT_IS_NEEDED}")
    return rows


WHAT_IS_NEEDED = (
    "The folder with the IBSI reference must hold ibsi1_config_A.csv to _E.csv, ibsi1_digital_phantom.csv, "
    "ibsi2_reference_values.csv, and phantom.nii.gz and mask.nii.gz in ct_phantom and digital_phantom."
)
