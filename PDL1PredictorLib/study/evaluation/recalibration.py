"""A model recalibrated on the cases of a site: what is reported is of cases that a fit has not seen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.learning.recalibrated import Recalibrated
from PDL1PredictorLib.models.schema.endpoints import BinaryRule, EndpointModel
from PDL1PredictorLib.statistics.conformal import class_conditional_quantiles
from PDL1PredictorLib.statistics.external.recalibration import (
    LEAST_FOR_INTERCEPT,
    LEAST_FOR_SLOPE,
    SiteFit,
    Way,
    cross_validated,
    fit_site,
    resampled_fits,
    way_for,
)
from PDL1PredictorLib.statistics.scores import expit
from PDL1PredictorLib.study.evaluation.answers import RECALIBRATED
from PDL1PredictorLib.study.evaluation.outcome import Evaluated
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome
from PDL1PredictorLib.study.report.measures import Plain
from PDL1PredictorLib.study.shipped_figures import shipped_figures

N_FOLDS = 10


@dataclass(frozen=True, eq=False)
class SiteRecalibration:
    """What was fitted for one endpoint.

    Attributes:
        way: What the cases were enough for.
        why_not: Why nothing was fitted; empty where something was.
        n_positive: Cases of the fit that are positive.
        n_negative: Cases that are negative.
        fit: Of all cases: what the new bundle holds; None where nothing was fitted.
        outcome: The endpoint's, with the recalibrated model among the others, of cases that its fits have not seen.
        bundle: What changes in the bundle; None where nothing was fitted.
    """

    way: Way
    why_not: str
    n_positive: int
    n_negative: int
    fit: SiteFit | None
    outcome: EndpointOutcome
    bundle: Recalibrated | None

    def to_dict(self) -> Plain:
        """Plain values for JSON."""
        fit = {"slope": None, "intercept": None, "threshold": None} if self.fit is None else self.fit._asdict()
        counts = {"n_positive": self.n_positive, "n_negative": self.n_negative}
        return {"way": self.way, "why_not": self.why_not, **counts, **fit}


def recalibrate(
    found: Mapping[str, Evaluated], models: Mapping[str, EndpointModel], title: str, coverage: float, seed: int
) -> dict[str, SiteRecalibration]:
    """Fit every yes/no endpoint to the cases.

    Args:
        found: What was evaluated, by endpoint.
        models: Of the bundle, by endpoint.
        title: Of the model.
        coverage: Of its prediction sets.
        seed: Of the folds.
    """
    return {
        key: _endpoint(one, models[key], title, coverage, np.random.default_rng([seed, place]))
        for place, (key, one) in enumerate(found.items())
    }


def _endpoint(
    found: Evaluated, model: EndpointModel, title: str, coverage: float, rng: np.random.Generator
) -> SiteRecalibration:
    outcome, rule = found.outcome, model.rule
    if not isinstance(rule, BinaryRule):
        return SiteRecalibration(
            "none", "only yes/no answers are recalibrated", 0, 0, None, _with(outcome, title, None), None
        )
    labels, own = np.asarray(outcome.labels), outcome.binary_models()[title]
    counts = int((labels == 1).sum()), int((labels == 0).sum())
    way, why_not = _way(outcome, own, rule)
    if way == "none":
        return SiteRecalibration(way, why_not, *counts, None, _with(outcome, title, None), None)
    log_odds = own.score[0]
    fit = fit_site(labels, log_odds, rule.threshold, way)
    if fit.slope <= 0:
        why_not = "the scores do not rise with the truth here: no line makes probabilities of them"
        return SiteRecalibration("none", why_not, *counts, None, _with(outcome, title, None), None)
    parts = _parts(outcome, labels, rng)
    probability, positive = cross_validated(labels, log_odds, rule.threshold, way, parts)
    tried = replace(
        own, probability=probability, positive=positive, thresholds={"threshold of the site": fit.threshold}
    )
    joined = _with(outcome, title, tried)
    bundle = Recalibrated(
        slope=fit.slope,
        intercept=fit.intercept,
        threshold=fit.threshold,
        conformal=_conformal(labels, probability, coverage, fit, rule, way),
        lines=lambda n: resampled_fits(labels, log_odds, way, n, rng),
        base_rate=counts[0] / sum(counts),
        test=_test(joined),
    )
    return SiteRecalibration(way, "", *counts, fit, joined, bundle)


def _way(outcome: EndpointOutcome, own: ModelOutcome, rule: BinaryRule) -> tuple[Way, str]:
    """What the cases are enough for, and why they are enough for nothing."""
    if not 0 < rule.threshold < 1 or np.ptp(own.score) == 0:
        return "none", "the model answers the same for every case"
    way = way_for(outcome.labels)
    if way != "none":
        return way, ""
    return way, f"{LEAST_FOR_INTERCEPT} cases of each answer are needed for the intercept, {LEAST_FOR_SLOPE} for both"


def _parts(outcome: EndpointOutcome, labels: np.ndarray, rng: np.random.Generator) -> Sequence[np.ndarray]:
    n = min(N_FOLDS, len(set(outcome.patients)))
    return stratified_parts(outcome.patients, labels[:, None].astype(float), (1 / n,) * n, rng)


def _with(outcome: EndpointOutcome, title: str, tried: ModelOutcome | None) -> EndpointOutcome:
    """The outcome with the recalibrated model behind the one that it was made of."""
    roles: dict[str, Role] = {}
    models: dict[str, Any] = {}
    for name, role in outcome.roles.items():
        roles[name] = role
        if name in outcome.models:
            models[name] = outcome.models[name]
        if name == title:
            roles[RECALIBRATED] = "part"
            if tried is not None:
                models[RECALIBRATED] = tried
    return replace(outcome, models=models, roles=roles)


def _conformal(
    labels: np.ndarray, probability: np.ndarray, coverage: float, fit: SiteFit, rule: BinaryRule, way: Way
) -> tuple[float, float]:
    """Limits of the prediction sets: set anew where a slope was fitted, else moved with the probabilities."""
    if way == "slope":
        return class_conditional_quantiles(labels, probability, coverage)
    negative, positive = rule.conformal
    return _moved(negative, fit), 1 - _moved(1 - positive, fit) if math.isfinite(positive) else positive


def _moved(limit: float, fit: SiteFit) -> float:
    if not 0 < limit < 1:  # one that is never, or always, ruled out stays so
        return limit
    return float(expit(np.array(fit.slope * math.log(limit / (1 - limit)) + fit.intercept)))


def _test(outcome: EndpointOutcome) -> dict[str, Any] | None:
    """Figures of the recalibrated model on the site's cases, for the new bundle."""
    figures = shipped_figures(outcome, RECALIBRATED)
    return None if figures is None else {**figures, "design": Design.EVALUATION.value}
