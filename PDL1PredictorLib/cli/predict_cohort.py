"""`pdl1 predict --cohort`: every case of a table, with one model."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PDL1PredictorLib.cli.options import add_work
from PDL1PredictorLib.cli.speaker import Speaker
from PDL1PredictorLib.core.errors import EXIT_SOME_FAILED, InputError

if TYPE_CHECKING:  # their pages load SimpleITK
    from PDL1PredictorLib.batch.run import BatchSummary, CaseDone
    from PDL1PredictorLib.core.needs import Needs
    from PDL1PredictorLib.imaging.case_files import Files
    from PDL1PredictorLib.prediction import Options

OF_ONE_CASE = ("ct", "tumor", "ring", "series", "clinical")
MOST_TOLD = 10  # failures on the screen; all are in the table


def add_cohort(command: argparse.ArgumentParser) -> None:
    """The options that predict a table of cases."""
    command.add_argument(
        "--cohort", type=Path, help="table of cases in place of --ct and --tumor (docs/cohort.md): a folder each"
    )
    add_work(command, "with --cohort: processes that share the cases, 0 for one a core", default=1)


def require_one_way(options: argparse.Namespace) -> None:
    """One case, or a table of cases.

    Raises:
        InputError: Neither, or both.
    """
    of_one = [f"--{name}" for name in OF_ONE_CASE if getattr(options, name) is not None]
    if options.cohort is not None and of_one:
        raise InputError(f"--cohort predicts all cases of a table; leave out {', '.join(of_one)}.")
    if options.cohort is not None and (options.dicom or options.paper):
        raise InputError("--dicom and --paper are for one case (--ct and --tumor); leave them out with --cohort.")
    if options.cohort is None and (options.ct is None or options.tumor is None):
        raise InputError("Give one case (CT and MASK, or --ct and --mask), or a table of cases (--cohort).")


def predict_cohort(
    options: argparse.Namespace, model: Path, chosen: "Options", speaker: Speaker, needs: "Needs"
) -> int:
    """Predict the table; the exit status says whether every case has an answer."""
    from PDL1PredictorLib.batch.request import BatchRequest
    from PDL1PredictorLib.batch.run import predict_cases

    request = BatchRequest(
        model=model,
        out=options.out,
        options=chosen,
        with_patient=options.with_patient,
        workers=options.workers or None,
        overwrite=options.overwrite,
    )

    def told(case: "CaseDone", number: int, total: int) -> None:
        folder = None if case.folder is None else str(case.folder)
        reason = case.reason or None
        speaker.event(
            "case", case=case.name, folder=folder, reason=reason, reused=case.reused, number=number, total=total
        )

    files, lacking = _cases(options, needs)
    found = predict_cases(files, request, speaker.progress(), told)
    text = "\n".join([_summary(found, options.out), *lacking])
    speaker.done(text, **_facts(found, options.out), warnings=lacking)
    return EXIT_SOME_FAILED if found.failed else 0


def _cases(options: argparse.Namespace, needs: "Needs") -> "tuple[list[Files], list[str]]":
    """The rows of the table; what is asked for all cases goes for those that say nothing of it. And what it lacks."""
    from PDL1PredictorLib.cohort.clinical.known import lacking
    from PDL1PredictorLib.cohort.sources import case_files
    from PDL1PredictorLib.cohort.table import read_cohort

    cohort = read_cohort(options.cohort, endpoints=(), check_files=False, declared=needs.declared)
    files = [
        replace(
            case_files(case, needs.pet),
            segment=case.segment or options.segment,
            resample_mask=options.resample_mask,
            fill_gaps=options.fill_gaps,
        )
        for case in cohort.cases
    ]
    return files, lacking(cohort, needs)


def _summary(found: "BatchSummary", out: Path) -> str:
    n, failed = len(found.cases), found.failed
    earlier = f", {found.reused} of them by an earlier run" if found.reused else ""
    lines = [f"{n - len(failed)} of {n} cases have an answer{earlier}: {out / 'predictions.csv'}"]
    lines += [f"Failed, {name}: {reason}" for name, reason in list(failed.items())[:MOST_TOLD]]
    if len(failed) > MOST_TOLD:
        lines.append(f"... and {len(failed) - MOST_TOLD} more.")
    if failed:
        lines.append(f"Reasons: {out / 'failures.csv'}")
    return "\n".join(lines)


def _facts(found: "BatchSummary", out: Path) -> dict[str, object]:
    return {
        "out": str(out),
        "predictions": str(out / "predictions.csv"),
        "n": len(found.cases),
        "reused": found.reused,
        "failed": found.failed,
    }
