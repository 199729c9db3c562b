"""The report's page: the document's numbers and the figures, put into `study_report.html`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.roles import Role, lead_of, with_role
from PDL1PredictorLib.report import svg
from PDL1PredictorLib.report.html import number, significant, templates
from PDL1PredictorLib.report.words import p_value, percent
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report import figures
from PDL1PredictorLib.study.report.dots import SHOWN_INPUTS, Dots, dots_of
from PDL1PredictorLib.study.report.drawing import Numbers
from PDL1PredictorLib.study.report.flow_chart import cases_used, flow_chart, flow_of
from PDL1PredictorLib.study.report.gallery import Shown, gallery, planes
from PDL1PredictorLib.study.report.kinds import Drawings, kind_report
from PDL1PredictorLib.study.report.looks import Looks, looks_of
from PDL1PredictorLib.study.report.method_text import blocks, marked

MOST_COLUMNS = 5  # models beside each other on A4
P_COLUMNS = {"p", "p_adjusted", "p_value", "q"}


@dataclass(frozen=True)
class KindView:
    """What the page shows of all endpoints of one kind.

    Attributes:
        template: Of the table of results.
        endpoints: Of the document, by key.
        left_out: Key to the reason.
        overview: Figure of all endpoints; None without any.
    """

    template: str
    endpoints: Mapping[str, Numbers]
    left_out: Mapping[str, str]
    overview: Markup | None


@dataclass(frozen=True)
class Beside:
    """What the page shows and the document does not hold.

    Attributes:
        dots: Endpoint to what its lead model made of every case.
        gallery: Endpoint to its heat maps.
        overlays: Endpoint to its cases in three planes.
    """

    dots: Mapping[str, Dots]
    gallery: Mapping[str, list[Shown]]
    overlays: Mapping[str, list[Shown]]


def beside(outcome: StudyOutcome) -> Beside:
    """Dots and pictures of a study that has just been made."""
    return Beside(dots_of(outcome), gallery(outcome.gallery, outcome.settings), planes(outcome.overlays))


def to_html(
    document: Mapping[str, Any],
    pictured: Beside,
    page: str = "study_report.html",
    progress: Progress = SILENT,
) -> str:
    """The report as one HTML page that needs no other file, no network and no script.

    Args:
        document: From `study_document`: the source of every number.
        pictured: Of the same study; what is not there is left out.
        page: Template of the page: of a study, or of an evaluation, whose document has parts of its own.
        progress: Told endpoint by endpoint, from half of it: the document was the first.
    """
    endpoints: Mapping[str, Numbers] = document["endpoints"]
    told = progress.each("drawings", list(endpoints), "drawings of {}".format, 0.5, 1.0)
    roles: Mapping[str, Role] = document["roles"]
    looks, history = looks_of(roles), document.get("history")
    reports = {key: kind_report(numbers["kind"]) for key, numbers in endpoints.items()}
    environment = _environment(looks, roles)
    style = environment.loader.get_source(environment, "study_report.css")[0] if environment.loader else ""
    return environment.get_template(page).render(
        study=document,
        style=Markup(style),  # noqa: S704 our own style sheet
        folded=document["design"] == Design.NESTED.words,
        kinds=_kinds(document, looks),
        sections={key: report.section for key, report in reports.items()},
        counted=list(dict.fromkeys(report.words.counts for report in reports.values())),
        flow=flow_chart(document),
        n_cases=cases_used(*flow_of(document)),
        drawings={key: _drawings(key, endpoints[key], pictured.dots.get(key), looks) for key in told},
        towards={key: report.towards(key) for key, report in reports.items()},
        learning=figures.learning_curves("learning", history) if history else None,
        gallery=pictured.gallery,
        overlays=pictured.overlays,
        heat_legend=svg.heat_legend(),
        method=blocks(document.get("method", "")),
        settings=flat(document["settings"]),
        provenance=flat(document["provenance"]),
    )


def _environment(looks: Looks, roles: Mapping[str, Role]) -> Environment:
    environment = templates("PDL1PredictorLib.study.report", "PDL1PredictorLib.report")
    environment.filters["header"] = header
    environment.globals |= {
        "looks": looks,
        "titles": list(roles),
        "columns": columns_of_results(roles),
        "lead": lead_of(roles),
        "baselines": with_role(roles, "baseline"),
        "SHOWN_FEATURES": figures.SHOWN_FEATURES,
        "SHOWN_INPUTS": SHOWN_INPUTS,
        "cell": cell,
        "columns_of": columns_of,
        "endpoint": endpoint,
        "estimate": estimate,
        "is_words": is_words,
        "marked": marked,
        "number": number,
        "p_value": p_value,
        "percent": percent,
        "significant": significant,
    }
    return environment


def _kinds(document: Mapping[str, Any], looks: Looks) -> list[KindView]:
    """By kind, in the order of the endpoints; those without a model last."""
    endpoints: Mapping[str, Numbers] = document["endpoints"]
    gone: Mapping[str, str] = document["left_out"]
    kind_of = {key: endpoint(key).kind for key in gone} | {key: e["kind"] for key, e in endpoints.items()}
    views = []
    for kind in dict.fromkeys(kind_of[key] for key in (*endpoints, *gone)):
        own = {key: numbers for key, numbers in endpoints.items() if kind_of[key] == kind}
        left_out = {key: reason for key, reason in gone.items() if kind_of[key] == kind and key not in endpoints}
        report = kind_report(kind)
        views.append(
            KindView(report.results, own, left_out, report.overview(f"overview-{kind}", own, looks) if own else None)
        )
    return views


def columns_of_results(roles: Mapping[str, Role]) -> list[str]:
    """Titles of the models in the tables of results: all, or the lead and the baselines where all are too many."""
    if len(roles) <= MOST_COLUMNS:
        return list(roles)
    return [lead_of(roles), *with_role(roles, "baseline")][:MOST_COLUMNS]


def estimate(found: Mapping[str, float | None] | None, digits: int | None = 2, open_ends: bool = False) -> Markup:
    """`0.84 (0.77 to 0.91)` of a value with `low` and `high`; a dash where there is none.

    Args:
        found: `value`, `low`, `high`.
        digits: After the point; None for three that count.
        open_ends: Whether an end that is None has no limit.
    """
    if found is None or found["value"] is None:
        return Markup("–")
    value, low, high = (
        significant(found[name]) if digits is None else number(found[name], digits) for name in ("value", "low", "high")
    )
    if open_ends:
        low, high = "−∞" if found["low"] is None else low, "∞" if found["high"] is None else high
    return Markup("{} <span class='soft'>({} to {})</span>").format(value, low, high)


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


def _drawings(key: str, numbers: Numbers, dots: Dots | None, looks: Looks) -> Drawings:
    """The figures of one endpoint: those of its kind, and those that all kinds have."""
    report, contributions = kind_report(numbers["kind"]), numbers["contributions"]
    measure = "integrated gradient" if numbers.get("network") else "Shapley value"
    return {
        **report.drawings(key, numbers, looks),
        "features": figures.selected_features(f"features-{key}", numbers) if numbers["coefficients"] else None,
        "correlation": figures.correlation_map(f"correlation-{key}", numbers)
        if numbers["correlation"]["inputs"]
        else None,
        "contributions": figures.contribution_swarm(
            f"contributions-{key}", dots, contributions, measure, report.effect_unit(key)
        )
        if contributions and dots
        else None,
    }
