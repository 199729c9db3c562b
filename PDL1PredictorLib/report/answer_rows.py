"""The answers of a result as plain rows, one a tumor and endpoint: for a notebook, a data frame, a file."""

from typing import TypedDict

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import Answer, CaseResult, LesionResult, codes
from PDL1PredictorLib.report.kinds import renderer, verdict


class AnswerRow(TypedDict):
    """One answer; every row has every column, a value that its kind of answer has not is None.

    Attributes:
        case: The case's name.
        lesion: 1 for the largest tumor of the mask, 2 for the next ...
        endpoint: Key, as in `core.endpoints`.
        title: The endpoint's name for people.
        kind: `binary` or `number`.
        probability: Of a yes/no question: calibrated, 0 to 1.
        value: Of a question of how much: in `unit`.
        unit: Of the value; empty for a probability.
        low: Lower end of the interval, in the unit of the answer.
        high: Its upper end.
        threshold: Probability at and above which the call is positive.
        verdict: What the answer comes to: `positive`, `negative`, `undecided`, `unlike`; `estimate` for a number.
        verdict_text: The same in words.
        atypicality: Of the tumor: its distance to the training cohort over the limit. Above 1: do not rely on it;
            NaN: the model keeps no reference.
        warnings: Codes of what the reader must know, separated by blanks.
    """

    case: str
    lesion: int
    endpoint: str
    title: str
    kind: str
    probability: float | None
    value: float | None
    unit: str
    low: float
    high: float
    threshold: float | None
    verdict: str
    verdict_text: str
    atypicality: float
    warnings: str


def answer_rows(result: CaseResult) -> list[AnswerRow]:
    """A row an answer: tumors in the result's order, answers in the model's."""
    return [_row(answer, lesion, result) for lesion in result.lesions for answer in lesion.endpoints]


def _row(answer: Answer, lesion: LesionResult, result: CaseResult) -> AnswerRow:
    about, told = endpoint(answer.endpoint), verdict(answer)
    low, high = answer.interval
    fields = renderer(answer).fields(answer)
    return AnswerRow(
        case=result.case,
        lesion=lesion.index,
        endpoint=about.key,
        title=about.title,
        kind=answer.kind,
        probability=fields.get("probability"),
        value=fields.get("value"),
        unit=about.unit,
        low=low,
        high=high,
        threshold=fields.get("threshold"),
        verdict=told.kind,
        verdict_text=told.headline,
        atypicality=lesion.atypicality,
        warnings=codes((*result.warnings, *lesion.warnings)),
    )
