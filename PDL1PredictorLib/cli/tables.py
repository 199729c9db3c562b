"""The commands of `pdl1` that work on tables of inputs."""

import argparse
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.options import add_cache, add_choice_of_cases, add_out, add_seed, add_work, cache_of
from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.errors import InputError, MissingPackageError
from PDL1PredictorLib.core.lazy import require_module


def add(commands: Any) -> None:
    """Add `classifiers`, `numbers` and `first-look` to the commands."""
    _add_classifiers(commands)
    _add_numbers(commands)
    _add_first_look(commands)


def _add_classifiers(commands: Any) -> None:
    command = add_command(
        commands, "classifiers", "Compare classifiers on a table of inputs, by cross-validation.", _classifiers
    )
    _add_table(command, "1 and 0")
    command.add_argument(
        "--at-least",
        type=float,
        metavar="NUMBER",
        help="label 1 where the column is at least this, in the column's unit",
    )
    add_seed(command, "of folds, classifiers and permutations")
    _add_folds(command)
    add_work(command, "processes that do the permutations")
    add_out(command, "folder to make")


def _add_numbers(commands: Any) -> None:
    text = "Compare models of a number on a table of inputs, by cross-validation."
    command = add_command(commands, "numbers", text, _numbers)
    _add_table(command, "numbers")
    command.add_argument("--low", type=float, metavar="NUMBER", help="least value of the number, in the column's unit")
    command.add_argument("--high", type=float, metavar="NUMBER", help="its greatest value, in the column's unit")
    command.add_argument(
        "--cuts",
        metavar="NUMBER,...",
        help="values at which its AUC is told (default: 1,50 from --low 0 to --high 100)",
    )
    command.add_argument(
        "--networks",
        type=int,
        default=0,
        metavar="N",
        help="fit the networks of complextransformer, too, in the first N repetitions; a fold of 200 rows takes half a "
        "minute of one core (default: 0, none)",
    )
    add_seed(command, "of folds, models and permutations")
    _add_folds(command)
    add_work(command, "processes that do the permutations")
    add_out(command, "folder to make")


def _add_table(command: argparse.ArgumentParser, label: str) -> None:
    """The table, its label of this kind, and whose the rows are."""
    command.add_argument("--table", type=Path, required=True, help="CSV or Parquet file, one row a case")
    command.add_argument("--label", required=True, help=f"column of {label}; rows where it is empty are left out")
    command.add_argument(
        "--ignore", action="append", default=[], metavar="COLUMN", help="column that is no input; may be repeated"
    )
    command.add_argument("--patient", metavar="COLUMN", help="whose row it is: a patient's rows are held out together")
    command.add_argument("--labels", type=Path, help="second table that holds the label, one row a patient")


def _add_first_look(commands: Any) -> None:
    text = "What volume, original features and RadScores tell of a cohort, before any network is trained."
    command = add_command(commands, "first-look", text, _first_look)
    command.add_argument("--cohort", type=Path, required=True, help="table of the cohort, see docs/cohort.md")
    command.add_argument("--endpoints", help="comma-separated (default: all yes/no endpoints with enough cases)")
    add_choice_of_cases(command)
    add_seed(command, "of folds, models and permutations")
    _add_folds(command)
    add_work(command, "processes that prepare cases and do the permutations")
    add_cache(command)
    add_out(command, "folder to make")


def _add_folds(command: argparse.ArgumentParser) -> None:
    command.add_argument("--folds", type=int, default=5, help="parts, each held out once (default: 5)")
    command.add_argument("--repeats", type=int, default=10, help="repetitions with new folds (default: 10)")
    command.add_argument(
        "--permutations", type=int, default=99, help="of the labels, each fitted anew, for p; 0 for none (default: 99)"
    )


def _classifiers(options: argparse.Namespace, speaker: Speaker) -> None:
    for name in ("sklearn", "skl2onnx"):
        require_module(name, "Fitting needs more packages than prediction: install pdl1predictor[train].")
    from PDL1PredictorLib.core.files.output import whole_folder
    from PDL1PredictorLib.learning.tables.comparison import compare_classifiers
    from PDL1PredictorLib.learning.tables.held_out import TableSettings
    from PDL1PredictorLib.learning.tables.input_table import read_input_table
    from PDL1PredictorLib.learning.tables.label_source import LabelSource
    from PDL1PredictorLib.learning.tables.report import figures, write_comparison

    settings = TableSettings(options.seed, options.folds, options.repeats, options.permutations)
    source = LabelSource(options.patient, options.labels, options.at_least)
    table = read_input_table(options.table, options.label, options.ignore, source)
    with whole_folder(options.out, options.overwrite) as draft:
        found = compare_classifiers(table, settings, options.workers, speaker.progress())
        write_comparison(table, settings, found, draft)
    best = max(found.results, key=lambda r: r.auc)
    speaker.done(
        "\n".join([*figures(found), "", f"All figures: {options.out}"]),
        out=str(options.out),
        best=best.kind,
        auc=best.auc,
        p=found.best_p,
    )


