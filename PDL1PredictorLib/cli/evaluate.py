"""The command that judges finished models on new cases: evaluate, and recalibrate on them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib.cli.options import (
    add_cache,
    add_device,
    add_out,
    add_prevalence,
    add_seed,
    add_work,
    cache_of,
    prevalence_of,
)
from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.errors import EXIT_SOME_FAILED
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.resources import find_model

if TYPE_CHECKING:  # its page loads numpy and more
    from PDL1PredictorLib.study.evaluation.conduct import Evaluation


def add(commands: Any) -> None:
    """Add `evaluate` to the commands."""
    text = "Evaluate finished models on cases that they have not seen; compare them, or recalibrate one."
    command = add_command(commands, "evaluate", text, _evaluate)
    command.add_argument(
        "--model",
        action="append",
        required=True,
        help="bundle: name, folder or .zip; given again, further models are compared with the first, case by case",
    )
    command.add_argument("--cohort", type=Path, required=True, help="table of the cases, with labels (docs/cohort.md)")
    add_out(command, "folder of the report to make")
    command.add_argument(
        "--recalibrate",
        type=Path,
        metavar="BUNDLE",
        help="bundle to make: the model with intercept, slope and threshold of these cases",
    )
    add_prevalence(command)
    command.add_argument("--endpoints", help="comma-separated (default: all that table and model share)")
    command.add_argument(
        "--no-stability", action="store_true", help="do not answer again under contours moved by 1 mm; is quicker"
    )
    add_seed(command, "of the folds of a recalibration")
    add_device(command)
    add_work(command, "processes that share the cases, 0 for one a core", default=1)
    add_cache(command)


def _evaluate(options: argparse.Namespace, speaker: Speaker) -> int:
    for name in ("matplotlib", *(("sklearn", "safetensors") if options.recalibrate else ())):
        require_module(name, "The report of an evaluation needs more packages: install pdl1predictor[train].")
    from PDL1PredictorLib.cohort.table import read_cohort
    from PDL1PredictorLib.core.endpoints import endpoint
    from PDL1PredictorLib.core.needs import declared_by
    from PDL1PredictorLib.models.bundle import read_bundle
    from PDL1PredictorLib.models.manifest import read_manifest
    from PDL1PredictorLib.prediction import Options
    from PDL1PredictorLib.study.evaluation.conduct import evaluate_models
    from PDL1PredictorLib.study.evaluation.plan import EvaluationPlan

    models = tuple(find_model(name) for name in options.model)
    manifests = [read_manifest(read_bundle(path)) for path in models]
    answered = manifests[0].summary.endpoints
    wanted = tuple(endpoint(key).key for key in options.endpoints.split(",")) if options.endpoints else None
    plan = EvaluationPlan(
        models=models,
        out=options.out,
        cache=cache_of(options),
        command=options.typed,
        options=Options(
            device=options.device,
            stability=not options.no_stability,
            prevalence=prevalence_of(options.prevalence, answered),
            voxel_maps=False,
        ),
        workers=options.workers or None,
        recalibrate=options.recalibrate,
        overwrite=options.overwrite,
        seed=options.seed,
    )
    declared = declared_by([manifest.needs for manifest in manifests])
    cohort = read_cohort(options.cohort, wanted, check_files=False, declared=declared)
    found = evaluate_models(plan, cohort, speaker.progress())
    speaker.done(_summary(found), **_facts(found, options))
    return EXIT_SOME_FAILED if found.failed else 0


def _summary(found: "Evaluation") -> str:
    lines = [repr(found), *(f"Failed, {name}: {reason}" for name, reason in found.failed.items())]
    if found.bundle is not None:
        lines.append(f"Recalibrated: {found.bundle.name}, SHA-256 {found.bundle.sha256}")
    return "\n".join([*lines, f"Report: {found.report}"])


def _facts(found: "Evaluation", options: argparse.Namespace) -> dict[str, object]:
    bundle = found.bundle
    return {
        "out": str(options.out),
        "report": str(found.report),
        "failed": dict(found.failed),
        "recalibrated": None if bundle is None else str(options.recalibrate),
        "sha256": None if bundle is None else bundle.sha256,
    }
