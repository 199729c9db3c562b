"""A cohort of balls in lung with a PET: response follows from a bright core, which the CT shows, and the uptake.

    python Testing/helpers/toy_volumes.py FOLDER

trains, and evaluates on new cases, in a process of its own: the tests that draw cannot share theirs with torch.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.cli.main import main

N, N_NEW, VOXELS = 72, 24, 24
WITHOUT_PET = 4  # the last ones


def write_case(folder: Path, name: str, core_hu: float, suv: float, rng: np.random.Generator) -> None:
    """A ball in lung whose core has that HU, and a PET on a coarser grid, both written as NIfTI."""
    half = (VOXELS - 1) / 2
    at = np.stack(np.meshgrid(*(np.arange(VOXELS) - half for _ in range(3)), indexing="ij"), axis=-1)
    distance = np.linalg.norm(at, axis=-1)
    radius = rng.uniform(5.5, 7)
    values = rng.normal(-800, 30, distance.shape)
    ball, core = distance < radius, distance < 3
    values[ball] = rng.normal(30, 15, int(ball.sum()))
    values[core] = rng.normal(core_hu, 15, int(core.sum()))
    shares = ball.reshape(*(VOXELS // 2, 2) * 3).mean(axis=(1, 3, 5))
    pet = np.where(shares >= 0.5, suv, 0.5)
    pet = pet + rng.normal(0, 0.1, pet.shape).clip(-0.3, 0.3)
    images = {
        "ct": sitk.GetImageFromArray(values.astype(np.int16)),
        "mask": sitk.GetImageFromArray(ball.astype(np.uint8)),
        "pet": sitk.GetImageFromArray(pet.astype(np.float32)),
    }
    images["pet"].SetSpacing((2.0, 2.0, 2.0))
    images["pet"].SetOrigin((0.5, 0.5, 0.5))
    for what, image in images.items():
        sitk.WriteImage(image, str(folder / f"{name}_{what}.nii.gz"))


def write_cohort(folder: Path, n: int, seed: int) -> Path:
    """The table and its files; the last cases have no PET."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        core, uptake = rng.normal(size=2)
        responds = int(core + uptake + rng.normal(0, 0.3) > 0.2)
        name = f"{seed}-{i:02}"
        write_case(folder, name, 40 + 25 * core, 5 + 1.5 * uptake, rng)
        pet = f"{name}_pet.nii.gz" if i < n - WITHOUT_PET else ""
        rows.append([name, f"{name}_ct.nii.gz", f"{name}_mask.nii.gz", pet, responds])
    table = folder / "cases.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["case", "image", "mask", "pet", "RESPONSE"], *rows])
    return table


def train(folder: Path) -> Path:
    """Write the cohorts into a folder, train beside them, and evaluate: `model`, `model.study`, `evaluation`."""
    common = ["--workers", "1", "--device", "cpu", "--progress", "none"]
    command = ["train", "--recipe", "responder3d", "--cohort", str(write_cohort(folder / "old", N, 5))]
    small = ["--voxels", "16", "--voxel-mm", "1.5", "--most-epochs", "20", "--preset", "karim", "--use-pet", "optional"]
    assert main([*command, "--out", str(folder / "model"), *small, "--ship", "lead", *common]) == 0
    new = str(write_cohort(folder / "new", N_NEW, 6))
    evaluate = ["evaluate", "--model", str(folder / "model"), "--cohort", new, "--out", str(folder / "evaluation")]
    assert main([*evaluate, "--no-stability", *common]) == 0
    return folder


if __name__ == "__main__":
    train(Path(sys.argv[1]))
