"""What `pdl1 numbers` leaves behind: numbers as JSON and Markdown, a page with pictures, every answer as CSV."""

import csv
import json
from pathlib import Path

from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.learning.tables.input_table import InputTable
from PDL1PredictorLib.learning.tables.numbers.comparison import NumberComparison
from PDL1PredictorLib.study.numbers.document import Plain
from PDL1PredictorLib.study.numbers.figures import drawings
from PDL1PredictorLib.study.numbers.page import to_html
from PDL1PredictorLib.study.numbers.text import to_text

JSON_NAME, TEXT_NAME, HTML_NAME, ANSWERS_NAME = "numbers.json", "numbers.md", "numbers.html", "answers.csv"


def write_numbers(document: Plain, table: InputTable, found: NumberComparison, folder: Path) -> None:
    """Write the four files into a folder that exists; the same arguments write the same bytes.

    `answers.csv` holds the label of every patient or row, and the page's pictures a dot for it; the others hold none.
    """
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / JSON_NAME).write_text(text + "\n", encoding="utf-8", newline="\n")
    (folder / TEXT_NAME).write_text(to_text(document), encoding="utf-8", newline="\n")
    (folder / HTML_NAME).write_text(to_html(document, drawings(document, found)), encoding="utf-8", newline="\n")
    write_answers(table, found, folder / ANSWERS_NAME)


def write_answers(table: InputTable, found: NumberComparison, path: Path) -> None:
    """One row a repetition and unit: who, fold, observed number, and every model's answer; values come back exactly.

    A model that was not fitted in a repetition has an empty field.
    """
    who, folds = names_of(table, found), found.results[0].answers.folds
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow((found.units.words.removesuffix("s"), "repetition", "fold", "observed", *_titles(found)))
        for repeat, of_unit in enumerate(folds):
            for place, name in enumerate(who):
                answers = [
                    repr(float(one.answers.predicted[repeat, place])) if repeat < len(one.answers.predicted) else ""
                    for one in found.results
                ]
                observed = repr(float(found.units.labels[place]))
                lines.writerow((safe_cell(name), repeat + 1, int(of_unit[place]) + 1, observed, *answers))


def names_of(table: InputTable, found: NumberComparison) -> list[str]:
    """What each unit is called: the patient, or the row's number in the table."""
    if found.units.words == "patients":
        return sorted(set(table.patients or ()))
    return [str(number) for number in table.row_numbers]


def _titles(found: NumberComparison) -> list[str]:
    return [one.kind for one in found.results]
