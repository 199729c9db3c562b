"""What the comparison of classifiers on a table writes: JSON, a short text with its table, and a picture."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from markupsafe import escape

from PDL1PredictorLib import RESEARCH_USE_ONLY, __version__
from PDL1PredictorLib.learning.tables.comparison import ClassifierResult, Comparison
from PDL1PredictorLib.learning.tables.held_out import TableSettings
from PDL1PredictorLib.learning.tables.input_table import InputTable

SCHEMA_VERSION = "2.0"
JSON_NAME, TEXT_NAME, PICTURE_NAME = "classifiers.json", "classifiers.md", "classifiers.svg"
PACKAGES = ("numpy", "scipy", "scikit-learn")
NOTES = (
    "Each classifier was fitted anew on rows of this table and tested on its other rows. That shows how well these "
    "inputs tell this label here, not how a model fitted elsewhere would do, nor how these would on other patients.",
    "AUC: from pairs of cases of one held-out fold, mean over the repetitions; its interval counts patients and allows "
    "for training sets that share cases.",
    "The best of several classifiers was picked with the same rows: its figure is somewhat too good.",
)


def write_comparison(table: InputTable, settings: TableSettings, found: Comparison, folder: Path) -> None:
    """Write the three files into a folder that exists; the same arguments write the same bytes.

    No row of the table is in them.
    """
    text = json.dumps(_content(table, settings, found), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / JSON_NAME).write_text(text + "\n", encoding="utf-8")
    (folder / TEXT_NAME).write_text(to_text(table, settings, found), encoding="utf-8")
    (folder / PICTURE_NAME).write_text(to_svg(found), encoding="utf-8")


def command_line(table: InputTable, settings: TableSettings) -> str:
    """The command that makes the comparison again, in the table's folder."""
    shown = [table.file_name, table.label, settings.seed, settings.n_folds, settings.n_repeats]
    shown += [settings.n_permutations]
    names = ("table", "label", "seed", "folds", "repeats", "permutations")
    options = [*zip(names, shown, strict=True), *table.options.items()]
    ignored = [f"--ignore {_quoted(name)}" for name in table.ignored if name and name != table.options.get("patient")]
    return " ".join(["pdl1 classifiers", *(f"--{name} {_quoted(str(value))}" for name, value in options), *ignored])


def to_text(table: InputTable, settings: TableSettings, found: Comparison) -> str:
    """Markdown: the table of figures, the best mean first, and what they mean."""
    own = found.words != "rows"
    lines = [
        f"# {table.question} from {table.file_name}",
        "",
        f"{table.labels.size} rows{f' of {found.n_positive + found.n_negative} {found.words}' if own else ''}, "
        f"{found.n_positive} positive and {found.n_negative} negative{f' {found.words}' if own else ''}, "
        f"{len(table.inputs)} inputs; {settings.n_folds}-fold cross-validation, {settings.n_repeats} repetitions, "
        f"seed {settings.seed}.",
        "",
        *figures(found),
        "",
        f"![AUC of every classifier]({PICTURE_NAME})",
        "",
    ]
    lines += [f"- {note}" for note in _about_units(table, found)]
    if table.n_unknown:
        lines.append(f"- {table.n_unknown} rows without a label were left out.")
    if table.ignored:
        lines.append(f"- Not used as inputs: {', '.join(name or '(no name)' for name in table.ignored)}.")
    lines += [f"- {note}" for note in (*table.warnings, *NOTES)]
    return "\n".join([*lines, "", f"    {command_line(table, settings)}", "", RESEARCH_USE_ONLY, ""])


def _about_units(table: InputTable, found: Comparison) -> list[str]:
    notes = []
    if found.words == "patients":
        notes.append("A patient's rows are held out together, and answered once, by the mean of their answers.")
    elif table.patients is not None:
        notes.append("A patient's rows are held out together; intervals and permutations count patients.")
    if found.best_p is not None:
        notes.append(
            f"The best of {len(found.results)} classifiers has p = {found.best_p:.2g}: how often the best of all does "
            "as well where patients exchange their labels and everything is fitted anew."
        )
    return notes


