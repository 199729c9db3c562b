"""What the report tells of a model within another; plain values, and their figures."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from PDL1PredictorLib.report.words import feature_title
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.drawing import FAINT, INK, SOFT, WIDE, Numbers, drawn
from PDL1PredictorLib.study.report.measures import Plain
from PDL1PredictorLib.study.within.values import Nomogram, Path

ZERO = 1e-6
LEFT, RIGHT = 0.27, 0.97  # where the axes of the nomogram begin and end, in shares of the figure's width


def within_numbers(outcome: EndpointOutcome) -> Plain | None:
    """Of an endpoint; None where no model is an input of another."""
    found = outcome.within
    if found is None:
        return None
    return {
        "title": found.title,
        "classifier": found.classifier,
        "mean_auc": dict(found.mean_auc),
        "path": None if found.path is None else _path(found.path),
        "nomogram": None if found.nomogram is None else _nomogram(found.nomogram),
    }


def _path(path: Path) -> Plain:
    best = path.coefficients[path.best]
    order = np.argsort(-np.abs(best), kind="stable")
    return {
        "names": list(path.names),
        "penalties": path.penalties.tolist(),
        "coefficients": path.coefficients.tolist(),
        "loss": path.loss.tolist(),
        "error": path.error.tolist(),
        "best": path.best,
        "selected": {path.names[i]: float(best[i]) for i in order if abs(best[i]) > ZERO},
    }


def _nomogram(found: Nomogram) -> Plain:
    return {
        "axes": {axis.name: [{"label": t.label, "points": t.points} for t in axis.ticks] for axis in found.axes},
        "most": found.most,
        "totals": [{"label": tick.label, "points": tick.points} for tick in found.totals],
        "log_odds_per_point": found.log_odds_per_point,
        "least_log_odds": found.least_log_odds,
    }


@drawn
def lasso(numbers: Numbers) -> tuple[Figure, str]:
    """Log loss of held-out cases, and the coefficients, by penalty."""
    path = numbers["within"]["path"]
    figure = Figure(figsize=(WIDE, 3.1))
    loss, lines = figure.subplots(1, 2)
    at, best = np.log10(path["penalties"]), path["best"]
    loss.errorbar(at, path["loss"], yerr=path["error"], color=INK, ecolor=FAINT, marker="o", markersize=3, lw=1)
    loss.set(ylabel="log loss of held-out cases")
    loss.set_title("Penalty by five folds")
    coefficients = np.array(path["coefficients"])
    for i in range(coefficients.shape[1]):
        kept = abs(coefficients[best, i]) > ZERO
        lines.plot(at, coefficients[:, i], color="#0072b2" if kept else FAINT, lw=1.1 if kept else 0.8)
    lines.axhline(0, color=SOFT, lw=0.7)
    lines.set(ylabel="coefficient")
    lines.set_title(f"Coefficients: {len(path['selected'])} of {coefficients.shape[1]} features kept")
    for axes in (loss, lines):
        axes.axvline(at[best], color=SOFT, lw=0.8, ls=(0, (3, 2)))
        axes.set_xlabel("log10 of the inverse penalty (weaker to the right)")
    return figure, "path of the LASSO: held-out loss and coefficients by penalty"


@drawn
def nomogram(numbers: Numbers) -> tuple[Figure, str]:
    """Axes of points for every input, their sum, and the probability that it means."""
    found = numbers["within"]["nomogram"]
    rows = [("Points", [{"label": str(p), "points": p} for p in range(0, 101, 10)], 100.0)]
    rows += [(_sentence(name), ticks, 100.0) for name, ticks in found["axes"].items()]
    step = max(10, round(found["most"] / 10, -1))
    sums = [{"label": f"{p:g}", "points": p} for p in np.arange(0, found["most"] + 1e-9, step)]
    rows += [
        ("Total points", sums, found["most"]),
        (f"Probability of {numbers['positive_word']}", found["totals"], found["most"]),
    ]
    figure = Figure(figsize=(WIDE, 0.35 + 0.52 * len(rows)))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 1), ylim=(len(rows), 0))
    axes.set_axis_off()
    for row, (title, ticks, end) in enumerate(rows):
        _scale(axes, row + 0.45, title, ticks, end)
    axes.axhline(len(rows) - 2, color=FAINT, lw=0.8)
    return figure, "nomogram of the combined model"


def _scale(axes: Axes, y: float, title: str, ticks: list[Numbers], end: float) -> None:
    """One line with marks; a mark whose label would touch the one before it has none."""
    places = [LEFT + (RIGHT - LEFT) * tick["points"] / end for tick in ticks]
    axes.text(0.01, y, title, va="center", color=INK)
    if not places:
        return
    axes.plot([min(places), max(places)], [y, y], color=SOFT, lw=0.9)
    last = -1.0
    for place, tick in sorted(zip(places, ticks, strict=True), key=lambda pair: pair[0]):
        axes.plot([place, place], [y, y + 0.14], color=SOFT, lw=0.9)
        if place - last >= 0.011 * (len(tick["label"]) + 1):
            axes.text(place, y + 0.2, tick["label"], ha="center", va="top", color=INK, fontsize=7)
            last = place


def _sentence(name: str) -> str:
    title = feature_title(name).replace("_", " ")
    return title[:1].upper() + title[1:]
