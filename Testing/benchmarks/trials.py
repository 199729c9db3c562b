"""What was tried to learn more from the synthetic cohort, judged without the noise of labels.

    python Testing/benchmarks/trials.py --cache DIR --checkpoints DIR [NAME ...]

600 patients as in `pdl1 train --n 600 --seed 1`, of which the 418 training patients are learned from; 600 others are
answered. A trial's figure is the expected AUC under their true probabilities: the chance that a positive case scores
above a negative one, over the labels that could be drawn. `docs/results.md` holds the table.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import norm
from sklearn.cross_decomposition import PLSRegression

from PDL1PredictorLib.cohort.prepare import PhantomSource, prepare
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.learning.classifiers import ESTIMATORS, L2, LINEAR
from PDL1PredictorLib.learning.crossfit import Inputs, Learned, learn
from PDL1PredictorLib.learning.parts.part import PartLearner, Place, values_for
from PDL1PredictorLib.learning.parts.selected import SelectedLearner
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.phantom.patient import draw_truth
from PDL1PredictorLib.phantom.truth import PHANTOM_ENDPOINTS
from PDL1PredictorLib.recipes.deepradscore import FEW, DeepRadScoreRecipe

SEED, STUDY, OTHERS = 1, 600, 600
Score = Callable[["Trials", str], np.ndarray]
"""Trials and an endpoint to the scores of the other patients, (n,)."""


def expected_auc(chances: np.ndarray, scores: np.ndarray) -> float:
    """AUC over the labels that could be drawn: pairs weigh p (1 - q).

    Args:
        chances: True probability of positive, (n,).
        scores: Higher means positive, (n,).
    """
    weight = chances[:, None] * (1 - chances)
    np.fill_diagonal(weight, 0.0)
    won = (np.sign(scores[:, None] - scores) + 1) / 2
    return float((weight * won).sum() / weight.sum())


class Trials:
    """Everything is learned once; a trial fits models on some of it.

    Args:
        cohort: Study cases first, then the others.
        learners: Of the parts.
    """

    def __init__(self, cohort: PreparedCohort, recipe: DeepRadScoreRecipe, learners: Mapping[str, PartLearner]) -> None:
        study = cohort.take(np.arange(STUDY))
        rng = np.random.default_rng([SEED, 10])
        train, _ = stratified_parts(study.names, study.strata, (1 - recipe.test_share, recipe.test_share), rng)
        self.cohort, self.recipe = cohort, recipe
        training = TrainingSet(cohort, np.asarray(cohort.names), train, PHANTOM_ENDPOINTS, SEED)
        self.learned: Learned = learn(training, learners, recipe.n_inner_folds)
        self.others = np.arange(STUDY, STUDY + OTHERS)
        self.inputs: Inputs = self.learned.inputs(cohort, self.others)
        self.chances = [draw_truth(SEED, int(row))[1] for row in self.others]

    def honest(self, parts: Sequence[str], key: str) -> tuple[np.ndarray, np.ndarray]:
        """Inputs of the training cases and of the others."""
        return self.learned.honest.of(parts, key), self.inputs.of(parts, key)

    def of_every_endpoint(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        """The part's columns of all endpoints side by side."""
        both = (self.learned.honest.values[part], self.inputs.values[part])
        ours, theirs = (np.column_stack([values_for(v, key) for key in PHANTOM_ENDPOINTS]) for v in both)
        return ours, theirs

    def fitted(self, key: str, x: tuple[np.ndarray, np.ndarray], kind: str) -> np.ndarray:
        """Scores of the others, of a classifier fitted on the training cases."""
        target = self.cohort.targets[key].take(self.learned.rows)
        ours, labels = x[0][target.known], target.values[target.known].astype(int)
        mean, sd = ours.mean(0), np.maximum(ours.std(0), 1e-6)
        model = ESTIMATORS[kind](SEED, len(labels)).fit((ours - mean) / sd, labels)
        return np.asarray(model.predict_proba((x[1] - mean) / sd)[:, 1])

    def gain(self, score: Score) -> tuple[dict[str, float], float]:
        """Expected AUC by endpoint, and seconds."""
        start, found = time.perf_counter(), {}
        for key in PHANTOM_ENDPOINTS:
            chances = np.array([chance[key] for chance in self.chances])
            found[key] = expected_auc(chances, score(self, key))
        return found, time.perf_counter() - start


def of_parts(*parts: str, kind: str = LINEAR[0]) -> Score:
    """A model of these parts."""
    return lambda trials, key: trials.fitted(key, trials.honest(parts, key), kind)


def with_all(shared: Sequence[str], *parts: str, kind: str = L2) -> Score:
    """A model of these parts, and of what others say of every endpoint."""

    def score(trials: Trials, key: str) -> np.ndarray:
        found = [trials.of_every_endpoint(part) for part in shared] + [trials.honest(parts, key)]
        return trials.fitted(key, (np.hstack([a for a, _ in found]), np.hstack([b for _, b in found])), kind)

    return score


def truth(trials: Trials, key: str) -> np.ndarray:
    """What no model can exceed."""
    return np.array([chance[key] for chance in trials.chances])


