"""A comparison in words: one place, read by the page, the terminal, the window and the JSON file."""

import math
from typing import NamedTuple

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import Answer
from PDL1PredictorLib.followup.comparison import AnswerChange, Comparison, Noise, SizeChange, grows
from PDL1PredictorLib.report.kinds import renderer

WITHIN, BEYOND, NOT_KNOWN = "within the noise of the contour", "beyond the noise of the contour", "not compared"
NOISE_WORDS: dict[Noise, str] = {"within": WITHIN, "beyond": BEYOND, "not_known": NOT_KNOWN}
SHORT_WORDS: dict[Noise, str] = {"within": "within noise", "beyond": "beyond noise", "not_known": NOT_KNOWN}
WHAT_NOISE_IS = (
    "Noise of the contour: what the number does when the contour is moved by 1 mm inwards and outwards. A change is "
    "beyond it where the two ranges share no value. A change within it may come from the outline alone. Scanner, dose, "
    "breath and reader add to it, so that a change beyond it need not be the tumor's either."
)
_SOURCE = "Doubling time: days x ln 2 / ln(later volume / earlier volume) (Schwartz 1961, modified for volumes)."
NOTHING = "–"


class Line(NamedTuple):
    """One row of a comparison.

    Attributes:
        what: What is compared.
        earlier: At first.
        later: Then.
        change: The change, or why there is none.
        noise: What it is worth.
        short: The same where there is little room.
        kinds: Colors of the two answers (`report.colors.ANSWERS`); empty for sizes.
    """

    what: str
    earlier: str
    later: str
    change: str
    noise: str
    short: str
    kinds: tuple[str, str] = ("", "")


def days_words(comparison: Comparison) -> str:
    """`120 days (3.9 months) between the studies`."""
    days = comparison.days
    if days is None:
        return "days between the studies: not known"
    months = f" ({days / (365.25 / 12):.1f} months)" if days >= 61 else ""
    return f"{days} day{'s' if days != 1 else ''}{months} between the studies"


def growth_words(comparison: Comparison) -> str:
    """What the volume does, and how fast: never more than the contour's noise allows."""
    days = comparison.doubling_days
    time = _time(days)
    grown = grows(comparison)
    if grown is None:
        taken = f" (taken as it stands: {time})" if days is not None and math.isfinite(days) else ""
        return f"no growth beyond the noise of the contour{taken}"
    head = "has grown beyond the noise of the contour" if grown else "has shrunk beyond the noise of the contour"
    return f"{head}: {time}" if time else head


def _time(days: float | None) -> str:
    """`the volume doubles in 100 days`; halves, with the sign of the doubling time, where it shrinks."""
    if days is None:
        return ""
    if math.isinf(days):
        return "no growth"
    if days > 0:
        return f"the volume doubles in {_days(days)}"
    return f"the volume halves in {_days(-days)}, doubling time -{_days(-days)}"


def _days(days: float) -> str:
    return f"{days:.0f} days" if days >= 1 else "less than a day"


def lines(comparison: Comparison) -> tuple[Line, ...]:
    """Volume, diameter, and every answer."""
    return (
        _size("Volume", comparison.volume, "mL", 2),
        _size("Longest axial diameter", comparison.diameter, "mm", 0),
        *(_answer(one) for one in comparison.answers),
    )


def notes(comparison: Comparison) -> tuple[str, ...]:
    """What the reader must know, then what the words mean."""
    return (*(note.text for note in comparison.notes), WHAT_NOISE_IS, _SOURCE)


def plain_text(comparison: Comparison) -> str:
    """The comparison for the terminal."""
    first, then = comparison.earlier.study.day, comparison.later.study.day
    rows = lines(comparison)
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    table = [
        f"  {row.what:<{wide[0]}}  {row.earlier:>{wide[1]}} -> {row.later:<{wide[2]}}  {row.change:<{wide[3]}}  "
        f"{row.noise}".rstrip()
        for row in rows
    ]
    head = f"Tumor {comparison.earlier.lesion.index} of {first or 'the earlier study'}, tumor "
    head += f"{comparison.later.lesion.index} of {then or 'the later study'}: {days_words(comparison)}."
    said = growth_words(comparison)
    told = [f"  ! {note.text}" for note in comparison.notes]
    return "\n".join([head, f"{said[0].upper()}{said[1:]}.", *table, *told])


def _size(what: str, size: SizeChange, unit: str, digits: int) -> Line:
    return Line(
        what,
        f"{size.earlier:.{_digits(size.earlier, digits)}f} {unit}",
        f"{size.later:.{_digits(size.later, digits)}f} {unit}",
        f"{size.percent:+.0f} %",
        NOISE_WORDS[size.noise],
        SHORT_WORDS[size.noise],
    )


def _digits(value: float, digits: int) -> int:
    """Fewer where the number is large."""
    return min(digits, max(0, 2 - math.floor(math.log10(value)))) if value > 0 else digits


def _answer(one: AnswerChange) -> Line:
    (before, kind_before), (then, kind_then) = _shown(one.earlier), _shown(one.later)
    kinds = (kind_before, kind_then)
    noise = NOISE_WORDS[one.noise] if not one.why_not else f"{NOT_KNOWN}: {one.why_not}"
    return Line(endpoint(one.endpoint).title, before, then, _by(one), noise, SHORT_WORDS[one.noise], kinds)


def _shown(answer: Answer | None) -> tuple[str, str]:
    """`mutant, 71 %`; the word alone where it is not answered, or where the word is the number."""
    if answer is None:
        return NOTHING, "none"
    show = renderer(answer)
    said = show.verdict(answer)
    number = show.value(answer)
    return (said.short if said.kind in ("none", "value") else f"{said.short}, {number}"), said.kind


def _by(one: AnswerChange) -> str:
    """`+12 points` of a share and of a number in percent, `+3.1 months`; a dash where there is no change to tell."""
    answer = one.later
    if answer is None or one.change is None:
        return NOTHING
    unit = renderer(answer).numbers(answer)[0].unit
    if not unit or unit == "%":
        return f"{one.change * (1 if unit else 100):+.0f} points"
    return f"{one.change:+.3g} {unit}"
