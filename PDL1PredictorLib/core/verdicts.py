"""What an answer comes to: one verdict, made once with the answer and read by every page and file that shows it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["answered", "not_answered"]
Call = Literal["positive", "negative", "undecided", "borderline", "value", "none"]
CALLS: tuple[Call, ...] = ("positive", "negative", "undecided", "borderline", "value", "none")
REASONS = {
    "synthetic_model": "synthetic model",
    "unlike_training": "unlike the training cohort",
    "no_skill": "no proven skill",
    "not_measured": "skill not measured",
    "interval_too_wide": "interval too wide",
    "outside_set": "unlike both groups",
    "simpler_as_good": "a simpler model is as good",
}
"""Codes of reasons, and a few words of each for a table."""


@dataclass(frozen=True)
class Reason:
    """Why an answer is not given, or not decided, or what must be known of one that is.

    Attributes:
        code: One of `REASONS`, for programs.
        text: A sentence for people, with its figures.

    Raises:
        ValueError: There is no such code.
    """

    code: str
    text: str

    def __post_init__(self) -> None:
        if self.code not in REASONS:
            raise ValueError(f"{self.code!r} is no reason; known are {', '.join(REASONS)}.")

    @property
    def short(self) -> str:
        """A few words for a table."""
        return REASONS[self.code]

    def to_dict(self) -> dict[str, str]:
        """Plain values for JSON."""
        return {"code": self.code, "text": self.text}


@dataclass(frozen=True)
class Verdict:
    """What an answer comes to.

    Attributes:
        status: Whether the model can back an answer for this case.
        call: `positive` or `negative`; `borderline` where an interval holds the threshold; `undecided` where the
            prediction set bears out neither; `value` of a number; `none` where it is not answered.
        reasons: Why it is not answered, the weightiest first; or why it is undecided, where that needs a word; or that
            a simpler model is as good.

    Raises:
        ValueError: Status, call and reasons contradict each other.
    """

    status: Status
    call: Call
    reasons: tuple[Reason, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.status not in ("answered", "not_answered") or self.call not in CALLS:
            raise ValueError(f"{self.status!r} with the call {self.call!r} is no verdict.")
        if (self.status == "not_answered") != (self.call == "none"):
            raise ValueError(f"What is {self.status} cannot have the call {self.call!r}.")
        if self.status == "not_answered" and not self.reasons:
            raise ValueError("What is not answered needs a reason.")

    @property
    def answered(self) -> bool:
        """Whether the model can back an answer."""
        return self.status == "answered"

    @property
    def codes(self) -> str:
        """The codes of its reasons for the cell of a table, separated by blanks."""
        return " ".join(reason.code for reason in self.reasons)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "status": self.status,
            "call": self.call,
            "reasons": [reason.to_dict() for reason in self.reasons],
        }


def refused(reasons: Iterable[Reason]) -> Verdict:
    """Not answered, for these reasons."""
    return Verdict("not_answered", "none", tuple(reasons))


NOT_JUDGED = refused([Reason("not_measured", "Nothing is known of how well this answer can be trusted.")])
"""Of an answer that nobody has judged yet: it is none that may be relied on."""
