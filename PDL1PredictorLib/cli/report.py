"""The commands on results that are there: report makes a page again, compare holds two studies together."""

import argparse
import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib.cli.options import add_out
from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.errors import InputError

if TYPE_CHECKING:  # their pages load SimpleITK
    from PDL1PredictorLib.followup.comparison import Comparison
    from PDL1PredictorLib.followup.examined import Examined
    from PDL1PredictorLib.followup.page import Pictures

OF_STUDIES = ("study.json", "evaluation.json", "survival.json")
WITHOUT = "There are no pictures in it: they are taken from the report.html of the folder, and it holds none."


def add(commands: Any) -> None:
    """Add `report` and `compare` to the commands."""
    text = (
        "Make a report again from its folder, without CT, model or training: of a prediction, of a study, an "
        "evaluation, or of survival."
    )
    command = add_command(commands, "report", text, _report)
    command.add_argument(
        "result", type=Path, metavar="RESULT", help="folder that pdl1 predict, train, evaluate or survival made"
    )
    add_out(command, "HTML file to make (default: the report in RESULT; needs --overwrite there)", required=False)
    _add_compare(commands)


def _add_compare(commands: Any) -> None:
    text = (
        "Compare two results of one patient: volume, diameter, doubling time, and each answer against the noise of its "
        "contour."
    )
    command = add_command(commands, "compare", text, _compare)
    command.add_argument("earlier", type=Path, metavar="EARLIER", help="result folder of the earlier study")
    command.add_argument("later", type=Path, metavar="LATER", help="result folder of the later study")
    command.add_argument(
        "--pair",
        action="append",
        default=[],
        metavar="N=M",
        help="tumor N of EARLIER is tumor M of LATER, by the numbers of the reports; needed, and repeated, where a "
        "result has several",
    )
    command.add_argument("--days", type=int, help="days between the studies, where the results do not tell their dates")
    command.add_argument(
        "--dates", nargs=2, metavar=("DAY", "DAY"), help="days of the two studies, such as 2026-01-31 2026-05-04"
    )
    command.add_argument("--json", action="store_true", help="print the comparison as JSON")
    add_out(command, "HTML file to make", required=False)


def _report(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.core.files.output import whole_file
    from PDL1PredictorLib.report.remade.again import REPORT, report_again
    from PDL1PredictorLib.report.remade.result import RESULT

    if (options.result / RESULT).is_file():
        name = REPORT
        page, with_pictures = report_again(options.result)
        lacking: tuple[str, ...] = () if with_pictures else (WITHOUT,)
    else:
        page, name, lacking = _of_study(options.result, speaker)
    out = options.out or options.result / name
    with whole_file(out, options.overwrite) as draft:
        draft.write_text(page, encoding="utf-8", newline="\n")
    speaker.done("\n".join([f"Report: {out}", *lacking]), out=str(out), pictures=not lacking, lacking=list(lacking))


def _of_study(folder: Path, speaker: Speaker) -> tuple[str, str, tuple[str, ...]]:
    """Page, name of its file, what could not be made anew.

    Raises:
        InputError: The folder holds no report that can be made again.
    """
    if not any((folder / name).is_file() for name in OF_STUDIES):
        told = f"{', '.join(OF_STUDIES[:-1])} or {OF_STUDIES[-1]}"
        raise InputError(
            f"{folder} is no result: it holds no result.json, {told}. Give the folder that "
            "pdl1 predict, train (OUT.study), evaluate or survival made."
        )
    from PDL1PredictorLib.study.remade.again import FORMS, again, form_of

    page, lacking = again(folder, speaker.progress())
    return page, FORMS[form_of(folder)].report, lacking


def _compare(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.followup.as_json import to_json
    from PDL1PredictorLib.followup.comparison import compare
    from PDL1PredictorLib.followup.examined import read_pairs
    from PDL1PredictorLib.followup.wording import plain_text

    pairs = [_pair(text) for text in options.pair]
    dates = _dates(options)
    found = read_pairs(options.earlier, options.later, pairs)
    compared = [compare(*_dated(pair, dates), options.days) for pair in found]
    if options.out is not None:
        _write_page(options, compared)
    content = to_json(compared)
    text = "\n\n".join(plain_text(one) for one in compared)
    if options.json:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2)
    elif options.out is not None:
        text = f"{text}\n\nReport: {options.out}"
    speaker.done(text, out=None if options.out is None else str(options.out), comparison=content)


def _write_page(options: argparse.Namespace, compared: "list[Comparison]") -> None:
    from PDL1PredictorLib.core.files.output import whole_file
    from PDL1PredictorLib.followup.page import axial, to_html
    from PDL1PredictorLib.report.remade.again import REPORT, pictures_of

    def picture(folder: Path, one: "Examined") -> Any:
        lesions = one.result.lesions
        return axial(pictures_of(folder / REPORT, len(lesions)), lesions.index(one.lesion))

    with whole_file(options.out, options.overwrite) as draft:
        pictures: list[Pictures] = [
            (picture(options.earlier, one.earlier), picture(options.later, one.later)) for one in compared
        ]
        draft.write_text(to_html(compared, pictures), encoding="utf-8", newline="\n")


def _pair(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d{0,5})=([1-9]\d{0,5})", text)
    if found is None:
        raise InputError(f"--pair must name two tumors by their numbers, such as 1=2 (earlier=later), got {text!r}.")
    return int(found[1]), int(found[2])


def _dates(options: argparse.Namespace) -> tuple[date, date] | None:
    if options.dates is None:
        return None
    if options.days is not None:
        raise InputError("--days and --dates say the same; give one of them.")
    from PDL1PredictorLib.core.case import day_of

    first, then = (day_of(text) for text in options.dates)
    if first is None or then is None:
        wrong = options.dates[0 if first is None else 1]
        raise InputError(f"--dates takes days such as 2026-01-31, got {wrong!r}.")
    return first, then


def _dated(pair: "tuple[Examined, Examined]", dates: tuple[date, date] | None) -> "tuple[Examined, Examined]":
    """The two with the days that were given.

    Raises:
        InputError: A result tells another day.
    """
    if dates is None:
        return pair
    from PDL1PredictorLib.core.case import Study

    for one, day in zip(pair, dates, strict=True):
        if one.study.day not in (None, day):
            raise InputError(f"{one.name} is of {one.study.day}, and --dates says {day}. Check the days.")
    return pair[0].on(Study(dates[0])), pair[1].on(Study(dates[1]))
