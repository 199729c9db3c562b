"""Why a folder is no model that answers: what is there, what is missing, and what can be done."""

from collections.abc import Sequence
from pathlib import Path

from PDL1PredictorLib.learning.importing.conversion import how_to_convert
from PDL1PredictorLib.learning.importing.looks import PAGE, FileLook, pickles_of

MAX_LINES = 60
MOST_ALIKE = 3  # more files of the same words are told together
_ORDER = ("page", "classifier", "network", "coefficients", "scales", "inputs", "pickle", "absent", "table", "other")
_TABLES = (
    "Tables of inputs with labels need no bundle: save one as CSV, and `pdl1 classifiers --table FILE --label COLUMN` "
    "compares classifiers on it."
)


def listing(looks: Sequence[FileLook]) -> str:
    """What the files are, a line each or for many that are alike; the useful ones first."""
    if not looks:
        return "The folder holds no file."
    alike: dict[str, list[FileLook]] = {}
    for look in sorted(looks, key=lambda look: (not look.usable, _ORDER.index(look.kind))):
        alike.setdefault(look.words, []).append(look)
    lines = [line for group in alike.values() for line in _lines(group)]
    more = [f"and {len(lines) - MAX_LINES} more"] if len(lines) > MAX_LINES else []
    return "\n".join([*lines[:MAX_LINES], *more])


def _lines(group: Sequence[FileLook]) -> list[str]:
    if len(group) <= MOST_ALIKE:
        return [look.line for look in group]
    first = group[0]
    return [f"{len(group)} files such as {first.line}"]


def missing_from(looks: Sequence[FileLook]) -> list[str]:
    """What a model that answers for a new CT needs and the folder does not hold, sentences."""
    kinds = {look.kind for look in looks if look.usable}
    pickled = sum(look.kind == "pickle" for look in looks)
    absent = sum(look.kind == "absent" for look in looks)
    found = []
    if "page" not in kinds:
        found.append(f"{PAGE}, the page that says what is what (docs/bundle.md)")
    if "classifier" not in kinds:
        held = f"; {pickled} pickled ones are refused and must be converted" if pickled else ""
        found.append(f"classifiers as .onnx{held}")
    if "coefficients" not in kinds:
        found.append("RadScore coefficients by region and feature (CSV): without them no score follows from a CT")
    if "scales" not in kinds:
        found.append("mean and SD of every feature that the scores use (CSV)")
    if "network" not in kinds:
        held = f"; {absent} are pointers, whose files were not fetched" if absent else ""
        found.append(f"network files (.safetensors, or .pth of weights alone), where deep features are inputs{held}")
    return found


def what_it_is(folder: Path, looks: Sequence[FileLook]) -> str:
    """The files, what is missing, and the ways on."""
    missing = "".join(f"\n  - {sentence}" for sentence in missing_from(looks))
    parts = [
        f"{folder} holds:",
        listing(looks),
        f"Missing for a model that answers for a new CT:{missing}" if missing else "",
        _TABLES if any(look.kind == "table" for look in looks) else "",
        how_to_convert(pickles_of(looks)),
    ]
    return "\n\n".join(part for part in parts if part)


def no_model(folder: Path, looks: Sequence[FileLook]) -> str:
    """The same for a folder without a page, as a refusal."""
    return f"No bundle can be made of {folder}: it has no {PAGE}. Nothing was written.\n\n{what_it_is(folder, looks)}"
