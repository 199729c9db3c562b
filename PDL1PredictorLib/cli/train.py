"""The commands of `pdl1` that train: a model with its figures, and the leak test of the way there."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.lazy import require_module


def add(commands: Any) -> None:
    """Add `train` and `leak-test` to the commands."""
    command = add_command(commands, "train", "Train models, measure them, and write a bundle.", _train)
    command.add_argument(
        "--recipe",
        choices=("demo", "deepradscore"),
        required=True,
        help="demo: the bundled model of the synthetic cohort; deepradscore: a study of a cohort, with its report",
    )
    command.add_argument("--n-test", type=int, default=300, help="demo: synthetic patients to test on (default: 300)")
    command.add_argument("--out", type=Path, required=True, help="folder of the bundle; its name becomes the model's")
    study = _add_study(command)
    study.add_argument("--words", type=Path, help="JSON file: title, cohort, limitations ... for the model card")
    study.add_argument("--report", type=Path, help="folder of the report (default: OUT with .study added)")

    leak = add_command(commands, "leak-test", "Run a study on shuffled labels: it must find nothing.", _leak_test)
    leak.add_argument("--endpoint", default="PDL1", help="whose labels are shuffled (default: PDL1)")
    leak.add_argument("--shuffles", type=int, default=20, help="of the labels (default: 20)")
    leak.add_argument("--out", type=Path, required=True, help="JSON file to make")
    _add_study(leak)


def _add_study(command: argparse.ArgumentParser) -> Any:
    """What decides a study."""
    command.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default: 1)")
    command.add_argument("--weights", type=Path, help="weight file that the backbone starts from (default: none)")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    command.add_argument("--workers", type=int, help="processes that prepare cases and fit classifiers")
    command.add_argument("--cache", type=Path, help="folder for prepared cases (default: OUT with .cache added)")
    command.add_argument("--overwrite", action="store_true", help="replace what exists")
    command.add_argument("--n", type=int, help="synthetic patients, where no cohort is given (demo: to train on)")
    study = command.add_argument_group("recipe deepradscore")
    study.add_argument("--cohort", type=Path, help="table of the cohort, see docs/cohort.md (default: synthetic)")
    study.add_argument("--endpoints", help="comma-separated (default: all that the cohort has)")
    study.add_argument(
        "--design",
        choices=("split", "nested"),
        default="split",
        help="split: train once, test on the rest (default); nested: nested cross-validation, for small cohorts",
    )
    study.add_argument(
        "--network",
        choices=("trained", "frozen"),
        default="trained",
        help="trained: all layers (default); frozen: only the two new layers, on --weights, for small cohorts",
    )
    study.add_argument("--backbone", help="densenet121 (default), resnet50, resnet101, vgg19 or inception_v3")
    study.add_argument("--folds", type=int, default=5, help="of nested cross-validation (default: 5)")
    study.add_argument("--repeats", type=int, default=10, help="of the choice of the classifier (default: 10)")
    study.add_argument("--preset", default="deepradscore", help="of the radiomic features (default: deepradscore)")
    study.add_argument("--patch-pixels", type=int, help="edge of the network's patch in mm (default: 112)")
    study.add_argument(
        "--patch-margin", type=float, help="what the network sees around the tumor, in mm (default: all)"
    )
    study.add_argument("--class-weights", action="store_true", help="the network weighs rare answers more")
    study.add_argument("--epochs", type=int, nargs="+", help="of every stage of the training, in order")
    study.add_argument("--pixels", type=int, nargs="+", help="edge of the crop in every stage, as many as --epochs")
    study.add_argument(
        "--shareable", action="store_true", help="only classifiers that keep no patient's row, to give the bundle away"
    )
    study.add_argument(
        "--choose",
        choices=("simplest", "best"),
        default="simplest",
        help="classifier: the simplest within a standard error of the best cross-validated AUC (default), or the best",
    )
    study.add_argument("--scheduler", help="address of a Dask cluster that prepares the cases")
    return study


def _train(options: argparse.Namespace, speaker: Speaker) -> None:
    for name in ("sklearn", "skl2onnx"):
        require_module(name, "Training needs more packages than prediction: install pdl1predictor[train].")
    (_demo if options.recipe == "demo" else _study)(options, speaker)


def _demo(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.core.output import refuse_existing
    from PDL1PredictorLib.models.device import choose_device
    from PDL1PredictorLib.recipes.demo import DemoRecipe, train_demo
    from PDL1PredictorLib.recipes.demo_card import export_demo

    refuse_existing(options.out, options.overwrite)
    recipe = DemoRecipe(seed=options.seed, n_train=options.n or 900, n_test=options.n_test)
    device = choose_device(options.device)
    trained = train_demo(recipe, _cache(options), device, options.weights, options.workers, speaker.progress())
    bundle = export_demo(trained, options.out, options.overwrite)
    speaker.done(bundle.file("MODEL_CARD.md").decode(), out=str(options.out), sha256=bundle.sha256)


def _study(options: argparse.Namespace, speaker: Speaker) -> None:
    require_module("matplotlib", "A study's report needs more packages: install pdl1predictor[train].")
    from PDL1PredictorLib.cohort.case_warnings import as_lines, as_plain
    from PDL1PredictorLib.models.device import choose_device
    from PDL1PredictorLib.study.card import Words, read_words
    from PDL1PredictorLib.study.conduct import Plan, conduct

    endpoints, cases = _cases(options)
    words = read_words(options.words) if options.words else Words()
    if not options.cohort and not options.words:
        words = _synthetic_words(options.seed)
    plan = Plan(
        recipe=_recipe(options, endpoints),
        bundle=options.out,
        report=options.report or options.out.with_name(f"{options.out.name}.study"),
        cache=_cache(options),
        command=options.typed,
        words=words,
        device=choose_device(options.device),
        start=options.weights,
        workers=options.workers,
        scheduler=options.scheduler,
        overwrite=options.overwrite,
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
    for name in ("sklearn", "skl2onnx"):
        require_module(name, "Training needs more packages than prediction: install pdl1predictor[train].")
    from PDL1PredictorLib.core.output import whole_file
    from PDL1PredictorLib.models.device import choose_device
    from PDL1PredictorLib.study.conduct import prepare_cases
    from PDL1PredictorLib.study.leak import leak_test

    options.endpoints = options.endpoint
    endpoints, cases = _cases(options)
    recipe, progress = _recipe(options, endpoints), speaker.progress()
    with whole_file(options.out, options.overwrite) as draft:
        with progress.part("prepare", 0.0, 0.3, "preparing the cases") as part:
            prepared = prepare_cases(cases, recipe, _cache(options), options.workers, options.scheduler, part)
        with progress.part("study", 0.3, 1.0, "training on shuffled labels") as part:
            found = leak_test(
                prepared,
                [cases.patients[name] for name in prepared.names],
                options.endpoint,
                recipe,
                options.shuffles,
                choose_device(options.device),
                options.weights,
                options.workers,
                _cache(options) / "leak-test",
                part,
            )
        draft.write_text(json.dumps({"command": options.typed, **found.to_dict()}, indent=1) + "\n", encoding="utf-8")
    speaker.done(found.text(), out=str(options.out))


def _cases(options: argparse.Namespace) -> tuple[tuple[str, ...], Any]:
    """Endpoints and cases of the table, or of the synthetic cohort."""
    from PDL1PredictorLib.cohort.table import read_cohort
    from PDL1PredictorLib.core.endpoints import endpoint
    from PDL1PredictorLib.recipes.deepradscore import ENDPOINTS
    from PDL1PredictorLib.study.conduct import cases_of_table, synthetic_cases

    wanted = tuple(endpoint(key).key for key in options.endpoints.split(",")) if options.endpoints else None
    if options.cohort:
        cohort = read_cohort(options.cohort, wanted)
        return cohort.endpoints, cases_of_table(cohort)
    endpoints = wanted or ENDPOINTS
    return endpoints, synthetic_cases(options.n or 600, options.seed, endpoints)


def _recipe(options: argparse.Namespace, endpoints: tuple[str, ...]) -> Any:
    from PDL1PredictorLib.radiomics.settings import preset
    from PDL1PredictorLib.recipes.deepradscore import SHAREABLE, STUDY_REGIONS, StudyRecipe, study_training

    regions = replace(
        STUDY_REGIONS,
        patch_pixels=options.patch_pixels or STUDY_REGIONS.patch_pixels,
        patch_margin_mm=options.patch_margin,
    )
    usual = study_training(regions.patch_pixels)
    deep = replace(usual, stages=_stages(options, usual.stages), class_weights=options.class_weights)
    if options.backbone:
        deep = replace(deep, backbone=options.backbone)
    return StudyRecipe(
        endpoints=endpoints,
        seed=options.seed,
        design=options.design,
        network=options.network,
        n_folds=options.folds,
        n_repeats=options.repeats,
        regions=regions,
        features=preset(options.preset),
        deep=deep,
        kinds=SHAREABLE if options.shareable else StudyRecipe.kinds,
        choice=options.choose,
    )


def _stages(options: argparse.Namespace, default: Any) -> Any:
    """The stages as asked for."""
    epochs = options.epochs or [stage.epochs for stage in default]
    pixels = options.pixels or [stage.pixels for stage in default]
    if not len(epochs) == len(pixels) == len(default):
        raise InputError(
            f"The training has {len(default)} stages: give as many --epochs and --pixels; got {len(epochs)} and "
            f"{len(pixels)}."
        )
    return tuple(replace(stage, epochs=e, pixels=p) for stage, e, p in zip(default, epochs, pixels, strict=True))


def _synthetic_words(seed: int) -> Any:
    from PDL1PredictorLib.recipes.demo_card import INTENDED_USE
    from PDL1PredictorLib.study.card import Words

    return Words(
        title="Deep-RadScore, synthetic cohort",
        cohort=f"Synthetic cohort of this library, seed {seed}; no real patient is in it.",
        intended_use=INTENDED_USE,
        limitations=("Its figures hold for further synthetic patients only and say nothing about accuracy in people.",),
    )


def _cache(options: argparse.Namespace) -> Path:
    folder: Path = options.cache or options.out.with_name(f"{options.out.name}.cache")
    return folder
