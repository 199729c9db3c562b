"""The measures of a yes/no endpoint, as plain values for JSON; `None` where one cannot be had."""

import numpy as np

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.statistics.calibration import brier_score, calibration, calibration_curve
from PDL1PredictorLib.statistics.curves import roc_curve
from PDL1PredictorLib.statistics.decision import decision_curve
from PDL1PredictorLib.statistics.discrimination import auc, delong_test
from PDL1PredictorLib.statistics.proportions import F1, Proportion, performance
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome
from PDL1PredictorLib.study.report.measures import RESAMPLES, SEED, Plain, counted, estimate_of, share_of

BAND_RESAMPLES = 1000
MOST_GROUPS = 10  # of cases with similar probability
CASES_PER_GROUP = 20  # at least, so that an observed share says something
MEASURES = ("accuracy", "recall", "precision", "specificity", "ppv", "npv", "f1")
NEED_BOTH = (
    "auc",
    "delong",
    "measures",
    "confusion",
    "brier",
    "calibration",
    "reliability",
    "roc",
    "roc_band",
    "decision_curve",
)


def binary_numbers(outcome: EndpointOutcome, coverage: float) -> Plain:
    """How the models of a yes/no endpoint did.

    Args:
        outcome: Of the endpoint.
        coverage: That its prediction sets were made for.
    """
    labels, models = np.asarray(outcome.labels), outcome.binary_models()
    lead = (outcome.lead, models[outcome.lead]) if outcome.lead in models else None
    words = endpoint(outcome.key)
    return {
        "positive_word": words.positive,
        "negative_word": words.negative,
        "positive": int(np.count_nonzero(labels == 1)),
        "negative": int(np.count_nonzero(labels == 0)),
        "counts": {part: {"positive": yes, "negative": no} for part, (yes, no) in outcome.counts.items()},
        "bayes_auc": outcome.bayes_auc,
        "models": {
            title: _model_numbers(labels, model, None if title == outcome.lead else lead)
            for title, model in models.items()
        },
        "decision_reference": decision_reference(labels),
        "prediction_sets": set_numbers(labels, np.asarray(outcome.prediction_sets), coverage),
    }


def binary_tests(numbers: Plain) -> list[Plain]:
    """The tests among an endpoint's numbers, each with its `p`."""
    return [model["delong"] for model in numbers["models"].values() if model["delong"] is not None]


def _model_numbers(labels: np.ndarray, model: ModelOutcome, lead: tuple[str, ModelOutcome] | None) -> Plain:
    """How one model did: the figures of `NEED_BOTH`, all None where not both labels occur.

    Args:
        labels: 0 or 1, (n,).
        model: The model.
        lead: Title and answers of what it is compared with by DeLong's test; None for the lead model itself.
    """
    described: Plain = {
        "classifier": model.classifier,
        "mean_auc_in_training": dict(model.mean_auc),
        "thresholds": dict(model.thresholds),
    }
    if not has_both(labels):
        return described | dict.fromkeys(NEED_BOTH)
    area = auc(labels, model.probability)
    fitted = calibration(labels, model.probability)
    groups = calibration_curve(labels, model.probability, _n_groups(len(labels)))
    roc = roc_curve(labels, model.probability)
    curve = decision_curve(labels, model.probability)
    return described | {
        "auc": estimate_of(area.value, area.interval),
        "delong": _delong(labels, model, lead),
        **_calls(labels, model.positive),
        "brier": brier_score(labels, model.probability),
        "calibration": {"slope": fitted.slope, "intercept": fitted.intercept, "in_the_large": fitted.in_the_large},
        "reliability": [{"predicted": g.predicted, "observed": share_of(g.observed)} for g in groups],
        "roc": {
            "false_positive_rate": roc.false_positive_rate.tolist(),
            "true_positive_rate": roc.true_positive_rate.tolist(),
        },
        "roc_band": roc_band(labels, model.probability),
        "decision_curve": {"threshold": curve.thresholds.tolist(), "net_benefit": curve.model.tolist()},
    }


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


def roc_band(labels: np.ndarray, scores: np.ndarray) -> Plain | None:
    """Pointwise 95 % interval of the sensitivity at every specificity, by drawing cases within the labels.

    Returns:
        None where an outcome has fewer than two cases.
    """
    if min(np.count_nonzero(labels == 1), np.count_nonzero(labels == 0)) < 2:
        return None
    rng = np.random.default_rng(SEED)
    values, place = np.unique(scores, return_inverse=True)

    def rates(rows: np.ndarray) -> np.ndarray:
        """Share of the drawn cases called positive at each value, from the highest down: (resamples, values + 1)."""
        times = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=BAND_RESAMPLES)
        at_value = times @ (place[rows][:, None] == np.arange(len(values))[::-1])
        return np.pad(at_value.cumsum(axis=1) / len(rows), ((0, 0), (1, 0)))

    true_rates, false_rates = rates(np.flatnonzero(labels == 1)), rates(np.flatnonzero(labels == 0))
    at = np.linspace(0, 1, 51)
    curves = np.array([np.interp(at, x, y) for x, y in zip(false_rates, true_rates, strict=True)])
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    return {"false_positive_rate": at.tolist(), "low": low.tolist(), "high": high.tolist()}


def _delong(labels: np.ndarray, model: ModelOutcome, lead: tuple[str, ModelOutcome] | None) -> Plain | None:
    if lead is None or min(np.count_nonzero(labels == 1), np.count_nonzero(labels == 0)) < 2:
        return None
    title, other = lead
    test = delong_test(labels, model.probability, other.probability)
    low, high = test.interval
    return {"against": title, "difference": test.difference, "low": low, "high": high, "z": test.z, "p": test.p}


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


def _n_groups(n: int) -> int:
    return min(MOST_GROUPS, max(2, n // CASES_PER_GROUP))
