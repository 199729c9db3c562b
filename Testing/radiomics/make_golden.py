"""Golden values: what pyradiomics 3.0.1 finds on synthetic images, for the Pythons on which it cannot be installed.

    python Testing/radiomics/make_golden.py

on Python 3.11 writes one table per case into golden/. The images are whole numbers from a formula, the same everywhere.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.radiomics.engine import engine
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset

FOLDER = Path(__file__).with_name("golden")


class GoldenCase(NamedTuple):
    """What is measured."""

    ct: sitk.Image
    masks: dict[str, sitk.Image]
    settings: FeatureSettings


def hashed(shape: tuple[int, int, int], levels: int) -> np.ndarray:
    """Whole numbers from 0 to levels - 1 that look like noise."""
    k, j, i = np.indices(shape, dtype=np.int64)
    mixed = (k * 73856093) ^ (j * 19349663) ^ (i * 83492791)
    return ((mixed * mixed + 12345 * mixed) // 1024) % levels


def image(values: np.ndarray, spacing_mm: tuple[float, float, float]) -> sitk.Image:
    """A volume from (k, j, i); spacing in x, y, z."""
    made = sitk.GetImageFromArray(values)
    made.SetSpacing(spacing_mm)
    return made


def ball(
    size: int, radius: int, spacing_mm: tuple[float, float, float], settings: FeatureSettings, *, shell: bool = True
) -> GoldenCase:
    """Tissue in lung, with or without the shell of three voxels around it."""
    shape = (size, size + 1, size + 2)
    squared = ((np.indices(shape) - size // 2) ** 2).sum(axis=0)
    tumor, ring = squared <= radius**2, (squared > radius**2) & (squared <= (radius + 3) ** 2)
    ct = np.where(tumor, -100, -850) + hashed(shape, 160) + 9 * np.indices(shape)[0]
    regions = {"tumor": tumor, **({"ring": ring} if shell else {})}
    masks = {name: image(inside.astype(np.uint8), spacing_mm) for name, inside in regions.items()}
    return GoldenCase(image(ct.astype(np.float64), spacing_mm), masks, settings)


def frayed(settings: FeatureSettings) -> GoldenCase:
    """A region of many parts that touches the border, on voxels of three lengths."""
    shape, spacing_mm = (11, 12, 9), (0.7, 0.8, 2.5)
    inside = hashed(shape, 100) < 55
    inside[:3, :4] = False
    ct = hashed(shape, 700) - 300
    return GoldenCase(
        image(ct.astype(np.float64), spacing_mm), {"tumor": image(inside.astype(np.uint8), spacing_mm)}, settings
    )


def lattice(settings: FeatureSettings) -> GoldenCase:
    """Voxels without neighbors, for which some features are not defined."""
    inside = np.zeros((9, 9, 9), np.uint8)
    inside[::2, ::2, ::2] = 1
    ct = hashed((9, 9, 9), 500).astype(np.float64)
    return GoldenCase(image(ct, (1.0, 1.0, 1.0)), {"tumor": image(inside, (1.0, 1.0, 1.0))}, settings)


CASES = {
    "ball_pdl1es": lambda: ball(27, 5, (1.0, 1.0, 1.0), preset("pdl1es"), shell=False),
    "ball_anisotropic_db2": lambda: ball(23, 4, (0.7, 0.7, 2.5), FeatureSettings("db2", bin_width=10.0, wavelet="db2")),
    "frayed_haar_bin_count": lambda: frayed(FeatureSettings("count", bin_width=None, bin_count=24, wavelet="haar")),
    "lattice": lambda: lattice(FeatureSettings("plain", wavelet=None)),
}


def read_golden(name: str) -> dict[str, float]:
    """The values of one case, by full name of the feature."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {row["feature"]: float(row["value"]) for row in csv.DictReader(file)}


def main() -> None:
    """Measure every case with pyradiomics and write the tables."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in CASES.items():
        case = make()
        values = engine("pyradiomics").extract(case.ct, case.masks, case.settings, SILENT)
        with (FOLDER / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["feature", "value"])
            writer.writerows((feature, repr(value)) for feature, value in values.items())
        print(f"{name}: {len(values)} values")


if __name__ == "__main__":
    main()
