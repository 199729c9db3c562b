"""Cases whose answer lies in the brightness of a disc and in one clinical value: prepared, or as files."""

import csv
from pathlib import Path

import numpy as np
from toy_cohort import write_case

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.recipes.dlr import OF_SIZE, DlrRecipe

PIXELS = 32
VOLUME = "tumor_original_shape_VoxelVolume"


def small_recipe(**changed: object) -> DlrRecipe:
    """Quick: drawn weights, the first layer of small patches, one repetition."""
    quick = {
        "backbone": "resnet50_layer1",
        "n_repeats": 1,
        "n_bootstrap": 20,
        "n_inner_folds": 3,
        "clinical": ("age_years", "sex"),
    }
    return DlrRecipe(("PDL1",), drawn=True, regions=RegionSettings(patch_pixels=PIXELS), **{**quick, **changed})


def made_up(n: int = 150, seed: int = 0, image: float = 2.0, clinical: float = 1.0) -> PreparedCohort:
    """Log-odds: `image` times the brightness, `clinical` times an age in units of 10 years."""
    rng = np.random.default_rng(seed)
    bright, old = rng.normal(size=(2, n))
    labels = (rng.random(n) < 1 / (1 + np.exp(-image * bright - clinical * old))).astype(float)
    k, j = np.indices((PIXELS, PIXELS)) - PIXELS / 2
    disc = k**2 + j**2 < (PIXELS / 3) ** 2
    hu = rng.normal(-800, 30, (n, 1, PIXELS, PIXELS))
    hu[:, :, disc] = (40 * bright)[:, None, None] + rng.normal(0, 20, (n, 1, int(disc.sum())))
    names = OF_SIZE.feature_names()
    features = rng.normal(100, 10, (n, len(names)))
    features[:, names.index(VOLUME)] = np.exp(rng.normal(9, 0.5, n))
    people = np.column_stack([60 + 10 * old, rng.integers(0, 2, n)])
    people[rng.random(people.shape) < 0.05] = np.nan
    blocks = {
        "features": features,
        "slices": hu.astype(np.int16),
        "slices_tumor": np.broadcast_to(disc, hu.shape).copy(),
        "clinical": people,
    }
    return PreparedCohort(tuple(f"c{i:03}" for i in range(n)), {"PDL1": Target("binary", labels)}, blocks, names)


def write_cohort(folder: Path, n: int, seed: int = 3, prefix: str = "c") -> Path:
    """Balls whose brightness and whose patients' ECOG make the answer; the table's path."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        bright, ecog = rng.normal(), int(rng.integers(0, 4))
        name = f"{prefix}{i:02}"
        write_case(folder, name, 60 + 50 * bright, rng)
        label = int(rng.random() < 1 / (1 + np.exp(-2 * bright - (ecog - 1.5))))
        rows.append([name, f"{name}_ct.nii.gz", f"{name}_mask.nii.gz", label, 50 + i % 30, ecog if i % 9 else ""])
    path = folder / f"{prefix}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["case", "image", "mask", "PDL1", "age_years", "ECOG"], *rows])
    return path
