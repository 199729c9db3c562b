"""The command that lists the models."""

import argparse
from typing import Any

from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.resources import model_folders

LEARNED_FROM = {"patients": "patients", "synthetic": "synthetic patients: it answers for synthetic patients alone"}


def add(commands: Any) -> None:
    """Add `models` to the commands."""
    add_command(commands, "models", "List the models, each checked.", _models)


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
