"""What an epoch of each network over features costs: processor seconds of one thread, and the number of weights.

python Testing/benchmarks/bench_table_networks.py --cases 418 --tokens 32
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from time import process_time

import numpy as np
import torch

from PDL1PredictorLib.learning.deep.table_settings import TableTraining
from PDL1PredictorLib.learning.deep.table_training import Cases, train_table
from PDL1PredictorLib.networks.tabular import Bounds
from PDL1PredictorLib.recipes.complextransformer import LEAD_TRAINING, PUBLISHED, ComplexTransformerRecipe


def settings() -> dict[str, TableTraining]:
    """By name: those of the recipe, and the paper's sizes."""
    return {**ComplexTransformerRecipe().rivals, "complex_transformer": LEAD_TRAINING, "as published": PUBLISHED}


def seconds(n: int, tokens: int, epochs: int) -> Iterator[tuple[str, int, float]]:
    """Name, weights and seconds an epoch of every network on n made-up cases."""
    rng = np.random.default_rng(0)
    cases, none = Cases(rng.normal(size=(n, tokens)), rng.normal(size=(n, 1))), np.zeros((0, 1))
    train_table(cases, Cases(np.zeros((0, tokens)), none), (Bounds(),), TableTraining("ann", 1, None), 1)  # warm
    for name, how in settings().items():
        short = replace(how, epochs=epochs, patience=None)
        began = process_time()
        trained = train_table(cases, Cases(np.zeros((0, tokens)), none), (Bounds(-0.7, 1.9),), short, 1)
        weights = sum(weight.numel() for weight in trained.network.parameters())
        yield name, weights, (process_time() - began) / epochs


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=418)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name, weights, each in seconds(options.cases, options.tokens, options.epochs):
        print(f"{name:<20} {weights:>8} weights  {each:7.3f} s an epoch")


if __name__ == "__main__":
    main()
