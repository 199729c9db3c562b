"""The figures of the report: curves with numbers at risk, the scan of the cut, the forest, AUC over time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from PDL1PredictorLib.report.words import p_value
from PDL1PredictorLib.study.report.drawing import FAINT, INK, SOFT, drawn
from PDL1PredictorLib.study.report.looks import LEAD_COLOR, PART_COLORS

Plain = Mapping[str, Any]
COLORS = (PART_COLORS[0], LEAD_COLOR, *PART_COLORS[1:])
LINES = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1, 1.2)))


@drawn
def curves(groups: Mapping[str, Plain], unit: str) -> tuple[Figure, str]:
    """Kaplan-Meier curves with their limits, censorings, and a table of numbers at risk below."""
    height = 3.1 + 0.17 * len(groups)
    figure = Figure(figsize=(5.2, height))
    axes, below = figure.subplots(2, 1, height_ratios=[2.6, 0.2 + 0.16 * len(groups)], sharex=True)
    last = max(curve["steps"]["time"][-1] for curve in groups.values())
    for place, (name, curve) in enumerate(groups.items()):
        _curve(axes, curve["steps"], name, place)
    axes.set(ylim=(0, 1.02), xlim=(0, last * 1.01), ylabel="Free of the event")
    axes.tick_params(labelbottom=True)
    axes.legend(loc="upper right", fontsize=6.8)
    ticks = axes.get_xticks()
    ticks = ticks[(ticks >= 0) & (ticks <= last)]
    _at_risk(below, groups, ticks)
    axes.set_xlabel(f"Time ({unit})")
    words = ", ".join(f"{name}: {curve['n']} cases, {curve['events']} events" for name, curve in groups.items())
    return figure, f"Kaplan-Meier curves with 95 % limits and numbers at risk. {words}."


@drawn
def cut_scan(cut: Plain, score: str) -> tuple[Figure, str]:
    """The log-rank statistic of every cut, with the chosen ones."""
    figure = Figure(figsize=(5.2, 2.9))
    axes = figure.subplots()
    axes.plot(cut["scan"]["cut"], cut["scan"]["statistic"], color=COLORS[0], linewidth=1.1)
    axes.axhline(3.841, color=FAINT, linewidth=0.8, linestyle="--")
    axes.text(axes.get_xlim()[1], 3.95, "p 0.05, one cut", ha="right", va="bottom", fontsize=6.5, color=SOFT)
    axes.axvline(cut["value"], color=LEAD_COLOR, linewidth=1)
    naive, corrected = p_value(cut["p_naive"]), p_value(cut["p_permutation"])
    label = f"largest log-rank {cut['value']:.4g}: p {naive} naive, {corrected} corrected"
    axes.plot([cut["value"]], [cut["statistic"]], "o", color=LEAD_COLOR, markersize=5, label=label)
    ranked = cut["max_rank"]
    near = int(np.argmin(np.abs(np.array(cut["scan"]["cut"]) - ranked["cut"])))
    axes.plot(
        [ranked["cut"]],
        [cut["scan"]["statistic"][near]],
        "D",
        color=PART_COLORS[1],
        markersize=4.5,
        label=f"largest standardized rank {ranked['cut']:.4g}: p {p_value(ranked['p_1994'])} corrected",
    )
    axes.set(xlabel=f"Cut of {score}", ylabel="Log-rank chi-square")
    axes.set_ylim(0, max(cut["scan"]["statistic"]) * 1.32)
    axes.legend(loc="upper left", fontsize=6.8)
    return figure, f"Log-rank statistic of every cut of {score}; the best is {cut['value']:.4g}."


@drawn
def areas(points: Sequence[Plain], unit: str) -> tuple[Figure, str]:
    """AUC over time with its pointwise interval."""
    figure = Figure(figsize=(5.2, 2.9))
    axes = figure.subplots()
    time, value = [p["horizon"] for p in points], [p["value"] for p in points]
    axes.fill_between(time, [p["low"] for p in points], [p["high"] for p in points], color=COLORS[0], alpha=0.16, lw=0)
    axes.plot(time, value, color=COLORS[0], linewidth=1.5)
    axes.axhline(0.5, color=FAINT, linewidth=0.8)
    low = min(0.4, *(p["low"] for p in points))
    axes.set(ylim=(max(0.0, low - 0.02), 1.01), xlabel=f"Horizon ({unit})", ylabel="AUC(t)")
    return figure, f"AUC for the event by each horizon, {min(value):.2f} to {max(value):.2f}, with 95 % intervals."


@drawn
def forest(rows: Sequence[Plain], label: str) -> tuple[Figure, str]:
    """Hazard ratios with their intervals on a logarithmic scale."""
    figure = Figure(figsize=(5.2, 0.9 + 0.26 * len(rows)))
    axes = figure.subplots()
    known = [row for row in rows if row["ratio"] is not None]
    for place, row in enumerate(rows):
        if row["ratio"] is None:
            axes.text(1, place, "cannot be estimated", fontsize=7, va="center", color=SOFT)
            continue
        ratio = row["ratio"]
        axes.plot([ratio["low"], ratio["high"]], [place, place], color=INK, linewidth=1.4)
        axes.plot([ratio["value"]], [place], "s", color=LEAD_COLOR, markersize=5)
        text = f"{ratio['value']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"
        axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), fontsize=7, va="center")
    axes.axvline(1, color=FAINT, linewidth=0.9, zorder=0)
    axes.set_xscale("log")
    _ratio_ticks(axes, [r["ratio"]["low"] for r in known], [r["ratio"]["high"] for r in known])
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(label)
    return figure, "; ".join(f"{r['name']}: hazard ratio {r['ratio']['value']:.2f}" for r in known)


def _curve(axes: Axes, steps: Plain, name: str, place: int) -> None:
    color, line = COLORS[place % len(COLORS)], LINES[place // len(COLORS) % len(LINES)]
    time = np.concatenate([[0.0], steps["time"]])
    survival = np.concatenate([[1.0], np.array(steps["survival"], dtype=float)])
    axes.step(time, survival, where="post", color=color, linestyle=line, linewidth=1.4, label=name)
    low, high = (np.concatenate([[np.nan], np.array(steps[end], dtype=float)]) for end in ("low", "high"))
    axes.fill_between(time, low, high, step="post", color=color, alpha=0.13, linewidth=0)
    leaving = np.array(steps["at_risk"]) - np.append(steps["at_risk"][1:], 0) - np.array(steps["events"])
    censored = leaving > 0
    axes.plot(time[1:][censored], survival[1:][censored], "|", color=color, markersize=4, markeredgewidth=0.7)


def _at_risk(axes: Axes, groups: Mapping[str, Plain], ticks: np.ndarray) -> None:
    axes.set_axis_off()
    axes.set_ylim(len(groups) - 0.2, -1.2)
    beside: Any = {"transform": axes.get_yaxis_transform(), "ha": "right", "va": "center", "fontsize": 6.8}
    axes.text(-0.045, -0.9, "At risk", color=SOFT, **beside)
    for place, (name, curve) in enumerate(groups.items()):
        axes.text(-0.045, place, name, color=COLORS[place % len(COLORS)], **beside)
        times, at_risk = np.array(curve["steps"]["time"]), np.append(curve["steps"]["at_risk"], 0)
        for tick, n in zip(ticks, at_risk[np.searchsorted(times, ticks)], strict=True):
            axes.text(tick, place, f"{n:.0f}", ha="center", va="center", fontsize=6.8)


def _ratio_ticks(axes: Axes, lows: Sequence[float], highs: Sequence[float]) -> None:
    low, high = min([0.8, *lows]), max([1.25, *highs])
    possible = [0.01, 0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.67, 1, 1.5, 2, 3, 5, 10, 20, 50, 100]
    inside = [t for t in possible if low / 1.1 <= t <= high * 1.1]
    apart = max(np.log(high / low) / 7, 1e-9)
    shown = [1.0]  # outward from 1, as many as have room
    for t in sorted(inside, key=lambda t: abs(np.log(t))):
        if min(abs(np.log(t / other)) for other in shown) >= apart:
            shown.append(t)
    axes.set_xlim(low / 1.1, high * 1.1)
    axes.set_xticks(shown, [f"{t:g}" for t in shown])
    axes.minorticks_off()
