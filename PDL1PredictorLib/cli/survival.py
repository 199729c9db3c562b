"""The command about time to an event: survival."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib.cli.options import add_out, add_seed
from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.lazy import require_module

if TYPE_CHECKING:  # its page loads numpy
    from PDL1PredictorLib.study.survival.settings import SurvivalSettings


def add(commands: Any) -> None:
    """Add `survival` to the commands."""
    text = "What the columns of a table tell of the time to an event: curves, Cox models, concordance, best cut."
    command = add_command(commands, "survival", text, _survival)
    command.add_argument("--table", type=Path, required=True, help="CSV or Parquet file, one row a patient")
    command.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="predictions.csv of pdl1 predict --cohort, joined by case: its columns, and ENDPOINT_score",
    )
    command.add_argument(
        "--allow-training-cases",
        action="store_true",
        help="with --answers: keep cases that the model has learned from; the report says so",
    )
    command.add_argument("--key", default="case", metavar="COLUMN", help="that names the case there (default: case)")
    command.add_argument("--time", required=True, metavar="COLUMN", help="follow-up in --unit, none negative")
    command.add_argument("--event", required=True, metavar="COLUMN", help="1: the event came then; 0: censored")
    command.add_argument("--score", default="", metavar="COLUMN", help="number to judge, higher: sooner")
    command.add_argument(
        "--covariates", default="", metavar="COLUMN,...", help="of Cox models: numbers, log(COLUMN), categories"
    )
    command.add_argument("--by", default="", metavar="COLUMN", help="groups to compare, such as the regime")
    command.add_argument("--strata", default="", metavar="COLUMN", help="levels within which all is compared")
    command.add_argument(
        "--features", default="", metavar="COLUMN,...", help="of a LASSO; FIRST..LAST: all columns from one to another"
    )
    _add_design(command)
    add_seed(command, "of folds and permutations")
    add_out(command, "folder to make")


def _add_design(command: argparse.ArgumentParser) -> None:
    command.add_argument("--unit", default="days", help="of time: days (default), weeks, months or years")
    command.add_argument(
        "--horizons", default="", metavar="T,...", help="times of the figures, in --unit (default: by the unit)"
    )
    command.add_argument("--folds", type=int, default=10, help="parts, each held out once; 0: none (default: 10)")
    command.add_argument(
        "--first",
        type=int,
        default=0,
        metavar="N",
        help="also fit to the first N cases, test the rest (default: 0, not)",
    )
    command.add_argument(
        "--smallest-share", type=float, default=0.1, help="share of the cases on either side of a cut (default: 0.1)"
    )
    command.add_argument("--permutations", type=int, default=999, help="for the p of the best cut (default: 999)")
    command.add_argument(
        "--missing",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="value that stands for 'not known' in a column; may be repeated",
    )


def _survival(options: argparse.Namespace, speaker: Speaker) -> None:
    require_module("matplotlib", "The report needs more packages: install pdl1predictor[train].")
    from PDL1PredictorLib.core.files.output import whole_folder
    from PDL1PredictorLib.study.survival.answers import Answers
    from PDL1PredictorLib.study.survival.columns import read_survival_table
    from PDL1PredictorLib.study.survival.conduct import analyze
    from PDL1PredictorLib.study.survival.write import HTML_NAME, write_survival

    missing = _missing(options.missing)
    if options.allow_training_cases and options.answers is None:
        raise InputError("--allow-training-cases is about --answers; leave it out, or give the answers.")
    answers = None if options.answers is None else Answers(options.answers, options.key, options.allow_training_cases)
    table = read_survival_table(options.table, options.time, options.event, missing, answers)
    settings = _settings(options, missing, tuple(table.cells))
    document = analyze(table, settings, options.typed, speaker.progress())
    with whole_folder(options.out, options.overwrite) as draft:
        write_survival(document, draft)
    speaker.done(
        "\n".join([*_summary(document), "", f"Report: {options.out / HTML_NAME}"]),
        out=str(options.out),
        report=str(options.out / HTML_NAME),
    )


def _settings(options: argparse.Namespace, missing: dict[str, str], columns: tuple[str, ...]) -> "SurvivalSettings":
    from PDL1PredictorLib.study.survival.settings import SurvivalSettings

    try:
        horizons = tuple(float(text) for text in options.horizons.split(",") if text)
    except ValueError as error:
        raise InputError(f"--horizons must be numbers with commas between, got {options.horizons!r}.") from error
    return SurvivalSettings(
        time=options.time,
        event=options.event,
        score=options.score,
        covariates=tuple(name.strip() for name in options.covariates.split(",") if name.strip()),
        by=options.by,
        strata=options.strata,
        features=_features(options.features, columns),
        unit=options.unit,
        horizons=horizons,
        first=options.first,
        folds=options.folds,
        smallest_share=options.smallest_share,
        permutations=options.permutations,
        seed=options.seed,
        missing=missing,
    )


def _features(text: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that were named, and those between two."""
    found: list[str] = []
    for part in (name.strip() for name in text.split(",") if name.strip()):
        first, dots, last = part.partition("..")
        if not dots:
            found.append(part)
            continue
        if first not in columns or last not in columns or columns.index(first) > columns.index(last):
            raise InputError(f"--features {part}: the table has no columns from {first} to {last}.")
        found += columns[columns.index(first) : columns.index(last) + 1]
    return tuple(found)


def _missing(given: list[str]) -> dict[str, str]:
    found = {}
    for text in given:
        column, equals, value = text.rpartition("=")
        if not equals:
            raise InputError(f"--missing {text}: write COLUMN=VALUE.")
        found[column] = value
    return found


def _summary(document: dict[str, Any]) -> list[str]:
    whole, score = document["overall"], document["score"]
    lines = [f"{whole['n']} cases, {whole['events']} events"]
    if document["groups"] and document["groups"]["log_rank"]:
        lines.append(f"Log-rank by {document['settings']['by']}: p {document['groups']['log_rank']['p']:.3g}")
    if score:
        c, cut = score["harrell"], score["cut"]
        lines.append(f"Score: C {_with_interval(c)}")
        if not cut["note"]:
            lines.append(
                f"Best cut {cut['value']:.4g}: p {cut['p_naive']:.2g} naive, {cut['p_permutation']:.2g} corrected"
            )
    together = (document["models"] or {}).get("together")
    if together and together["terms"]:
        lines.append(f"Covariates together, in sample: C {_with_interval(together['c'])}")
    lines += [
        f"Held out, {h['model']}, {h['design']}: C {_with_interval(h['c'])}"
        for h in document["held_out"]
        if not h["note"]
    ]
    return lines


def _with_interval(c: dict[str, float]) -> str:
    return f"{c['value']:.3f} ({c['low']:.3f} to {c['high']:.3f})"
