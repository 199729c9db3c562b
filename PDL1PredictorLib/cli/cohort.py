"""The command `pdl1 cohort`: check, describe, measure and import cohorts."""

import argparse
import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib.cli.options import add_cache, add_out, add_preset, add_work, cache_of
from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.files.output import refuse_existing, whole_file
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.resources import find_model

if TYPE_CHECKING:
    from PDL1PredictorLib.cohort.table import Cohort
    from PDL1PredictorLib.cohort.writing import Imported
    from PDL1PredictorLib.models.manifest import Manifest

TABLE_HELP = "table of the cohort, CSV or Parquet (docs/cohort.md)"


def add(commands: Any) -> None:
    """Add `cohort` to the commands."""
    cohort = commands.add_parser("cohort", help="Check, describe, measure or import the table of a cohort.")
    inner = cohort.add_subparsers(required=True, metavar="COMMAND")
    _add_check(inner)
    _add_describe(inner)
    _add_features(inner)
    importers = inner.add_parser("import", help="Make the table of a cohort from folders.")
    sources = importers.add_subparsers(required=True, metavar="SOURCE")
    _add_import_tcia(sources)
    _add_import_folder(sources)
    _add_import_lidc(sources)


def _add_check(commands: Any) -> None:
    command = add_command(commands, "check", "Check a cohort whole; every problem of every row is listed.", _check)
    command.add_argument("table", type=Path, metavar="FILE", help=TABLE_HELP)
    command.add_argument("--quick", action="store_true", help="do not open the images")
    command.add_argument("--model", help="bundle: also tell what evaluating it would come to, and how long that takes")
    command.add_argument(
        "--recipe", help="also tell what training by this recipe would come to, and how long that takes"
    )
    add_work(command)
    add_out(command, "CSV file to make: every warning of every case", required=False)


def _add_describe(commands: Any) -> None:
    command = add_command(commands, "describe", "Table 1: who is in the cohort, and how groups differ.", _describe)
    command.add_argument("table", type=Path, metavar="FILE", help=TABLE_HELP)
    command.add_argument("--by", metavar="ENDPOINT", help="compare those with and without it")
    add_out(command, "CSV file to make (default: the screen alone)", required=False)


def _add_features(commands: Any) -> None:
    command = add_command(commands, "features", "Write the radiomic features of every case as one table.", _features)
    command.add_argument("table", type=Path, metavar="FILE", help=TABLE_HELP)
    add_preset(command)
    command.add_argument("--ring-mm", type=float, help="thickness of the peritumoral ring in mm (default: 3)")
    add_cache(command)
    add_work(command)
    command.add_argument("--scheduler", metavar="ADDRESS", help="Dask cluster that does the work, tcp://host:8786")
    add_out(command, "Parquet or CSV file to make")


def _add_import_tcia(commands: Any) -> None:
    text = "NSCLC Radiogenomics as The Cancer Imaging Archive hands it out: DICOM CT and SEG of each patient."
    command = add_command(commands, "tcia", text, _import_tcia)
    command.add_argument("images", type=Path, metavar="FOLDER", help="folder of the DICOM files, with subfolders")
    command.add_argument("--clinical", type=Path, help="the collection's clinical table, CSV")
    command.add_argument("--expression", type=Path, help="table of gene expression with CD8A and CD274")
    command.add_argument(
        "--gene", default="CD8A", help="PDL1 is positive where it is high: CD8A (default, as paper 001) or CD274"
    )
    command.add_argument("--cut", type=float, help="expression above it is high (default: the cohort's median)")
    add_out(command, "table to make, CSV")


def _add_import_folder(commands: Any) -> None:
    command = add_command(commands, "folder", "Images and masks paired by their names.", _import_folder)
    command.add_argument("images", type=Path, metavar="FOLDER", help="folder of images and masks, with subfolders")
    command.add_argument("--image", help="names of the images below FOLDER, * for the case: 'scans/*_ct'")
    command.add_argument("--mask", help="names of the masks: 'contours/*_gtv'")
    command.add_argument("--labels", type=Path, help="table with the column case, clinical values and labels")
    command.add_argument(
        "--expression", type=Path, help="table with the columns case, CD274 and CD8A, block: gives PDL1_RNA and CD8"
    )
    add_out(command, "table to make, CSV")


