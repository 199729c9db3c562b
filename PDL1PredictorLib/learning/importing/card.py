"""What an imported bundle says of itself: where it comes from, and that nobody measured it here."""

from collections.abc import Mapping, Sequence
from typing import Any

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.learning.importing.layout import Layout

NOT_MEASURED = (
    "It was not trained here but made of the parts of a model from elsewhere, as they were given; how well it does was "
    "not measured. It withholds its verdict until `pdl1 evaluate --recalibrate` has measured it on cases with known "
    "labels."
)
NO_INTERVAL = (
    "Its probabilities come without an interval, a prediction set or a threshold of their own before it is "
    "recalibrated: what stands there is the probability itself, both answers, and the threshold that it was given."
)
NO_REFERENCE = "It cannot tell whether a tumor is like those that it learned from."
OTHER_MAKER = (
    "Regions, features and patches are made by this library. Where its maker made them otherwise, the same numbers "
    "mean something else, and only new cases show it."
)
ALWAYS = (NOT_MEASURED, NO_INTERVAL, NO_REFERENCE, OTHER_MAKER)


def card(manifest: Mapping[str, Any], layout: Layout, files: Mapping[str, str]) -> str:
    """Markdown of the card.

    Args:
        manifest: Of the bundle.
        layout: What was given.
        files: SHA-256 of each file that it was made of, by name.
    """
    parts = [
        f"# {manifest['title']} (`{manifest['name']}`)",
        f"**{RESEARCH_USE_ONLY}**",
        NOT_MEASURED,
        manifest["intended_use"],
        "## Trained on",
        f"{manifest['cohort']} So say those who gave the parts.",
        _listed(layout.words.sources),
        "## How",
        _answers(layout),
        "## Made of",
        _files(files),
        f"Imported with version {manifest['library_version']}, {manifest['created_utc'][:10]}.",
        "## Limitations",
        _listed(manifest["limitations"]),
        "## Licence",
        f"{manifest['licence']}. The bundle holds weights and numbers only; nothing in it is executed. A classifier of "
        "nearest neighbors or support vectors keeps the inputs of cases that it learned from.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _listed(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _answers(layout: Layout) -> str:
    lines = ["| endpoint | inputs | classifier | threshold |", "|---|---|---|---|"]
    for key, one in layout.endpoints.items():
        lines.append(f"| {key} | {', '.join(one.parts)} | {one.kind} | {one.threshold:g}, not measured |")
    network = layout.network
    seen = f"\n\nNetwork: {network.backbone} on {network.slices} slices." if network else ""
    return "\n".join(lines) + seen


def _files(files: Mapping[str, str]) -> str:
    lines = ["| file | SHA-256 |", "|---|---|"]
    return "\n".join([*lines, *(f"| {_cell(name)} | `{sha256[:16]}` |" for name, sha256 in files.items())])


def _cell(name: str) -> str:
    return name.replace("|", "/")
