"""The commands of `pdl1` that work on tables of inputs."""

import argparse
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.options import add_out, add_seed
from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.lazy import require_module


def add(commands: Any) -> None:
    """Add `classifiers` to the commands."""
    command = add_command(
        commands, "classifiers", "Compare seven classifiers on a table of inputs, by cross-validation.", _classifiers
    )
    command.add_argument("--table", type=Path, required=True, help="CSV or Parquet file, one row a case")
    command.add_argument("--label", required=True, help="column of 1 and 0; rows where it is empty are left out")
    command.add_argument(
        "--ignore", action="append", default=[], metavar="COLUMN", help="column that is no input; may be repeated"
    )
    add_seed(command, "of folds and classifiers")
    command.add_argument("--folds", type=int, default=5, help="parts, each held out once (default: 5)")
    command.add_argument("--repeats", type=int, default=10, help="repetitions with new folds (default: 10)")
    add_out(command, "folder to make")


def _classifiers(options: argparse.Namespace, speaker: Speaker) -> None:
    for name in ("sklearn", "skl2onnx"):
        require_module(name, "Fitting needs more packages than prediction: install pdl1predictor[train].")
    from PDL1PredictorLib.core.files.output import whole_folder
    from PDL1PredictorLib.learning.tables.comparison import TableSettings, compare_classifiers
    from PDL1PredictorLib.learning.tables.input_table import read_input_table
    from PDL1PredictorLib.learning.tables.report import figures, write_comparison

    settings = TableSettings(options.seed, options.folds, options.repeats)
    table = read_input_table(options.table, options.label, options.ignore)
    with whole_folder(options.out, options.overwrite) as draft:
        results = compare_classifiers(table, settings, speaker.progress())
        write_comparison(table, settings, results, draft)
    best = max(results, key=lambda r: r.mean)
    speaker.done(
        "\n".join([*figures(results), "", f"All figures: {options.out}"]),
        out=str(options.out),
        best=best.kind,
        mean_auc=best.mean,
    )
