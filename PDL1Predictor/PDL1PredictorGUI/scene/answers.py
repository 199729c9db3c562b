"""What the window says of one answer: the library's verdict, and the numbers beside it.

The verdict is made once, in the library, and only read here. The one place where the window asks for an answer's kind.
"""

from dataclasses import replace
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
    return str(show.verdict(read).short) if read.verdict.answered else _("not answered")


def color(row: Row) -> Any:
    """The report's colors for an answer; gray for one that is not given."""
    make_importable()
    from PDL1PredictorLib.report.colors import ANSWERS

    show, read = shown(row)
    kind = show.verdict(read).kind if read.verdict.answered else "undecided"
    return ANSWERS.get(kind, ANSWERS["undecided"])


def reasons(row: Row) -> list[str]:
    """Why it is not answered, or not decided: a sentence each."""
    return [reason.text for reason in shown(row)[1].verdict.reasons]


def codes(row: Row) -> str:
    """The same for programs."""
    return str(shown(row)[1].verdict.codes)


def status(row: Row) -> str:
    """`answered` or `not_answered`."""
    return str(shown(row)[1].verdict.status)


def model(row: Row) -> str:
    """The title of the model that answers, such as `Tumor volume alone`; empty where that is not known."""
    return str(shown(row)[1].model)


def number(row: Row) -> str:
    """The number with its word, such as `mutant: 11 %`."""
    show, read = shown(row)
    return str(show.bar(read))


def span(row: Row, name: str) -> str:
    """One of the answer's intervals (`interval`, `uncertainty`, `stability`) for people; empty if it is not known."""
    show, read = shown(row)
    ends = getattr(read, name)
    return "" if ends is None else str(show.interval(replace(read, interval=ends)))


def main_span(row: Row) -> str:
    """Which of its intervals stands beside a number: of a probability the patient's own; of a number where it lies."""
    return "interval" if getattr(shown(row)[1], "threshold", None) is None else "uncertainty"


def span_title(row: Row) -> str:
    """What that interval is called at the head of a column."""
    show, read = shown(row)
    return _("Uncertainty") if main_span(row) == "uncertainty" else str(show.heads(read).short_interval)


def facts(row: Row) -> list[Fact]:
    """The numbers of an answer and what to hold them against; those that are not known are left out."""
    show, read = shown(row)
    found = [
        Fact(str(show.question(read.endpoint)), str(show.value(read))),
        Fact(_("95 % uncertainty of this patient"), span(row, "uncertainty")),
        Fact(_("Contour moved by 1 mm"), span(row, "stability")),
        Fact(str(show.interval_name(read)), span(row, "interval")),
        Fact(_("Called from"), str(show.cut(read))),
        Fact(_("Base rate"), share(getattr(read, "base_rate", None))),
        Fact(_("Sensitivity there"), estimate(getattr(read, "sensitivity", None))),
        Fact(_("Specificity there"), estimate(getattr(read, "specificity", None))),
    ]
    return [fact for fact in found if fact.text]


def share(value: float | None) -> str:
    """`22 %`; empty for None."""
    make_importable()
    from PDL1PredictorLib.report.words import percent

    return "" if value is None else percent(value)


def estimate(measured: Any) -> str:
    """`71 % (55 to 83 %)`; empty for None."""
    make_importable()
    from PDL1PredictorLib.report.words import percent_range

    return "" if measured is None else f"{share(measured.value)} ({percent_range((measured.low, measured.high))})"


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