def figures(found: Comparison) -> list[str]:
    """Lines of a Markdown table, the best mean first."""
    rows = []
    for r in _ranked(found):
        cells = (
            r.kind,
            f"{r.auc:.3f}",
            _range(r.interval),
            f"{r.sd:.3f}",
            "–" if r.p is None else f"{r.p:.2g}",
        )
        rows.append(f"| {' | '.join(cells)} |")
    head = "| classifier | AUC within folds | 95 % interval | SD of folds | permutation p |"
    return [head, "|---|---|---|---|---|", *rows]


def to_svg(found: Comparison) -> str:
    """A row for each classifier: its folds as faint marks, the mean with its interval, the figures in words."""
    left, right, top, step = 190, 620, 40, 34
    lowest = min(min(r.interval[0] for r in found.results), *(float(r.fold_auc.min()) for r in found.results), 0.4)
    start = int(lowest * 10) / 10
    height = top + step * len(found.results) + 44

    def x(value: float) -> float:
        return left + (right - left) * (value - start) / (1 - start)

    ticks = [n / 10 for n in range(round(start * 10), 11)]
    bottom = top + step * len(found.results)
    body = [
        f'<line x1="{x(t):.1f}" x2="{x(t):.1f}" y1="{top - 8}" y2="{bottom}" stroke="#dde2e8"/>'
        f'<text x="{x(t):.1f}" y="{bottom + 16}" text-anchor="middle" fill="#566372">{t:.1f}</text>'
        for t in ticks
    ]
    body.append(
        f'<line x1="{x(0.5):.1f}" x2="{x(0.5):.1f}" y1="{top - 8}" y2="{bottom}" stroke="#566372" '
        'stroke-dasharray="4 3"/>'
        f'<text x="{(left + right) / 2}" y="{bottom + 34}" text-anchor="middle" fill="#566372">'
        "AUC within folds of held-out cases with its 95 % interval; single folds faint</text>"
    )
    for place, r in enumerate(_ranked(found)):
        y = top + step * (place + 0.5)
        low, high = (x(value) for value in r.interval)
        body += [f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{escape(r.kind)}</text>']
        body += [
            f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{y - 9}" y2="{y + 9}" stroke="#0072b2" opacity="0.22"/>'
            for value in sorted(r.fold_auc.ravel())
        ]
        body.append(
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="#1d2733" stroke-width="2"/>'
            f'<circle cx="{x(r.auc):.1f}" cy="{y}" r="5" fill="#d55e00"/>'
            f'<text x="{right + 14}" y="{y + 4}">{r.auc:.2f} ({_range(r.interval, 2)})</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 790 {height}" width="790" height="{height}" role="img" '
        'aria-label="AUC of every classifier with its interval" font-family="sans-serif" font-size="13" fill="#1d2733">'
        f'<rect width="790" height="{height}" fill="#ffffff"/>{"".join(body)}</svg>\n'
    )


def _content(table: InputTable, settings: TableSettings, found: Comparison) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": RESEARCH_USE_ONLY,
        "command": command_line(table, settings),
        "table": {
            "file": table.file_name,
            "sha256": table.sha256,
            "label": table.label,
            "question": table.question,
            "n_rows": int(table.labels.size),
            "unit": found.words,
            "n_positive": found.n_positive,
            "n_negative": found.n_negative,
            "n_unknown": table.n_unknown,
            "inputs": list(table.inputs),
            "ignored": list(table.ignored),
        },
        "settings": {
            "seed": settings.seed,
            "n_folds": settings.n_folds,
            "n_repeats": settings.n_repeats,
            "n_permutations": settings.n_permutations,
        },
        "best_p": found.best_p,
        "classifiers": [
            {
                "kind": r.kind,
                "auc": r.auc,
                "interval": list(r.interval),
                "sd": r.sd,
                "p": r.p,
                "fold_auc": r.fold_auc.tolist(),
            }
            for r in _ranked(found)
        ],
        "notes": [*table.warnings, *NOTES],
        "versions": {"PDL1Predictor": __version__, **{name: version(name) for name in PACKAGES}},
    }


def _ranked(found: Comparison) -> list[ClassifierResult]:
    return sorted(found.results, key=lambda r: -r.auc)


def _range(interval: tuple[float, float], digits: int = 3) -> str:
    return f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text
