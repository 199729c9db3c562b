"""What settings of the Complex Transformer tell TPS best, by cross-validation of the training patients alone.

    python Testing/benchmarks/tps_networks.py --cache CACHE [NAME ...]

The training patients of `pdl1 train --recipe complextransformer --n 600 --seed 1`; its test patients are not looked at.
Five folds: of the other four, three quarters train a network and one quarter ends its training, then the fold is
answered; a line learns from all four. R² is that of all answers together, its 95 % that of resampled patients; with
`--foldings N` the mean over N divisions into folds. Intervals of 90 % come from the residuals of the other folds. Of
many settings the best one is partly the luckiest.

`traits` is no model: ridge regression on all features estimates the traits that the phantom knows, by folds, and these
are weighted as the phantom weighs them. The square of its correlation with TPS is what these features could tell to
somebody who had been taught the traits themselves, by as many patients.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import expit
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict

from PDL1PredictorLib.cohort.prepare import PhantomSource, prepare
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.learning.deep.table_settings import TableTraining
from PDL1PredictorLib.learning.deep.table_training import Cases, train_table
from PDL1PredictorLib.learning.numbers.fractional import fractional_line
from PDL1PredictorLib.learning.parts.network_table import ranked
from PDL1PredictorLib.learning.selection import fit_standardizer
from PDL1PredictorLib.networks.tabular import FARTHEST, Bounds
from PDL1PredictorLib.phantom.patient import draw_truth
from PDL1PredictorLib.phantom.truth import LAWS
from PDL1PredictorLib.recipes.complextransformer import (
    LEAD_TRAINING,
    PLAIN,
    PLAIN_TRANSFORMER,
    ComplexTransformerRecipe,
)
from PDL1PredictorLib.statistics.conformal import residual_quantile

N, SEED, FOLDS, BOOTSTRAP, COVERAGE = 600, 1, 5, 2000, 0.9


@dataclass(frozen=True)
class Trial:
    """Settings, features at most, and how many networks are averaged."""

    how: TableTraining
    most: int = 32
    networks: int = 1


@dataclass(frozen=True)
class Line:
    """A line alone: ridge regression or the fractional logit, on the best features, those of the tumor, or all."""

    shares: bool
    features: int | str


# what the lead was before a line stood beside it
ALONE = replace(LEAD_TRAINING, learning_rate=1e-3, patience=50, loss="squares", line=False)

TRIALS: dict[str, Trial | Line] = {
    "ridge": Line(False, 60),
    "ridge, 32 features": Line(False, 32),
    "ridge, the tumor's features": Line(False, "tumor"),
    "ridge, all features": Line(False, "all"),
    "fractional logit, 60 features": Line(True, 60),
    "fractional logit, 32 features": Line(True, 32),
    "fractional logit, the tumor's features": Line(True, "tumor"),
    "fractional logit, all features": Line(True, "all"),
    "lead": Trial(LEAD_TRAINING),
    "lead, rate 1e-4": Trial(replace(LEAD_TRAINING, learning_rate=1e-4)),
    "lead, dropout 0.4, noise 1": Trial(replace(LEAD_TRAINING, dropout=0.4, noise=1.0)),
    "alone": Trial(ALONE),
    "alone, one layer, width 16": Trial(PLAIN_TRANSFORMER),
    "alone, one layer, width 32": Trial(replace(ALONE, layers=1)),
    "alone, rate 3e-4": Trial(replace(ALONE, learning_rate=3e-4)),
    "alone, noise 1": Trial(replace(ALONE, noise=1.0)),
    "alone, noise 1, rate 3e-4": Trial(replace(ALONE, noise=1.0, learning_rate=3e-4)),
    "alone, shares, noise 1, rate 3e-4": Trial(
        replace(ALONE, noise=1.0, learning_rate=3e-4, patience=25, loss="shares")
    ),
    "alone, decay 0.3": Trial(replace(ALONE, weight_decay=0.3)),
    "alone, dropout 0.4": Trial(replace(ALONE, dropout=0.4)),
    "alone, batch 128": Trial(replace(ALONE, batch=128)),
    "alone, 16 features": Trial(ALONE, most=16),
    "alone, 60 features": Trial(ALONE, most=60),
    "alone, unbounded": Trial(replace(ALONE, bounded=False)),
    "alone, mean of 3": Trial(ALONE, networks=3),
    "ann": Trial(replace(PLAIN, network="ann")),
    "ann, shares": Trial(replace(PLAIN, network="ann", loss="shares")),
    "ann, noise 1": Trial(replace(PLAIN, network="ann", noise=1.0)),
    "cnn": Trial(replace(PLAIN, network="cnn")),
}


class Patients(NamedTuple):
    """Those whose TPS is known: features (n, f), TPS (n,), names of the features, and places in the cohort (n,)."""

    x: np.ndarray
    y: np.ndarray
    names: tuple[str, ...]
    places: np.ndarray


def training_patients(cache: Path) -> Patients:
    """Of the study, without its test patients."""
    recipe = ComplexTransformerRecipe()
    sources = [PhantomSource(SEED, index, False, True) for index in range(N)]
    cohort = prepare(sources, recipe.endpoints, recipe.regions, recipe.features, cache, needs=recipe.needs, moved=0)
    rng = np.random.default_rng([SEED, 10])
    train, _ = stratified_parts(cohort.names, cohort.strata, (1 - recipe.test_share, recipe.test_share), rng)
    target = cohort.targets["TPS"].take(np.asarray(train))
    places = np.asarray(train)[target.known]
    return Patients(cohort.features[places], target.values[target.known], cohort.feature_names, places)


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
        values = ((y - mean) / sd)[:, None]
        fit, watch = (Cases(z[own], values[own]) for own in (~watched, watched))
        bounds = [Bounds(-mean / sd, (100 - mean) / sd)]
        found = [
            train_table(fit, watch, bounds, trial.how, SEED + number).answers(z_new)[:, 0]
            for number in range(trial.networks)
        ]
        return np.asarray(np.mean(found, axis=0) * sd + mean)

    return answer


def by_line(trial: Line, names: Sequence[str]) -> Answer:
    """Of the features as the networks see them."""
    of_tumor = np.array([name.startswith("tumor_") for name in names])

    def answer(x: np.ndarray, y: np.ndarray, new: np.ndarray, seed: int) -> np.ndarray:
        standardizer = fit_standardizer(x)
        if isinstance(trial.features, int):
            columns = ranked(standardizer(x), y[:, None], standardizer.varies)[: trial.features]
        else:
            columns = np.flatnonzero(standardizer.varies & (of_tumor | (trial.features == "all")))
        z, z_new = (FARTHEST * np.tanh(standardizer(part)[:, columns] / FARTHEST) for part in (x, new))
        if not trial.shares:
            return np.asarray(RidgeCV(np.geomspace(1, 1e4, 13)).fit(z, y).predict(z_new))
        line = fractional_line(z, y / 100)
        return np.asarray(100 * expit(line[0] + z_new @ line[1:]))

    return answer


def held_out(answer: Answer, x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """Each patient's answer by a model that has not seen it, (n,), in percent, and the share that intervals hold."""
    found, folds = np.empty(len(y)), list(KFold(FOLDS, shuffle=True, random_state=seed).split(x))
    for number, (teach, fold) in enumerate(folds):
        found[fold] = answer(x[teach], y[teach], x[fold], number).clip(0, 100)
    apart = np.abs(y - found)
    held = [apart[fold] <= residual_quantile(apart[teach], COVERAGE) for teach, fold in folds]
    return found, float(np.concatenate(held).mean())


