"""A cohort of balls in lung whose brightness is their TPS, and the toy recipe's model of it.

    python Testing/helpers/toy_cohort.py FOLDER

trains in a process of its own: the tests that draw cannot share theirs with torch.
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import SimpleITK as sitk
from toy_recipe import PAGE

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.recipes.table import RECIPES

N = 80


def write_case(folder: Path, name: str, hu: float, rng: np.random.Generator) -> None:
    """A ball in lung whose soft tissue has that mean."""
    at = np.stack(np.meshgrid(*(np.arange(22) - 10.5 for _ in range(3)), indexing="ij"), axis=-1)
    ball = np.linalg.norm(at, axis=-1) < rng.uniform(4.5, 6)
    values = rng.normal(-800, 40, ball.shape)
    values[ball] = rng.normal(hu, 15, int(ball.sum()))
    for what, array in (("ct", values.astype(np.int16)), ("mask", ball.astype(np.uint8))):
        sitk.WriteImage(sitk.GetImageFromArray(array), str(folder / f"{name}_{what}.nii.gz"))


def train_toy(folder: Path, *options: str, people: Mapping[str, Sequence[str]] = MappingProxyType({})) -> Path:
    """Write the cohort into a folder and train beside it, by the command: `model` and `model.study`.

    Args:
        folder: An existing folder.
        options: Of the command, besides.
        people: Further columns: name to the cells of the `N` cases.
    """
    rng = np.random.default_rng(3)
    rows = []
    for i in range(N):
        tps = rng.uniform(5, 95)
        write_case(folder, f"c{i:02}", tps + rng.normal(0, 5), rng)
        rows.append([f"c{i:02}", f"c{i:02}_ct.nii.gz", f"c{i:02}_mask.nii.gz", f"{tps:.1f}", int(tps >= 50)])
        rows[-1] += [cells[i] for cells in people.values()]
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["case", "image", "mask", "TPS", "PDL1_HIGH", *people], *rows])
    RECIPES["toy"] = lambda: PAGE
    try:
        command = ["train", "--recipe", "toy", "--cohort", str(folder / "cases.csv"), "--out", str(folder / "model")]
        assert (
            main([*command, "--workers", "2", "--device", "cpu", "--progress", "none", "--tries", "1", *options]) == 0
        )
    finally:
        del RECIPES["toy"]
    return folder


if __name__ == "__main__":
    train_toy(Path(sys.argv[1]))
