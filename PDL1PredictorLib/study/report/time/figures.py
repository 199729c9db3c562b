"""The figures of times until an event, drawn from the numbers of `study.report.document`."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from PDL1PredictorLib.core.targets import MONTH_DAYS
from PDL1PredictorLib.study.report.drawing import FAINT, INK, SOFT, Numbers, drawn, drawn_models, square, unit_square
from PDL1PredictorLib.study.report.figures import overview, overview_legend
from PDL1PredictorLib.study.report.looks import Looks

COLORS = {"low risk": "#0072b2", "middle": "#7a7a7a", "high risk": "#d55e00"}
WIDE = (4.4, 3.7)  # inches


@drawn
def c_overview(endpoints: Mapping[str, Numbers], looks: Looks) -> tuple[Figure, str]:
    """Harrell's C of every model with its interval."""
    figure, axes = overview(endpoints, looks, "harrell")
    axes.axvline(0.5, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=0)
    axes.set(xlim=(0.295, 1.005), xlabel="Harrell's C, 95 % interval")
    overview_legend(axes)
    return figure, "Harrell's C with 95 % interval of every endpoint and model"


@drawn
def kaplan_meier_curves(numbers: Numbers) -> tuple[Figure, str]:
    """Share free of the event by third of the lead model's score, with the numbers at risk below."""
    groups = numbers["groups"]
    figure = Figure(figsize=WIDE)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    for row, curve in enumerate(groups["curves"]):
        color = COLORS[curve["group"]]
        times, shares = [0.0, *curve["times"]], [1.0, *curve["survival"]]
        above.step(_months(times), shares, where="post", color=color, linewidth=1.6, label=curve["group"])
        at = _at(times, shares, curve["censored"])
        above.plot(_months(curve["censored"]), at, "|", color=color, markersize=5, markeredgewidth=0.8)
        for tick, count in zip(_months(groups["ticks"]), curve["at_risk"], strict=True):
            below.text(tick, -row, str(count), ha="center", va="center", color=color, fontsize=7)
    above.set(ylim=(-0.01, 1.03), ylabel="share free of the event")
    above.legend(loc="upper right", fontsize=7)
    _at_risk_table(below, [curve["group"] for curve in groups["curves"]], _months(groups["ticks"]))
    return figure, "Kaplan-Meier curves by third of the lead model's score"


@drawn
def calibration(numbers: Numbers, looks: Looks, place: int) -> tuple[Figure, str]:
    """Kaplan-Meier's share against the mean predicted chance in quarters, of every model, at one time."""
    models = drawn_models(numbers, looks)
    figure, axes = square(len(models))
    for title, look, model in models:
        found = model["calibration"][place] if model["calibration"] else None
        if found is None:
            continue
        rows = [row for row in found["groups"] if row["observed"] is not None]
        expected, observed = ([row[name] for row in rows] for name in ("expected", "observed"))
        if look.role == "lead":
            for row in rows:
                if row["low"] is not None and row["high"] is not None:
                    axes.plot([row["expected"]] * 2, [row["low"], row["high"]], color=look.color, linewidth=0.8)
        axes.plot(
            expected, observed, look.mark, color=look.color, linestyle=look.line, linewidth=look.width, label=title
        )
    unit_square(axes, "mean predicted chance", "share free of the event (Kaplan-Meier)")
    axes.set_title(f"Calibration at {round(numbers['horizons'][place] / MONTH_DAYS)} months")
    axes.legend(fontsize=6.6, loc="lower right")
    return figure, "observed against predicted survival in quarters of the prediction"


def _at_risk_table(axes: Axes, names: list[str], ticks: list[float]) -> None:
    axes.set_ylim(-len(names) + 0.4, 0.6)
    axes.set_yticks([-row for row in range(len(names))], names)
    axes.set_xticks(ticks, [f"{tick:.0f}" for tick in ticks])
    axes.set_xlabel("months; below the axis: cases still followed")
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.set_title("at risk", fontsize=7, color=INK)


def _at(times: list[float], shares: list[float], when: list[float]) -> np.ndarray:
    return np.asarray(shares)[np.searchsorted(times, when, side="right") - 1]


def _months(days: list[float]) -> list[float]:
    return [day / MONTH_DAYS for day in days]
