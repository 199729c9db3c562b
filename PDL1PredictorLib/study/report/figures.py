"""The figures of the study report, drawn from the numbers of `study.document`, so that page and JSON say the same."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from PDL1PredictorLib.core.endpoints import endpoint as about
from PDL1PredictorLib.core.regions import REGIONS
from PDL1PredictorLib.learning.model_names import FUSED
from PDL1PredictorLib.report.html import number
from PDL1PredictorLib.report.words import feature_title
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.drawing import (
    FAINT,
    INK,
    MODEL_COLORS,
    MODEL_LINES,
    MODEL_MARKS,
    REGION_COLORS,
    SOFT,
    drawn,
    empty,
    unit_square,
)

SHOWN_FEATURES = 20
SQUARE = (3.5, 3.55)  # inches
COUNT_SHADES = LinearSegmentedColormap.from_list("counts", ["#ffffff", "#9ec1de", "#24588c"])
Numbers = dict[str, Any]  # one endpoint of the document


@drawn
def auc_overview(endpoints: dict[str, Numbers]) -> tuple[Figure, str]:
    """AUC of every endpoint and model with its interval."""
    names = [name for name in MODEL_COLORS if any(name in e["models"] for e in endpoints.values())]
    figure = Figure(figsize=(9.6, 0.75 + (0.15 * max(1, len(names)) + 0.12) * len(endpoints)))
    axes = figure.subplots()
    for row, numbers in enumerate(endpoints.values()):
        if row % 2:
            axes.axhspan(row - 0.5, row + 0.5, color="#f3f5f8", linewidth=0, zorder=0)
        for place, name in enumerate(names):
            area = numbers["models"].get(name, {}).get("auc")
            if area is None:
                continue
            y = row + (place - (len(names) - 1) / 2) * 0.2
            color = MODEL_COLORS[name]
            axes.plot([area["low"], area["high"]], [y, y], color=color, linewidth=1.4, solid_capstyle="butt")
            axes.plot(area["value"], y, MODEL_MARKS[name], color=color, markersize=4.5, markeredgewidth=0)
        if numbers["bayes_auc"] is not None:
            axes.plot([numbers["bayes_auc"]] * 2, [row - 0.42, row + 0.42], color=INK, linewidth=1.1)
    axes.axvline(0.5, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=0)
    for name in names:
        axes.plot([], [], MODEL_MARKS[name], ls="-", color=MODEL_COLORS[name], markersize=4.5, label=name)
    if any(numbers["bayes_auc"] is not None for numbers in endpoints.values()):
        axes.plot([], [], "|", color=INK, markersize=9, label="Bayes AUC")
    low = min([0.4, *(m["auc"]["low"] for e in endpoints.values() for m in e["models"].values() if m["auc"])])
    axes.set(xlim=(np.floor(low * 10) / 10, 1.005), ylim=(len(endpoints) - 0.5, -0.5), xlabel="AUC, 95 % interval")
    axes.set_yticks(range(len(endpoints)), [about(key).title for key in endpoints], fontsize=8.5, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.legend(ncols=5, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=8)
    return figure, "AUC with 95 % interval of every endpoint and model"


@drawn
def roc_curves(numbers: Numbers) -> tuple[Figure, str]:
    """ROC curves; the fused model's with its band; marks where the calls were made."""
    figure = Figure(figsize=SQUARE)
    axes = figure.subplots()
    unit_square(axes, "1 − specificity", "sensitivity")
    for name, model in _drawn_models(numbers):
        if model["roc"] is None:
            continue
        color, area = MODEL_COLORS[name], model["auc"]
        if name == FUSED and (band := model["roc_band"]) is not None:
            x, low, high = band["false_positive_rate"], band["low"], band["high"]
            axes.fill_between(x, low, high, color=color, alpha=0.14, linewidth=0)
        axes.plot(
            model["roc"]["false_positive_rate"],
            model["roc"]["true_positive_rate"],
            color=color,
            linestyle=MODEL_LINES[name],
            linewidth=1.8 if name == FUSED else 1.2,
            label=f"{name} {area['value']:.2f} ({area['low']:.2f}–{area['high']:.2f})",
        )
        called = model["measures"]
        x, y = 1 - called["specificity"]["value"], called["recall"]["value"]
        axes.plot(x, y, MODEL_MARKS[name], color=color, markersize=5, markeredgecolor="white", markeredgewidth=0.8)
    axes.set_title("ROC, AUC (95 % interval)")
    _legend(axes, loc="lower right")
    return figure, "ROC curves with AUC and interval"


