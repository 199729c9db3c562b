"""The commands with a known truth: the reference values of IBSI, and the synthetic cohort."""

import argparse
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.options import add_out, add_seed
from PDL1PredictorLib.cli.speaker import Speaker, add_command


def add(commands: Any) -> None:
    """Add `ibsi` and `phantom` to the commands."""
    _add_ibsi(commands)
    _add_phantom(commands)


def _add_ibsi(commands: Any) -> None:
    command = add_command(commands, "ibsi", "Hold features and filters against the reference values of IBSI.", _ibsi)
    command.add_argument(
        "--reference", type=Path, required=True, help="folder with the tables of reference values and the phantoms"
    )


def _add_phantom(commands: Any) -> None:
    command = add_command(commands, "phantom", "Make a synthetic cohort with known truth.", _phantom)
    command.add_argument("--n", type=int, default=10, help="patients (default: 10)")
    add_seed(command, "the same seed makes the same patients")
    command.add_argument(
        "--extent", choices=("chest", "tumor"), default="chest", help="whole chest (default) or around the tumor"
    )
    command.add_argument("--pet", action="store_true", help="a PET in SUV for each patient, too")
    add_out(command, "folder to make")


def _ibsi(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.radiomics.ibsi.reference import check_features, check_filters

    progress = speaker.progress()
    with progress.part("features", 0.0, 0.3) as part:
        found = check_features(options.reference, part)
    with progress.part("filters", 0.3, 1.0) as part:
        found += check_filters(options.reference, part)
    counts = {each.name: f"{len(each.compared) - len(each.misses)}/{len(each.compared)}" for each in found}
    speaker.done("\n".join(str(each) for each in found), agreements=counts)


def _phantom(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.phantom.cohort import write_cohort

    write_cohort(
        options.out,
        options.n,
        options.seed,
        speaker.progress(),
        extent=options.extent,
        overwrite=options.overwrite,
        pet=options.pet,
    )
    speaker.done(f"{options.n} synthetic patients: {options.out / 'cases.csv'}", out=str(options.out), n=options.n)
