"""The answers of finished models as the outcome of a study, so that one report serves both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.table import Cohort, CohortCase
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.results import Answer
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.core.sanity import SANITY_NAMES
from PDL1PredictorLib.core.targets import followed
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.study.evaluation.answers import VOLUME, ModelAnswers
from PDL1PredictorLib.study.evaluation.kinds import kind_evaluation
from PDL1PredictorLib.study.factors import factors_of
from PDL1PredictorLib.study.outcome import EndpointOutcome

PART = "evaluated"  # of the cohort: there is no other


@dataclass(frozen=True, eq=False)
class Evaluated:
    """One endpoint: the cases whose label is known and which every model has answered.

    Attributes:
        outcome: For the report.
        answers: Title to the answers of these cases, in their order.
        unlike: Title to whether each case is unlike the model's training cohort, (n,) bool.
    """

    outcome: EndpointOutcome
    answers: Mapping[str, Sequence[Answer]]
    unlike: Mapping[str, np.ndarray]


def evaluated_endpoints(
    cohort: Cohort, models: Sequence[ModelAnswers], progress: Progress = SILENT
) -> tuple[dict[str, Evaluated], dict[str, str]]:
    """Endpoints that can be evaluated, by key in the order of the models, and the reasons of the others.

    Args:
        cohort: With the labels.
        models: Their answers.
        progress: Told endpoint by endpoint.

    Raises:
        InputError: There is none.
    """
    keys = list(dict.fromkeys(key for model in models for key in model.endpoints))
    found: dict[str, Evaluated] = {}
    left_out: dict[str, str] = {}
    for key in progress.each("measures", keys, "measuring {}".format):
        if key not in cohort.endpoints:
            left_out[key] = "the table has no such column"
            continue
        if key not in models[0].endpoints:
            left_out[key] = f"{models[0].title}, the first model, does not answer it"
            continue
        own = [model for model in models if key in model.endpoints]
        cases = [
            case
            for case in cohort.cases
            if case.labels[key] is not None and all(case.name in model.cases for model in own)
        ]
        if cases:
            found[key] = _evaluated(key, cases, own, models)
        else:
            left_out[key] = "no case with an answer has a label"
    if not found:
        told = "; ".join(f"{key}: {reason}" for key, reason in left_out.items())
        raise InputError(f"Nothing can be evaluated. {told}. Fill in the labels of the table (docs/cohort.md).")
    return found, left_out


def roles_of(models: Sequence[ModelAnswers]) -> dict[str, Role]:
    """The first model leads; the others, and what the volume alone tells, are held against it."""
    roles: dict[str, Role] = {model.title: "part" if place else "lead" for place, model in enumerate(models)}
    return {**roles, VOLUME: "baseline"}


def _evaluated(
    key: str, cases: Sequence[CohortCase], own: Sequence[ModelAnswers], models: Sequence[ModelAnswers]
) -> Evaluated:
    kind = endpoint(key).kind
    learned, how = rules(kind), kind_evaluation(kind)
    answers = {model.title: [model.cases[case.name].answers[key] for case in cases] for model in own}
    labels = _truths(key, cases)
    volumes_ml = np.array([own[0].cases[case.name].volume_ml for case in cases])
    outcomes = {title: how.outcome(found) for title, found in answers.items()}
    if how.volume is not None:
        outcomes[VOLUME] = how.volume(volumes_ml)
    outcome = EndpointOutcome(
        key=key,
        cases=tuple(case.name for case in cases),
        labels=learned.truths(labels),
        folds=np.zeros((1, len(cases)), dtype=int),
        patients=tuple(case.patient for case in cases),
        models=outcomes,
        counts={PART: learned.counts(labels)},
        coefficients={},
        selected_in={},
        input_names=(),
        inputs=np.zeros((len(cases), 0)),
        contributions=None,
        prediction_sets=how.sets(answers[models[0].title]),
        kind=kind,
        roles=roles_of(models),
        groups=_groups(cases, own[0]),
    )
    return Evaluated(
        outcome=outcome,
        answers=answers,
        unlike={model.title: np.array([model.cases[case.name].unlike for case in cases]) for model in own},
    )


def _truths(key: str, cases: Sequence[CohortCase]) -> np.ndarray:
    """As of `core.targets.Target.truths`, (n,)."""
    values = np.array([case.labels[key] for case in cases], dtype=float)
    if not endpoint(key).timed:
        return values
    return followed(values, np.array([case.events[key] for case in cases], dtype=bool))


def _groups(cases: Sequence[CohortCase], model: ModelAnswers) -> dict[str, tuple[str, ...]]:
    """Factors of patient and scan, as a study divides its test cases by them."""
    found = [model.cases[case.name] for case in cases]
    sanity = np.full((len(cases), len(SANITY_NAMES)), np.nan)
    sanity[:, SANITY_NAMES.index("log_volume_ml")] = np.log([one.volume_ml for one in found])
    blocks: dict[str, Any] = {"sanity": sanity}
    people = {case.name: one.clinical for case, one in zip(cases, found, strict=True)}
    names = tuple(case.name for case in cases)
    return factors_of(PreparedCohort(names=names, targets={}, blocks=blocks, people=people))
