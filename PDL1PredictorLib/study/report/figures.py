"""Figures that the report shows whatever the kind of endpoint, drawn from the numbers of `study.report.document`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.report.html import number
from PDL1PredictorLib.report.words import feature_title
from PDL1PredictorLib.study.report.dots import SHOWN_INPUTS, Dots, strongest
from PDL1PredictorLib.study.report.drawing import (
    FAINT,
    INK,
    REGION_COLORS,
    SOFT,
    WIDE,
    Numbers,
    drawn,
    empty,
)
from PDL1PredictorLib.study.report.looks import Looks

SHOWN_FEATURES = 20
TOLD_INPUTS = 16  # with so many the correlations are written into their fields


def overview(endpoints: Mapping[str, Numbers], looks: Looks, measure: str) -> tuple[Figure, Axes]:
    """One measure of every endpoint and model with its interval; a row an endpoint, a line a model.

    Args:
        endpoints: Of the document, all of one kind.
        looks: Of the models.
        measure: Its name among a model's numbers.
    """
    there = {title for numbers in endpoints.values() for title in numbers["models"]}
    drawn_looks = {title: look for title, look in looks.items() if title in there}
    n = max(1, len(drawn_looks))
    figure = Figure(figsize=(WIDE, 0.75 + (0.15 * n + 0.12) * len(endpoints)))
    axes = figure.subplots()
    for row, numbers in enumerate(endpoints.values()):
        if row % 2:
            axes.axhspan(row - 0.5, row + 0.5, color="#f3f5f8", linewidth=0, zorder=0)
        for place, (title, look) in enumerate(drawn_looks.items()):
            found = numbers["models"].get(title, {}).get(measure)
            if found is None or found["value"] is None:
                continue
            y = row + (place - (n - 1) / 2) * min(0.2, 0.8 / n)
            if found["low"] is not None:
                axes.plot([found["low"], found["high"]], [y, y], color=look.color, linewidth=1.4, solid_capstyle="butt")
            axes.plot(found["value"], y, look.mark, color=look.color, markersize=4.5, markeredgewidth=0)
    for title, look in drawn_looks.items():
        axes.plot([], [], look.mark, ls="-", color=look.color, markersize=4.5, label=title)
    axes.set(ylim=(len(endpoints) - 0.5, -0.5))
    axes.set_yticks(
        range(len(endpoints)), [numbers["title"] for numbers in endpoints.values()], fontsize=8.5, color=INK
    )
    axes.tick_params(axis="y", length=0)
    return figure, axes


def overview_legend(axes: Axes) -> None:
    """The legend above an overview, once all is drawn."""
    axes.legend(ncols=5, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=8)


@drawn
def selected_features(numbers: Numbers) -> tuple[Figure, str]:
    """Coefficients of the selected features, the largest first, and the share of the folds that selected each."""
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
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel="coefficient (per SD of the feature)")
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
    """Pearson correlation of the lead model's inputs; without words where there are too many."""
    names = [input_title(name) for name in numbers["correlation"]["inputs"]]
    matrix = np.array(numbers["correlation"]["matrix"], dtype=float)
    figure = Figure(figsize=(4.8, 4.5))
    axes = figure.subplots()
    axes.spines[:].set_visible(False)
    shown = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    for (row, column), r in np.ndenumerate(matrix):
        if np.isfinite(r) and len(names) <= TOLD_INPUTS:
            text = (
                number(round(float(r), 2) + 0.0, 2).replace("0.", ".", 1).replace("1.00", "1")
            )  # + 0.0: no minus zero
            axes.text(column, row, text, ha="center", va="center", fontsize=5.5, color="white" if abs(r) > 0.6 else INK)
    told = range(len(names)) if len(names) <= SHOWN_INPUTS else ()
    axes.set_xticks(told, [names[at] for at in told], rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(told, [names[at] for at in told])
    axes.tick_params(length=0)
    bar = figure.colorbar(shown, ax=axes, shrink=0.6, pad=0.02, ticks=[-1, -0.5, 0, 0.5, 1])
    bar.outline.set_visible(False)
    axes.set_title("Pearson correlation of the inputs")
    return figure, "heat map of Pearson correlations"


@drawn
def contribution_swarm(dots: Dots, mean_absolute: Mapping[str, float], measure: str, unit: str) -> tuple[Figure, str]:
    """Effects of every case and input, colored by the input's value; inputs by their mean absolute effect.

    Args:
        dots: A column each of the inputs that are shown.
        mean_absolute: Input to its mean absolute effect.
        measure: What an effect is, such as `Shapley value`.
        unit: Of the effects, in words.
    """
    figure = Figure(figsize=(4.8, 4.5))
    axes = figure.subplots()
    order = strongest(mean_absolute)
    axes.axvline(0, color=SOFT, linewidth=0.7, zorder=0)
    points: Any = None
    for row in range(len(order)):
        effects = dots.effects[:, row].astype(float)
        points = axes.scatter(
            effects,
            row + swarm(effects),
            c=np.clip(dots.inputs[:, row].astype(float), -2, 2),
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
    axes.set(ylim=(len(order) - 0.4, -0.6), xlabel=f"{measure} ({unit})")
    bar = figure.colorbar(points, ax=axes, shrink=0.6, pad=0.02, ticks=[-2, 0, 2])
    bar.ax.set_title("input\n(SD)", fontsize=6.5, fontweight="normal", loc="left")
    bar.outline.set_visible(False)
    axes.set_title("Contributions; number: mean |value|")
    return figure, "Shapley values of the inputs"


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
