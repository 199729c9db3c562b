"""What the comparison of classifiers on a table writes: JSON, a short text with its table, and a picture."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from markupsafe import escape

from PDL1PredictorLib import RESEARCH_USE_ONLY, __version__
from PDL1PredictorLib.learning.tables.comparison import ClassifierResult, TableSettings
from PDL1PredictorLib.learning.tables.input_table import InputTable

SCHEMA_VERSION = "1.0"
JSON_NAME, TEXT_NAME, PICTURE_NAME = "classifiers.json", "classifiers.md", "classifiers.svg"
PACKAGES = ("numpy", "scipy", "scikit-learn")
NOTES = (
    "Each classifier was fitted anew on rows of this table and tested on its other rows. That shows how well these "
    "inputs tell this label here, not how a model fitted elsewhere would do, nor how these would on other patients.",
    "Interval of the mean: Nadeau and Bengio's, which allows for training sets that share cases. Pooled: DeLong's on "
    "the held-out predictions of one repetition; the mean of the repetitions, so that repeating does not narrow it.",
    "The best of several classifiers was picked with the same rows: its figure is somewhat too good.",
)


def write_comparison(
    table: InputTable, settings: TableSettings, results: Sequence[ClassifierResult], folder: Path
) -> None:
    """Write the three files into a folder that exists; the same arguments write the same bytes.

    No row of the table is in them.
    """
    text = json.dumps(_content(table, settings, results), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / JSON_NAME).write_text(text + "\n", encoding="utf-8")
    (folder / TEXT_NAME).write_text(to_text(table, settings, results), encoding="utf-8")
    (folder / PICTURE_NAME).write_text(to_svg(results), encoding="utf-8")


def command_line(table: InputTable, settings: TableSettings) -> str:
    """The command that makes the comparison again, in the table's folder."""
    shown = [table.file_name, table.label, settings.seed, settings.n_folds, settings.n_repeats]
    options = zip(("table", "label", "seed", "folds", "repeats"), shown, strict=True)
    ignored = [f"--ignore {_quoted(name)}" for name in table.ignored if name]
    return " ".join(["pdl1 classifiers", *(f"--{name} {_quoted(str(value))}" for name, value in options), *ignored])


def to_text(table: InputTable, settings: TableSettings, results: Sequence[ClassifierResult]) -> str:
    """Markdown: the table of figures, the best mean first, and what they mean."""
    n_positive = int(table.labels.sum())
    lines = [
        f"# {table.label} from {table.file_name}",
        "",
        f"{table.labels.size} rows, {n_positive} positive and {table.labels.size - n_positive} negative, "
        f"{len(table.inputs)} inputs; {settings.n_folds}-fold cross-validation, {settings.n_repeats} repetitions, "
        f"seed {settings.seed}.",
        "",
        *figures(results),
        "",
        f"![AUC of every classifier]({PICTURE_NAME})",
        "",
    ]
    if table.n_unknown:
        lines.append(f"- {table.n_unknown} rows without a label were left out.")
    if table.ignored:
        lines.append(f"- Not used as inputs: {', '.join(name or '(no name)' for name in table.ignored)}.")
    lines += [f"- {note}" for note in (*table.warnings, *NOTES)]
    return "\n".join([*lines, "", f"    {command_line(table, settings)}", "", RESEARCH_USE_ONLY, ""])


def figures(results: Sequence[ClassifierResult]) -> list[str]:
    """Lines of a Markdown table, the best mean first."""
    rows = []
    for r in _ranked(results):
        cells = (
            r.kind,
            f"{r.mean:.3f}",
            f"{r.sd:.3f}",
            _range(r.interval),
            f"{r.pooled:.3f}",
            _range(r.pooled_interval),
        )
        rows.append(f"| {' | '.join(cells)} |")
    head = "| classifier | mean AUC | SD of folds | 95 % interval | pooled AUC | 95 % interval |"
    return [head, "|---|---|---|---|---|---|", *rows]


def to_svg(results: Sequence[ClassifierResult]) -> str:
    """A row for each classifier: its folds as faint marks, the mean with its interval, the figures in words."""
    left, right, top, step = 190, 620, 40, 34
    lowest = min(min(r.interval[0] for r in results), *(float(r.fold_auc.min()) for r in results), 0.4)
    start = int(lowest * 10) / 10
    height = top + step * len(results) + 44

    def x(value: float) -> float:
        return left + (right - left) * (value - start) / (1 - start)

    ticks = [n / 10 for n in range(round(start * 10), 11)]
    bottom = top + step * len(results)
    body = [
        f'<line x1="{x(t):.1f}" x2="{x(t):.1f}" y1="{top - 8}" y2="{bottom}" stroke="#dde2e8"/>'
        f'<text x="{x(t):.1f}" y="{bottom + 16}" text-anchor="middle" fill="#566372">{t:.1f}</text>'
        for t in ticks
    ]
    body.append(
        f'<line x1="{x(0.5):.1f}" x2="{x(0.5):.1f}" y1="{top - 8}" y2="{bottom}" stroke="#566372" '
        'stroke-dasharray="4 3"/>'
        f'<text x="{(left + right) / 2}" y="{bottom + 34}" text-anchor="middle" fill="#566372">'
        "AUC of held-out cases: folds (faint), mean and 95 % interval</text>"
    )
    for place, r in enumerate(_ranked(results)):
        y = top + step * (place + 0.5)
        low, high = (x(value) for value in r.interval)
        body += [f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{escape(r.kind)}</text>']
        body += [
            f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{y - 9}" y2="{y + 9}" stroke="#0072b2" opacity="0.22"/>'
            for value in sorted(r.fold_auc.ravel())
        ]
        body.append(
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="#1d2733" stroke-width="2"/>'
            f'<circle cx="{x(r.mean):.1f}" cy="{y}" r="5" fill="#d55e00"/>'
            f'<text x="{right + 14}" y="{y + 4}">{r.mean:.2f} ({_range(r.interval, 2)})</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 790 {height}" width="790" height="{height}" role="img" '
        'aria-label="AUC of every classifier with its interval" font-family="sans-serif" font-size="13" fill="#1d2733">'
        f'<rect width="790" height="{height}" fill="#ffffff"/>{"".join(body)}</svg>\n'
    )


def _content(table: InputTable, settings: TableSettings, results: Sequence[ClassifierResult]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": RESEARCH_USE_ONLY,
        "command": command_line(table, settings),
        "table": {
            "file": table.file_name,
            "sha256": table.sha256,
            "label": table.label,
            "n_positive": int(table.labels.sum()),
            "n_negative": int((1 - table.labels).sum()),
            "n_unknown": table.n_unknown,
            "inputs": list(table.inputs),
            "ignored": list(table.ignored),
        },
        "settings": {"seed": settings.seed, "n_folds": settings.n_folds, "n_repeats": settings.n_repeats},
        "classifiers": [
            {
                "kind": r.kind,
                "mean_auc": r.mean,
                "sd": r.sd,
                "interval": list(r.interval),
                "pooled_auc": r.pooled,
                "pooled_interval": list(r.pooled_interval),
                "fold_auc": r.fold_auc.tolist(),
            }
            for r in _ranked(results)
        ],
        "notes": [*table.warnings, *NOTES],
        "versions": {"PDL1Predictor": __version__, **{name: version(name) for name in PACKAGES}},
    }


def _ranked(results: Sequence[ClassifierResult]) -> list[ClassifierResult]:
    return sorted(results, key=lambda r: -r.mean)


def _range(interval: tuple[float, float], digits: int = 3) -> str:
    return f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text
