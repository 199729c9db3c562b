"""The report's page: the document's numbers and the figures, put into `study_report.html`."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.learning.model_names import FUSED, MODELS
from PDL1PredictorLib.report import svg
from PDL1PredictorLib.report.html import number, pretty, shown
from PDL1PredictorLib.report.words import feature_title, percent
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report import figures
from PDL1PredictorLib.study.report.drawing import MODEL_COLORS
from PDL1PredictorLib.study.report.figures import input_title
from PDL1PredictorLib.study.report.flow_chart import SPLIT, cases_used, flow_chart
from PDL1PredictorLib.study.report.gallery import gallery

P_COLUMNS = {"p", "p_adjusted", "p_value", "q"}


def to_html(outcome: StudyOutcome, document: Mapping[str, Any]) -> str:
    """The report as one HTML page that needs no other file, no network and no script.

    Args:
        outcome: For the pictures and the dots of the contributions.
        document: Of the same outcome, from `study_document`: the source of every number.
    """
    environment = Environment(
        loader=PackageLoader("PDL1PredictorLib.study.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"pretty": pretty, "header": header}
    environment.globals |= {
        "MODELS": MODELS,
        "MODEL_COLORS": MODEL_COLORS,
        "FUSED": FUSED,
        "SHOWN_FEATURES": figures.SHOWN_FEATURES,
        "cell": cell,
        "columns_of": columns_of,
        "endpoint": endpoint,
        "estimate": estimate,
        "feature_title": feature_title,
        "input_title": input_title,
        "is_words": is_words,
        "number": number,
        "p_value": p_value,
        "percent": percent,
    }
    style = environment.loader.get_source(environment, "study_report.css")[0] if environment.loader else ""
    return environment.get_template("study_report.html").render(
        study=document,
        style=Markup(style),  # noqa: S704 our own style sheet
        folded=outcome.design != SPLIT,
        overview=figures.auc_overview("auc", document["endpoints"]) if outcome.endpoints else None,
        flow=flow_chart(outcome),
        n_cases=cases_used(outcome),
        drawings={key: _drawings(outcome, document, key) for key in outcome.endpoints},
        learning=figures.learning_curves("learning", outcome.history) if outcome.history else None,
        gallery=gallery(outcome.gallery, outcome.settings),
        heat_legend=svg.heat_legend(),
        settings=flat(document["settings"]),
        provenance=flat(document["provenance"]),
    )


def estimate(value: Mapping[str, float | None] | None, digits: int = 2) -> Markup:
    """`0.84 (0.77 to 0.91)` of a value with `low` and `high`; a dash where there is none."""
    if value is None or value["value"] is None:
        return Markup("–")
    low, high = number(value["low"], digits), number(value["high"], digits)
    return Markup("{} <span class='soft'>({} to {})</span>").format(number(value["value"], digits), low, high)


def p_value(p: float | None) -> str:
    """A p as journals print it: three digits, small ones as a bound."""
    if p is None or not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def cell(column: str, value: Any) -> str:
    """A plain value of a table whose columns are not known beforehand."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if column.lower().replace(" ", "_") in P_COLUMNS and isinstance(value, (int, float)):
        return p_value(float(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    if isinstance(value, float):
        return (f"{value:.3f}" if 0.001 <= abs(value) < 1 else f"{value:.3g}").replace("-", "−")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(cell(column, item) for item in value)
    return str(value)


def header(column: str) -> str:
    """A column's name for people."""
    return column.replace("_", " ")


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of all rows that hold anything, in the order in which they first occur."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if any(row.get(name) not in (None, "") for row in rows)]


def is_words(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    """Whether a column holds words, which stand on the left, and not numbers or texts that begin with one."""
    values = [value for row in rows if (value := row.get(column)) not in (None, "", "-")]
    return not any(isinstance(value, (int, float)) or str(value)[:1].isdigit() for value in values)


def flat(values: Any, prefix: str = "") -> dict[str, str]:
    """Nested plain values as `outer.inner: value` lines."""
    if not isinstance(values, Mapping):
        return {prefix: f"{values:g}" if isinstance(values, float) else cell("", values)}
    lines: dict[str, str] = {}
    for key, value in values.items():
        lines |= flat(value, f"{prefix}.{key}" if prefix else str(key))
    return lines


def _drawings(outcome: StudyOutcome, document: Mapping[str, Any], key: str) -> dict[str, Markup | None]:
    """The figures of one endpoint; those that need both outcomes are None where one is lacking."""
    numbers, found = document["endpoints"][key], outcome.endpoints[key]
    both = numbers["decision_reference"] is not None
    contributions = numbers["contributions"]
    return {
        "roc": figures.roc_curves(f"roc-{key}", numbers) if both else None,
        "calibration": figures.calibration_curves(f"calibration-{key}", numbers) if both else None,
        "decision": figures.decision_curves(f"decision-{key}", numbers) if both else None,
        "confusion": figures.confusion_tables(f"confusion-{key}", numbers) if both else None,
        "features": figures.selected_features(f"features-{key}", numbers),
        "correlation": figures.correlation_map(f"correlation-{key}", numbers),
        "contributions": figures.contribution_swarm(f"contributions-{key}", found, contributions)
        if contributions is not None
        else None,
    }