def by_traits(patients: Patients, seed: int) -> np.ndarray:
    """What the features tell of the traits, weighted as PD-L1 does, (n,)."""
    z = fit_standardizer(patients.x)(patients.x)
    z, told = FARTHEST * np.tanh(z / FARTHEST), np.zeros(len(z))
    traits = [draw_truth(SEED, int(place))[0] for place in patients.places]
    for name, weight in LAWS["PDL1"].weights.items():
        truth = np.array([getattr(one, name) for one in traits])
        folds = KFold(FOLDS, shuffle=True, random_state=seed)
        told += weight * cross_val_predict(RidgeCV(np.geomspace(0.1, 1e4, 20)), z, truth, cv=folds)
    return told


def r2(y: np.ndarray, answers: np.ndarray) -> float:
    """Share of the variance that is explained."""
    return float(1 - ((y - answers) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def row_of(patients: Patients, name: str, foldings: int) -> str:
    """A row of the table."""
    begun, trial = process_time(), TRIALS[name]
    answer = by_network(trial) if isinstance(trial, Trial) else by_line(trial, patients.names)
    found = [held_out(answer, patients.x, patients.y, SEED + number) for number in range(foldings)]
    rows = np.random.default_rng(0).integers(0, len(patients.y), (BOOTSTRAP, len(patients.y)))
    each = [np.mean([r2(patients.y[own], told[own]) for told, _ in found]) for own in rows]
    low, high = np.percentile(each, (2.5, 97.5))
    mean = np.mean([r2(patients.y, told) for told, _ in found])
    held = np.mean([share for _, share in found])
    return f"| {name} | {mean:.3f} ({low:.2f} to {high:.2f}) | {held:.0%} | {process_time() - begun:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--foldings", type=int, default=1)
    parser.add_argument("names", nargs="*", help=f"some of: traits; {'; '.join(TRIALS)} (default: all)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    patients = training_patients(options.cache)
    print("| settings | R² (95 %) | intervals of 90 % hold | seconds |\n|---|---|---|---|", flush=True)
    for name in options.names or ("traits", *TRIALS):
        if name == "traits":
            told = [np.corrcoef(by_traits(patients, SEED + one), patients.y)[0, 1] for one in range(options.foldings)]
            print(f"| traits | {np.mean(np.square(told)):.3f} | | |", flush=True)
        else:
            print(row_of(patients, name, options.foldings), flush=True)


if __name__ == "__main__":
    main()
