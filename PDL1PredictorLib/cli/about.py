"""The commands about the installation itself: version, examples."""

import argparse
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

from PDL1PredictorLib import __version__
from PDL1PredictorLib.cli.options import add_out
from PDL1PredictorLib.cli.speaker import Speaker, add_command
from PDL1PredictorLib.core.provenance import TRAINING, versions
from PDL1PredictorLib.resources import PACKAGE, example_files, model_folders, sample_patient

OTHERS = ("pydicom", "highdicom", "pillow", "scikit-image", "matplotlib", "pyarrow", "onnx", "distributed")


def add(commands: Any) -> None:
    """Add `version` and `examples` to the commands."""
    text = "Say which version this is, of what, where, with which models; for a report of a fault."
    add_command(commands, "version", text, _version)
    text = "Write the sample patient (synthetic) and the example scripts into a folder, to try everything with."
    command = add_command(commands, "examples", text, _examples)
    add_out(command, "folder to make")


def _version(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.models.bundle import find_bundles
    from PDL1PredictorLib.models.manifest import survey

    found = versions((*TRAINING, *OTHERS))
    python, packages = found.pop("python"), found
    models = [
        f"{one.summary.name} {one.summary.version}, sha256 {one.summary.sha256[:12]}"
        if one.summary
        else f"{one.path.name}: cannot be used"
        for one in survey(find_bundles(model_folders()))
    ]
    lines = [
        f"pdl1predictor {__version__}, in {PACKAGE}",
        f"Python {python}, {sys.executable}",
        f"{platform.platform()}, {platform.machine()}",
        "Packages: " + ", ".join(f"{name} {version}" for name, version in packages.items()),
        *(f"Model: {model}" for model in models),
    ]
    facts = {"version": __version__, "python": python, "platform": platform.platform(), "packages": packages}
    speaker.done("\n".join(lines), **facts, package=str(PACKAGE), models=models)


def _examples(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.core.files.output import whole_folder

    files: list[Path] = [*sample_patient(), *example_files()]
    with whole_folder(options.out, options.overwrite) as draft:
        for file in files:
            shutil.copyfile(file, draft / file.name)
    ct, tumor = (options.out / file.name for file in files[:2])
    text = (
        f"The sample patient (synthetic), and {len(files) - 2} examples: {options.out}\n"
        f"Predict it: pdl1 predict {ct} {tumor} --out result"
    )
    speaker.done(text, out=str(options.out), files=[file.name for file in files])
