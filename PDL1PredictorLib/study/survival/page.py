"""The report's page: the document's numbers and the figures, put into `survival.html`."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from PDL1PredictorLib.report.html import number, significant, templates
from PDL1PredictorLib.report.words import p_value, percent
from PDL1PredictorLib.study.report.page import estimate, flat
from PDL1PredictorLib.study.survival import figures

Plain = Mapping[str, Any]


def to_html(document: Plain) -> str:
    """The report as one HTML page that needs no other file, no network and no script."""
    environment = templates("PDL1PredictorLib.study.survival", "PDL1PredictorLib.report")
    style = templates("PDL1PredictorLib.study.report").loader
    css = style.get_source(environment, "study_report.css")[0] if style else ""
    environment.globals |= {
        "estimate": estimate,
        "number": number,
        "p_value": p_value,
        "percent": percent,
        "significant": significant,
    }
    return environment.get_template("survival.html").render(
        found=document,
        title=_title(document["settings"]),
        style=Markup(css),  # noqa: S704 our own style sheet
        drawings=_drawings(document),
        settings=flat(document["settings"]),
        provenance=flat({**document["table"], **document["versions"], "made (UTC)": document["made"]}),
    )


def _title(settings: Plain) -> str:
    what = settings["score"] or ", ".join(settings["covariates"]) or settings["by"] or "all cases"
    return f"Time to {settings['event']}: {what}"


def _drawings(document: Plain) -> dict[str, Markup]:
    unit, score = document["settings"]["unit"], document["score"]
    found = {"all": figures.curves("all", {"all": document["overall"]}, unit)}
    if document["groups"]:
        found["groups"] = figures.curves("groups", document["groups"]["groups"], unit)
    if score:
        found["median"] = figures.curves("median", score["median"]["groups"], unit)
        if len(score["auc_curve"]) > 1:
            found["areas"] = figures.areas("areas", score["auc_curve"], unit)
        if not score["cut"]["note"]:
            found["scan"] = figures.cut_scan("scan", score["cut"], document["settings"]["score"])
            found["cut"] = figures.curves("cut", score["cut"]["compared"]["groups"], unit)
        if score["in_groups"]:
            rows = [{**row, "name": row["group"]} for row in score["in_groups"]["rows"]]
            found["in_groups"] = figures.forest("in-groups", rows, "Hazard ratio per standard deviation of the score")
    if document["models"] and (terms := _forest_rows(document["models"])):
        found["forest"] = figures.forest("forest", terms, "Hazard ratio per unit, all covariates together")
    return found


def _forest_rows(models: Plain) -> list[Plain]:
    model = models["together"] or next(iter(models["alone"].values()))
    return [{"name": term["name"], "ratio": term["ratio"]} for term in model["terms"]]
