"""What an evaluation of a model on a cohort would come to, and how long it takes: told before it is started."""

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from PDL1PredictorLib.cohort.clinical.known import lacking
from PDL1PredictorLib.cohort.outlook.effort import START_S, time_words
from PDL1PredictorLib.cohort.outlook.labels import Counted, counted
from PDL1PredictorLib.cohort.table import Cohort
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import CancelledError, CohortError, PDL1Error
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.running.memory import peak_memory_mb
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.models.manifest import Manifest
from PDL1PredictorLib.study.evaluation.cases import files_for_model
from PDL1PredictorLib.study.evaluation.overlap import refuse_overlap

FEW = 10  # cases of the rarer answer: with fewer, every figure has a very wide interval


class Trial(NamedTuple):
    """The first case, answered to see how long that takes.

    Attributes:
        seconds: Of a further case like it; None where there was no answer.
        memory_mb: Peak of the process; None where the system does not tell.
        problem: Why there was no answer; empty where there was one.
    """

    seconds: float | None
    memory_mb: float | None
    problem: str = ""


def evaluation_outlook(
    cohort: Cohort,
    model: Path,
    manifest: Manifest,
    images: bool = True,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """What would come of an evaluation.

    Args:
        cohort: A table that was found in order, read with the clinical values that the model declares.
        model: Bundle folder or .zip.
        manifest: Of the bundle.
        images: Look for training cases among these, and answer the first case to see how long one takes.
        workers: Processes that read the CTs.
        progress: Told on the way.

    Returns:
        For JSON. `endpoints`: rows of `endpoint`, `title`, `usable` and `text`. `refusals`: what keeps an evaluation
        from starting. `notes`: what is worth knowing. `seconds`, `memory_mb`, `text`: about what it takes on one
        processor core; None and "" where that was not tried.
    """
    known = {one.endpoint: one for one in counted(cohort)}
    rows = [_row(key, title, known.get(key)) for key, title in _titles(manifest)]
    refusals = [] if any(row["usable"] for row in rows) else [_nothing_shared(manifest)]
    refusals += _lacks_pet(cohort, manifest)
    notes = _notes(cohort, manifest, known)
    trial = Trial(None, None)
    if images and not refusals:
        files = [files_for_model(case, manifest) for case in cohort.cases]
        with progress.part("overlap", 0.0, 0.5, "looking for training cases among these") as part:
            found, told = _overlap(cohort, files, manifest, workers, part)
        refusals, notes = refusals + found, [*notes, *told]
        if not refusals:
            with progress.part("trial", 0.5, 1.0, "answering the first case, to see how long one takes") as part:
                trial = _tried(files[0], model, part)
    if trial.problem:
        notes.append(f"The first case has no answer: {trial.problem}")
    seconds = None if trial.seconds is None else START_S + trial.seconds * len(cohort)
    return {
        "endpoints": rows,
        "refusals": refusals,
        "notes": notes,
        "seconds": None if seconds is None else round(seconds),
        "memory_mb": None if trial.memory_mb is None else round(trial.memory_mb),
        "text": "" if seconds is None else f"about {time_words(seconds)}, {trial.seconds:.1f} s a case",
    }


def _titles(manifest: Manifest) -> list[tuple[str, str]]:
    return [(model.key, endpoint(model.key).title) for model in manifest.endpoints]


def _row(key: str, title: str, found: Counted | None) -> dict[str, Any]:
    if found is None:
        return {"endpoint": key, "title": title, "usable": False, "text": "the table has no such column"}
    return {**found.to_dict(), "usable": found.known > 0}


def _nothing_shared(manifest: Manifest) -> str:
    keys = ", ".join(model.key for model in manifest.endpoints)
    return f"No case has a label of what the model answers. Fill in columns of the table, of {keys}."


def _lacks_pet(cohort: Cohort, manifest: Manifest) -> list[str]:
    without = sum(case.pet is None for case in cohort.cases)
    if manifest.needs.pet != "required" or without < len(cohort):
        return []
    return ["The model needs a PET of every case, and the table names none. Fill in the column pet."]


def _notes(cohort: Cohort, manifest: Manifest, known: dict[str, Counted]) -> list[str]:
    found = []
    if manifest.summary.trained_on == "synthetic":
        found.append("The model learned from synthetic patients: what it says of real ones means nothing.")
    without = sum(case.pet is None for case in cohort.cases)
    if manifest.needs.pet == "required" and 0 < without < len(cohort):
        found.append(f"{without} of {len(cohort)} cases have no PET, which the model needs: they get no answer.")
    found += lacking(cohort, manifest.needs)
    few = [one for one in known.values() if one.known > 0 and one.scarce < FEW and one.endpoint in _keys(manifest)]
    found += [
        f"{one.endpoint}: fewer than {FEW} {one.what} ({one.scarce}), so that every figure is rough." for one in few
    ]
    return found


def _keys(manifest: Manifest) -> set[str]:
    return {model.key for model in manifest.endpoints}


def _overlap(
    cohort: Cohort, files: list[Files], manifest: Manifest, workers: int | None, progress: Progress
) -> tuple[list[str], list[str]]:
    """Cases that the model has learned from, and what cannot be found out."""
    try:
        return [], list(refuse_overlap(files, {manifest.summary.title: manifest}, cohort.source, workers, progress))
    except CohortError as error:
        return list(error.problems), []


def _tried(files: Files, model: Path, progress: Progress) -> Trial:
    """The first case twice: code is compiled and loaded once."""
    try:
        from PDL1PredictorLib.models.load import load_predictor
        from PDL1PredictorLib.prediction import Options, predict_into  # needs what Slicer does not bring

        predictor, options = load_predictor(model), Options(device="cpu", voxel_maps=False)
        for low, high in ((0.0, 0.7), (0.7, 1.0)):
            started = perf_counter()
            with (
                progress.part("trial", low, high) as part,
                tempfile.TemporaryDirectory(prefix="pdl1-trial-") as folder,
            ):
                predict_into(Path(folder), files, predictor, options, progress=part)
        return Trial(perf_counter() - started, peak_memory_mb())
    except CancelledError:
        raise
    except (PDL1Error, ImportError) as error:
        return Trial(None, None, str(error))
