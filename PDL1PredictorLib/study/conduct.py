"""A whole study: cases prepared, models trained and measured, report and bundle written."""

import importlib.metadata
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from PDL1PredictorLib import __version__
from PDL1PredictorLib.cohort.describe import dividing, table_1
from PDL1PredictorLib.cohort.locking import only_run_in
from PDL1PredictorLib.cohort.own_columns import kept_apart, own_values
from PDL1PredictorLib.cohort.prepare import prepare
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.sources import PhantomSource, Source, file_sources
from PDL1PredictorLib.cohort.table import IGNORED_PREFIX, Cohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import CohortError, InputError
from PDL1PredictorLib.core.files.output import refuse_existing
from PDL1PredictorLib.core.needs import Needs, Pet
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.deep.cost import Cost, measured
from PDL1PredictorLib.learning.export import export_bundle
from PDL1PredictorLib.learning.parts.deep import network_of
from PDL1PredictorLib.learning.parts.network import answering_of
from PDL1PredictorLib.learning.parts.network_slabs import skipped_slabs
from PDL1PredictorLib.learning.recipe import Recipe, lead_plan, roles_of
from PDL1PredictorLib.models.bundle import Bundle
from PDL1PredictorLib.phantom.truth import LATER_LAWS, LAWS, bayes_auc
from PDL1PredictorLib.study.card import Words, about_study
from PDL1PredictorLib.study.choosing import chosen_models
from PDL1PredictorLib.study.examples import examples
from PDL1PredictorLib.study.factors import factors_of
from PDL1PredictorLib.study.outcome import ChoiceRepeats, StudyOutcome
from PDL1PredictorLib.study.overlays import overlays
from PDL1PredictorLib.study.report.write import write_study_report
from PDL1PredictorLib.study.run import StudyRun, run_study
from PDL1PredictorLib.study.setup import Study

PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "SimpleITK", "numba", "onnxruntime", "skl2onnx")


@dataclass(frozen=True, eq=False)
class Plan:
    """What to do and where.

    Attributes:
        recipe: Everything that decides the numbers.
        bundle: Folder of the model to make.
        report: Folder of the report to make.
        cache: Folder of prepared cases and of the state of a training that was stopped.
        command: What was typed, for the report.
        words: What people say of the model.
        device: Where the network runs.
        start: Weights that a network starts from.
        workers: Processes; None takes one a core.
        scheduler: Address of a Dask cluster that prepares the cases.
        overwrite: Replace existing folders.
        ship: Which model is an endpoint's, see `choosing.choose_model`.
    """

    recipe: Recipe
    bundle: Path
    report: Path
    cache: Path
    command: str
    words: Words = field(default_factory=Words)
    device: str = "cpu"
    start: Path | None = None
    workers: int | None = None
    scheduler: str | None = None
    overwrite: bool = False
    ship: Literal["chosen", "lead"] = "chosen"


@dataclass(frozen=True, eq=False)
class Cases:
    """The cases of a study before they are prepared.

    Attributes:
        sources: Where each comes from.
        patients: Case name to patient.
        table_1: Rows of the cohort table, per endpoint, for the cases that could be used.
        splits: Case name to `train` or `test`, where the table says.
        bayes_auc: See `Study`.
        notes: For the report.
        strata: Case name to the level that keeps its share in every part of a split; empty where there is none.
        groups: Factor of patient or scan to case name to its level; a case may be missing.
        synthetic: Whether they are patients of the synthetic cohort.
    """

    sources: list[Source]
    patients: Mapping[str, str]
    table_1: Callable[[PreparedCohort], list[dict[str, Any]]]
    splits: Mapping[str, str] = field(default_factory=dict)
    bayes_auc: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    strata: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    synthetic: bool = False


