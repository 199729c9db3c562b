"""The figures of yes/no endpoints, drawn from the numbers of `study.report.document`: page and JSON say the same."""

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from PDL1PredictorLib.report.html import number
from PDL1PredictorLib.study.report.drawing import (
    INK,
    PER_ROW,
    SOFT,
    Numbers,
    drawn,
    drawn_models,
    legend,
    panels,
    square,
    unit_square,
)
from PDL1PredictorLib.study.report.figures import overview, overview_legend
from PDL1PredictorLib.study.report.looks import Looks

COUNT_SHADES = LinearSegmentedColormap.from_list("counts", ["#ffffff", "#9ec1de", "#24588c"])


@drawn
def auc_overview(endpoints: Mapping[str, Numbers], looks: Looks) -> tuple[Figure, str]:
    """AUC of every endpoint and model with its interval."""
    figure, axes = overview(endpoints, looks, "auc")
    for row, numbers in enumerate(endpoints.values()):
        if numbers["bayes_auc"] is not None:
            axes.plot([numbers["bayes_auc"]] * 2, [row - 0.42, row + 0.42], color=INK, linewidth=1.1)
    axes.axvline(0.5, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=0)
    if any(numbers["bayes_auc"] is not None for numbers in endpoints.values()):
        axes.plot([], [], "|", color=INK, markersize=9, label="Bayes AUC")
    low = min([0.4, *(m["auc"]["low"] for e in endpoints.values() for m in e["models"].values() if m["auc"])])
    axes.set(xlim=(np.floor(low * 10) / 10, 1.005), xlabel="AUC, 95 % interval")
    overview_legend(axes)
    return figure, "AUC with 95 % interval of every endpoint and model"


@drawn
def roc_curves(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """ROC curves; the lead model's with its band; marks where the calls were made."""
    n = len(numbers["models"])
    figure, axes = square(n)
    unit_square(axes, "1 − specificity", "sensitivity")
    for title, look, model in drawn_models(numbers, looks):
        if model["roc"] is None:
            continue
        color, area = look.color, model["auc"]
        if look.role == "lead" and (band := model["roc_band"]) is not None:
            x, low, high = band["false_positive_rate"], band["low"], band["high"]
            axes.fill_between(x, low, high, color=color, alpha=0.14, linewidth=0)
        axes.plot(
            model["roc"]["false_positive_rate"],
            model["roc"]["true_positive_rate"],
            color=color,
            linestyle=look.line,
            linewidth=look.width,
            label=f"{title} {area['value']:.2f} ({area['low']:.2f}–{area['high']:.2f})",
        )
        if (called := model["measures"]) is not None:
            x, y = 1 - called["specificity"]["value"], called["recall"]["value"]
            axes.plot(x, y, look.mark, color=color, markersize=5, markeredgecolor="white", markeredgewidth=0.8)
    axes.set_title("ROC, AUC (95 % interval)")
    legend(axes, n, loc="lower right")
    return figure, "ROC curves with AUC and interval"


@drawn
def calibration_curves(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """Observed share against predicted probability in groups of cases."""
    n = len(numbers["models"])
    figure, axes = square(n)
    unit_square(axes, "predicted probability", "observed share")
    for title, look, model in drawn_models(numbers, looks):
        if not (groups := model["reliability"]):
            continue
        color = look.color
        x, y = [g["predicted"] for g in groups], [g["observed"]["value"] for g in groups]
        if look.role == "lead":
            axes.vlines(
                x,
                [g["observed"]["low"] for g in groups],
                [g["observed"]["high"] for g in groups],
                color=color,
                linewidth=0.9,
            )
        axes.plot(x, y, color=color, linestyle=look.line, linewidth=look.width)
        axes.plot(x, y, look.mark, color=color, markersize=4, markeredgewidth=0, label=_slope(title, model))
    axes.set_title("Calibration")
    legend(axes, n, loc="upper left", handlelength=1)
    return figure, "calibration curves"


@drawn
def decision_curves(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """Net benefit of every model against treating all and none; the lead model's with its band."""
    n = len(numbers["models"])
    figure, axes = square(n)
    reference = numbers["decision_reference"]
    axes.axhline(0, color=SOFT, linewidth=0.9, label="none")
    top = 0.05
    if reference is not None:
        axes.plot(reference["threshold"], reference["treat_all"], color=INK, linewidth=0.9, label="all")
        top = max(top, *reference["treat_all"])
    for title, look, model in drawn_models(numbers, looks):
        if model["decision_curve"] is None:
            continue
        curve = model["decision_curve"]
        x, y = curve["threshold"], curve["net_benefit"]
        if look.role == "lead":
            axes.fill_between(x, curve["low"], curve["high"], color=look.color, alpha=0.14, linewidth=0)
        axes.plot(
            x,
            y,
            color=look.color,
            linestyle=look.line,
            linewidth=look.width,
            label=title,
        )
        top = max(top, *y)
    axes.set(xlim=(0, 1), ylim=(-0.35 * top, 1.08 * top), xlabel="threshold probability", ylabel="net benefit")
    axes.set_box_aspect(1)
    axes.set_title("Decision curves")
    legend(axes, n, loc="upper right")
    return figure, "decision curves"


@drawn
def confusion_tables(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """Counts of true against called answers for every model, shaded by the share of the true answer."""
    models = [one for one in drawn_models(numbers, looks, front_last=False) if one[2]["confusion"] is not None]
    words = (numbers["negative_word"], numbers["positive_word"])
    figure, places = panels(len(models), 2.35)
    for place, (axes, (title, look, model)) in enumerate(zip(places, models, strict=True)):
        table = model["confusion"]
        counts = np.array(
            [
                [table["true_negative"], table["false_positive"]],
                [table["false_negative"], table["true_positive"]],
            ]
        )
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap=COUNT_SHADES, vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            color = "white" if share > 0.6 else INK
            axes.text(column, row - 0.06, str(counts[row, column]), ha="center", va="bottom", color=color, fontsize=12)
            axes.text(column, row + 0.1, f"{share * 100:.0f} %", ha="center", va="top", color=color, fontsize=7.5)
        axes.set_xticks([0, 1], words)
        axes.set_yticks([0, 1], words, rotation=90, va="center")
        axes.tick_params(length=0)
        axes.set(xlabel="called", ylabel="true" if place % PER_ROW == 0 else "")
        axes.set_title(title, color=look.color, loc="center")
        axes.spines[:].set_visible(True)
    return figure, "confusion matrices"


def _slope(title: str, model: Numbers) -> str:
    slope = model["calibration"]["slope"]
    if slope["value"] is None:
        return f"{title}, slope –"
    low, high = (
        ("−∞", "∞")[end] if slope[name] is None else number(slope[name], 2) for end, name in enumerate(("low", "high"))
    )
    return f"{title}, slope {number(slope['value'], 2)} ({low}–{high})"
