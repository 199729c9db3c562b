"""The commands of `pdl1` that train: a model with its figures, and the leak test of the way there."""

import argparse
import json
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.options import (
    add_cache,
    add_choice_of_cases,
    add_device,
    add_out,
    add_seed,
    add_work,
    cache_of,
)
from PDL1PredictorLib.cli.recipe_options import add_recipe_options, chosen_options
from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError, LeakError
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.recipes.page import RecipePage, Shared
from PDL1PredictorLib.recipes.table import RECIPES, recipe_page

DEFAULT_RECIPE = next(iter(RECIPES))
NO_CLINICAL = "none"


def add(commands: Any) -> None:
    """Add `train` and `leak-test` to the commands."""
    command = add_command(commands, "train", "Train models, measure them, and write a bundle.", _train)
    command.add_argument("--recipe", required=True, help=f"one of: {_summaries()}")
    add_out(command, "folder of the bundle; its name becomes the model's")
    command.add_argument("--words", type=Path, help="JSON file: title, cohort, limitations ... for the model card")
    command.add_argument("--report", type=Path, help="folder of the report (default: OUT with .study added)")
    command.add_argument(
        "--ship",
        choices=("chosen", "lead"),
        default="chosen",
        help="the bundle's model of an endpoint: the simplest of those that are as good as the best (chosen, default), "
        "or the one that the recipe is for (lead), whose card then names a simpler one that is as good",
    )
    _add_study(command, 5)

    leak = add_command(commands, "leak-test", "Run a study on shuffled labels: it must find nothing.", _leak_test)
    leak.add_argument("--recipe", default=DEFAULT_RECIPE, help=f"one of: {_summaries()} (default: {DEFAULT_RECIPE})")
    leak.add_argument("--endpoint", help="whose labels are shuffled (default: the recipe's first)")
    leak.add_argument("--shuffles", type=int, default=20, help="of the labels (default: 20)")
    add_out(leak, "JSON file to make")
    _add_study(leak, 1)


def _summaries() -> str:
    return "; ".join(f"{name} ({recipe_page(name).summary})" for name in RECIPES)


def _add_study(command: argparse.ArgumentParser, repeats: int) -> None:
    """What decides a study: what every recipe has, then a group for each recipe."""
    command.add_argument("--cohort", type=Path, help="table of the cohort, see docs/cohort.md (default: synthetic)")
    add_choice_of_cases(command)
    command.add_argument("--n", type=int, default=600, help="synthetic patients, without --cohort (default: 600)")
    command.add_argument("--endpoints", help="comma-separated (default: all of the cohort that the recipe learns)")
    command.add_argument(
        "--clinical",
        metavar="LIST",
        help="clinical columns of the table to learn from, such as age_years,sex,ECOG=0..5,stage=I/II/III (words in "
        "their order), or none (default: age_years, sex, smoking and family_history, as far as half are known)",
    )
    add_seed(command, "of everything that is drawn")
    command.add_argument(
        "--design",
        choices=[one.value for one in Design if one.trains],
        default=Design.SPLIT.value,
        help="split: train once, test on the rest (default); nested: nested cross-validation, for small cohorts",
    )
    command.add_argument("--folds", type=int, default=5, help="of nested cross-validation (default: 5)")
    command.add_argument(
        "--outer-repeats",
        type=int,
        default=repeats,
        help=f"how often all cases are divided into these folds anew (default: {repeats})",
    )
    add_device(command)
    add_work(command, "processes that prepare cases and fit models")
    command.add_argument("--scheduler", help="address of a Dask cluster that prepares the cases")
    add_cache(command)
    add_recipe_options(command, RECIPES)


def _train(options: argparse.Namespace, speaker: Speaker) -> None:
    page, own = _asked_for(options)
    require_module("matplotlib", "A study's report needs more packages: install pdl1predictor[train].")
    from PDL1PredictorLib.cohort.case_warnings import as_lines, as_plain
    from PDL1PredictorLib.models.device import choose_device
    from PDL1PredictorLib.study.card import Words, read_words
    from PDL1PredictorLib.study.conduct import Plan, conduct

    words = read_words(options.words) if options.words else Words()
    recipe, cases = _recipe_and_cases(page, own, options)
    if not options.cohort and not options.words:
        words = _synthetic_words(recipe, options.seed)
    plan = Plan(
        recipe=recipe,
        bundle=options.out,
        report=options.report or options.out.with_name(f"{options.out.name}.study"),
        cache=cache_of(options),
        command=options.typed,
        words=words,
        device=choose_device(options.device),
        start=own.get("weights"),
        workers=options.workers,
        scheduler=options.scheduler,
        overwrite=options.overwrite,
        ship=options.ship,
    )
    bundle, outcome = conduct(plan, cases, speaker.progress())
    report = plan.report / "report.html"
    failed = [f"Failed, {name}: {reason}" for name, reason in outcome.failed.items()]
    lines = [bundle.file("MODEL_CARD.md").decode(), *failed, *as_lines(outcome.case_warnings), f"Report: {report}"]
    speaker.done(
        "\n".join(lines),
        out=str(plan.bundle),
        report=str(report),
        sha256=bundle.sha256,
        failed=outcome.failed,
        case_warnings=as_plain(outcome.case_warnings),
    )


