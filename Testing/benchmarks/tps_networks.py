"""What settings of the Complex Transformer tell TPS best, by cross-validation of the training patients alone.

    python Testing/benchmarks/tps_networks.py --cache CACHE [NAME ...]

The training patients of `pdl1 train --recipe complextransformer --n 600 --seed 1`; its test patients are not looked at.
Five folds: of the other four, three quarters train a network and one quarter ends its training, then the fold is
answered. R² is that of all answers together. Of many settings the best one is partly the luckiest.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold

from PDL1PredictorLib.cohort.prepare import PhantomSource, prepare
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.learning.deep.table_settings import TableTraining
from PDL1PredictorLib.learning.deep.table_training import Cases, train_table
from PDL1PredictorLib.learning.parts.network_table import ranked
from PDL1PredictorLib.learning.selection import fit_standardizer
from PDL1PredictorLib.networks.tabular import Bounds
from PDL1PredictorLib.recipes.complextransformer import (
    LEAD_TRAINING,
    PLAIN,
    PLAIN_TRANSFORMER,
    ComplexTransformerRecipe,
)

N, SEED, FOLDS, BOOTSTRAP = 600, 1, 5, 2000


@dataclass(frozen=True)
class Trial:
    """Settings, features at most, and how many networks are averaged."""

    how: TableTraining
    most: int = 32
    networks: int = 1


TRIALS: dict[str, Trial | None] = {
    "ridge": None,
    "lead": Trial(LEAD_TRAINING),
    "one layer, width 16": Trial(PLAIN_TRANSFORMER),
    "one layer, width 32": Trial(replace(LEAD_TRAINING, layers=1)),
    "rate 3e-4": Trial(replace(LEAD_TRAINING, learning_rate=3e-4)),
    "noise 1": Trial(replace(LEAD_TRAINING, noise=1.0)),
    "noise 1, rate 3e-4": Trial(replace(LEAD_TRAINING, noise=1.0, learning_rate=3e-4)),
    "decay 0.3": Trial(replace(LEAD_TRAINING, weight_decay=0.3)),
    "dropout 0.4": Trial(replace(LEAD_TRAINING, dropout=0.4)),
    "batch 128": Trial(replace(LEAD_TRAINING, batch=128)),
    "16 features": Trial(LEAD_TRAINING, most=16),
    "60 features": Trial(LEAD_TRAINING, most=60),
    "unbounded": Trial(replace(LEAD_TRAINING, bounded=False)),
    "mean of 3": Trial(LEAD_TRAINING, networks=3),
    "ann": Trial(replace(PLAIN, network="ann")),
    "ann, noise 1": Trial(replace(PLAIN, network="ann", noise=1.0)),
    "cnn": Trial(replace(PLAIN, network="cnn")),
}


def training_patients(cache: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, f) and TPS (n,) of those whose TPS is known."""
    recipe = ComplexTransformerRecipe()
    sources = [PhantomSource(SEED, index, False, True) for index in range(N)]
    cohort = prepare(sources, recipe.endpoints, recipe.regions, recipe.features, cache, needs=recipe.needs, moved=0)
    rng = np.random.default_rng([SEED, 10])
    train, _ = stratified_parts(cohort.names, cohort.strata, (1 - recipe.test_share, recipe.test_share), rng)
    target = cohort.targets["TPS"].take(np.asarray(train))
    return cohort.features[np.asarray(train)[target.known]], target.values[target.known]


Answer = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]
"""Features and TPS of those that teach, features of a fold, and a seed to the fold's answers in percent."""


def by_network(trial: Trial) -> Answer:
    """As the recipe trains one."""

    def answer(x: np.ndarray, y: np.ndarray, new: np.ndarray, seed: int) -> np.ndarray:
        standardizer = fit_standardizer(x)
        columns = ranked(standardizer(x), y[:, None], standardizer.varies)[: trial.most]
        z, z_new = (standardizer(part)[:, columns] for part in (x, new))
        mean, sd = y.mean(), y.std()
        watched = np.random.default_rng(seed).permutation(len(y)) % 4 == 0
        if trial.how.patience is None:
            watched[:] = False
        values = ((y - mean) / sd)[:, None]
        fit, watch = (Cases(z[own], values[own]) for own in (~watched, watched))
        bounds = [Bounds(-mean / sd, (100 - mean) / sd)]
        found = [
            train_table(fit, watch, bounds, trial.how, SEED + number).answers(z_new)[:, 0]
            for number in range(trial.networks)
        ]
        return np.asarray(np.mean(found, axis=0) * sd + mean)

    return answer


def by_ridge(x: np.ndarray, y: np.ndarray, new: np.ndarray, seed: int) -> np.ndarray:
    """Ridge regression on the features that go with TPS."""
    standardizer = fit_standardizer(x)
    columns = ranked(standardizer(x), y[:, None], standardizer.varies)
    model = RidgeCV(np.geomspace(1, 1e4, 13)).fit(standardizer(x)[:, columns], y)
    return np.asarray(model.predict(standardizer(new)[:, columns]))


def held_out(answer: Answer, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each patient's answer by a model that has not seen it, (n,), in percent."""
    found = np.empty(len(y))
    for number, (teach, fold) in enumerate(KFold(FOLDS, shuffle=True, random_state=SEED).split(x)):
        found[fold] = answer(x[teach], y[teach], x[fold], number).clip(0, 100)
    return found


def r2(y: np.ndarray, answers: np.ndarray) -> float:
    """Share of the variance that is explained."""
    return float(1 - ((y - answers) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("names", nargs="*", help=f"some of: {'; '.join(TRIALS)} (default: all)")
    options = parser.parse_args()
    x, y = training_patients(options.cache)
    rows = np.random.default_rng(0).integers(0, len(y), (BOOTSTRAP, len(y)))
    print("| settings | R² (95 %) | seconds |\n|---|---|---|")
    for name in options.names or TRIALS:
        begun, trial = process_time(), TRIALS[name]
        found = held_out(by_ridge if trial is None else by_network(trial), x, y)
        low, high = np.percentile([r2(y[own], found[own]) for own in rows], (2.5, 97.5))
        print(f"| {name} | {r2(y, found):.3f} ({low:.2f} to {high:.2f}) | {process_time() - begun:.0f} |", flush=True)


if __name__ == "__main__":
    main()