def _numbers(options: argparse.Namespace, speaker: Speaker) -> None:
    for name in ("sklearn", "skl2onnx", "matplotlib"):
        require_module(name, "Fitting needs more packages than prediction: install pdl1predictor[train].")
    from PDL1PredictorLib.core.files.output import whole_folder
    from PDL1PredictorLib.learning.tables.held_out import TableSettings
    from PDL1PredictorLib.learning.tables.label_source import LabelSource
    from PDL1PredictorLib.learning.tables.numbers.comparison import compare_numbers
    from PDL1PredictorLib.learning.tables.numbers.number_table import Span, read_number_table
    from PDL1PredictorLib.study.numbers.document import document_of
    from PDL1PredictorLib.study.numbers.text import figures
    from PDL1PredictorLib.study.numbers.write import HTML_NAME, write_numbers

    settings = TableSettings(options.seed, options.folds, options.repeats, options.permutations)
    span, cuts = Span(options.low, options.high), _cuts(options)
    source = LabelSource(options.patient, options.labels)
    table = read_number_table(options.table, options.label, options.ignore, source, span)
    networks = _networks(options.networks, span)
    with whole_folder(options.out, options.overwrite) as draft:
        found = compare_numbers(table, settings, span, cuts, networks, options.workers, speaker.progress())
        document = document_of(table, settings, span, found, options.typed)
        write_numbers(document, table, found, draft)
    left_out = [networks.left_out, ""] if networks.left_out else []
    best = document["models"][found.best.kind]["r2"]
    speaker.done(
        "\n".join([*figures(document), "", *left_out, f"Report: {options.out / HTML_NAME}"]),
        out=str(options.out),
        best=found.best.kind,
        r2=None if best is None else best["value"],
        p=found.best_p,
    )


def _cuts(options: argparse.Namespace) -> tuple[float, ...]:
    if options.cuts is None:
        return (1.0, 50.0) if (options.low, options.high) == (0, 100) else ()
    try:
        return tuple(float(text) for text in options.cuts.split(",") if text.strip())
    except ValueError as error:
        raise InputError(f"--cuts must be numbers with commas between, got {options.cuts!r}.") from error


def _networks(repeats: int, span: Any) -> Any:
    """Networks as the recipe `complextransformer` trains them, for so many repetitions; none without torch."""
    from PDL1PredictorLib.learning.tables.numbers.comparison import Networks

    if repeats < 0:
        raise InputError(f"--networks is a number of repetitions, from 0, got {repeats}.")
    if not repeats:
        return Networks()
    try:
        require_module("torch", "Install pdl1predictor[train].")
    except MissingPackageError as error:
        return Networks(left_out=f"No network was fitted. {error}")
    from PDL1PredictorLib.learning.tables.numbers.networks import NetworkMake
    from PDL1PredictorLib.recipes.complextransformer import LEAD, RIVALS, ComplexTransformerRecipe

    recipe = ComplexTransformerRecipe()
    trainings = {RIVALS["ann"]: recipe.rivals["ann"], LEAD: recipe.lead}
    makes = {title: NetworkMake(how, recipe.most_features, span) for title, how in trainings.items()}
    return Networks(makes, repeats)


def _first_look(options: argparse.Namespace, speaker: Speaker) -> None:
    for name in ("sklearn", "skl2onnx", "pyarrow", "filelock"):
        require_module(name, "Fitting needs more packages than prediction: install pdl1predictor[train].")
    from PDL1PredictorLib.core.files.output import whole_folder
    from PDL1PredictorLib.learning.tables.held_out import TableSettings
    from PDL1PredictorLib.learning.tables.look_report import to_text, write_look
    from PDL1PredictorLib.learning.tables.simple_models import enough, look

    settings = TableSettings(options.seed, options.folds, options.repeats, options.permutations)
    progress = speaker.progress()
    with whole_folder(options.out, options.overwrite) as draft:
        prepared, patients, strata = _with_features(options, progress)
        keys = enough(prepared, settings.n_folds, options.endpoints is not None)
        found = {}
        for number, key in enumerate(keys):
            low, high = 0.2 + 0.8 * number / len(keys), 0.2 + 0.8 * (number + 1) / len(keys)
            with progress.part("look", low, high, key) as part:
                found[key] = look(prepared, patients, key, settings, strata, options.workers, part)
        write_look(found, settings, options.typed, draft)
    speaker.done("\n".join([*to_text(found), "", f"All figures: {options.out}"]), out=str(options.out))


def _with_features(options: argparse.Namespace, progress: Any) -> tuple[Any, list[str], list[str] | None]:
    """The prepared cases, and of each the patient and the level that is kept apart."""
    from PDL1PredictorLib.cohort.own_columns import only, own_values
    from PDL1PredictorLib.cohort.prepare import prepare
    from PDL1PredictorLib.cohort.sources import file_sources
    from PDL1PredictorLib.cohort.table import read_cohort
    from PDL1PredictorLib.core.needs import Needs
    from PDL1PredictorLib.core.settings import RegionSettings
    from PDL1PredictorLib.radiomics.settings import preset

    wanted = options.endpoints.split(",") if options.endpoints else None
    cohort = read_cohort(options.cohort, wanted)
    cohort = only(cohort, options.only) if options.only else cohort
    levels = own_values(cohort, options.stratify) if options.stratify else None
    with progress.part("prepare", 0.0, 0.2, "preparing the cases") as part:
        made = prepare(
            file_sources(cohort),
            cohort.endpoints,
            RegionSettings(),
            preset("deepradscore"),
            cache_of(options),
            options.workers,
            part,
            needs=Needs(features=True),
            moved=0,
        )
    patient = {case.name: case.patient for case in cohort.cases}
    strata = None if levels is None else [levels[name] for name in made.names]
    return made, [patient[name] for name in made.names], strata
