"""Figures of networks over features, and of the errors of a number, from the numbers of `study.report.document`."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from PDL1PredictorLib.report.words import feature_title
from PDL1PredictorLib.study.report.drawing import FAINT, INK, SOFT, WIDE, Numbers, drawn, drawn_models, empty, square
from PDL1PredictorLib.study.report.looks import Looks

SHOWN = 20  # inputs, the strongest
ERRORS = (("mse", "MSE"), ("rmse", "RMSE"), ("mae", "MAE"))


@drawn
def epochs(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """MSE, RMSE and MAE of held-out training cases by epoch, and the baselines' errors on the test cases as lines."""
    figure = Figure(figsize=(WIDE, 3.5))
    panels = figure.subplots(1, 3)
    unit = f" ({numbers['unit']})" if numbers["unit"] else ""
    for axes, (name, title) in zip(panels, ERRORS, strict=True):
        for model, look, found in drawn_models(numbers, looks):
            if look.role == "baseline":
                _level(axes, found[name], look.color, look.line, model)
            elif model in numbers["network"]["epochs"]:
                history = numbers["network"]["epochs"][model]
                values = np.sqrt(history["mse"]) if name == "rmse" else np.array(history[name], dtype=float)
                at = np.arange(1, len(values) + 1)
                axes.plot(at, values, color=look.color, lw=look.width, ls=look.line, label=model)
                best = int(np.nanargmin(history["mse"]))
                axes.plot(at[best], values[best], look.mark, color=look.color, markersize=4)
        axes.set(xlabel="epoch", ylabel=title + (unit if name != "mse" else unit.replace(")", " squared)")))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.set_title(title)
    lines, labels = panels[0].get_legend_handles_labels()
    figure.legend(lines[::-1], labels[::-1], loc="outside lower center", ncols=6, fontsize=7)
    return figure, "held-out errors of the networks by epoch"


def _level(axes: Axes, found: Numbers | None, color: str, line: object, label: str) -> None:
    if found is not None and found["value"] is not None:
        axes.axhline(found["value"], color=color, ls=line, lw=1, label=label)


@drawn
def shares(numbers: Numbers) -> tuple[Figure, str]:
    """Mean absolute share of the strongest inputs, and their mean attention beside it."""
    rows = sorted(numbers["network"]["inputs"].items(), key=lambda row: (-row[1]["share"], row[0]))[:SHOWN]
    asked = all(row["attention"] is not None for _, row in rows)
    figure = Figure(figsize=(WIDE, 0.9 + 0.21 * max(len(rows), 3)))
    panels = figure.subplots(1, 2 if asked else 1, width_ratios=[3, 2] if asked else [1], sharey=True, squeeze=False)[0]
    at = np.arange(len(rows))
    values = [row["share"] for _, row in rows]
    panels[0].barh(at, values, color=["#d55e00" if row["signed"] >= 0 else "#0072b2" for _, row in rows], height=0.66)
    panels[0].set_yticks(at, [feature_title(name) for name, _ in rows], color=INK)
    panels[0].tick_params(axis="y", length=0)
    unit = numbers["unit"] or "the unit"
    panels[0].set(ylim=(len(rows) - 0.4, -0.6), xlabel=f"mean |integrated gradient| ({unit})")
    panels[0].set_title("Integrated gradients")
    if asked:
        panels[1].barh(at, [100 * row["attention"] for _, row in rows], color=SOFT, height=0.66)
        panels[1].axvline(100 / max(1, len(numbers["network"]["inputs"])), color=INK, lw=0.8, ls=(0, (4, 2)))
        panels[1].set(xlabel="mean attention of layer 1 (%)")
        panels[1].set_title("Attention")
    return figure, "integrated gradients and attention of the inputs"


@drawn
def attention_against_shares(numbers: Numbers) -> tuple[Figure, str]:
    """Attention of layer 1 by integrated gradients, a dot an input."""
    figure, axes = square(1)
    rows = numbers["network"]["inputs"].values()
    agreement = numbers["network"]["agreement"]
    if agreement is None or agreement["of_means"] is None:
        empty(figure, "The network asks none of its inputs.")
        return figure, "no attention"
    axes.plot([row["share"] for row in rows], [100 * row["attention"] for row in rows], "o", color="#d55e00", ms=4)
    axes.set(xlabel=f"mean |integrated gradient| ({numbers['unit'] or 'the unit'})", ylabel="mean attention (%)")
    axes.set_box_aspect(1)
    axes.set_title(f"Attention by share: rho {agreement['of_means']:.2f}".replace("-", "\u2212"))
    return figure, "attention of the first layer by integrated gradients"


@drawn
def components(numbers: Numbers) -> tuple[Figure, str]:
    """Share of the features' variance that the first components hold together."""
    figure, axes = square(1)
    values = 100 * np.array(numbers["network"]["explained"])
    at = np.arange(1, len(values) + 1)
    axes.plot(at, values, "o-", color="#0072b2", ms=3, lw=1.2)
    axes.axhline(90, color=FAINT, lw=0.8)
    axes.set(xlabel="components", ylabel="variance held (%)", ylim=(0, 102))
    axes.set_box_aspect(1)
    axes.set_title("Principal components")
    return figure, "variance of the features by components, training cases"


@drawn
def quantiles(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """Residuals of the lead model by normal quantiles."""
    figure, axes = square(1)
    for _, look, model in drawn_models(numbers, looks):
        if look.role != "lead":
            continue
        residuals = np.sort(np.array(numbers["observed"]["values"]) - np.array(model["predicted"]["value"]))
        normal = stats.norm.ppf((np.arange(len(residuals)) + 0.5) / len(residuals))
        axes.plot(normal, residuals, look.mark, color=look.color, ms=3, mew=0, alpha=0.7)
        axes.plot(normal, residuals.mean() + residuals.std() * normal, color=INK, lw=0.8, ls=(0, (4, 2)))
    axes.set(xlabel="normal quantile", ylabel="observed − predicted" + _in(numbers))
    axes.set_box_aspect(1)
    axes.set_title("Q-Q of the residuals")
    return figure, "residuals of the lead model by normal quantiles"


@drawn
def errors_by_case(numbers: Numbers, looks: Looks) -> tuple[Figure, str]:
    """Absolute error of each case by its observed value, lead model."""
    figure, axes = square(1)
    observed = np.array(numbers["observed"]["values"])
    for _, look, model in drawn_models(numbers, looks):
        if look.role == "lead":
            errors = np.abs(observed - np.array(model["predicted"]["value"]))
            axes.plot(observed, errors, look.mark, color=look.color, ms=3, mew=0, alpha=0.6)
            axes.axhline(errors.mean(), color=INK, lw=0.9, ls=(0, (4, 2)))
    axes.set(xlabel=f"observed{_in(numbers)}", ylabel=f"|observed − predicted|{_in(numbers)}")
    axes.set_box_aspect(1)
    axes.set_title("Absolute error of each case")
    return figure, "absolute error of each case of the lead model"


def _in(numbers: Numbers) -> str:
    return f" ({numbers['unit']})" if numbers["unit"] else ""
