"""The figures of models of a number on a table: R² and error with intervals, answers by the truth, Bland-Altman."""

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.learning.tables.numbers.comparison import NumberComparison, NumberResult
from PDL1PredictorLib.learning.tables.numbers.measures import DIGITS
from PDL1PredictorLib.statistics.agreement import calibration_line, limits_of_agreement
from PDL1PredictorLib.study.numbers.document import Plain, ranked
from PDL1PredictorLib.study.report.drawing import FAINT, INK, SOFT, WIDE, Numbers, drawn
from PDL1PredictorLib.study.report.looks import Looks, looks_of
from PDL1PredictorLib.study.report.number.figures import bland_altman, scatters


def drawings(document: Plain, found: NumberComparison) -> dict[str, Markup]:
    """By name: `estimates`, `scatters`, `bland_altman`."""
    looks = looks_of(roles_of(found))
    numbers = first_repetition(document, found)
    return {
        "estimates": estimates("estimates", document, looks),
        "scatters": scatters("scatters", numbers, looks),
        "bland_altman": bland_altman("bland-altman", numbers, looks),
    }


def roles_of(found: NumberComparison) -> dict[str, Role]:
    """The model with the largest R² leads, constants are the baselines."""
    best = found.best.kind
    return {one.kind: "lead" if one.kind == best else "part" if one.learned else "baseline" for one in found.results}


def first_repetition(document: Plain, found: NumberComparison) -> Numbers:
    """The answers of one repetition of every model, as the figures of a study's report take them.

    One repetition: the mean answer of several is closer to the truth than any of them.
    """
    return {
        "unit": "",
        "observed": {"values": found.units.labels.tolist()},
        "models": {one.kind: _answers(one) | {"r2": document["models"][one.kind]["r2"]} for one in found.results},
    }


@drawn
def estimates(document: Plain, looks: Looks) -> tuple[Figure, str]:
    """R² and mean absolute error of every model with their intervals, a row a model."""
    rows = ranked(document)
    figure = Figure(figsize=(WIDE, 0.9 + 0.27 * len(rows)))
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, name, words in ((left, "r2", "R² of held-out answers"), (right, "mae", "mean absolute error")):
        _rows(axes, rows, name, looks)
        axes.set_xlabel(f"{words}, 95 % interval")
    left.axvline(0, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=0)
    left.axvspan(left.get_xlim()[0], 0, color="#f3f5f8", linewidth=0, zorder=0)
    left.annotate("no better than the mean", (0, 0), (-3, 2), xycoords=("data", "axes fraction"),
                  textcoords="offset points", ha="right", fontsize=6.6, color=SOFT)  # fmt: skip
    left.set_yticks(range(len(rows)), [title for title, _ in rows], color=INK)
    left.set_ylim(len(rows) - 0.4, -0.6)
    left.tick_params(axis="y", length=0)
    right.tick_params(axis="y", length=0)
    median = document["models"]["median"]["mae"]["value"]
    right.axvline(median, color=FAINT, linewidth=0.9, linestyle=(0, (2, 2)), zorder=0)
    return figure, "R² and mean absolute error of every model with 95 % intervals"


def _rows(axes: Axes, rows: Sequence[tuple[str, Plain]], name: str, looks: Looks) -> None:
    for place, (title, model) in enumerate(rows):
        found, look = model[name], looks[title]
        if found is None:
            continue
        if found["low"] is not None:
            axes.plot([found["low"], found["high"]], [place, place], color=look.color, linewidth=1.6)
        axes.plot(found["value"], place, look.mark, color=look.color, markersize=5, markeredgewidth=0)
    axes.margins(x=0.06)


def _answers(one: NumberResult) -> dict[str, Any]:
    observed, predicted = one.answers.observed, one.answers.predicted[0]
    line = calibration_line(observed, predicted)._asdict()
    digits = DIGITS - math.floor(math.log10(observed.std()))  # what lies behind is rounding
    limits = {name: round(value, digits) for name, value in limits_of_agreement(observed, predicted)._asdict().items()}
    return {
        "predicted": {"value": predicted.tolist(), "low": predicted.tolist(), "high": predicted.tolist()},
        "calibration": dict.fromkeys(line) if one.answers.flat else line,
        "limits": limits,
    }
