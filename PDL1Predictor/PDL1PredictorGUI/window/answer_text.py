"""Section 5, what is said of one answer below the table, as rich text."""

from html import escape  # "TPS < 1 %" is no tag
from typing import Any

from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import answers

QUIET = "#5b6773"


def details(row: dict[str, Any], with_numbers: bool, made_by: str) -> str:
    """The answer, why it is none or undecided, its numbers, whose answer it is.

    Args:
        row: The endpoint's entry of `result.json`.
        with_numbers: Whether its numbers are to be seen.
        made_by: Of the whole result: model, device, likeness.
    """
    show, read = answers.shown(row)
    parts = [_headline(row), _bullets(answers.reasons(row))]
    if with_numbers:
        parts.append(_table(answers.facts(row), quiet=not answers.answered(row)))
    parts.append(escape(show.sentences(read)[-1]))
    by = [_("answered by {model}").format(model=answers.model(row))] if answers.model(row) else []
    parts.append(_quiet(escape("; ".join([*by, made_by]))))
    return "".join(f"<p style='margin: 0 0 4px 0'>{part}</p>" for part in parts if part)


def _headline(row: dict[str, Any]) -> str:
    show, read = answers.shown(row)
    if not answers.answered(row):
        return _quiet(f"<b>{escape(row['title'])}: {escape(_('not answered'))}</b>")
    said, title = escape(show.verdict(read).headline), escape(row["title"])
    return f"<b>{said}</b>" if said.startswith(title) else f"<b>{title}: {said}</b>"


def _bullets(lines: list[str]) -> str:
    return "<br>".join(f"• {escape(line)}" for line in lines)


def _table(facts: list[answers.Fact], quiet: bool) -> str:
    rows = "".join(
        f"<tr><td style='padding-right: 12px'>{escape(fact.name)}</td><td>{escape(fact.text)}</td></tr>"
        for fact in facts
    )
    table = f"<table cellspacing='0' cellpadding='0'>{rows}</table>"
    return _quiet(table) if quiet else table


def _quiet(html: str) -> str:
    return f"<span style='color: {QUIET}'>{html}</span>"
