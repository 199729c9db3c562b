"""The page of a comparison of models of a number: the document's numbers and the figures, put into `numbers.html`."""

from collections.abc import Mapping

from markupsafe import Markup

from PDL1PredictorLib.report.html import number, templates
from PDL1PredictorLib.report.words import p_value
from PDL1PredictorLib.study.numbers.document import Plain, ranked, unit_digits
from PDL1PredictorLib.study.numbers.text import fewer_repetitions
from PDL1PredictorLib.study.report.page import estimate, flat


def to_html(document: Plain, drawings: Mapping[str, Markup]) -> str:
    """One HTML page that needs no other file, no network and no script.

    Args:
        document: See `document.document_of`.
        drawings: See `figures.drawings`.
    """
    environment = templates("PDL1PredictorLib.study.numbers", "PDL1PredictorLib.report")
    style = templates("PDL1PredictorLib.study.report").loader
    css = style.get_source(environment, "study_report.css")[0] if style else ""
    environment.globals |= {"estimate": estimate, "number": number, "p_value": p_value}
    return environment.get_template("numbers.html").render(
        found=document,
        title=f"{document['table']['label']} from {document['table']['file']}",
        style=Markup(css),  # noqa: S704 our own style sheet
        drawings=drawings,
        rows=ranked(document),
        digits=unit_digits(document),
        fewer=fewer_repetitions(document),
        settings=flat(document["settings"]),
        provenance=flat({name: document["table"][name] for name in ("file", "sha256")} | document["versions"]),
    )
