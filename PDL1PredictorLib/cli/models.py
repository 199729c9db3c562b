"""The commands about models: list them, show one's card, and make one of the parts of a model from elsewhere."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.resources import find_model, model_folders

LEARNED_FROM = {"patients": "patients", "synthetic": "synthetic patients: it answers for synthetic patients alone"}


def add(commands: Any) -> None:
    """Add `models`, `models show` and `models import` to the commands."""
    about = "List the models, each checked; `pdl1 models NAME` shows the card of one."
    command = add_command(commands, "models", about, _models)
    inner = command.add_subparsers(metavar="NAME | import", title="another command")
    showing = add_command(inner, "show", "Show a model's card; `pdl1 models NAME` is short for it.", _show)
    showing.add_argument("model", metavar="MODEL", help="bundle: name, folder or .zip")
    text = "Make a bundle of the parts of a model from elsewhere (docs/bundle.md); nothing in them is run."
    importing = add_command(inner, "import", text, _import)
    importing.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the parts, with its page import.json")
    importing.add_argument("--out", type=Path, help="bundle to make (default: only tell what the files are)")
    importing.add_argument("--overwrite", action="store_true", help="replace existing output")


def in_full(given: Sequence[str]) -> list[str]:
    """What was typed, with the `show` that `pdl1 models NAME` leaves out."""
    words = list(given)
    short = words[:1] == ["models"] and len(words) > 1 and words[1] not in ("show", "import", "")
    return ["models", "show", *words[1:]] if short and not words[1].startswith("-") else words


def _show(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.core.outside_text import card_text
    from PDL1PredictorLib.models.bundle import read_bundle
    from PDL1PredictorLib.models.manifest import read_manifest

    path = find_model(options.model)
    bundle = read_bundle(path)
    model = read_manifest(bundle).summary
    card = card_text(bundle.file("MODEL_CARD.md")).rstrip()
    text = f"{card}\n\n{model.name} {model.version}, sha256 {model.sha256}\n{path}"
    speaker.done(text, name=model.name, version=model.version, path=str(path), sha256=model.sha256, card=card)


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
