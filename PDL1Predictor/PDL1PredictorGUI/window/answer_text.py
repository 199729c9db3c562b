"""Section 5, what is said of one answer below the table, as rich text."""

from html import escape  # "TPS < 1 %" is no tag
from typing import Any

from PDL1PredictorGUI.scene import answers

QUIET = "#5b6773"


def details(row: dict[str, Any], with_numbers: bool, made_by: str) -> str:
    """What the answer comes to and why, its numbers, what its words mean, whose answer it is.

    Args:
        row: The endpoint's entry of `result.json`.
        with_numbers: Whether its numbers are to be seen.
        made_by: Of the whole result: model, device, likeness.
    """
    show, read = answers.shown(row)
    said, given = show.verdict(read), read.verdict.answered
    lines = answers.reasons(row) or [said.detail]
    parts = [_headline(row["title"], said.headline, given), _bullets(lines)]
    parts.append(_table(answers.facts(row) if with_numbers else answers.model_fact(row), quiet=not given))
    parts += [escape(show.sentences(read)[-1]), _quiet(escape(made_by))]
    return "".join(f"<p style='margin: 0 0 4px 0'>{part}</p>" for part in parts if part)


def _headline(title: str, said: str, given: bool) -> str:
    whole = said if said.startswith(title) else f"{title}: {said}"
    return f"<b>{escape(whole)}</b>" if given else _quiet(f"<b>{escape(whole)}</b>")


def _bullets(lines: list[str]) -> str:
    return "<br>".join(f"• {escape(line)}" for line in lines)


def _table(facts: list[answers.Fact], quiet: bool) -> str:
    if not facts:
        return ""
    rows = "".join(
        f"<tr><td style='padding-right: 12px'>{escape(fact.name)}</td><td>{escape(fact.text)}</td></tr>"
        for fact in facts
    )
    table = f"<table cellspacing='0' cellpadding='0'>{rows}</table>"
    return _quiet(table) if quiet else table


def _quiet(html: str) -> str:
    return f"<span style='color: {QUIET}'>{html}</span>"
