"""The answers of finished models as the outcome of a study, so that one report serves both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.table import Cohort, CohortCase
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import Answer, BinaryAnswer, NumberAnswer
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.core.sanity import SANITY_NAMES
from PDL1PredictorLib.statistics.conformal import ANSWERS
from PDL1PredictorLib.study.evaluation.answers import VOLUME, ModelAnswers, log_odds_of
from PDL1PredictorLib.study.factors import factors_of
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome, NumberModelOutcome

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


def evaluated_endpoints(cohort: Cohort, models: Sequence[ModelAnswers]) -> tuple[dict[str, Evaluated], dict[str, str]]:
    """Endpoints that can be evaluated, by key in the order of the models, and the reasons of the others.

    Raises:
        InputError: There is none.
    """
    keys = dict.fromkeys(key for model in models for key in model.endpoints)
    found: dict[str, Evaluated] = {}
    left_out: dict[str, str] = {}
    for key in keys:
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
    answers = {model.title: [model.cases[case.name].answers[key] for case in cases] for model in own}
    labels = np.array([case.labels[key] for case in cases], dtype=float)
    volumes_ml = np.array([own[0].cases[case.name].volume_ml for case in cases])
    outcomes = {title: model_outcome(found) for title, found in answers.items()}
    if kind == "binary":
        outcomes[VOLUME] = _volume(volumes_ml)
    outcome = EndpointOutcome(
        key=key,
        cases=tuple(case.name for case in cases),
        labels=labels.astype(int) if kind == "binary" else labels,
        folds=np.zeros((1, len(cases)), dtype=int),
        patients=tuple(case.patient for case in cases),
        models=outcomes,
        counts={PART: _counts(kind, labels)},
        coefficients={},
        selected_in={},
        input_names=(),
        inputs=np.zeros((len(cases), 0)),
        contributions=None,
        prediction_sets=_sets(answers[models[0].title]),
        kind=kind,
        roles=roles_of(models),
        groups=_groups(cases, own[0]),
    )
    return Evaluated(
        outcome=outcome,
        answers=answers,
        unlike={model.title: np.array([model.cases[case.name].unlike for case in cases]) for model in own},
    )


def model_outcome(answers: Sequence[Answer]) -> ModelOutcome | NumberModelOutcome:
    """Answers of one model as arrays; what ranks the cases is what the model said before rounding to a call."""
    yes_no = [answer for answer in answers if isinstance(answer, BinaryAnswer)]
    if yes_no:
        probability = np.array([answer.probability for answer in yes_no])
        thresholds = {"threshold of the model": yes_no[0].threshold}
        return ModelOutcome(
            score=log_odds_of(probability)[None],
            probability=probability,
            positive=np.array([answer.positive for answer in yes_no]),
            called=np.ones(len(yes_no), dtype=bool),
            classifier=yes_no[0].model or "as in the bundle",
            mean_auc={},
            thresholds=thresholds,
        )
    numbers = [answer for answer in answers if isinstance(answer, NumberAnswer)]
    value = np.array([answer.value for answer in numbers])
    low, high = np.array([answer.interval for answer in numbers]).T
    return NumberModelOutcome(value[None], value, low, high, numbers[0].model or "as in the bundle", {})


def _volume(volumes_ml: np.ndarray) -> ModelOutcome:
    """The raw volume: it ranks, and has neither probabilities nor calls."""
    n = len(volumes_ml)
    none = np.zeros(n, dtype=bool)
    return ModelOutcome(np.log(volumes_ml)[None], np.full(n, 0.5), none, none, "none: the raw volume", {}, {})


def _sets(answers: Sequence[Answer]) -> np.ndarray:
    held = [
        [name in answer.prediction_set for name in ANSWERS] for answer in answers if isinstance(answer, BinaryAnswer)
    ]
    return np.array(held, dtype=bool).reshape(-1, 2)


def _counts(kind: str, labels: np.ndarray) -> tuple[int, ...]:
    return (int((labels == 1).sum()), int((labels == 0).sum())) if kind == "binary" else (len(labels),)


def _groups(cases: Sequence[CohortCase], model: ModelAnswers) -> dict[str, tuple[str, ...]]:
    """Factors of patient and scan, as a study divides its test cases by them."""
    found = [model.cases[case.name] for case in cases]
    sanity = np.full((len(cases), len(SANITY_NAMES)), np.nan)
    sanity[:, SANITY_NAMES.index("log_volume_ml")] = np.log([one.volume_ml for one in found])
    blocks: dict[str, Any] = {"sanity": sanity}
    people = {case.name: one.clinical for case, one in zip(cases, found, strict=True)}
    names = tuple(case.name for case in cases)
    return factors_of(PreparedCohort(names=names, targets={}, blocks=blocks, people=people))
