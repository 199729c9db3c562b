"""Training on a CPU in 32 bits and in bfloat16: processor time, and how the losses go, on synthetic patients.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_bfloat16.py

Processor time, not the clock: other programs do not change it.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import torch

from PDL1PredictorLib.cohort.prepare import prepare
from PDL1PredictorLib.cohort.sources import PhantomSource
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.deep.training import train_deep_ct
from PDL1PredictorLib.phantom.truth import PHANTOM_ENDPOINTS
from PDL1PredictorLib.recipes.deepradscore import STUDY_REGIONS


def measured(cases: int, epochs: int, pixels: int, seeds: Sequence[int]) -> list[dict[str, object]]:
    """A row a training: two thirds of the cases are learned from, the others watched."""
    with tempfile.TemporaryDirectory() as cache:
        sources = [PhantomSource(1, index) for index in range(cases)]
        needs = Needs(features=False, picture="slice")
        cohort = prepare(sources, PHANTOM_ENDPOINTS, STUDY_REGIONS, None, Path(cache), workers=1, needs=needs)
    fit, watched = cohort.take(np.arange(cases * 2 // 3)), cohort.take(np.arange(cases * 2 // 3, cases))
    settings = DeepTraining(stages=(Stage(epochs, pixels, 2e-3),), dropout=0.3, rotation_degrees=10.0)
    rows = []
    for seed in seeds:
        for sixteen in (False, True):
            begun = process_time()
            history = train_deep_ct(fit, watched, replace(settings, cpu_bfloat16=sixteen), seed).history
            seconds = process_time() - begun
            rows.append({"arithmetic": "bfloat16" if sixteen else "float32", "seed": seed, "seconds": seconds})
            rows[-1] |= {part: [epoch[part] for epoch in history] for part in ("train", "validation")}
            print(line(rows[-1]), flush=True)
    return rows


def line(row: Mapping[str, object]) -> str:
    """A row of the table."""
    losses = [", ".join(f"{loss:.3f}" for loss in row[part]) for part in ("train", "validation")]
    return f"| {row['arithmetic']} | {row['seed']} | {row['seconds']:.0f} | {losses[0]} | {losses[1]} |"


def main(words: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cases", type=int, default=144)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--pixels", type=int, default=96, help="edge of the crop")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args(words)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads")
    print("| arithmetic | seed | processor time, s | training loss by epoch | validation loss by epoch |")
    print("|---|---|---|---|---|")
    measured(arguments.cases, arguments.epochs, arguments.pixels, arguments.seeds)


if __name__ == "__main__":
    main()