@drawn
def calibration_curves(numbers: Numbers) -> tuple[Figure, str]:
    """Observed share against predicted probability in groups of cases."""
    figure = Figure(figsize=SQUARE)
    axes = figure.subplots()
    unit_square(axes, "predicted probability", "observed share")
    for name, model in _drawn_models(numbers):
        if not (groups := model["reliability"]):
            continue
        color = MODEL_COLORS[name]
        x, y = [g["predicted"] for g in groups], [g["observed"]["value"] for g in groups]
        if name == FUSED:
            axes.vlines(
                x,
                [g["observed"]["low"] for g in groups],
                [g["observed"]["high"] for g in groups],
                color=color,
                linewidth=0.9,
            )
        axes.plot(x, y, color=color, linestyle=MODEL_LINES[name], linewidth=1.8 if name == FUSED else 1.1)
        axes.plot(x, y, MODEL_MARKS[name], color=color, markersize=4, markeredgewidth=0, label=_slope(name, model))
    axes.set_title("Calibration")
    _legend(axes, loc="upper left", handlelength=1)
    return figure, "calibration curves"


@drawn
def decision_curves(numbers: Numbers) -> tuple[Figure, str]:
    """Net benefit of every model against treating all and none."""
    figure = Figure(figsize=SQUARE)
    axes = figure.subplots()
    reference = numbers["decision_reference"]
    axes.axhline(0, color=SOFT, linewidth=0.9, label="none")
    top = 0.05
    if reference is not None:
        axes.plot(reference["threshold"], reference["treat_all"], color=INK, linewidth=0.9, label="all")
        top = max(top, *reference["treat_all"])
    for name, model in _drawn_models(numbers):
        if model["decision_curve"] is None:
            continue
        x, y = model["decision_curve"]["threshold"], model["decision_curve"]["net_benefit"]
        axes.plot(
            x,
            y,
            color=MODEL_COLORS[name],
            linestyle=MODEL_LINES[name],
            linewidth=1.8 if name == FUSED else 1.2,
            label=name,
        )
        top = max(top, *y)
    axes.set(xlim=(0, 1), ylim=(-0.35 * top, 1.08 * top), xlabel="threshold probability", ylabel="net benefit")
    axes.set_box_aspect(1)
    axes.set_title("Decision curves")
    _legend(axes, loc="upper right")
    return figure, "decision curves"


@drawn
def confusion_tables(numbers: Numbers) -> tuple[Figure, str]:
    """Counts of true against called answers for every model, shaded by the share of the true answer."""
    models = list(_drawn_models(numbers, front_last=False))
    words = (numbers["negative_word"], numbers["positive_word"])
    figure = Figure(figsize=(9.6, 2.35))
    for place, (axes, (name, model)) in enumerate(zip(_row(figure, 4), models, strict=False)):
        axes.set_axis_on()
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
        axes.set(xlabel="called", ylabel="true" if place == 0 else "")
        axes.set_title(name, color=MODEL_COLORS[name], loc="center")
        axes.spines[:].set_visible(True)
    return figure, "confusion matrices"


@drawn
def selected_features(numbers: Numbers) -> tuple[Figure, str]:
    """Coefficients of the RadScores, the largest first, and the share of the folds that selected each feature."""
    rows = [(region, row) for region, features in numbers["coefficients"].items() for row in features]
    rows = sorted(rows, key=lambda row: (-abs(row[1]["coefficient"]), row[1]["feature"]))[:SHOWN_FEATURES]
    folded = any(row["selected_in"] is not None for _, row in rows)
    figure = Figure(figsize=(9.6, 0.85 + 0.21 * max(len(rows), 2)))
    if not rows:
        empty(figure, "No feature was selected.")
        return figure, "no feature was selected"
    panels = figure.subplots(1, 2 if folded else 1, width_ratios=[3, 1] if folded else [1], sharey=True, squeeze=False)
    at = np.arange(len(rows))
    colors = [REGION_COLORS[region] for region, _ in rows]
    axes = panels[0, 0]
    axes.barh(at, [row["coefficient"] for _, row in rows], color=colors, height=0.66)
    axes.axvline(0, color=SOFT, linewidth=0.7)
    axes.set_yticks(at, [feature_title(row["feature"]) for _, row in rows], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel="LASSO coefficient (per SD of the feature)")
    for region in dict.fromkeys(region for region, _ in rows):
        axes.barh(0, 0, color=REGION_COLORS[region], label=REGIONS[region])
    axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.1)
    if folded:
        shares = [(row["selected_in"] or 0) * 100 for _, row in rows]
        panels[0, 1].barh(at, shares, color=colors, height=0.66)
        panels[0, 1].set(xlim=(0, 100), xlabel="% of folds that selected it")
        panels[0, 1].tick_params(axis="y", length=0)
    return figure, "coefficients of the selected features"


@drawn
def correlation_map(numbers: Numbers) -> tuple[Figure, str]:
    """Pearson correlation of the fused inputs."""
    names = [input_title(name) for name in numbers["correlation"]["inputs"]]
    matrix = np.array(numbers["correlation"]["matrix"], dtype=float)
    figure = Figure(figsize=(4.8, 4.5))
    axes = figure.subplots()
    axes.spines[:].set_visible(False)
    shown = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    for (row, column), r in np.ndenumerate(matrix):
        if np.isfinite(r) and len(names) <= 16:
            text = (
                number(round(float(r), 2) + 0.0, 2).replace("0.", ".", 1).replace("1.00", "1")
            )  # + 0.0: no minus zero
            axes.text(column, row, text, ha="center", va="center", fontsize=5.5, color="white" if abs(r) > 0.6 else INK)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    bar = figure.colorbar(shown, ax=axes, shrink=0.6, pad=0.02, ticks=[-1, -0.5, 0, 0.5, 1])
    bar.outline.set_visible(False)
    axes.set_title("Pearson correlation of the fused inputs")
    return figure, "heat map of Pearson correlations"


