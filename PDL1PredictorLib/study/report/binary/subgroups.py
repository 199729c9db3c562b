"""Subgroups of an endpoint: how well the lead model does in each, as numbers for the document and as a forest plot."""

import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from PDL1PredictorLib.report.words import p_value
from PDL1PredictorLib.statistics.subgroups import LevelAuc, auc_by_level
from PDL1PredictorLib.study.discrimination import has_pairs
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.drawing import FAINT, INK, SOFT, WIDE, Numbers, drawn
from PDL1PredictorLib.study.report.looks import Looks
from PDL1PredictorLib.study.report.measures import Plain

ROW_INCHES = 0.22
_Line = tuple[Plain, Plain | None]  # a factor, and one of its levels or None for its head


def subgroup_numbers(outcome: EndpointOutcome) -> list[Plain]:
    """Factors with the lead model's area in each level, and p of interaction; those with two measured levels or more.

    Args:
        outcome: Of a yes/no endpoint.
    """
    model = outcome.binary_models().get(outcome.lead)
    if model is None or not has_pairs(outcome):
        return []
    found, patients = [], np.asarray(outcome.patients)
    trained = outcome.folded and not model.fixed_score
    for factor, levels in outcome.groups.items():
        order = in_order(levels)
        own = auc_by_level(outcome.labels, model.score, outcome.folds, levels, order, patients, trained)
        if own.p is not None:
            found.append({"factor": factor, "p": own.p, "levels": [_plain(level) for level in own.levels]})
    return found


def in_order(levels: tuple[str, ...]) -> list[str]:
    """Levels by their edge, `up to` before `over`, `below` before `or more`; others by the alphabet, `other` last."""
    return sorted(set(levels) - {""}, key=_place)


def _place(level: str) -> tuple[bool, float, bool, str]:
    above = level.startswith("over ") or level.endswith(" or more")
    number = re.search(r"\d+(?:\.\d+)?", level) if above or level.startswith(("up to ", "below ")) else None
    return level == "other", float(number[0]) if number else 0.0, above, level


def _plain(level: LevelAuc) -> Plain:
    area = level.auc
    low, high = (None, None) if area is None else area.interval
    return {
        "level": level.level,
        "positive": level.n_positive,
        "negative": level.n_negative,
        "auc": None if area is None else {"value": area.value, "low": low, "high": high},
    }


@drawn
def forest(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """A row a level: area with its interval, its cases, p of interaction; full line: the area of all cases."""
    rows: list[_Line] = [(one, level) for one in numbers["subgroups"] for level in (None, *one["levels"])]
    figure = Figure(figsize=(WIDE * 0.78, ROW_INCHES * len(rows) + 0.7))
    axes = figure.subplots()
    axes.axvline(0.5, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=0)
    if (whole := numbers["models"][numbers["lead"]]["auc"]) is not None:
        axes.axvline(whole["value"], color=FAINT, linewidth=1.2, zorder=0)
    for place, row in enumerate(rows):
        _line(axes, place, row, looks[numbers["lead"]].color)
    axes.set_yticks(range(len(rows)), [one["factor"] if level is None else level["level"] for one, level in rows])
    for text, (_, level) in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_fontweight("bold" if level is None else "normal")
        text.set_color(INK)
    axes.tick_params(axis="y", length=0)
    axes.set(xlim=(-0.02, 1.02), ylim=(len(rows) - 0.5, -0.5), xlabel="AUC within the level, 95 % interval")
    axes.spines["left"].set_visible(False)
    return figure, "AUC of the lead model in every subgroup with its interval"


def _line(axes: Axes, place: int, row: _Line, color: str) -> None:
    one, level = row
    words = f"p of interaction {p_value(one['p'])}" if level is None else f"{level['positive']} / {level['negative']}"
    ink = SOFT if level is None else INK
    axes.text(1.04, place, words, color=ink, va="center", fontsize=7.5)
    if level is not None and (area := level["auc"]) is not None:
        axes.plot([area["low"], area["high"]], [place] * 2, color=color)
        axes.plot(area["value"], place, "o", color=color, markersize=4.5)
