"""What all figures of the study report share: colors, style, and how a figure becomes a drawing within the page."""

import io
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from PDL1PredictorLib.study.report.looks import Look, Looks

P = ParamSpec("P")
Numbers = dict[str, Any]
"""One endpoint of the document."""

REGION_COLORS = {"tumor": "#e69f00", "ring": "#56b4e9"}
INK, SOFT, FAINT = "#1d2733", "#566372", "#c3cad2"
SQUARE = (3.5, 3.55)  # inches
WIDE = 9.6
INSIDE = 5  # lines of a legend that leave room for the curves
PER_ROW = 4  # panels

STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: it can be searched, and follows the page's font
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "svg.hashsalt": "PDL1Predictor",  # the same figure gets the same names inside
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that the layout is the same everywhere
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "legend.handlelength": 2.4,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.05,
    "figure.constrained_layout.h_pad": 0.05,
}


def drawn(draw: Callable[P, tuple[Figure, str]]) -> Callable[Concatenate[str, P], Markup]:
    """Make a function that draws a figure, and says in words what it shows, return it as SVG for the page.

    The new function takes the drawing's name first, which must differ from those of all others on the page.
    """

    @wraps(draw)
    def draw_svg(name: str, /, *args: P.args, **kwargs: P.kwargs) -> Markup:
        with mpl.rc_context(STYLE):
            figure, label = draw(*args, **kwargs)
            buffer = io.BytesIO()
            nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure.savefig(buffer, format="svg", metadata=nothing)
        return _inline(buffer.getvalue().decode("utf-8"), name, label)

    return draw_svg


def unit_square(axes: Axes, x_label: str, y_label: str) -> None:
    """Axes from 0 to 1 with a thin diagonal."""
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, zorder=0)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", xlabel=x_label, ylabel=y_label)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])


def empty(figure: Figure, sentence: str) -> None:
    """Say why there is nothing to draw."""
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, sentence, ha="center", va="center", color=SOFT, wrap=True)


def square(n_models: int) -> tuple[Figure, Axes]:
    """A figure of one square panel, higher where the legend of so many models must stand below it."""
    below = n_models + 3 if n_models > INSIDE else 0  # lines, further curves than the models' among them
    figure = Figure(figsize=(SQUARE[0], SQUARE[1] + 0.14 * below))
    return figure, figure.subplots()


def panels(n: int, height: float) -> tuple[Figure, list[Axes]]:
    """Panels beside each other, `PER_ROW` in a row, those left empty without axes.

    Args:
        n: How many are filled.
        height: Of a row, inches.
    """
    n_rows = max(1, -(-n // PER_ROW))
    figure = Figure(figsize=(WIDE, height * n_rows))
    found = list(np.atleast_1d(figure.subplots(n_rows, PER_ROW)).flat)
    for axes in found[n:]:
        axes.set_axis_off()
    return figure, found[:n]


def drawn_models(numbers: Numbers, looks: Looks, front_last: bool = True) -> list[tuple[str, Look, Numbers]]:
    """The endpoint's models in the order of drawing: the lead last, so that it lies on top."""
    models = [(title, look, numbers["models"][title]) for title, look in looks.items() if title in numbers["models"]]
    return models[::-1] if front_last else models


def legend(axes: Axes, n_models: int, **settings: Any) -> None:
    """A legend whose first line is what was drawn last, the lead model; below the panel where there are many models."""
    lines, labels = axes.get_legend_handles_labels()
    if n_models > INSIDE:
        settings = {"loc": "upper left", "bbox_to_anchor": (0, -0.17), "handlelength": 2}
    axes.legend(lines[::-1], labels[::-1], borderaxespad=0.1, fontsize=6.6, **settings)


def _inline(svg: str, name: str, label: str) -> Markup:
    """The `<svg>` element alone, as wide as its place, its inner names made the page's only ones."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{name}-", svg)
    return Markup(svg.replace("<svg", f'<svg class="figure" role="img" aria-label="{escape(label)}"', 1))  # noqa: S704 matplotlib escapes text
