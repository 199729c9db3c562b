"""Nested cross-validation of linear models on normal features, whose true areas are known: a study in milliseconds."""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm
from simulated_cases import stratified
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome

N_FOLDS = 5


class Recipe(NamedTuple):
    """Features, how many of them each training selects, and how often cases are divided anew."""

    features: int
    selected: int
    repeats: int = 1


def nested_outcome(
    n: int, share: float, area: float, recipe: Recipe, rng: np.random.Generator
) -> tuple[EndpointOutcome, float]:
    """A study of one endpoint and one model, and the mean true area of its models.

    Args:
        n: Cases.
        share: Of the positives.
        area: True area of the first feature; the others are noise.
        recipe: Of the models.
        rng: Draws cases and folds.
    """
    labels = (np.arange(n) < round(share * n)).astype(int)
    apart = np.sqrt(2) * norm.ppf(area)
    x = rng.normal(size=(n, recipe.features))
    x[:, 0] += labels * apart
    folds = np.stack([stratified(labels, N_FOLDS, rng) for _ in range(recipe.repeats)])
    scores, truths = np.zeros(folds.shape), []
    for score, fold in zip(scores, folds, strict=True):
        for number in range(N_FOLDS):
            test = fold == number
            columns = strongest(x[~test], labels[~test], recipe.selected)
            model = LogisticRegression(C=0.3).fit(x[~test][:, columns], labels[~test])
            score[test] = model.decision_function(x[test][:, columns])
            weights = model.coef_[0]
            first = weights[columns == 0].sum()
            truths.append(float(norm.cdf(first * apart / np.sqrt(2 * (weights @ weights)))))
    return outcome_of(labels, scores, folds), float(np.mean(truths))


def strongest(x: np.ndarray, labels: np.ndarray, n: int) -> np.ndarray:
    """Columns whose means differ most."""
    return np.argsort(-np.abs(x[labels == 1].mean(axis=0) - x[labels == 0].mean(axis=0)))[:n]


def outcome_of(labels: np.ndarray, scores: np.ndarray, folds: np.ndarray, fixed_score: bool = False) -> EndpointOutcome:
    """Scores (r, n) of one model as the outcome of an endpoint."""
    n = len(labels)
    calls = np.zeros(n, bool), np.ones(n, bool)
    model = ModelOutcome(scores, np.full(n, 0.5), *calls, "a line", {}, {}, fixed_score)
    return EndpointOutcome(
        key="PDL1",
        cases=tuple(f"case_{i}" for i in range(n)),
        labels=labels,
        folds=folds,
        patients=tuple(f"patient_{i}" for i in range(n)),
        models={"line": model},
        counts={"all": (int(labels.sum()), int(n - labels.sum()))},
        coefficients={},
        selected_in={},
        input_names=(),
        inputs=np.zeros((n, 0)),
        contributions=None,
        prediction_sets=np.ones((n, 2), bool),
        roles={"line": "lead"},
    )
