"""The command that makes the report of a result again."""

import argparse
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.options import add_out
from PDL1PredictorLib.cli.speaker import Speaker, add_command

WITHOUT = "\nThere are no pictures in it: they are taken from the report.html of the folder, and it holds none."


def add(commands: Any) -> None:
    """Add `report` to the commands."""
    text = "Make the report of a result folder again, from its result.json and pictures; no CT, no model is needed."
    command = add_command(commands, "report", text, _report)
    command.add_argument("result", type=Path, metavar="RESULT", help="folder that pdl1 predict made")
    add_out(command, "HTML file to make (default: report.html in RESULT; needs --overwrite there)", required=False)


def _report(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.core.files.output import whole_file
    from PDL1PredictorLib.report.remade.again import REPORT, report_again

    out = options.out or options.result / REPORT
    page, with_pictures = report_again(options.result)
    with whole_file(out, options.overwrite) as draft:
        draft.write_text(page, encoding="utf-8", newline="\n")
    speaker.done(f"Report: {out}{'' if with_pictures else WITHOUT}", out=str(out), pictures=with_pictures)
