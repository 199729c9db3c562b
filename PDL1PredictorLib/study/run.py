"""A study from prepared cases to its outcome and the model that is kept: once split, or nested cross-validation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.carried import plans_of
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.parts.part import PartLearner
from PDL1PredictorLib.learning.trained import Trained
from PDL1PredictorLib.study.choosing import Choice, choose_model
from PDL1PredictorLib.study.folds import Fold, run_fold
from PDL1PredictorLib.study.keeping import Shipped, trained_of
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.outcomes import Scores, endpoint_outcome
from PDL1PredictorLib.study.setup import Division, Study
from PDL1PredictorLib.study.shipped_figures import shipped_figures

MEASURED_FROM = 0.95  # of the progress: what was trained is then measured
KEPT_SHARE = 0.2  # of the progress: the training on all cases, under nested cross-validation


@dataclass(frozen=True, eq=False)
class StudyRun:
    """What came out.

    Attributes:
        folds: One under `split`, several under nested cross-validation: those of the first repetition.
        kept: The training whose model is kept: the fold itself under `split`, one on all cases otherwise.
        endpoints: Outcome by key, of all that were measured.
        left_out: Endpoint to the reason why no model is kept; it was measured all the same where it is in `endpoints`.
        trained: What the bundle is written from.
        choices: Which model is each endpoint's, of all that were measured.
    """

    folds: tuple[Fold, ...]
    kept: Fold
    endpoints: dict[str, EndpointOutcome]
    left_out: dict[str, str]
    trained: Trained
    choices: dict[str, Choice]


def run_study(study: Study, progress: Progress = SILENT) -> StudyRun:
    """Train and measure.

    Raises:
        InputError: No endpoint has enough cases.
        CancelledError: Whoever listens to the progress cancelled.
    """
    divisions = [study.divisions(repetition) for repetition in range(study.repeats)]
    trainings = [train for folds in divisions for train, _ in folds]
    usable, left_out = usable_endpoints(study.cohort, trainings, study.recipe.coverage)
    learners = study.recipe.learners(study.cohort, study.place)
    with progress.part("study", 0.0, MEASURED_FROM) as part:
        folds, scores = _run_folds(study, learners, divisions, usable, part)
        kept = folds[0] if study.once else _run_kept(study, learners, usable, part)
    told = progress.each("figures", usable, "figures of {}".format, MEASURED_FROM)
    endpoints = {key: endpoint_outcome(study, key, folds, scores, kept) for key in told}
    choices = {key: _choice(study, found, kept) for key, found in endpoints.items()}
    left_out |= {key: choice.reason for key, choice in choices.items() if not choice.title}
    shipped = {key: _shipped(study, endpoints[key], one, kept) for key, one in choices.items() if one.title}
    trained = trained_of(study.cohort, study.recipe, kept.learned, shipped, kept.test, left_out)
    for learner in learners.values():
        learner.forget()
    return StudyRun(folds, kept, endpoints, left_out, trained, choices)


def usable_endpoints(
    cohort: PreparedCohort, trainings: Sequence[np.ndarray], coverage: float = 0.9
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Endpoints that have enough cases in every training, and the reasons of the others.

    Raises:
        InputError: There is none.
    """
    reasons = {
        key: rules(target.kind).too_few([target.truths[rows] for rows in trainings], coverage)
        for key, target in cohort.targets.items()
    }
    left_out = {key: reason for key, reason in reasons.items() if reason}
    usable = tuple(key for key in cohort.endpoints if key not in left_out)
    if not usable:
        told = "; ".join(f"{key}: {reason}" for key, reason in left_out.items())
        raise InputError(f"No endpoint can be learned. {told}. Add cases or labels.")
    return usable, left_out


def _run_folds(
    study: Study,
    learners: Mapping[str, PartLearner],
    divisions: Sequence[Sequence[Division]],
    usable: tuple[str, ...],
    progress: Progress,
) -> tuple[tuple[Fold, ...], Scores]:
    """The folds of the first repetition, and the scores of all: of the others nothing else is kept in memory."""
    first, scores = [], Scores(study, usable)
    n = sum(len(folds) for folds in divisions)
    share, done = (1.0 if study.once else 1 - KEPT_SHARE) / n, 0
    for repetition, of_repetition in enumerate(divisions):
        for number, (train, test) in enumerate(of_repetition):
            name = "training" if study.once else f"fold {done + 1} of {n}"
            with progress.part("study", done * share, (done + 1) * share, name) as part:
                fold = run_fold(study, learners, train, test, usable, study.once, part)
            scores.add(study, repetition, number, fold)
            first += [fold] if repetition == 0 else []
            done += 1
    return tuple(first), scores


def _run_kept(study: Study, learners: Mapping[str, PartLearner], usable: tuple[str, ...], progress: Progress) -> Fold:
    everyone = np.arange(len(study.cohort))
    with progress.part("study", 1 - KEPT_SHARE, 1.0, "training on all cases") as part:
        return run_fold(study, learners, everyone, everyone[:0], usable, True, part)


def _choice(study: Study, found: EndpointOutcome, kept: Fold) -> Choice:
    learned = {title: model.learned for title, model in kept.models[found.key].items()}
    return choose_model(found, study.recipe, learned, study.ship)


def _shipped(study: Study, found: EndpointOutcome, choice: Choice, kept: Fold) -> Shipped:
    """The chosen model; the p of its figures pays for the simpler candidates, too."""
    plan = next(p for p in plans_of(study.recipe, study.cohort, found.key) if p.name.title == choice.title)
    figures = shipped_figures(found, choice.title)
    if figures is not None and choice.candidates:
        figures = {**figures, "p": choice.p}
    return Shipped(plan, kept.models[found.key][choice.title], choice, figures)