def cases_of_table(cohort: Cohort, pet: Pet = "no", stratify: str | None = None) -> Cases:
    """The cases of a cohort's table.

    Args:
        cohort: The table.
        pet: Whether the recipe needs a PET, see `FileSource`.
        stratify: Own column of the table whose levels keep their shares in every part of a split.

    Raises:
        CohortError: One of the splits is empty.
        InputError: There is no such column.
    """
    splits = {case.name: case.split for case in cohort.cases if case.split is not None}
    if splits and len(set(splits.values())) < 2:
        raise CohortError(cohort.source, ["the column split names only one of train and test"])
    return Cases(
        sources=list(file_sources(cohort, pet)),
        patients={case.name: case.patient for case in cohort.cases},
        table_1=partial(_table_1, cohort),
        splits=splits,
        notes=cohort.warnings,
        strata=own_values(cohort, stratify) if stratify else {},
        groups={stratify.removeprefix(IGNORED_PREFIX).capitalize(): own_values(cohort, stratify)} if stratify else {},
    )


def _table_1(cohort: Cohort, used: PreparedCohort) -> list[dict[str, Any]]:
    own = replace(cohort.select(used.names), endpoints=used.endpoints)
    return table_1(own, dividing(used.endpoints))


def synthetic_cases(n: int, seed: int, endpoints: tuple[str, ...], needs: Needs | None = None) -> Cases:
    """Patients of the synthetic cohort, whose truth is known.

    Args:
        n: How many.
        seed: Of the cohort.
        endpoints: Whose Bayes AUC is told.
        needs: Of the recipe: with clinical values the patients have those of the cohort's table, with a PET one each.
    """
    pet, told = (False, False) if needs is None else (needs.pet != "no", bool(needs.clinical))
    if not 40 <= n <= 100_000:
        raise InputError(f"A study needs 40 to 100000 synthetic patients, got {n}.")
    sources: list[Source] = [PhantomSource(seed, index, pet, told) for index in range(n)]
    return Cases(
        sources=sources,
        patients={source.name: source.name for source in sources},
        table_1=lambda used: [],
        bayes_auc={key: float(bayes_auc(key)) for key in endpoints if key in {**LAWS, **LATER_LAWS}},
        synthetic=True,
        notes=(
            "The patients are synthetic: the figures hold for further synthetic patients and say nothing about people.",
        ),
    )


def prepare_cases(
    cases: Cases, recipe: Recipe, cache: Path, workers: int | None, scheduler: str | None, progress: Progress
) -> PreparedCohort:
    """The cases as the recipe wants them; see `prepare`."""
    prepared = prepare(
        cases.sources,
        recipe.endpoints,
        recipe.regions,
        recipe.features,
        cache,
        workers,
        progress,
        scheduler,
        recipe.needs,
        recipe.moved,
    )
    return kept_apart(prepared, cases.strata) if cases.strata else prepared


def conduct(plan: Plan, cases: Cases, progress: Progress = SILENT) -> tuple[Bundle, StudyOutcome]:
    """Do it all.

    Raises:
        PDL1Error: Something stands in the way; nothing half made is left, and what was prepared stays in the cache.
    """
    for folder in (plan.bundle, plan.report):
        refuse_existing(folder, plan.overwrite)
    recipe = plan.recipe
    with measured(plan.device) as cost:
        with progress.part("prepare", 0.0, 0.3, "preparing the cases") as part:
            prepared = prepare_cases(cases, recipe, plan.cache, plan.workers, plan.scheduler, part)
        study = Study(
            cohort=prepared,
            patients=[cases.patients[name] for name in prepared.names],
            recipe=recipe,
            device=plan.device,
            start=plan.start,
            test=_test_rows(prepared, cases.splits),
            checkpoints=plan.cache / "training",
            workers=plan.workers,
            bayes_auc=cases.bayes_auc,
            ship=plan.ship,
        )
        study = replace(study, groups=_groups(study, cases))
        with only_run_in(plan.cache / "training"), progress.part("study", 0.3, 0.95, "training") as part:
            run = run_study(study, part)
    with progress.part("pictures", 0.95, 0.96, "showing cases"):
        outcome = _outcome(plan, cases, study, run, cost)
    with progress.part("writing", 0.96, 1.0, "writing the report and the model") as part:
        write_study_report(outcome, plan.report, plan.overwrite, part)
        if not run.trained.endpoints:
            told = "; ".join(f"{key}: {reason}" for key, reason in run.left_out.items())
            raise InputError(f"There is no model to keep. {told}. The report is in {plan.report}.")
        about = about_study(plan.words, outcome, _counts(run, len(prepared)), cases.bayes_auc, cases.synthetic)
        bundle = export_bundle(run.trained, about, plan.bundle, plan.overwrite)
    return bundle, outcome


