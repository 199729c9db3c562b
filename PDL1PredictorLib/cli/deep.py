"""The commands of `pdl1` that train networks to compare them or to start from: `backbones`, `pretrain`."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.options import add_cache, add_device, add_out, add_seed, add_work, cache_of
from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.lazy import require_module


def add(commands: Any) -> None:
    """Add `backbones` and `pretrain` to the commands."""
    _add_backbones(commands)
    _add_pretrain(commands)


def _add_backbones(commands: Any) -> None:
    command = add_command(commands, "backbones", "Compare five backbones of the network on one endpoint.", _backbones)
    command.add_argument("--cohort", type=Path, help="table of the cohort (default: synthetic patients)")
    command.add_argument("--n", type=int, default=600, help="synthetic patients, without --cohort (default: 600)")
    command.add_argument("--endpoint", default="PDL1", help="what is predicted (default: PDL1)")
    command.add_argument("--only", help="comma-separated backbones (default: all five)")
    command.add_argument("--epochs", type=int, help="at most (default: 24)")
    command.add_argument("--pixels", type=int, help="edge of the crop that is seen, in pixels (default: 112)")
    command.add_argument(
        "--patch-margin", type=float, help="what the network sees around the tumor, in mm (default: all)"
    )
    add_seed(command, "of split and networks")
    add_device(command)
    add_work(command, "processes that prepare cases")
    add_cache(command)
    add_out(command, "folder to make: backbones.json, backbones.md")


def _add_pretrain(commands: Any) -> None:
    command = add_command(
        commands, "pretrain", "Train a backbone on lung nodules (LIDC-IDRI) to start from.", _pretrain
    )
    command.add_argument("--data", type=Path, required=True, help="folder with labels.csv, image/ and mask/")
    command.add_argument("--backbone", default="densenet121", help="densenet121 (default), resnet50, resnet101, vgg19")
    command.add_argument("--epochs", type=int, help="passes over the nodules (default: 40)")
    add_seed(command, "of split and network")
    add_device(command)
    add_out(command, "weights to make (.safetensors); the figures lie beside them (.json, .md)")


def _backbones(options: argparse.Namespace, speaker: Speaker) -> None:
    _require_training()
    from PDL1PredictorLib.core.files.output import whole_folder
    from PDL1PredictorLib.learning.deep.comparison import COMPARISON, backbones_text, compare_backbones, divided
    from PDL1PredictorLib.models.device import choose_device
    from PDL1PredictorLib.networks.names import WHOLE

    names = tuple(options.only.split(",")) if options.only else WHOLE
    stage = COMPARISON.stages[0]
    stage = replace(stage, epochs=options.epochs or stage.epochs, pixels=options.pixels or stage.pixels)
    settings = [replace(COMPARISON, stages=(stage,), backbone=name) for name in names]  # refuses a strange name
    device, progress = choose_device(options.device), speaker.progress()
    with whole_folder(options.out, options.overwrite) as draft:
        with progress.part("prepare", 0.0, 0.2, "preparing the cases") as part:
            cohort, patients, test = _prepared(options, part)
        parts = divided(cohort, patients, options.seed, test)
        with progress.part("network", 0.2, 1.0, "training") as part:
            rows = compare_backbones(*parts, options.endpoint, settings[0], options.seed, device, names, part)
        text = backbones_text(rows, options.endpoint, options.typed)
        facts = {"schema_version": "1.0", "command": options.typed, "endpoint": options.endpoint, "backbones": rows}
        (draft / "backbones.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        (draft / "backbones.md").write_text(text, encoding="utf-8")
    speaker.done(text, out=str(options.out), backbones=rows)


def _prepared(options: argparse.Namespace, progress: Any) -> tuple[Any, list[str], Any]:
    """The prepared cohort, the patient of each case, and the rows of the test cases where the table says so."""
    import numpy as np

    from PDL1PredictorLib.cohort.prepare import prepare
    from PDL1PredictorLib.cohort.sources import PhantomSource, Source, file_sources
    from PDL1PredictorLib.cohort.table import read_cohort
    from PDL1PredictorLib.core.needs import Needs
    from PDL1PredictorLib.core.settings import RegionSettings

    regions = RegionSettings(patch_margin_mm=options.patch_margin)
    needs = Needs(features=False, picture="slice")
    cache = cache_of(options)
    patients: dict[str, str] = {}
    splits: dict[str, str | None] = {}
    sources: list[Source]
    if options.cohort:
        table = read_cohort(options.cohort, (options.endpoint,))
        sources = list(file_sources(table))
        patients = {case.name: case.patient for case in table.cases}
        splits = {case.name: case.split for case in table.cases}
    else:
        sources = [PhantomSource(options.seed, index) for index in range(options.n)]
    cohort = prepare(sources, (options.endpoint,), regions, None, cache, options.workers, progress, needs=needs)
    test = np.array([row for row, name in enumerate(cohort.names) if splits.get(name) == "test"], dtype=int)
    return cohort, [patients.get(name, name) for name in cohort.names], test if len(test) else None


def _pretrain(options: argparse.Namespace, speaker: Speaker) -> None:
    _require_training()
    from PDL1PredictorLib.core.files.output import refuse_existing, whole_file
    from PDL1PredictorLib.learning.deep.pretrain import Pretraining, pretrain, pretrained_facts, pretrained_text
    from PDL1PredictorLib.learning.deep.weights import save_backbone
    from PDL1PredictorLib.models.device import choose_device

    if options.out.suffix != ".safetensors":
        raise InputError(f"The weights must be a .safetensors file, got {options.out.name}. Add the suffix.")
    texts = {suffix: options.out.with_suffix(suffix) for suffix in (".json", ".md")}
    for file in (options.out, *texts.values()):
        refuse_existing(file, options.overwrite)
    settings = Pretraining(seed=options.seed).with_backbone(options.backbone)
    if options.epochs is not None:
        settings = settings.with_epochs(options.epochs)
    checkpoint = options.out.with_suffix(".checkpoint")
    result = pretrain(options.data, settings, choose_device(options.device), speaker.progress(), checkpoint)
    facts = pretrained_facts(result)
    text = pretrained_text(facts, options.typed)
    contents = {".json": json.dumps({"command": options.typed, **facts}, indent=1, allow_nan=False) + "\n", ".md": text}
    for suffix, file in texts.items():
        with whole_file(file, options.overwrite) as draft:
            draft.write_text(contents[suffix], encoding="utf-8")
    save_backbone(result.trained.network, options.out, options.overwrite)
    speaker.done(text, out=str(options.out), test_auc=facts["test_auc"])


def _require_training() -> None:
    require_module("sklearn", "Training needs more packages than prediction: install pdl1predictor[train].")
