"""The commands of `pdl1` that work on tables of inputs."""

import argparse
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.options import add_out, add_seed, add_work
from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.lazy import require_module


def add(commands: Any) -> None:
    """Add `classifiers` to the commands."""
    command = add_command(
        commands, "classifiers", "Compare classifiers on a table of inputs, by cross-validation.", _classifiers
    )
    command.add_argument("--table", type=Path, required=True, help="CSV or Parquet file, one row a case")
    command.add_argument("--label", required=True, help="column of 1 and 0; rows where it is empty are left out")
    command.add_argument(
        "--ignore", action="append", default=[], metavar="COLUMN", help="column that is no input; may be repeated"
    )
    command.add_argument("--patient", metavar="COLUMN", help="whose row it is: a patient's rows are held out together")
    command.add_argument("--labels", type=Path, help="second table that holds the label, one row a patient")
    command.add_argument("--at-least", type=float, metavar="NUMBER", help="label 1 where the column is at least this")
    add_seed(command, "of folds, classifiers and permutations")
    command.add_argument("--folds", type=int, default=5, help="parts, each held out once (default: 5)")
    command.add_argument("--repeats", type=int, default=10, help="repetitions with new folds (default: 10)")
    command.add_argument(
        "--permutations", type=int, default=99, help="of the labels, each fitted anew, for p; 0 for none (default: 99)"
    )
    add_work(command, "processes that do the permutations")
    add_out(command, "folder to make")


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
