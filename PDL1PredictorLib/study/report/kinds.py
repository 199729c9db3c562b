"""What the report shows of an endpoint by its kind: measures, tables, figures, words. The one place that asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from PDL1PredictorLib.core.endpoints import Kind, endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.targets import LANDMARK_DAYS
from PDL1PredictorLib.report.html import number, significant
from PDL1PredictorLib.study.discrimination import area_of
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.binary import figures as binary_figures
from PDL1PredictorLib.study.report.binary.measures import binary_numbers, binary_tests
from PDL1PredictorLib.study.report.binary.subgroups import forest
from PDL1PredictorLib.study.report.drawing import Numbers
from PDL1PredictorLib.study.report.kind_words import BINARY_WORDS, NUMBER_WORDS, Words
from PDL1PredictorLib.study.report.looks import Looks
from PDL1PredictorLib.study.report.losses import Losses, losses_of_calls, losses_of_numbers, true_number, true_word
from PDL1PredictorLib.study.report.measures import Plain, estimate_of
from PDL1PredictorLib.study.report.number import figures as number_figures
from PDL1PredictorLib.study.report.number import network_figures
from PDL1PredictorLib.study.report.number.measures import headline, number_numbers, number_tests
from PDL1PredictorLib.study.report.predictions import BINARY_COLUMNS, NUMBER_COLUMNS, binary_rows, number_rows
from PDL1PredictorLib.study.report.time import figures as time_figures
from PDL1PredictorLib.study.report.time.measures import time_numbers, time_tests
from PDL1PredictorLib.study.report.time.rows import (
    TIME_COLUMNS,
    losses_of_times,
    time_cells,
    time_figure,
    time_rows,
    true_time,
)
from PDL1PredictorLib.study.report.time.words import TIME_WORDS

Drawings = dict[str, Markup | None]


@dataclass(frozen=True)
class KindReport:
    """How endpoints of one kind are reported.

    Attributes:
        numbers: What the document holds of an endpoint besides what all kinds share, at the stated coverage.
        tests: Those among an endpoint's numbers, whose `p` are adjusted together.
        counted: One part's cases, for a box of the flow chart.
        overview: The figure of all endpoints.
        drawings: The figures of one endpoint, by name in its template; None where there is nothing to draw.
        effect_unit: Key to the unit of Shapley values.
        towards: Key to where a contribution to the right leads.
        results: Template of the table of all endpoints.
        section: Template of one endpoint.
        columns: Of `predictions.csv`, after endpoint, case, label and model.
        rows: Label and what stands in these columns, for each case of one model.
        card_cells: What stands below `Words.card_columns` in the model card.
        card_figure: What the card tells of one model, by title.
        losses: How wrong the lead model was on each case, to find the hardest.
        truth: What would have been right for the case in a row, for people.
        words: What is said of them.
    """

    numbers: Callable[[EndpointOutcome, float], Plain]
    tests: Callable[[Plain], list[Plain]]
    counted: Callable[[tuple[int, ...]], str]
    overview: Callable[[str, Mapping[str, Numbers], Looks], Markup]
    drawings: Callable[[str, Numbers, Looks], Drawings]
    effect_unit: Callable[[str], str]
    towards: Callable[[str], str]
    results: str
    section: str
    columns: tuple[str, ...]
    rows: Callable[[EndpointOutcome, str], list[tuple[object, ...]]]
    card_cells: Callable[[EndpointOutcome], tuple[str, str]]
    card_figure: Callable[[EndpointOutcome, str], str]
    losses: Callable[[EndpointOutcome], Losses]
    truth: Callable[[EndpointOutcome, int], str | float]
    words: Words


def kind_report(kind: Kind) -> KindReport:
    """How a kind is reported.

    Raises:
        InputError: It cannot be reported yet.
    """
    try:
        return KINDS[kind]
    except KeyError:
        raise InputError(
            f"The report of a study shows endpoints of the kinds {', '.join(KINDS)}, got {kind}. "
            "Leave endpoints of that kind out of the study."
        ) from None


def _binary_drawings(key: str, numbers: Numbers, looks: Looks) -> Drawings:
    models = numbers["models"].values()
    ranked, answered = (any(model[name] is not None for model in models) for name in ("roc", "measures"))
    return {
        "roc": binary_figures.roc_curves(f"roc-{key}", numbers, looks) if ranked else None,
        "calibration": binary_figures.calibration_curves(f"calibration-{key}", numbers, looks) if answered else None,
        "decision": binary_figures.decision_curves(f"decision-{key}", numbers, looks) if answered else None,
        "confusion": binary_figures.confusion_tables(f"confusion-{key}", numbers, looks) if answered else None,
        "subgroups": forest(f"subgroups-{key}", numbers, looks) if numbers["subgroups"] else None,
    }


def _number_drawings(key: str, numbers: Numbers, looks: Looks) -> Drawings:
    if numbers["constants"] is None:  # too few cases
        return dict.fromkeys(("scatter", "bland_altman", "residuals", "scatters", "quantiles", "errors", "network"))
    inside = numbers["network"]
    return {
        "quantiles": network_figures.quantiles(f"quantiles-{key}", numbers, looks),
        "errors": network_figures.errors_by_case(f"errors-{key}", numbers, looks),
        "epochs": network_figures.epochs(f"epochs-{key}", numbers, looks) if inside and inside["epochs"] else None,
        "shares": network_figures.shares(f"shares-{key}", numbers) if inside else None,
        "attention": network_figures.attention_against_shares(f"attention-{key}", numbers) if inside else None,
        "components": network_figures.components(f"components-{key}", numbers) if inside else None,
        "scatter": number_figures.lead_scatter(f"scatter-{key}", numbers, looks),
        "bland_altman": number_figures.bland_altman(f"bland-altman-{key}", numbers, looks),
        "residuals": number_figures.residual_histogram(f"residuals-{key}", numbers, looks),
        "scatters": number_figures.scatters(f"scatters-{key}", numbers, looks),
    }


def _time_drawings(key: str, numbers: Numbers, looks: Looks) -> Drawings:
    days = numbers["horizons"]
    place = min(range(len(days)), key=lambda at: abs(days[at] - LANDMARK_DAYS), default=None)
    shown = place is not None and any(model["calibration"][place] for model in numbers["models"].values())
    return {
        "curves": time_figures.kaplan_meier_curves(f"curves-{key}", numbers) if numbers["groups"] else None,
        "calibration": time_figures.calibration(f"calibration-{key}", numbers, looks, place)
        if shown and place is not None
        else None,
    }


def _binary_cells(found: EndpointOutcome) -> tuple[str, str]:
    positive = int(found.labels.sum())
    return endpoint(found.key).definition, f"{positive} / {len(found.labels) - positive}"


def _binary_figure(found: EndpointOutcome, title: str) -> str:
    area = area_of(found, title)
    return "not measured" if area is None else _three(estimate_of(area.value, area.interval))


def _number_cells(found: EndpointOutcome) -> tuple[str, str]:
    words, n = endpoint(found.key), len(found.labels)
    defined = f"{words.definition} ({words.unit})" if words.unit else words.definition
    if not n:
        return defined, "0"
    low, median, high = (
        significant(value, zeros=False) for value in np.quantile(found.labels, [0.25, 0.5, 0.75]).tolist()
    )
    return defined, f"{n}; {median} ({low} to {high})"


def _number_figure(found: EndpointOutcome, title: str) -> str:
    measured = headline(found, title)
    return "not measured" if measured is None else f"{_three(measured[0])}; {significant(measured[1])}"


def _three(found: Plain) -> str:
    value, low, high = (number(found[name], 3) for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


KINDS: Mapping[Kind, KindReport] = {
    "binary": KindReport(
        numbers=binary_numbers,
        tests=binary_tests,
        counted=lambda counts: " / ".join(map(str, counts)),
        overview=binary_figures.auc_overview,
        drawings=_binary_drawings,
        effect_unit=lambda key: "log-odds of positive",
        towards=lambda key: f"“{endpoint(key).positive}”",
        results="results_binary.html",
        section="endpoint_binary.html",
        columns=BINARY_COLUMNS,
        rows=binary_rows,
        card_cells=_binary_cells,
        card_figure=_binary_figure,
        losses=losses_of_calls,
        truth=true_word,
        words=BINARY_WORDS,
    ),
    "number": KindReport(
        numbers=number_numbers,
        tests=number_tests,
        counted=lambda counts: str(sum(counts)),
        overview=number_figures.r2_overview,
        drawings=_number_drawings,
        effect_unit=lambda key: endpoint(key).unit or "in the endpoint's unit",
        towards=lambda key: "a greater value",
        results="results_number.html",
        section="endpoint_number.html",
        columns=NUMBER_COLUMNS,
        rows=number_rows,
        card_cells=_number_cells,
        card_figure=_number_figure,
        losses=losses_of_numbers,
        truth=true_number,
        words=NUMBER_WORDS,
    ),
    "time": KindReport(
        numbers=time_numbers,
        tests=time_tests,
        counted=lambda counts: " / ".join(map(str, counts)),
        overview=time_figures.c_overview,
        drawings=_time_drawings,
        effect_unit=lambda key: "log hazard",
        towards=lambda key: "the event comes sooner",
        results="results_time.html",
        section="endpoint_time.html",
        columns=TIME_COLUMNS,
        rows=time_rows,
        card_cells=time_cells,
        card_figure=time_figure,
        losses=losses_of_times,
        truth=true_time,
        words=TIME_WORDS,
    ),
}
