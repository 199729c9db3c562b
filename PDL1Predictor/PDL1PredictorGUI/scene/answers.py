"""What the window says of one answer: the library's verdict, and the numbers beside it.

The verdict is made once, in the library, and only read here. The one place where the window asks for an answer's kind.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

from slicer.i18n import tr as _

from PDL1PredictorGUI.setup.library import make_importable

Row = dict[str, Any]  # an endpoint's entry of `result.json`


class Fact(NamedTuple):
    """A number of an answer, with its name."""

    name: str
    text: str


def shown(row: Row) -> tuple[Any, Any]:
    """How the report shows such an answer, and the answer itself."""
    make_importable()
    from PDL1PredictorLib.report.kinds import read_answer, renderer

    read = read_answer(row)
    return renderer(read), read


def answered(row: Row) -> bool:
    """Whether the model can back an answer."""
    return bool(shown(row)[1].verdict.answered)


def answer(row: Row) -> str:
    """The call, or what keeps from one, or the number, in the words of the report."""
    show, read = shown(row)
    return str(show.verdict(read).short)


def color(row: Row) -> Any:
    """The report's colors for what an answer comes to; gray for one that is not given."""
    make_importable()
    from PDL1PredictorLib.report.colors import ANSWERS

    show, read = shown(row)
    return ANSWERS.get(show.verdict(read).kind, ANSWERS["none"])


def reasons(row: Row) -> list[str]:
    """Why it is not answered, or not decided: a sentence each."""
    return [reason.text for reason in shown(row)[1].verdict.reasons]


def codes(row: Row) -> str:
    """The same for programs."""
    return str(shown(row)[1].verdict.codes)


def status(row: Row) -> str:
    """`answered` or `not_answered`."""
    return str(shown(row)[1].verdict.status)


def number(row: Row) -> str:
    """The number with its word, such as `mutant: 11 %`."""
    show, read = shown(row)
    return str(show.bar(read))


def span(row: Row, name: str) -> str:
    """One of the answer's intervals (`interval`, `uncertainty`, `stability`) for people; empty if it is not known."""
    show, read = shown(row)
    ends = getattr(read, name)
    return "" if ends is None else str(show.ends(read, ends))


def main_span(row: Row) -> str:
    """Which of its intervals stands beside a number: the patient's own, or what there is."""
    read = shown(row)[1]
    is_probability = getattr(read, "threshold", None) is not None
    return "uncertainty" if is_probability and read.uncertainty is not None else "interval"


def span_title(row: Row) -> str:
    """What that interval is called at the head of a column."""
    show, read = shown(row)
    return _("95 % range") if main_span(row) == "uncertainty" else str(show.heads(read).short_interval)


def span_name(row: Row) -> str:
    """What it is called where there is more room."""
    show, read = shown(row)
    return _("95 % interval of the patient") if main_span(row) == "uncertainty" else str(show.interval_name(read))


def facts(row: Row) -> list[Fact]:
    """The number of an answer, and what the report holds beside it."""
    show, read = shown(row)
    return [Fact(show.question(read.endpoint), show.value(read)), *(Fact(*fact) for fact in show.facts(read))]


def model_fact(row: Row) -> list[Fact]:
    """Which model answers, such as the tumor's volume alone; nothing where that is not known."""
    make_importable()
    from PDL1PredictorLib.report.shown import model_words

    read = shown(row)[1]
    words = model_words(read.model, read.role)
    return [Fact(_("Model"), str(words))] if words else []


def heat_share(row: Row) -> str:
    """How much of its heat map lies inside tumor and ring, such as `12 %`; empty where that is not known."""
    make_importable()
    from PDL1PredictorLib.report.words import percent

    share = (row.get("heat") or {}).get("share")
    return "" if share is None else str(percent(share))


def looks_outside(row: Row) -> bool:
    """Whether tumor and ring hold less of the heat than of what the network saw."""
    return bool((row.get("heat") or {}).get("outside", False))


def heat_sentence(row: Row) -> str:
    """The same in a sentence, as the report says it; empty where it is not known."""
    make_importable()
    from PDL1PredictorLib.report.words import heat_sentence as sentence

    heat = row.get("heat") or {}
    shares = {"heat_share": heat.get("share"), "area_share": heat.get("area_share")}
    return str(sentence(SimpleNamespace(**shares, looks_outside=looks_outside(row))))


def what_the_number_is(row: Row) -> str:
    """A sentence that nobody can read the other way round."""
    show, read = shown(row)
    return str(show.sentences(read)[0])


def lead(rows: list[Row]) -> Row | None:
    """The answer that stands first, as in the report; None of none."""
    make_importable()
    from PDL1PredictorLib.report.words import lead_key

    key = lead_key([row["endpoint"] for row in rows])
    return next((row for row in rows if row["endpoint"] == key), None)