def _groups(study: Study, cases: Cases) -> dict[str, Sequence[str]]:
    """What test cases are divided by; the table's own factors last."""
    training = study.divisions(0)[0][0] if study.once else None  # nested: every case teaches in its turn
    own = {factor: [of.get(name, "") for name in study.cohort.names] for factor, of in cases.groups.items()}
    return {**factors_of(study.cohort, training), **own}


def _test_rows(prepared: PreparedCohort, splits: Mapping[str, str]) -> np.ndarray | None:
    if not splits:
        return None
    return np.flatnonzero([splits[name] == "test" for name in prepared.names])


def _outcome(plan: Plan, cases: Cases, study: Study, run: StudyRun, cost: Cost) -> StudyOutcome:
    parts = run.kept.learned.parts
    network = network_of(parts) or answering_of(parts)
    return StudyOutcome(
        title=plan.words.title or lead_plan(plan.recipe).name.title,
        recipe=plan.recipe.name,
        method=plan.recipe.method_text(),
        roles=roles_of(plan.recipe),
        command=plan.command,
        design=plan.recipe.design,
        settings={**plan.recipe.to_dict(), "stability": run.kept.learned.stability.to_dict()},
        provenance={
            "library_version": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
            "device": plan.device,
            "start_weights": None if plan.start is None else plan.start.name,
            "seconds": round(cost.seconds, 1),
            "peak_memory_mb": None if cost.peak_memory_mb is None else round(cost.peak_memory_mb),
        },
        table_1=cases.table_1(study.cohort),
        flow=_flow(cases, study, run),
        failed=dict(study.cohort.failed),
        endpoints=run.endpoints,
        left_out=run.left_out,
        coverage=plan.recipe.coverage,
        history=() if network is None else network.history,
        gallery=examples(study, run),
        overlays=overlays(cases.sources, run.endpoints, plan.recipe.regions),
        notes=(*cases.notes, *skipped_slabs(study.cohort), *_stability(plan.recipe, run), *chosen_models(run.choices)),
        case_warnings=study.cohort.case_warnings,
        choice_repeats=ChoiceRepeats(plan.recipe.fitting(study.once).n_repeats, plan.recipe.fitting(True).n_repeats),
    )


def _stability(recipe: Recipe, run: StudyRun) -> tuple[str, ...]:
    return (run.kept.learned.stability.text(),) if recipe.needs.features and recipe.moved else ()


def _flow(cases: Cases, study: Study, run: StudyRun) -> list[tuple[str, int]]:
    flow = [
        ("tumors in the cohort", len(cases.sources)),
        ("could not be used", len(study.cohort.failed)),
        ("prepared", len(study.cohort)),
    ]
    if study.recipe.design == Design.NESTED:
        times = "" if study.repeats == 1 else f", {study.repeats} times"
        return [*flow, (f"each tested in one of {len(run.folds)} folds{times}", len(study.cohort))]
    fold = run.folds[0]
    return [*flow, ("training", len(fold.learned.rows)), ("test", len(fold.test))]


def _counts(run: StudyRun, n: int) -> str:
    if len(run.folds) > 1:
        return f"{n} tumors."
    fold = run.folds[0]
    return f"{n} tumors: {n - len(fold.test)} to train, {len(fold.test)} to test."
