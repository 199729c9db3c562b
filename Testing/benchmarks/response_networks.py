"""What settings of the network of volumes tell the response best, by cross-validation of the training patients alone.

    OMP_NUM_THREADS=1 python Testing/benchmarks/response_networks.py --cache CACHE [--pet] [--folds 1 2] [NAME ...]

The training patients of `pdl1 train --recipe responder3d --n 600 --seed 1`; its test patients are not even made. Of
five folds four train a network for all of its epochs, and the fifth is answered; AUC is the mean over the folds that
were asked for, and its standard error that of one AUC of so many cases (Hanley and McNeil). Of many settings the best
one is partly the luckiest.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from PDL1PredictorLib.cohort.prepare import PhantomSource, prepare
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.settings import RegionSettings, VolumeSettings
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.deep.volume.cases import Volumes, volumes_of
from PDL1PredictorLib.learning.deep.volume.settings import VolumeTraining
from PDL1PredictorLib.learning.deep.volume.training import answers_of, train_volume
from PDL1PredictorLib.recipes.responder3d import Responder3dRecipe

N, SEED, FOLDS, ENDPOINT = 600, 1, 5, "RESPONSE"
OVER = VolumeTraining(epochs=10, patience=None, cpu_bfloat16=True)
ALL = replace(OVER, pool="contour", widths=(8, 16, 32))
LATER = replace(ALL, pooled=(1, 2))


@dataclass(frozen=True)
class Trial:
    """Settings of the training, and of the cube."""

    how: VolumeTraining
    voxels: int
    spacing_mm: float


TRIALS: dict[str, Trial] = {
    "volume, 48 of 1.5 mm": Trial(OVER, 48, 1.5),
    "volume, 32 of 1.5 mm": Trial(OVER, 32, 1.5),
    "volume, 40 of 1 mm": Trial(OVER, 40, 1.0),
    "contour and ring, 48 of 1.5 mm": Trial(replace(LATER, ring=3), 48, 1.5),
    "contour and ring, all blocks, 32 of 1.5 mm": Trial(replace(ALL, ring=3), 32, 1.5),
    "contour and ring, 32 of 1.5 mm": Trial(replace(LATER, ring=3), 32, 1.5),
    "contour and ring, 40 of 1 mm": Trial(replace(LATER, ring=4), 40, 1.0),
    "contour and ring, 40 of 1 mm, 20 epochs": Trial(replace(LATER, ring=4, epochs=20), 40, 1.0),
}


def training_sources() -> list[PhantomSource]:
    """Those patients that the study trains on and whose response is known."""
    sources = [PhantomSource(SEED, index, pet=True) for index in range(N)]
    known = [(source.labels or {})[ENDPOINT] for source in sources]
    target = Target("binary", np.array([np.nan if value is None else value for value in known], dtype=float))
    shares = (1 - Responder3dRecipe().test_share, Responder3dRecipe().test_share)
    names = [source.name for source in sources]
    train, _ = stratified_parts(names, target.strata(), shares, np.random.default_rng([SEED, 10]))
    return [sources[row] for row in sorted(train) if known[row] is not None]


def volumes(cache: Path, cube: VolumeSettings, pet: bool, pool: str) -> Volumes:
    """What a network sees of the training patients."""
    needs = Needs(features=False, picture="volume", pet="required", volume=cube)
    cohort = prepare(training_sources(), (ENDPOINT,), RegionSettings(), None, cache, needs=needs, moved=0)
    return volumes_of(cohort, pet, pool)


def held_out(cases: Volumes, how: VolumeTraining, folds: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each fold its rows and their answers by a network that has not seen them."""
    known, found = cases.labels[:, 0], []
    parts = list(StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(known, known))
    for teach, fold in (parts[number] for number in folds):
        network = train_volume(cases, teach, fold[:0], how, SEED).network
        found.append((fold, answers_of(network, cases, fold)[:, 0]))
    return found


def standard_error(auc: float, positive: int, negative: int) -> float:
    """Of an AUC of so many cases; Hanley and McNeil 1982."""
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positive - 1) * (one - auc**2) + (negative - 1) * (two - auc**2)
    return float(np.sqrt(spread / (positive * negative)))


def row(name: str, cases: Volumes, how: VolumeTraining, folds: Sequence[int]) -> str:
    """A row of the table."""
    begun, known = process_time(), cases.labels[:, 0]
    found = held_out(cases, how, folds)
    each = [float(roc_auc_score(known[rows], answers)) for rows, answers in found]
    seen, auc = known[np.concatenate([rows for rows, _ in found])], float(np.mean(each))
    error = standard_error(auc, int(seen.sum()), int((1 - seen).sum()))
    told = ", ".join(f"{one:.2f}" for one in each)
    return f"| {name} | {auc:.3f} ({error:.3f}) | {told} | {process_time() - begun:.0f} |"


def main(words: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--pet", action="store_true", help="CT and PET, not CT alone")
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(1, FOLDS + 1)), help="from 1 (default: all)")
    parser.add_argument("names", nargs="*", help=f"some of: {'; '.join(TRIALS)} (default: all)")
    options = parser.parse_args(words)
    print("| settings | AUC (standard error) | by fold | seconds of one core |\n|---|---|---|---|", flush=True)
    for name in options.names or TRIALS:
        trial = TRIALS[name]
        cube = VolumeSettings(trial.voxels, trial.spacing_mm)
        cases = volumes(options.cache, cube, options.pet, trial.how.pool)
        print(row(name, cases, trial.how, [number - 1 for number in options.folds]), flush=True)


if __name__ == "__main__":
    main()
