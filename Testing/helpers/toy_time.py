"""A recipe for a time from the table of features alone, cases whose law is known, and a cohort of balls in lung.

    python Testing/helpers/toy_time.py FOLDER

trains in a process of its own: the tests that draw cannot share theirs with torch.
"""

import csv
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from toy_cohort import write_case
from toy_recipe import FEW, ToyRecipe

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.roles import ModelName
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.recipe import ModelPlan
from PDL1PredictorLib.recipes.page import Option, RecipePage
from PDL1PredictorLib.recipes.table import RECIPES

LEAD, SIZE, CURVE = "Feature hazard", "Size hazard", "One curve"
BRIGHTNESS, RING = "tumor_original_firstorder_Mean", "ring_original_firstorder_Mean"
SCALE_DAYS = 600.0


@dataclass(frozen=True)
class TimeRecipe(ToyRecipe):
    """A time by a penalized Cox model on selected features."""

    name: ClassVar[str] = "toy-time"
    models: ClassVar[tuple[ModelPlan, ...]] = (
        ModelPlan(ModelName(LEAD, "lead"), ("selected", "volume"), "cox"),
        ModelPlan(ModelName(SIZE, "part"), ("volume",), "rank"),
        ModelPlan(ModelName(CURVE, "baseline"), (), "mean"),
    )
    endpoints: tuple[str, ...] = ("PFS",)

    def method_text(self) -> str:
        return "A toy: Cox's model on selected features."


PAGE = RecipePage(
    name="toy-time",
    summary="a toy",
    kinds=("time",),
    endpoints=("PFS",),
    build=lambda shared, options: TimeRecipe(
        shared.endpoints,
        shared.seed,
        shared.design,
        n_repeats=options["tries"],
        n_folds=shared.n_folds,
        outer_repeats=shared.outer_repeats,
    ),
    options=(Option("--tries", {"type": int, "help": "repetitions"}, 2),),
)


def drawn_times(log_hazard: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Whole days and events by exponential times and uniform censoring."""
    until = SCALE_DAYS * rng.exponential(size=len(log_hazard)) / np.exp(log_hazard)
    watched = rng.uniform(200, 1500, len(log_hazard))
    return np.ceil(np.minimum(until, watched)), until <= watched


def made_up(n: int, seed: int = 0, signal: float = 1.0) -> PreparedCohort:
    """Cases whose log hazard is 0.8 and 0.5 SDs of two features."""
    rng = np.random.default_rng(seed)
    names = FEW.feature_names()
    features = rng.normal(100, 10, size=(n, len(names)))
    z = (features - 100) / 10
    log_hazard = signal * (0.8 * z[:, names.index(BRIGHTNESS)] + 0.5 * z[:, names.index(RING)])
    features[:, names.index("tumor_original_shape_VoxelVolume")] = np.exp(rng.normal(9, 0.5, n))
    time, event = drawn_times(log_hazard, rng)
    target = Target("time", time, event, low=0.0)
    return PreparedCohort(tuple(f"case_{i:04}" for i in range(n)), {"PFS": target}, {"features": features}, names)


def train_time(folder: Path, n: int = 80) -> Path:
    """Write the cohort into a folder and train beside it, by the command: `model` and `model.study`."""
    rng = np.random.default_rng(3)
    bright = rng.uniform(0, 100, n)
    time, event = drawn_times((bright - 50) / 20, rng)
    rows = []
    for i in range(n):
        write_case(folder, f"c{i:02}", bright[i], rng)
        rows.append([f"c{i:02}", f"c{i:02}_ct.nii.gz", f"c{i:02}_mask.nii.gz", f"{time[i]:.0f}", int(event[i])])
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["case", "image", "mask", "PFS_days", "PFS_event"], *rows])
    RECIPES["toy-time"] = lambda: PAGE
    try:
        command = [
            "train",
            "--recipe",
            "toy-time",
            "--cohort",
            str(folder / "cases.csv"),
            "--out",
            str(folder / "model"),
        ]
        assert main([*command, "--workers", "2", "--device", "cpu", "--progress", "none", "--tries", "1"]) == 0
    finally:
        del RECIPES["toy-time"]
    return folder


def without_signal(cohort: PreparedCohort, seed: int) -> PreparedCohort:
    """The same cases, times exchanged among them."""
    rows = np.random.default_rng(seed).permutation(len(cohort))
    return replace(cohort, targets={"PFS": cohort.targets["PFS"].take(rows)})


if __name__ == "__main__":
    train_time(Path(sys.argv[1]))
