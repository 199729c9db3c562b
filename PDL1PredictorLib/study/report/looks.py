"""How models look in every figure and table of a study: color, line and mark by role, none by name."""

from collections.abc import Mapping
from typing import NamedTuple

from PDL1PredictorLib.core.roles import Role, with_role

Line = str | tuple[int, tuple[float, ...]]
"""As matplotlib takes it: a name, or offset and lengths of dashes and gaps."""

# Okabe and Ito 2008, "Color universal design": told apart with every color vision. Line and mark differ too.
LEAD_COLOR = "#d55e00"
PART_COLORS = ("#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
BASELINE_COLORS = ("#7a7a7a", "#a5a5a5", "#4a4a4a")
PART_LINES: tuple[Line, ...] = ((0, (5, 1.5, 1, 1.5)), (0, (5, 1.5)), (0, (3, 1)), (0, (7, 1.5, 1, 1.5, 1, 1.5)))
BASELINE_LINES: tuple[Line, ...] = ((0, (1, 1.2)), (0, (2, 2.4)), (0, (1, 2.6, 3, 2.6)))
PART_MARKS, BASELINE_MARKS = ("^", "s", "v", "P", "<", "X", ">"), ("D", "d", "p", "h")
WIDTHS = {"lead": 1.8, "part": 1.2, "baseline": 1.2}


class Look(NamedTuple):
    """Of one model.

    Attributes:
        role: The model's.
        color: `#rrggbb`.
        line: Its dashes.
        mark: Name of a marker of matplotlib.
        width: Of its line, points.
    """

    role: Role
    color: str
    line: Line
    mark: str
    width: float


Looks = Mapping[str, Look]
"""Title to look, in the order of drawing: the lead model, the parts from the last to the first, the baselines."""


def looks_of(roles: Mapping[str, Role]) -> dict[str, Look]:
    """Colors, lines and marks of the models of a study; colors come round again after five parts, marks after seven."""
    parts, baselines = with_role(roles, "part"), with_role(roles, "baseline")
    of_parts = {title: _look("part", place) for place, title in enumerate(parts)}
    return {
        **{title: Look("lead", LEAD_COLOR, "-", "o", WIDTHS["lead"]) for title in with_role(roles, "lead")},
        **dict(reversed(of_parts.items())),
        **{title: _look("baseline", place) for place, title in enumerate(baselines)},
    }


def _look(role: Role, place: int) -> Look:
    colors, lines, marks = {
        "part": (PART_COLORS, PART_LINES, PART_MARKS),
        "baseline": (BASELINE_COLORS, BASELINE_LINES, BASELINE_MARKS),
    }[role]
    line = lines[place % len(lines)]
    return Look(role, colors[place % len(colors)], line, marks[place % len(marks)], WIDTHS[role])
