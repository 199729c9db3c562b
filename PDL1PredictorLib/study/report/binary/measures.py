"""The measures of a yes/no endpoint, as plain values for JSON; `None` where one cannot be had.

Discrimination comes from raw scores within folds, of all repetitions. Calibration, decisions and calls come from the
first repetition, pooled over its folds, of the cases that were answered: a fold whose model learned nothing calls none.
"""

import numpy as np

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.statistics.calibration import brier_score
from PDL1PredictorLib.statistics.decision import decision_curve
from PDL1PredictorLib.statistics.proportions import F1, Proportion, performance
from PDL1PredictorLib.study.discrimination import N_PERMUTATIONS, area_of, comparison_of
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome
from PDL1PredictorLib.study.report.binary.curves import (
    calibration_numbers,
    decision_numbers,
    reliability,
    roc_band,
    roc_numbers,
)
from PDL1PredictorLib.study.report.binary.redivisions import redivision_numbers
from PDL1PredictorLib.study.report.binary.sample_size import sample_size_numbers
from PDL1PredictorLib.study.report.binary.subgroups import subgroup_numbers
from PDL1PredictorLib.study.report.binary.within import within_numbers
from PDL1PredictorLib.study.report.measures import RESAMPLES, SEED, Plain, counted, estimate_of, share_of

MEASURES = ("accuracy", "recall", "precision", "specificity", "ppv", "npv", "f1")
OF_SCORES = ("auc", "auc_repetitions", "permutation", "delong", "roc", "roc_band")
OF_ANSWERS = ("measures", "confusion", "brier", "calibration", "reliability", "decision_curve")


def binary_numbers(outcome: EndpointOutcome, coverage: float) -> Plain:
    """How the models of a yes/no endpoint did.

    Args:
        outcome: Of the endpoint.
        coverage: That its prediction sets were made for.
    """
    labels = np.asarray(outcome.labels)
    words = endpoint(outcome.key)
    models = {title: _model_numbers(outcome, title) for title in outcome.binary_models()}
    return {
        "positive_word": words.positive,
        "negative_word": words.negative,
        "positive": int(np.count_nonzero(labels == 1)),
        "negative": int(np.count_nonzero(labels == 0)),
        "counts": {part: {"positive": yes, "negative": no} for part, (yes, no) in outcome.counts.items()},
        "sample_size": sample_size_numbers(outcome),
        "subgroups": subgroup_numbers(outcome),
        "bayes_auc": outcome.bayes_auc,
        "inner_folds": {title: list(areas) for title, areas in outcome.inner_folds.items()},
        "redivisions": redivision_numbers(outcome, models),
        "within": within_numbers(outcome),
        "models": models,
        "decision_reference": decision_reference(labels),
        "prediction_sets": set_numbers(labels, np.asarray(outcome.prediction_sets), coverage),
    }


def binary_tests(numbers: Plain) -> list[Plain]:
    """The tests among an endpoint's numbers, each with its `p`: comparisons, and areas against chance."""
    found = [model[name] for model in numbers["models"].values() for name in ("delong", "permutation")]
    return [test for test in found if test is not None]


def has_both(labels: np.ndarray) -> bool:
    """Whether there are positive and negative cases."""
    return bool((labels == 1).any() and (labels == 0).any())


def decision_reference(labels: np.ndarray) -> Plain | None:
    """Net benefit of treating all cases; None where not both labels occur."""
    if not has_both(labels):
        return None
    curve = decision_curve(labels, np.zeros(len(labels)))
    return {"threshold": curve.thresholds.tolist(), "treat_all": curve.treat_all.tolist()}


def set_numbers(labels: np.ndarray, sets: np.ndarray, stated: float) -> Plain:
    """How often the prediction sets hold the true answer, against what they state.

    Args:
        labels: 0 or 1, (n,).
        sets: Whether negative, positive is in the set, (n, 2) bool.
        stated: Coverage that they were made for.
    """
    covered = sets[np.arange(len(labels)), labels.astype(int)]
    sizes = sets.sum(axis=1)
    groups = {"all": np.ones(len(labels), bool), "negative": labels == 0, "positive": labels == 1}
    return {
        "stated": stated,
        "observed": {name: counted(covered[rows]) for name, rows in groups.items()},
        "one_answer": counted(sizes == 1),
        "both_answers": counted(sizes == 2),
        "no_answer": counted(sizes == 0),
        "right_where_one": counted(covered[sizes == 1]),
    }


def _model_numbers(outcome: EndpointOutcome, title: str) -> Plain:
    model = outcome.binary_models()[title]
    return {
        "classifier": model.classifier,
        "mean_auc_in_training": dict(model.mean_auc),
        "thresholds": dict(model.thresholds),
        "answered": counted(model.called),
        **_of_scores(outcome, title),
        **_of_answers(outcome, model),
    }


def _of_scores(outcome: EndpointOutcome, title: str) -> Plain:
    """How the model ranks cases: `OF_SCORES`, all None where no two cases can be compared."""
    area = area_of(outcome, title)
    if area is None:
        return dict.fromkeys(OF_SCORES)
    score = outcome.binary_models()[title].score
    return {
        "auc": estimate_of(area.value, area.interval),
        "auc_repetitions": area.repetitions.tolist(),
        "permutation": None if area.p is None else {"permutations": N_PERMUTATIONS, "p": area.p},
        "delong": _delong(outcome, title),
        "roc": roc_numbers(outcome, score),
        "roc_band": roc_band(outcome, score),
    }


def _delong(outcome: EndpointOutcome, title: str) -> Plain | None:
    if title == outcome.lead or outcome.lead not in outcome.models:
        return None
    test = comparison_of(outcome, title, outcome.lead)
    if test is None:
        return None
    low, high = test.interval
    found = {"against": outcome.lead, "difference": test.difference, "low": low, "high": high}
    return found | {"z": test.z, "p": test.p}


def _of_answers(outcome: EndpointOutcome, model: ModelOutcome) -> Plain:
    """What its answers are worth: `OF_ANSWERS`, all None where the answered cases are not of both labels."""
    labels, p = np.asarray(outcome.labels)[model.called], model.probability[model.called]
    if not has_both(labels):
        return dict.fromkeys(OF_ANSWERS)
    return {
        **_calls(labels, model.positive[model.called]),
        "brier": brier_score(labels, p),
        "calibration": calibration_numbers(labels, p),
        "reliability": reliability(labels, p),
        "decision_curve": decision_numbers(labels, p, np.asarray(outcome.patients)[model.called]),
    }


def _calls(labels: np.ndarray, called: np.ndarray) -> Plain:
    """The table of calls, and its rates with intervals under the names that papers use."""
    found = performance(labels, called, np.random.default_rng(SEED), n_resamples=RESAMPLES)
    rates: list[Proportion | F1] = [
        found.accuracy,
        found.sensitivity,
        found.ppv,
        found.specificity,
        found.ppv,
        found.npv,
        found.f1,
    ]
    names = ("true_positive", "false_positive", "true_negative", "false_negative")
    return {
        "measures": {name: share_of(rate) for name, rate in zip(MEASURES, rates, strict=True)},
        "confusion": dict(zip(names, found.table[:4], strict=True)),
    }
