"""The command that makes the report of a result again."""

import argparse
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.options import add_out
from PDL1PredictorLib.cli.speaker import Speaker, add_command

OF_STUDIES = ("study.json", "evaluation.json", "survival.json")
WITHOUT = "There are no pictures in it: they are taken from the report.html of the folder, and it holds none."


def add(commands: Any) -> None:
    """Add `report` to the commands."""
    text = (
        "Make a report again from its folder, without CT, model or training: of a prediction, of a study, an "
        "evaluation, or of survival."
    )
    command = add_command(commands, "report", text, _report)
    command.add_argument(
        "result", type=Path, metavar="RESULT", help="folder that pdl1 predict, train, evaluate or survival made"
    )
    add_out(command, "HTML file to make (default: the report in RESULT; needs --overwrite there)", required=False)


def _report(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.core.files.output import whole_file
    from PDL1PredictorLib.report.remade.again import REPORT, RESULT, report_again

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
    from PDL1PredictorLib.core.errors import InputError

    if not any((folder / name).is_file() for name in OF_STUDIES):
        told = f"{', '.join(OF_STUDIES[:-1])} or {OF_STUDIES[-1]}"
        raise InputError(
            f"{folder} is no result: it holds no result.json, {told}. Give the folder that "
            "pdl1 predict, train (OUT.study), evaluate or survival made."
        )
    from PDL1PredictorLib.study.remade.again import FORMS, again, form_of

    page, lacking = again(folder, speaker.progress())
    return page, FORMS[form_of(folder)].report, lacking