def _add_import_lidc(commands: Any) -> None:
    text = "Lung nodules of LIDC-IDRI, cropped to themselves, divided as a pretraining divides them."
    command = add_command(commands, "lidc", text, _import_lidc)
    command.add_argument("images", type=Path, metavar="FOLDER", help="folder with labels.csv, image/ and mask/")
    command.add_argument("--seed", type=int, default=1, help="of the pretraining whose division is taken (default: 1)")
    add_out(command, "table to make, CSV")


def _check(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.cohort.case_warnings import as_lines, as_plain, write_warning_table
    from PDL1PredictorLib.cohort.outlook.labels import counted
    from PDL1PredictorLib.cohort.table import read_cohort

    if options.model and options.recipe:
        raise InputError("--model and --recipe are given: check for one of them at a time.")
    if options.out is not None:
        refuse_existing(options.out, options.overwrite)
    read = _model(options.model) if options.model else None
    progress = speaker.progress()
    with progress.part("check", 0.0, 0.6 if read else 1.0, "reading the table") as part:
        cohort = read_cohort(
            options.table,
            check_images=not options.quick,
            workers=options.workers,
            progress=part,
            declared=read[1].needs.declared if read else (),
        )
    with progress.part("outlook", 0.6, 1.0) as part:
        outlook = _outlook(options, cohort, read, part)
    if options.out is not None:
        write_warning_table(cohort.case_warnings, options.out, options.overwrite)
    speaker.done(
        "\n".join([_summary(cohort), *as_lines(cohort.case_warnings), *_outlook_lines(outlook)]),
        n=len(cohort),
        patients=len(set(cohort.patients)),
        endpoints=list(cohort.endpoints),
        labels=[one.to_dict() for one in counted(cohort)],
        warnings=list(cohort.warnings),
        case_warnings=as_plain(cohort.case_warnings),
        outlook=outlook,
    )


def _model(name: str) -> "tuple[Path, Manifest]":
    """A bundle's place and what it says of itself, by its name or path."""
    from PDL1PredictorLib.models.bundle import read_bundle
    from PDL1PredictorLib.models.manifest import read_manifest

    path = find_model(name)
    return path, read_manifest(read_bundle(path))


def _outlook(
    options: argparse.Namespace, cohort: "Cohort", read: "tuple[Path, Manifest] | None", progress: Progress
) -> dict[str, Any] | None:
    """What would come of an evaluation or a training, where that was asked for."""
    if read is not None:
        from PDL1PredictorLib.study.evaluation.outlook import evaluation_outlook

        return evaluation_outlook(cohort, *read, images=not options.quick, workers=options.workers, progress=progress)
    if options.recipe:
        from PDL1PredictorLib.cohort.outlook.training import training_outlook
        from PDL1PredictorLib.recipes.table import recipe_page

        page = recipe_page(options.recipe)
        return training_outlook(cohort, page.kinds, page.effort, options.workers or os.cpu_count() or 1)
    return None


def _outlook_lines(outlook: dict[str, Any] | None) -> list[str]:
    if outlook is None:
        return []
    rows = [
        f"  {row['endpoint']}: {row['text']}{'' if row['usable'] else ' (not used)'}" for row in outlook["endpoints"]
    ]
    plans = [f"  {plan['text']}" for plan in outlook.get("plans", ())]
    takes = [outlook["text"]] if outlook.get("text") else []
    memory = [f"{outlook['memory_mb']} MB of memory"] if outlook["memory_mb"] else []
    return [
        "",
        "What would come of it:",
        *rows,
        *plans,
        *([f"Takes {', '.join([*takes, *memory])}."] if takes or memory else []),
        *(f"Note: {note}" for note in outlook["notes"]),
        *(f"It would be refused: {reason}" for reason in outlook["refusals"]),
    ]


def _describe(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.cohort.describe import COLUMNS, table_1
    from PDL1PredictorLib.cohort.table import read_cohort

    rows = table_1(read_cohort(options.table, check_files=False), options.by)
    if options.out is not None:
        with (
            whole_file(options.out, options.overwrite) as draft,
            draft.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: safe_cell(cell) for name, cell in row.items()} for row in rows)
    columns = COLUMNS if options.by else ("variable", "level", "all")
    texts = [[_cell(row[column]) for column in columns] for row in rows]
    speaker.done(_aligned([list(columns), *texts]), rows=rows)


def _features(options: argparse.Namespace, speaker: Speaker) -> None:
    for name in ("pyarrow", "filelock"):
        require_module(name, "Preparing a cohort needs more packages than prediction: install pdl1predictor[train].")
    from PDL1PredictorLib.cohort.case_warnings import as_lines, as_plain
    from PDL1PredictorLib.cohort.feature_table import require_table_name, write_feature_table
    from PDL1PredictorLib.cohort.prepare import prepare
    from PDL1PredictorLib.cohort.sources import file_sources
    from PDL1PredictorLib.cohort.table import read_cohort
    from PDL1PredictorLib.core.needs import Needs
    from PDL1PredictorLib.core.settings import RegionSettings
    from PDL1PredictorLib.radiomics.settings import preset

    require_table_name(options.out)
    refuse_existing(options.out, options.overwrite)
    regions = RegionSettings() if options.ring_mm is None else RegionSettings(ring_mm=options.ring_mm)
    cohort = read_cohort(options.table)
    cache = cache_of(options)
    made = prepare(
        file_sources(cohort),
        cohort.endpoints,
        regions,
        preset(options.preset),
        cache,
        options.workers,
        speaker.progress(),
        options.scheduler,
        Needs(features=True),
    )
    write_feature_table(made, options.out, options.overwrite)
    failed = [f"Failed, {name}: {reason}" for name, reason in made.failed.items()]
    head = f"{len(made)} of {len(cohort)} cases, {len(made.feature_names)} features: {options.out}"
    speaker.done(
        "\n".join([head, *failed, *made.warnings, *as_lines(made.case_warnings)]),
        out=str(options.out),
        n=len(made),
        failed=made.failed,
        case_warnings=as_plain(made.case_warnings),
    )


def _import_tcia(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.cohort.importing.clinical import ExpressionRule
    from PDL1PredictorLib.cohort.importing.tcia import import_tcia

    refuse_existing(options.out, options.overwrite)
    rule = ExpressionRule(options.gene, options.cut)
    found = import_tcia(options.images, options.clinical, options.expression, rule, speaker.progress())
    _write(found, options, speaker)


def _import_folder(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.cohort.importing.folder import import_folder

    refuse_existing(options.out, options.overwrite)
    found = import_folder(options.images, options.image, options.mask, options.labels, options.expression)
    _write(found, options, speaker)


def _import_lidc(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.cohort.importing.lidc import import_lidc

    refuse_existing(options.out, options.overwrite)
    _write(import_lidc(options.images, options.seed), options, speaker)


def _write(found: "Imported", options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.cohort.writing import write_cohort_table

    cohort = write_cohort_table(found.rows, options.out, options.overwrite)
    text = "\n".join([_summary(cohort), *found.notes, f"Table: {options.out}"])
    speaker.done(text, out=str(options.out), n=len(cohort), notes=list(found.notes))


def _summary(cohort: "Cohort") -> str:
    from PDL1PredictorLib.cohort.outlook.labels import counted

    lines = [f"{len(cohort)} tumors of {len(set(cohort.patients))} patients."]
    rows = [[one.endpoint, one.first, one.second, str(one.unknown)] for one in counted(cohort)]
    if rows:
        lines.append(_aligned([["endpoint", "positive", "negative", "not known"], *rows]))
    return "\n".join([*lines, *(f"Warning: {warning}" for warning in cohort.warnings)])


def _cell(value: object) -> str:
    from PDL1PredictorLib.report.words import p_value

    if isinstance(value, float):
        return p_value(value)
    return "" if value is None else str(value)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
