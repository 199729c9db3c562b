"""The command `pdl1`: its parser, and how one run goes."""

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from PDL1PredictorLib import RESEARCH_USE_ONLY, __version__
from PDL1PredictorLib.cli import (
    about,
    cohort,
    deep,
    evaluate,
    models,
    predict,
    reference,
    report,
    segment,
    survival,
    tables,
    train,
)
from PDL1PredictorLib.cli.ending import ended, failed
from PDL1PredictorLib.cli.shell.parsing import Parser
from PDL1PredictorLib.cli.shell.settings_file import with_settings
from PDL1PredictorLib.cli.speaker import Speaker, typed
from PDL1PredictorLib.core.errors import PDL1Error
from PDL1PredictorLib.core.running import ending

PAGES = (
    predict,
    segment,
    report,
    models,
    reference,
    cohort,
    tables,
    survival,
    train,
    evaluate,
    deep,
    about,
)  # as in the help


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 2 refused with a reason, 3 done but for some cases, 70 a fault of this library,
        130 interrupted, 141 nobody reads.
    """
    given = sys.argv[1:] if arguments is None else arguments
    parser = _parser()
    try:
        settled = with_settings(parser, models.in_full(given), os.environ)
    except PDL1Error as error:
        return failed(error, Speaker("json" if "json" in given else "none"), typed(given))
    options, unknown = parser.parse_known_args(settled.words)
    if unknown:
        options.parser.refuse_unknown(unknown)
    options.typed = typed(settled.words if settled.added else given)
    speaker = Speaker(options.progress)
    if settled.added:
        speaker.note(f"settings from {', '.join(settled.sources)}: {' '.join(settled.added)}")
    beating = speaker.beating() if arguments is None else nullcontext()  # a program that calls this has its own clock
    with ending.heeded(speaker.speaks_json), beating:
        return ended(lambda: options.run(options, speaker), speaker, options.typed)


def _parser() -> Parser:
    parser = Parser(
        prog="pdl1",
        description=(
            "Predicts PD-L1 status and other biomarkers of non-small-cell lung cancer from a chest CT and a tumor mask."
        ),
        epilog=RESEARCH_USE_ONLY,
    )
    parser.add_argument("--version", action="version", version=f"pdl1 {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for page in PAGES:
        page.add(commands)
    return parser
