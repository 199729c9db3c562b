"""The command `pdl1`: its parser, and how one run goes."""

import argparse
import sys
from collections.abc import Sequence

from PDL1PredictorLib import RESEARCH_USE_ONLY, __version__
from PDL1PredictorLib.cli import cohort, deep, evaluate, models, predict, reference, segment, survival, tables, train
from PDL1PredictorLib.cli.ending import ended
from PDL1PredictorLib.cli.speaker import Speaker, typed
from PDL1PredictorLib.core.running import ending

PAGES = (
    predict,
    segment,
    models,
    reference,
    cohort,
    tables,
    survival,
    train,
    evaluate,
    deep,
)  # in the order of the help


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 2 refused with a reason, 3 done but for some cases, 70 a fault of this library,
        130 interrupted, 141 nobody reads.
    """
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    options.typed = typed(given)
    speaker = Speaker(options.progress)
    with ending.heeded(speaker.speaks_json):
        return ended(lambda: options.run(options, speaker), speaker, options.typed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
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