def l2_on(stable: bool = False, ranks: bool = False) -> Score:
    """L2 model on features of the unfiltered image: the stable ones alone, or turned into normal scores by rank."""

    def score(trials: Trials, key: str) -> np.ndarray:
        ours, theirs = trials.honest(("original",), key)
        if stable:
            kept = trials.learned.stability.stable[trials.learned.parts["original"].columns]
            ours, theirs = ours[:, kept], theirs[:, kept]
        if ranks:
            ordered = np.sort(ours, axis=0)
            ours, theirs = (_normal_scores(ordered, x) for x in (ours, theirs))
        return trials.fitted(key, (ours, theirs), L2)

    return score


def _normal_scores(ordered: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Values of each column as the normal quantile of their rank among ordered ones."""
    ranks = np.column_stack([np.searchsorted(own, column) for own, column in zip(ordered.T, x.T, strict=True)])
    return np.asarray(norm.ppf((ranks + 0.5) / (len(ordered) + 1)))


def partial_least_squares(n_components: int) -> Score:
    """Ten endpoints share seven traits: components of the original features that go with all of them at once."""

    def score(trials: Trials, key: str) -> np.ndarray:
        ours, theirs = trials.honest(("original",), key)
        labels = trials.cohort.labels[trials.learned.rows]
        labels = np.where(np.isfinite(labels), labels, np.nanmean(labels, axis=0))
        model = PLSRegression(n_components, scale=False).fit(ours, labels / labels.std(axis=0))
        return np.asarray(model.predict(theirs)[:, PHANTOM_ENDPOINTS.index(key)])

    return score


class Trial(NamedTuple):
    """Something to try.

    Attributes:
        score: What it says of the others.
        parts: That must be learned for it.
    """

    score: Score
    parts: tuple[str, ...] = ()


def _trial(*parts: str, kind: str = LINEAR[0]) -> Trial:
    return Trial(of_parts(*parts, kind=kind), parts)


EVERYTHING = ("radscore", "l2score", "deep_logit")
TRIALS: dict[str, Trial] = {
    "truth": Trial(truth),
    "volume": _trial("volume"),
    "radscores": _trial("radscore"),
    "radscores of all endpoints": Trial(with_all(["radscore"]), ("radscore",)),
    "L2 on original features": _trial("original", kind=L2),
    "L2 on stable original features": Trial(l2_on(stable=True), ("original",)),
    "L2 on ranks of original features": Trial(l2_on(ranks=True), ("original",)),
    "L2 on all features": _trial("selected", kind=L2),
    "partial least squares, 10": Trial(partial_least_squares(10), ("original",)),
    "L2 scores of all endpoints": Trial(with_all(["l2score"]), ("l2score",)),
    "logit": _trial("deep_logit"),
    "deep": _trial("deep"),
    "deep, radscores": _trial("deep", "radscore"),
    "deep, L2 score": _trial("deep", "l2score"),
    "radscores, volume, logit": _trial("radscore", "volume", "deep_logit"),
    "L2 score, volume, logit": _trial("l2score", "volume", "deep_logit"),
    "radscores, L2 score, volume, logit": _trial(*FEW),
    "L2 score, logits of all endpoints": Trial(with_all(["deep_logit"], "l2score"), ("deep_logit", "l2score")),
    "everything of all endpoints": Trial(with_all(EVERYTHING), EVERYTHING),
    "L2 on original and deep": _trial("original", "deep", kind=L2),
}


def main() -> None:
    """Print a line for every trial: expected AUC of the ten endpoints, their mean, seconds of its fits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {'; '.join(TRIALS)} (default: all)")
    parser.add_argument("--cache", type=Path, required=True, help="folder of prepared cases")
    parser.add_argument("--checkpoints", type=Path, help="folder of the trainings, with which an earlier run goes on")
    options = parser.parse_args()
    wanted = {name: TRIALS[name] for name in options.names or TRIALS}
    recipe = DeepRadScoreRecipe(PHANTOM_ENDPOINTS)
    sources = [PhantomSource(SEED, index) for index in range(STUDY + OTHERS)]
    cohort = prepare(sources, PHANTOM_ENDPOINTS, recipe.regions, recipe.features, options.cache, needs=recipe.needs)
    study = prepare(
        sources[:STUDY], PHANTOM_ENDPOINTS, recipe.regions, recipe.features, options.cache, needs=recipe.needs
    )
    others = np.full((OTHERS, *study.moved.shape[1:]), np.nan)  # the cases that the study itself measures again
    cohort = cohort.with_blocks(moved=np.concatenate([study.moved, others]))
    known = {**recipe.learners(cohort, Place(checkpoints=options.checkpoints)), "selected": SelectedLearner()}
    parts = {part for trial in wanted.values() for part in trial.parts}
    trials = Trials(cohort, recipe, {name: learner for name, learner in known.items() if name in parts})
    for name, trial in wanted.items():
        found, seconds = trials.gain(trial.score)
        each = " ".join(f"{key} {value:.3f}" for key, value in found.items())
        print(f"{name}: mean {np.mean(list(found.values())):.4f}; {each}; {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