def _leak_test(options: argparse.Namespace, speaker: Speaker) -> None:
    page, own = _asked_for(options)
    from PDL1PredictorLib.core.files.output import whole_file
    from PDL1PredictorLib.models.device import choose_device
    from PDL1PredictorLib.study.conduct import prepare_cases
    from PDL1PredictorLib.study.leak import leak_test

    options.endpoints = options.endpoint or page.endpoints[0]
    recipe, cases = _recipe_and_cases(page, own, options)
    progress = speaker.progress()
    with whole_file(options.out, options.overwrite) as draft:
        with progress.part("prepare", 0.0, 0.3, "preparing the cases") as part:
            prepared = prepare_cases(cases, recipe, cache_of(options), options.workers, options.scheduler, part)
        with progress.part("study", 0.3, 1.0, "training on shuffled labels") as part:
            found = leak_test(
                prepared,
                [cases.patients[name] for name in prepared.names],
                recipe.endpoints[0],
                recipe,
                options.shuffles,
                choose_device(options.device),
                own.get("weights"),
                options.workers,
                cache_of(options) / "leak-test",
                part,
            )
        draft.write_text(json.dumps({"command": options.typed, **found.to_dict()}, indent=1) + "\n", encoding="utf-8")
    if found.suspects:
        raise LeakError(f"{found.text()}\nWritten: {options.out}")
    speaker.done(found.text(), out=str(options.out))


def _asked_for(options: argparse.Namespace) -> tuple[RecipePage, dict[str, Any]]:
    """The recipe and the values of its own options, before anything heavy is loaded."""
    page = recipe_page(options.recipe)
    own = chosen_options(options, page, RECIPES)
    for name in ("sklearn", "skl2onnx"):
        require_module(name, "Training needs more packages than prediction: install pdl1predictor[train].")
    return page, own


def _recipe_and_cases(page: RecipePage, own: dict[str, Any], options: argparse.Namespace) -> tuple[Any, Any]:
    """The recipe for the endpoints of the table, or of the synthetic cohort, and the cases."""
    from PDL1PredictorLib.cohort.own_columns import only
    from PDL1PredictorLib.cohort.table import read_cohort
    from PDL1PredictorLib.core.endpoints import endpoint
    from PDL1PredictorLib.study.conduct import cases_of_table, synthetic_cases

    def recipe(endpoints: tuple[str, ...], clinical: tuple[str, ...] = (), declared: Any = ()) -> Any:
        design, folds = Design(options.design), options.folds
        shared = Shared(endpoints, options.seed, design, folds, options.outer_repeats, clinical, declared)
        return page.build(shared, own)

    wanted = tuple(endpoint(key).key for key in options.endpoints.split(",")) if options.endpoints else None
    if not options.cohort:
        endpoints = wanted or page.endpoints
        built = recipe(endpoints, _synthetic_clinical(options, page))
        return built, synthetic_cases(options.n, options.seed, endpoints, built.needs)
    names, declared = _clinical_columns(options)
    cohort = read_cohort(options.cohort, wanted, declared=declared)
    if options.only:
        cohort = only(cohort, options.only)
    learned = wanted or tuple(key for key in cohort.endpoints if endpoint(key).kind in page.kinds)
    built = recipe(learned, _clinical_of(cohort, names), declared)
    return built, cases_of_table(cohort, built.needs.pet, options.stratify)


def _synthetic_clinical(options: argparse.Namespace, page: RecipePage) -> tuple[str, ...]:
    """The clinical values of the synthetic cohort to learn from: as asked for, or those that the recipe takes."""
    from PDL1PredictorLib.cohort.declared import parse_choice

    if options.clinical in (None, NO_CLINICAL):
        return page.clinical if options.clinical is None else ()
    names, declared = parse_choice(options.clinical)
    if declared:
        raise InputError(f"{declared[0].name} is no clinical value of the synthetic cohort. To use a table's, give it.")
    return names


def _clinical_columns(options: argparse.Namespace) -> tuple[tuple[str, ...] | None, Any]:
    """Names of the clinical columns that were asked for, None where the table decides; and what declared ones mean."""
    from PDL1PredictorLib.cohort.declared import parse_choice, with_coding

    if options.clinical in (None, NO_CLINICAL):
        return (None if options.clinical is None else ()), ()
    names, declared = parse_choice(options.clinical)
    return names, with_coding(options.cohort, declared)


def _clinical_of(cohort: Any, names: tuple[str, ...] | None) -> tuple[str, ...]:
    """The clinical values to learn from: as asked for, or those that the cohort has."""
    from PDL1PredictorLib.cohort.known_clinical import known_clinical, require_known

    if names is None:
        return known_clinical(cohort)
    require_known(cohort, names)
    return names


def _synthetic_words(recipe: Any, seed: int) -> Any:
    from PDL1PredictorLib.learning.recipe import lead_plan
    from PDL1PredictorLib.study.card import Words

    return Words(
        title=f"{lead_plan(recipe).name.title}, synthetic cohort",
        cohort=f"Synthetic cohort of this library, seed {seed}; no real patient is in it.",
        intended_use=(
            "To show and test the software from end to end. It was trained on synthetic phantoms: what it says about a "
            "real patient means nothing. It must not guide care."
        ),
        limitations=("Its figures hold for further synthetic patients only and say nothing about accuracy in people.",),
    )
