"""What an evaluation leaves behind: report, JSON, a row for every answer; whole or not at all."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from PDL1PredictorLib.core.files.output import whole_folder
from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.results import Answer
from PDL1PredictorLib.study.evaluation import kinds
from PDL1PredictorLib.study.evaluation.kinds import kind_evaluation
from PDL1PredictorLib.study.evaluation.outcome import Evaluated
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report.page import beside, to_html

COLUMNS = (
    *("endpoint", "case", "patient", "label", "model"),
    *kinds.COLUMNS,
    *("verdict", "call", "reasons", "unlike"),
)


def write_evaluation(
    outcome: StudyOutcome,
    found: Mapping[str, Evaluated],
    document: Mapping[str, Any],
    folder: Path,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> Path:
    """Write `report.html`, `evaluation.json` and `predictions.csv`.

    Args:
        outcome: With the models, for the figures.
        found: Endpoint to what was evaluated.
        document: Of both, from `evaluation_document`.
        folder: To make.
        overwrite: Replace an existing folder, once the new one is complete.
        progress: Told endpoint by endpoint.

    Returns:
        The report's path.

    Raises:
        OutputError: The folder exists and is not empty, or cannot be written.
    """
    with whole_folder(folder, overwrite) as draft:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
        (draft / "evaluation.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        with (draft / "predictions.csv").open("w", encoding="utf-8", newline="") as file:
            write_answers(found, file)
        page = to_html(document, beside(outcome), "evaluation.html", progress)
        (draft / "report.html").write_text(page, encoding="utf-8", newline="\n")
    return folder / "report.html"


def write_answers(found: Mapping[str, Evaluated], file: TextIO) -> None:
    """A row per endpoint, model and case, as the bundles answered; what was not answered says so."""
    table = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
    table.writeheader()
    for one in found.values():
        table.writerows(_rows(one))


def _rows(one: Evaluated) -> Iterator[dict[str, object]]:
    outcome, labels = one.outcome, one.outcome.labels.tolist()  # whole numbers for yes/no, as they are stored
    for title, answers in one.answers.items():
        cases = zip(outcome.cases, outcome.patients, labels, answers, one.unlike[title], strict=True)
        for case, patient, label, answer, unlike in cases:
            about = {"endpoint": outcome.key, "case": case, "patient": patient, "label": label, "model": title}
            about |= {"unlike": int(unlike)}
            yield {name: safe_cell(cell) for name, cell in (about | _answer(answer)).items()}


def _answer(answer: Answer) -> dict[str, Any]:
    low, high = answer.interval
    said = answer.verdict
    shared = {"low": low, "high": high, "verdict": said.status, "call": said.call, "reasons": said.codes}
    return {**shared, **kind_evaluation(answer.kind).cells(answer)}
