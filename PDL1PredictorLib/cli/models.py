"""The commands about models: list them, and make one of the parts of a model from elsewhere."""

import argparse
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.resources import model_folders

LEARNED_FROM = {"patients": "patients", "synthetic": "synthetic patients: it answers for synthetic patients alone"}


def add(commands: Any) -> None:
    """Add `models` and `models import` to the commands."""
    command = add_command(commands, "models", "List the models, each checked; or import one.", _models)
    text = "Make a bundle of the parts of a model from elsewhere (docs/bundle.md); nothing in them is run."
    inner = command.add_subparsers(metavar="import", title="another command")
    importing = add_command(inner, "import", text, _import)
    importing.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the parts, with its page import.json")
    importing.add_argument("--out", type=Path, help="bundle to make (default: only tell what the files are)")
    importing.add_argument("--overwrite", action="store_true", help="replace existing output")


def _models(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.models.bundle import find_bundles
    from PDL1PredictorLib.models.manifest import survey

    lines, found = [], []
    for bundle in survey(find_bundles(model_folders())):
        model = bundle.summary
        if model is None:
            lines.append(f"{bundle.path.name}: cannot be used. {bundle.problem}")
            continue
        endpoints = ", ".join(model.endpoints)
        lines.append(
            f"{model.name} {model.version}: {model.title}\n  trained on {LEARNED_FROM[model.trained_on]}\n"
            f"  {endpoints}\n  {model.intended_use}\n  sha256 {model.sha256}"
        )
        facts = {"name": model.name, "version": model.version, "path": str(bundle.path), "sha256": model.sha256}
        found.append({**facts, "trained_on": model.trained_on})
    speaker.done("\n".join(lines) or "There is no model. Train one: pdl1 train --help says how.", models=found)


def _import(options: argparse.Namespace, speaker: Speaker) -> None:
    require_module("safetensors", "Importing needs more packages than prediction: install pdl1predictor[train].")
    from PDL1PredictorLib.learning.importing.looks import look_at
    from PDL1PredictorLib.learning.importing.making import import_bundle
    from PDL1PredictorLib.learning.importing.refusal import what_it_is

    if options.out is None:
        looks = look_at(options.folder)
        facts = [{"name": one.name, "kind": one.kind, "usable": one.usable, "words": one.words} for one in looks]
        speaker.done(what_it_is(options.folder, looks), files=facts)
        return
    bundle = import_bundle(options.folder, options.out, options.overwrite)
    text = (
        f"Imported: {options.out}, SHA-256 {bundle.sha256}\n"
        "Its answers are not measured. pdl1 evaluate --recalibrate measures it on cases with known labels and gives it "
        "a threshold."
    )
    speaker.done(text, out=str(options.out), sha256=bundle.sha256)
