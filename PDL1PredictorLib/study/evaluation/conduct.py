"""A whole evaluation: overlap refused, cases predicted, measured and written, the recalibrated bundle made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PDL1PredictorLib import __version__
from PDL1PredictorLib.batch.request import BatchRequest
from PDL1PredictorLib.batch.run import predict_cases
from PDL1PredictorLib.cohort.clinical.known import lacking
from PDL1PredictorLib.cohort.describe import dividing, table_1
from PDL1PredictorLib.cohort.table import Cohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.endpoints import Kind, endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.files.output import refuse_existing
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.provenance import versions
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.learning.recalibrated import Site, write_recalibrated
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.manifest import Manifest, read_manifest
from PDL1PredictorLib.models.schema.origin import case_hashes
from PDL1PredictorLib.study.evaluation.answers import ModelAnswers, answers_of, titles_of
from PDL1PredictorLib.study.evaluation.cases import files_for_model
from PDL1PredictorLib.study.evaluation.document import evaluation_document
from PDL1PredictorLib.study.evaluation.kinds import kind_evaluation
from PDL1PredictorLib.study.evaluation.outcome import Evaluated, evaluated_endpoints, roles_of
from PDL1PredictorLib.study.evaluation.overlap import refuse_overlap
from PDL1PredictorLib.study.evaluation.plan import EvaluationPlan
from PDL1PredictorLib.study.evaluation.recalibration import SiteRecalibration, recalibrate
from PDL1PredictorLib.study.evaluation.write import write_evaluation
from PDL1PredictorLib.study.outcome import StudyOutcome


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What came out.

    Attributes:
        document: Every number, as in `evaluation.json`.
        report: The page.
        failed: Case to the reason why it has no answer.
        bundle: The recalibrated one; None where none was asked for.
    """

    document: Mapping[str, Any]
    report: Path
    failed: Mapping[str, str]
    bundle: Bundle | None

    def table(self) -> list[dict[str, Any]]:
        """A row an endpoint and model, for a data frame: its figures with their intervals, None where there is none."""
        return [
            {"endpoint": key, "model": title, "cases": numbers["cases"], **_figures(numbers["kind"], model)}
            for key, numbers in self.document["endpoints"].items()
            for title, model in numbers["models"].items()
        ]

    def __repr__(self) -> str:
        """The first figure of every endpoint and model, a line each."""
        lines = []
        for row in self.table():
            column, name = kind_evaluation(endpoint(row["endpoint"]).kind).headline
            value, low, high = (row[column + end] for end in ("", "_low", "_high"))
            ends = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
            said = "not measured" if value is None else f"{value:.2f}{ends}"
            lines.append(f"{row['endpoint']}, {row['model']}: {name} {said}, {row['cases']} cases")
        return "\n".join(lines)


def evaluate_models(plan: EvaluationPlan, cohort: Cohort, progress: Progress = SILENT) -> Evaluation:
    """Evaluate finished models on a cohort.

    Args:
        plan: Which, and where to.
        cohort: With labels, as far as they are known.
        progress: Told on the way; what is predicted stays in the cache when the user cancels.

    Raises:
        CohortError: A model has learned from some of the cases.
        InputError: Nothing can be evaluated, or recalibrated where that was asked for.
        PDL1Error: Something else stands in the way; no report is left half written.
    """
    for folder in (plan.out, *([plan.recalibrate] if plan.recalibrate else [])):
        refuse_existing(folder, plan.overwrite)
    bundles = [read_bundle(path) for path in plan.models]
    manifests = [read_manifest(bundle) for bundle in bundles]
    titles = titles_of(manifests)
    files = [[files_for_model(case, manifest) for case in cohort.cases] for manifest in manifests]
    with progress.part("overlap", 0.0, 0.05, "looking for training cases among these") as part:
        known = dict(zip(titles, manifests, strict=True))
        notes = refuse_overlap(files[0], known, cohort.source, plan.workers, part)
    models = _predicted(plan, titles, manifests, files, progress)
    with progress.part("measures", 0.9, 0.95, "measuring") as part:
        found, left_out = evaluated_endpoints(cohort, models, part)
        sites = _recalibrated(plan, found, models[0])
    with progress.part("writing", 0.95, 1.0, "writing the report") as part:
        bundle = _new_bundle(plan, bundles[0], sites, cohort, models[0])
        outcome = _outcome(plan, cohort, models, found, left_out, sites, notes)
        made = None if bundle is None else {"name": bundle.name, "sha256": bundle.sha256}
        document = evaluation_document(outcome, found, models, sites, made, part)
        report = write_evaluation(outcome, found, document, plan.out, plan.overwrite, part)
    return Evaluation(document, report, outcome.failed, bundle)


def _figures(kind: Kind, model: Mapping[str, Any]) -> dict[str, Any]:
    """A column a plain number, three an estimate: its value and the ends of its interval."""
    how = kind_evaluation(kind)
    found = {name: model[name] for name in how.plain}
    for name, figure in how.figures(model).items():
        for end, part in (("", "value"), ("_low", "low"), ("_high", "high")):
            found[f"{name}{end}"] = None if figure is None else figure[part]
    return found


