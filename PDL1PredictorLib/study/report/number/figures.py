"""The figures of numbers, drawn from the numbers of `study.report.document`: page and JSON say the same."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from PDL1PredictorLib.report.html import number, significant
from PDL1PredictorLib.study.report.drawing import (
    FAINT,
    INK,
    PER_ROW,
    SOFT,
    Numbers,
    drawn,
    drawn_models,
    legend,
    panels,
    square,
)
from PDL1PredictorLib.study.report.figures import overview, overview_legend
from PDL1PredictorLib.study.report.looks import Look, Looks

LOWEST_R2 = -1.0  # what lies below is told in the table
FIELD = "#f3f5f8"


@drawn
def r2_overview(endpoints: Mapping[str, Numbers], looks: Looks) -> tuple[Figure, str]:
    """Share of the variance that every model explains, with its interval."""
    figure, axes = overview(endpoints, looks, "r2")
    axes.axvline(0, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=0)
    found = [model["r2"] for numbers in endpoints.values() for model in numbers["models"].values() if model["r2"]]
    lows = [r2["value"] if r2["low"] is None else r2["low"] for r2 in found if r2["value"] is not None]
    low = max(LOWEST_R2, np.floor(min([0.0, *lows]) * 10) / 10)
    axes.set(xlim=(low - 0.005, 1.005), xlabel="R², 95 % interval")
    overview_legend(axes)
    return figure, "R² with 95 % interval of every endpoint and model"


@drawn
def lead_scatter(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """Observed against predicted values of the lead model with its prediction intervals, and the line of identity."""
    figure, axes = square(1)
    for _, look, model in drawn_models(numbers, looks):
        if look.role == "lead":
            predicted = model["predicted"]
            axes.vlines(predicted["value"], predicted["low"], predicted["high"], color=look.color, alpha=0.16, lw=0.8)
            _scatter(axes, numbers, look, model)
    _identity(axes, numbers, looks, first=True)
    axes.set_title("Observed by predicted")
    return figure, "observed against predicted values of the lead model"


@drawn
def scatters(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """Observed against predicted values of every model, each with its R²."""
    models = drawn_models(numbers, looks, front_last=False)
    figure, places = panels(len(models), 2.75)
    for place, (axes, (title, look, model)) in enumerate(zip(places, models, strict=True)):
        _scatter(axes, numbers, look, model)
        _identity(axes, numbers, looks, first=place % PER_ROW == 0)
        axes.set_title(f"{title}\nR² {number(model['r2']['value'], 2)}", color=look.color, loc="center")
    return figure, "observed against predicted values of every model"


@drawn
def bland_altman(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """Differences of the lead model by the mean of both values, with bias and limits of agreement."""
    figure, axes = square(1)
    observed = np.array(numbers["observed"]["values"])
    for _, look, model in drawn_models(numbers, looks):
        if look.role != "lead":
            continue
        predicted, limits = np.array(model["predicted"]["value"]), model["limits"]
        axes.axhspan(limits["low"], limits["high"], color=FIELD, linewidth=0, zorder=0)
        axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
        axes.plot((observed + predicted) / 2, predicted - observed, look.mark, **_dots(look, len(observed)))
        for name, line in (("high", (0, (5, 1.5))), ("bias", "-"), ("low", (0, (5, 1.5)))):
            axes.axhline(limits[name], color=INK, linewidth=0.9, linestyle=line)
        room = 0.25 * (limits["high"] - limits["low"])
        low = min(limits["low"] - room, float((predicted - observed).min()) - 0.2 * room)
        axes.set_ylim(low, max(limits["high"] + room, float((predicted - observed).max()) + 0.2 * room))
        for name, words in (("high", "+1.96 SD"), ("bias", "bias"), ("low", "−1.96 SD")):
            text = f"{words} {significant(limits[name])}"
            axes.annotate(
                text, (1, limits[name]), (-2, 2), xycoords=("axes fraction", "data"), textcoords="offset points",
                ha="right", fontsize=6.6,
            )  # fmt: skip
    axes.set(xlabel=f"mean of observed and predicted{_in(numbers)}", ylabel=f"predicted − observed{_in(numbers)}")
    axes.set_box_aspect(1)
    axes.set_title("Bland-Altman")
    return figure, "Bland-Altman plot of the lead model"


@drawn
def residual_histogram(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """Observed less predicted of the lead model, and of the baselines as outlines."""
    figure, axes = square(1)
    shown = [row for row in drawn_models(numbers, looks) if row[1].role != "part"]
    for title, look, model in shown:
        edges, counts = model["residuals"]["edges"], model["residuals"]["counts"]
        share = np.array(counts) / max(1, sum(counts)) / np.diff(edges)
        if look.role == "lead":
            axes.stairs(share, edges, fill=True, color=look.color, alpha=0.35)
        axes.stairs(share, edges, color=look.color, linewidth=look.width, linestyle=look.line, label=title)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set(xlabel=f"observed − predicted{_in(numbers)}", ylabel="share of the cases per unit")
    axes.set_ylim(0, 1.18 * axes.get_ylim()[1])
    axes.set_box_aspect(1)
    axes.set_title("Residuals")
    legend(axes, len(shown), loc="upper right")
    return figure, "histogram of the residuals"


def _scatter(axes: Axes, numbers: Numbers, look: Look, model: Numbers) -> None:
    observed, line = numbers["observed"]["values"], model["calibration"]
    values = model["predicted"]["value"]
    axes.plot(values, observed, look.mark, **_dots(look, len(observed)))
    if line["slope"] is not None:
        ends = np.array([min(values), max(values)])
        axes.plot(ends, line["intercept"] + line["slope"] * ends, color=look.color, linewidth=1.4)


def _dots(look: Look, n: int) -> dict[str, Any]:
    """Dots that show where many lie on each other."""
    return {
        "color": look.color,
        "alpha": 0.55 if n <= 500 else 0.25,
        "markersize": 3.4 if n <= 500 else 2.4,
        "markeredgewidth": 0,
        "rasterized": n > 2000,
    }


def _identity(axes: Axes, numbers: Numbers, looks: Looks, first: bool) -> None:
    """Equal axes for all models of the endpoint, with the line of identity; the y axis is told in the first panel."""
    values = [numbers["observed"]["values"], *(m["predicted"]["value"] for _, _, m in drawn_models(numbers, looks))]
    low, high = (float(end(np.concatenate(values))) for end in (np.min, np.max))
    room = 0.04 * (high - low or 1.0)
    axes.plot([low, high], [low, high], color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0.5)
    axes.set(xlim=(low - room, high + room), ylim=(low - room, high + room), aspect="equal")
    axes.set(xlabel=f"predicted{_in(numbers)}", ylabel=f"observed{_in(numbers)}" if first else "")


def _in(numbers: Numbers) -> str:
    return f" ({numbers['unit']})" if numbers["unit"] else ""
