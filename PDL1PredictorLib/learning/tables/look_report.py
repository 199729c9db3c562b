"""What a first look writes: JSON, and a short text with one table."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PDL1PredictorLib import RESEARCH_USE_ONLY, __version__
from PDL1PredictorLib.learning.tables.comparison import ClassifierResult, Comparison
from PDL1PredictorLib.learning.tables.held_out import TableSettings

JSON_NAME, TEXT_NAME = "first_look.json", "first_look.md"
NOTES = (
    "AUC from pairs of cases of one held-out fold, mean over the repetitions, with its 95 % interval (logit scale, "
    "with an allowance for training sets that share cases). "
    "Volume is ranked as it is, nothing is fitted to it; of the L2 model the penalty is chosen by inner folds; "
    "RadScores are selected in every fold anew.",
    "p: how often the model does as well where labels are exchanged and everything is fitted anew; one-sided.",
    "Several endpoints and models: one in twenty figures of nothing has p below 0.05.",
)


def write_look(found: Mapping[str, Comparison], settings: TableSettings, command: str, folder: Path) -> None:
    """Write both files into a folder that exists; no case is in them.

    Args:
        found: Endpoint to its comparison.
        settings: How it was done.
        command: What was typed.
        folder: Where.
    """
    content = {
        "schema_version": "1.0",
        "research_use_only": RESEARCH_USE_ONLY,
        "command": command,
        "settings": asdict(settings),
        "endpoints": {key: _plain(one) for key, one in found.items()},
        "notes": list(NOTES),
        "versions": {"PDL1Predictor": __version__},
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / JSON_NAME).write_text(text + "\n", encoding="utf-8")
    notes = [f"- {note}" for note in NOTES]
    lines = ["# A first look", "", *to_text(found), "", *notes, "", f"    {command}", "", RESEARCH_USE_ONLY, ""]
    (folder / TEXT_NAME).write_text("\n".join(lines), encoding="utf-8")


def to_text(found: Mapping[str, Comparison]) -> list[str]:
    """Lines of a Markdown table, a row an endpoint."""
    titles = [one.kind for one in next(iter(found.values())).results]
    head = f"| endpoint | positive / negative | {' | '.join(titles)} |"
    rows = [
        f"| {key} | {one.n_positive} / {one.n_negative} | {' | '.join(_cell(r) for r in one.results)} |"
        for key, one in found.items()
    ]
    return [head, "|---" * (2 + len(titles)) + "|", *rows]


def _cell(one: ClassifierResult) -> str:
    p = "" if one.p is None else f", p = {one.p:.2g}"
    return f"{one.auc:.2f} ({one.interval[0]:.2f} to {one.interval[1]:.2f}{p})"


def _plain(one: Comparison) -> dict[str, Any]:
    models = [{"model": r.kind, "auc": r.auc, "interval": list(r.interval), "p": r.p} for r in one.results]
    return {"positive": one.n_positive, "negative": one.n_negative, "models": models}