def _predicted(
    plan: EvaluationPlan,
    titles: Sequence[str],
    manifests: Sequence[Manifest],
    files: Sequence[Sequence[Files]],
    progress: Progress,
) -> list[ModelAnswers]:
    """The answers of every model, each in a folder of the cache that the model's hash names."""
    models, share = [], 0.85 / len(titles)
    for place, (title, manifest, path) in enumerate(zip(titles, manifests, plan.models, strict=True)):
        own = files[place]
        folder = plan.cache / f"predictions-{manifest.summary.sha256[:12]}"
        request = BatchRequest(path, folder, plan.options, with_patient=True, workers=plan.workers, overwrite=True)
        with progress.part("predictions", 0.05 + place * share, 0.05 + (place + 1) * share, title) as part:
            models.append(answers_of(title, manifest, predict_cases(own, request, part).cases))
    return models


def _recalibrated(
    plan: EvaluationPlan, found: Mapping[str, Evaluated], model: ModelAnswers
) -> dict[str, SiteRecalibration]:
    if plan.recalibrate is None:
        return {}
    rules = {one.key: one for one in model.manifest.endpoints}
    sites = recalibrate(found, rules, model.title, model.manifest.coverage, plan.seed)
    if not any(site.bundle for site in sites.values()):
        told = "; ".join(f"{key}: {site.why_not}" for key, site in sites.items())
        raise InputError(f"No endpoint can be recalibrated on these cases. {told}. Add cases, or evaluate without.")
    return sites


def _new_bundle(
    plan: EvaluationPlan,
    bundle: Bundle,
    sites: Mapping[str, SiteRecalibration],
    cohort: Cohort,
    model: ModelAnswers,
) -> Bundle | None:
    changes = {key: site.bundle for key, site in sites.items() if site.bundle is not None}
    if plan.recalibrate is None or not changes:
        return None
    counts = {key: (sites[key].n_positive, sites[key].n_negative) for key in changes}
    hashes = case_hashes(model.cases[case.name].ct_sha256 for case in cohort.cases if case.name in model.cases)
    site = Site(max(map(sum, counts.values())), counts, hashes, plan.command)
    return write_recalibrated(bundle, changes, site, plan.recalibrate, plan.overwrite)


def _outcome(
    plan: EvaluationPlan,
    cohort: Cohort,
    models: Sequence[ModelAnswers],
    found: Mapping[str, Evaluated],
    left_out: Mapping[str, str],
    sites: Mapping[str, SiteRecalibration],
    notes: Sequence[str],
) -> StudyOutcome:
    """As a study has it."""
    endpoints = {key: sites[key].outcome if key in sites else one.outcome for key, one in found.items()}
    failed = {name: reason for model in models for name, reason in model.failed.items()}
    used = [case.name for case in cohort.cases if case.name not in failed]
    return StudyOutcome(
        title=f"Evaluation of {' and '.join(model.title for model in models)}",
        recipe="",
        method="",
        roles=next(iter(endpoints.values())).roles if sites else roles_of(models),
        command=plan.command,
        design=Design.EVALUATION,
        settings=_settings(plan),
        provenance={
            "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "library_version": __version__,
            **versions(),
        },
        table_1=_table_1(cohort, used, tuple(found)),
        flow=[
            ("tumors in the cohort", len(cohort)),
            *([("without an answer", len(failed))] if failed else []),
            ("evaluated", len(used)),
        ],
        failed=failed,
        endpoints=endpoints,
        left_out={},
        coverage=models[0].manifest.coverage,
        notes=(*_notes(plan, models, left_out), *notes, *_lacking(cohort, models), *cohort.warnings),
        case_warnings={name: models[0].cases[name].warnings for name in used if models[0].cases[name].warnings},
    )


def _lacking(cohort: Cohort, models: Sequence[ModelAnswers]) -> tuple[str, ...]:
    """Clinical values that a model asks for and of which the table says nothing."""
    return tuple(dict.fromkeys(told for model in models for told in lacking(cohort, model.manifest.needs)))


def _table_1(cohort: Cohort, used: Sequence[str], endpoints: tuple[str, ...]) -> list[dict[str, Any]]:
    own = replace(cohort.select(used), endpoints=endpoints)
    return table_1(own, dividing(endpoints))


def _settings(plan: EvaluationPlan) -> dict[str, Any]:
    chosen = plan.options
    return {
        "device": chosen.device,
        "engine": chosen.engine,
        "stability": chosen.stability,
        "prevalence": dict(chosen.prevalence),
        "recalibrate": plan.recalibrate is not None,
        "seed": plan.seed,
    }


def _notes(plan: EvaluationPlan, models: Sequence[ModelAnswers], left_out: Mapping[str, str]) -> list[str]:
    notes = [
        f"{model.title} learned from synthetic patients: what it says of a real one means nothing."
        for model in models
        if model.manifest.summary.trained_on == "synthetic"
    ]
    if plan.options.prevalence:
        told = ", ".join(f"{key} {share:g}" for key, share in plan.options.prevalence.items())
        notes.append(
            f"Probabilities and thresholds were shifted to a stated prevalence ({told}); the ranking of the cases is "
            "not touched by it."
        )
    if left_out:
        notes.append(f"Not evaluated: {'; '.join(f'{key} ({reason})' for key, reason in left_out.items())}.")
    return notes