@drawn
def contribution_swarm(outcome: EndpointOutcome, mean_absolute: dict[str, float]) -> tuple[Figure, str]:
    """Shapley values of every case and input, colored by the input's value; inputs by their mean absolute value."""
    figure = Figure(figsize=(4.8, 4.5))
    axes = figure.subplots()
    if outcome.contributions is None:
        empty(figure, "Contributions were not asked for.")
        return figure, "no contributions"
    order = sorted(mean_absolute, key=lambda name: (-mean_absolute[name], name))
    columns = [outcome.input_names.index(name) for name in order]
    axes.axvline(0, color=SOFT, linewidth=0.7, zorder=0)
    points: Any = None
    for row, column in enumerate(columns):
        effects = outcome.contributions[:, column]
        points = axes.scatter(
            effects,
            row + swarm(effects),
            c=np.clip(outcome.inputs[:, column], -2, 2),
            cmap="cividis",
            vmin=-2,
            vmax=2,
            s=5,
            linewidths=0,
            rasterized=True,  # thousands of dots would make the page heavy
        )
    labels = [f"{input_title(name)}  {mean_absolute[name]:.2f}" for name in order]
    axes.set_yticks(range(len(order)), labels, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(order) - 0.4, -0.6), xlabel="Shapley value (log-odds of positive)")
    bar = figure.colorbar(points, ax=axes, shrink=0.6, pad=0.02, ticks=[-2, 0, 2])
    bar.ax.set_title("input\n(SD)", fontsize=6.5, fontweight="normal", loc="left")
    bar.outline.set_visible(False)
    axes.set_title("Contributions; number: mean |value|")
    return figure, "Shapley values of the fused inputs"


@drawn
def learning_curves(history: Sequence[dict[str, float]]) -> tuple[Figure, str]:
    """Loss in training and validation by epoch, the best epoch marked."""
    figure = Figure(figsize=(5.2, 3.0))
    axes = figure.subplots()
    for part, color, line in (("train", SOFT, (0, (5, 1.5))), ("validation", "#24588c", "-")):
        losses = np.array([np.nan if (loss := epoch.get(part)) is None else loss for epoch in history], dtype=float)
        epochs = np.arange(1, len(losses) + 1)
        if not np.isfinite(losses).any():
            continue
        axes.plot(epochs, losses, color=color, linestyle=line, linewidth=1.5, label=part)
        if part == "validation":
            best = int(np.nanargmin(losses))
            axes.plot(epochs[best], losses[best], "o", color=color, markersize=5, label=f"lowest: epoch {best + 1}")
    axes.set(xlabel="epoch", ylabel="loss")
    axes.grid(axis="y", color=FAINT, linewidth=0.4)
    axes.legend()
    return figure, "loss by epoch"


def swarm(values: np.ndarray, width: float = 0.38, bins: int = 60) -> np.ndarray:
    """Where to put dots across a line so that equal values lie side by side.

    Args:
        values: Along the line, (n,).
        width: Greatest offset.
        bins: In which values count as equal, over their range.

    Returns:
        Offsets between -width and width, (n,), the fullest bin filling the width.
    """
    spread = float(np.ptp(values)) or 1.0
    place = np.floor((values - values.min()) / spread * bins).astype(int)
    offsets = np.zeros(len(values))
    fullest = max(int(np.bincount(place).max()), 12)
    for bin_number in np.unique(place):
        rows = np.flatnonzero(place == bin_number)
        offsets[rows] = (np.arange(len(rows)) - (len(rows) - 1) / 2) * 2 * width / fullest
    return offsets


def input_title(name: str) -> str:
    """An input's name, short enough for an axis."""
    return feature_title(name).replace("deep feature", "deep").replace("peritumoral ", "")


def _drawn_models(numbers: Numbers, front_last: bool = True) -> list[tuple[str, Numbers]]:
    """Models in the order of drawing: the fused one last, so that it lies on top."""
    models = [(name, numbers["models"][name]) for name in MODEL_COLORS if name in numbers["models"]]
    return models[::-1] if front_last else models


def _row(figure: Figure, n: int) -> list[Axes]:
    """Panels in one row, those left empty without axes."""
    panels = list(np.atleast_1d(figure.subplots(1, n)))
    for axes in panels:
        axes.set_axis_off()
    return panels


def _slope(name: str, model: Numbers) -> str:
    slope = model["calibration"]["slope"]
    return f"{name}, slope –" if slope is None else f"{name}, slope {number(slope, 2)}"


def _legend(axes: Axes, **settings: Any) -> None:
    """A legend whose first line is what was drawn last: the fused model."""
    lines, labels = axes.get_legend_handles_labels()
    axes.legend(lines[::-1], labels[::-1], borderaxespad=0.1, fontsize=6.6, **settings)
