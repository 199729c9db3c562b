"""The numbers of a comparison of models of a number, as plain values for JSON; no row of the table is among them."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from PDL1PredictorLib import RESEARCH_USE_ONLY, __version__
from PDL1PredictorLib.learning.tables.held_out import TableSettings
from PDL1PredictorLib.learning.tables.input_table import InputTable
from PDL1PredictorLib.learning.tables.numbers.comparison import NumberComparison, NumberResult
from PDL1PredictorLib.learning.tables.numbers.measures import Cut, Estimate
from PDL1PredictorLib.learning.tables.numbers.number_table import Span
from PDL1PredictorLib.statistics.agreement import constants

SCHEMA_VERSION = "1.0"
PACKAGES = ("numpy", "scipy", "scikit-learn")
Plain = dict[str, Any]
NOTES = (
    "Each model was fitted anew on rows of this table and tested on its other rows. That shows how well these inputs "
    "tell this number here, not how a model fitted elsewhere would do, nor how these would on other patients.",
    "R²: 1 less the squared error of held-out answers over that of the mean of the same training part, so that the "
    "mean has 0 and a model that found nothing is at or below it. Mean of the repetitions. In the JSON file "
    "r2_own_mean is R² about the mean of all cases, as in the reports of trainings; it is lower, since no training "
    "part knows that mean.",
    "Intervals: 95 %, from 2000 resamples of patients with their held-out answers. They take the trained models as "
    "they are: that other training patients would have taught other models makes the truth wider. Those of the rank "
    "correlation and of AUC are by formulas, taken within folds; that of AUC allows for shared training cases.",
    "The mean has the least squared error of all constants, the median the least absolute one. Every model here is "
    "fitted to squares: it can lose to the median in MAE and yet hold some truth, where many numbers lie at one end.",
    "The best of several models was picked with the same rows: its figure is somewhat too good.",
)


def document_of(table: InputTable, settings: TableSettings, span: Span, found: NumberComparison, command: str) -> Plain:
    """Everything that is told of a comparison.

    Args:
        table: That was read.
        settings: How it was done.
        span: Where the number can lie.
        found: What came out.
        command: What was typed.
    """
    labels = found.units.labels
    return {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": RESEARCH_USE_ONLY,
        "command": command,
        "table": {
            "file": table.file_name,
            "sha256": table.sha256,
            "label": table.label,
            "n_rows": int(table.labels.size),
            "unit": found.units.words,
            "n_units": int(labels.size),
            "n_patients": None if table.patients is None else len(set(table.patients)),
            "n_unknown": table.n_unknown,
            "inputs": list(table.inputs),
            "ignored": list(table.ignored),
            "options": dict(table.options),
        },
        "settings": {**asdict(settings), "low": span.low, "high": span.high},
        "observed": _observed(labels),
        "best": found.best.kind,
        "best_p": found.best_p,
        "models": {one.kind: _model(one) for one in found.results},
        "notes": [*table.warnings, *([found.left_out] if found.left_out else []), *_about_units(table, found), *NOTES],
        "versions": {"PDL1Predictor": __version__, **{name: version(name) for name in PACKAGES}},
    }


def _observed(labels: np.ndarray) -> Plain:
    quantiles = np.quantile(labels, [0, 0.25, 0.5, 0.75, 1]).tolist()
    names = ("lowest", "quartile_1", "median", "quartile_3", "highest")
    spread = {"mean": float(labels.mean()), "sd": float(labels.std(ddof=1))}
    return {**spread, **dict(zip(names, quantiles, strict=True)), "constants": constants(labels)._asdict()}


def _model(one: NumberResult) -> Plain:
    return {
        "learned": one.learned,
        "repeats": len(one.answers.predicted),
        **{name: estimate(figure) for name, figure in one.figures.items()},
        "spearman": estimate(one.spearman),
        "cuts": [_cut(cut) for cut in one.cuts],
        "line": {name: _finite(value) for name, value in one.line.items()},
        "p": one.p,
    }


def estimate(found: Estimate | None) -> Plain | None:
    """Value with `low` and `high`; None of a value that is no number."""
    if found is None or not math.isfinite(found.value):
        return None
    low, high = (_finite(end) for end in found.interval)
    return {"value": found.value, "low": low, "high": high}


def _cut(cut: Cut) -> Plain:
    return {"cut": cut.cut, "positive": cut.n_positive, "negative": cut.n_negative, "auc": estimate(cut.auc)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _about_units(table: InputTable, found: NumberComparison) -> list[str]:
    notes = []
    if found.units.words == "patients":
        notes.append(
            "A patient's rows are held out together, and answered once, by the mean of their answers. In a training "
            "all patients weigh the same, but for the loss of networks, which counts rows; the line on their answers "
            "counts patients."
        )
    elif table.patients is not None:
        notes.append("A patient's rows are held out together; intervals and permutations count patients.")
    if found.best_p is not None:
        n = sum(one.p is not None for one in found.results)
        notes.append(
            f"The best of {n} models with a p has p = {found.best_p:.2g}: how often the best of all has as large an R² "
            "where patients exchange their numbers and everything is fitted anew."
        )
    return notes


def unit_digits(document: Mapping[str, Any]) -> int:
    """Behind the point of figures in the number's unit: three that count of its SD."""
    return max(0, 2 - math.floor(math.log10(document["observed"]["sd"])))


def ranked(document: Mapping[str, Any]) -> list[tuple[str, Plain]]:
    """Title and numbers of every model, the largest R² first; one without R² last."""
    models: Mapping[str, Plain] = document["models"]
    return sorted(models.items(), key=lambda row: -(row[1]["r2"] or {"value": -math.inf})["value"])
