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
        kind: `binary`, `number` or `time`.
        probability: Of a yes/no question: calibrated, 0 to 1.
        value: Of a question of how much: in `unit`.
        survival: Of a question of how long: chance to be free of the event at the time nearest to a year, 0 to 1.
        unit: Of the value, or of the times; empty for a probability.
        low: Lower end of the interval, in the unit of the answer: of the patient's probability where that is known,
            else of the calibration; of a number's prediction interval.
        high: Its upper end.
        threshold: Probability at and above which the call is positive.
        verdict: `answered`, or `not_answered`: then the columns of the answer are empty, and its number stands in
            `withheld`.
        call: What it comes to: `positive`, `negative`, `borderline`, `undecided`; `value` of a number; `none`.
        reasons: Codes of why it is not answered, or undecided, separated by blanks.
        verdict_text: The same in words.
        stability: How far the answer moves under contours moved by 1 mm, in its unit; None if that was not tried.
        withheld: The number of what is not answered; it is none that may be relied on.
        base_rate: Share of positives that a probability is for.
        model: Title of the model that answers.
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
    survival: float | None
    unit: str
    low: float | None
    high: float | None
    threshold: float | None
    verdict: str
    call: str
    reasons: str
    verdict_text: str
    stability: float | None
    withheld: float | None
    base_rate: float | None
    model: str
    atypicality: float
    warnings: str


def answer_rows(result: CaseResult) -> list[AnswerRow]:
    """A row an answer: tumors in the result's order, answers in the model's."""
    return [_row(answer, lesion, result) for lesion in result.lesions for answer in lesion.endpoints]


def _row(answer: Answer, lesion: LesionResult, result: CaseResult) -> AnswerRow:
    about, told = endpoint(answer.endpoint), verdict(answer)
    fields, cells = renderer(answer).fields(answer), renderer(answer).cells(answer)
    return AnswerRow(
        case=result.case,
        lesion=lesion.index,
        endpoint=about.key,
        title=about.title,
        kind=answer.kind,
        probability=cells.get("probability"),
        value=cells.get("value"),
        survival=cells.get("survival"),
        unit=about.unit,
        low=cells["low"],
        high=cells["high"],
        threshold=fields.get("threshold"),
        verdict=cells["verdict"],
        call=cells["call"],
        reasons=cells["reasons"],
        verdict_text=told.headline,
        stability=cells["stability"],
        withheld=cells["withheld"],
        base_rate=fields.get("base_rate"),
        model=answer.model,
        atypicality=lesion.atypicality,
        warnings=codes((*result.warnings, *lesion.warnings)),
    )
