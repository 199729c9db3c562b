"""`pdl1.evaluate`: finished models on new cases, from a notebook."""

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path

from PDL1PredictorLib.cohort.table import Cohort, read_cohort
from PDL1PredictorLib.core.needs import declared_by
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.models.bundle import read_bundle
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.prediction import Options
from PDL1PredictorLib.resources import find_model
from PDL1PredictorLib.study.evaluation.conduct import Evaluation, evaluate_models
from PDL1PredictorLib.study.evaluation.plan import EvaluationPlan

PathArgument = str | PathLike[str]


def evaluate(
    cohort: Cohort | PathArgument,
    model: PathArgument | Sequence[PathArgument],
    out: PathArgument,
    *,
    recalibrate: PathArgument | None = None,
    prevalence: Mapping[str, float] | None = None,
    stability: bool = True,
    device: str = "auto",
    workers: int | None = 1,
    cache: PathArgument | None = None,
    overwrite: bool = False,
    seed: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate finished models on cases that they have not seen, and write the report; see docs/evaluate.md.

    Args:
        cohort: What `read_cohort` gives, or the table's path.
        model: Name or path of a bundle; of several, the first is compared with the others, case by case.
        out: Folder of the report to make.
        recalibrate: Bundle to make: the model with intercept, slope and threshold of these cases.
        prevalence: Endpoint to the share of positives that its probabilities are shifted to.
        stability: Answer again under contours moved by 1 mm, too.
        device: `auto`, `cpu`, `cuda` or `mps`.
        workers: Processes that share the cases; None takes one a core.
        cache: Folder for the predictions of every case; without it `out` with `.cache` added.
        overwrite: Replace existing output.
        seed: Of the folds of a recalibration.
        progress: Told on the way; may cancel.

    Returns:
        Every number (`document`, `table()`), the report's path, the cases without an answer, the new bundle.

    Raises:
        CohortError: A model has learned from some of the cases.
        PDL1Error: With what to do.
    """
    names = [model] if isinstance(model, (str, PathLike)) else list(model)
    target = Path(out)
    plan = EvaluationPlan(
        models=tuple(find_model(fspath(name)) for name in names),
        out=target,
        cache=target.with_name(f"{target.name}.cache") if cache is None else Path(cache),
        options=Options(device=device, stability=stability, prevalence=dict(prevalence or {}), voxel_maps=False),
        workers=workers,
        recalibrate=None if recalibrate is None else Path(recalibrate),
        overwrite=overwrite,
        seed=seed,
    )
    declared = declared_by([read_manifest(read_bundle(path)).needs for path in plan.models])
    table = cohort if isinstance(cohort, Cohort) else read_cohort(Path(cohort), check_files=False, declared=declared)
    return evaluate_models(plan, table, progress or Progress())
