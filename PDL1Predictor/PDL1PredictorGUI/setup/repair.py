"""What is wrong with the packages of a prediction, in words, and how it is put right.

What is missing or too old is told by what is installed, quickly. Whether a package works is told by importing it, in a
process of its own: that takes some seconds, and nothing of it stays in the application.
"""

import importlib.util
import json
import logging
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.setup import packages
from PDL1PredictorGUI.setup.library import background_environment, python_executable
from PDL1PredictorGUI.setup.packages import Package

IMPORTED_AS = {"scikit-image": "skimage", "PyWavelets": "pywt", "Jinja2": "jinja2", "pillow": "PIL"}
TRY_SECONDS = 180.0
POLL_SECONDS = 0.05
TRY_IMPORTS = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        if name == "onnxruntime":
            from PDL1PredictorLib.models.onnx.session import require_onnxruntime
            require_onnxruntime()
        else:
            importlib.import_module(name)
    except BaseException as error:
        found[name] = f"{type(error).__name__}: {error}".splitlines()[0][:300]
print(json.dumps(found))
"""


class Fault(NamedTuple):
    """What is wrong with one package.

    Attributes:
        package: The package.
        text: In words.
        broken: It is there, and does not work: it has to be installed anew.
    """

    package: Package
    text: str
    broken: bool = False


def seen_at_once() -> list[Fault]:
    """What is missing, too old, or of a version that computes wrong values; and what lost its files."""
    absent = {package.name: package for package in packages.missing()}
    found = [Fault(package, _why_absent(package)) for package in absent.values()]
    for package in packages.needed():
        if package.name not in absent and importlib.util.find_spec(import_name(package)) is None:
            text = _("{name} is listed as installed, but its files are gone").format(name=package.name)
            found.append(Fault(package, text, broken=True))
    return found


def tried() -> list[Fault]:
    """The same, and what cannot be imported; the window goes on drawing itself meanwhile."""
    found = seen_at_once()
    known = {fault.package.name for fault in found}
    left = {import_name(package): package for package in packages.needed() if package.name not in known}
    for name, error in _errors(list(left)).items():
        if name in left:
            text = _("{name} is installed and does not work ({error})").format(name=left[name].name, error=error)
            found.append(Fault(left[name], text, broken=True))
    return found


def import_name(package: Package) -> str:
    """What a package is imported as."""
    return IMPORTED_AS.get(package.name, package.name)


def in_words(faults: Sequence[Fault]) -> str:
    """All faults in a sentence; those that are only missing together."""
    absent = [fault.package.name for fault in faults if packages.installed_version(fault.package.name) is None]
    parts = [_("not installed: {names}").format(names=", ".join(absent))] if absent else []
    parts += [fault.text for fault in faults if fault.package.name not in absent]
    return "; ".join(parts)


def repair(faults: Sequence[Fault], confirm: bool = True) -> bool:
    """Installs what is missing, and anew what does not work; asks once.

    Args:
        faults: As `tried` found them.
        confirm: Ask before anything is installed.

    Returns:
        Whether it was done; False if the user declined, or Slicer runs in testing mode.

    Raises:
        MissingPackageError: It cannot be done, with what to do.
    """
    broken = [fault.package for fault in faults if fault.broken]
    if not broken:
        return packages.ensure(confirm)
    own = [package.name for package in broken if package.bundled]
    if own:
        text = _("Slicer's own package {names} does not work. Install 3D Slicer again.")
        raise packages.error(text.format(names=", ".join(own)))
    if confirm and not slicer.util.confirmOkCancelDisplay(_question(faults), _("Repair Python packages")):
        return False
    if slicer.app.testingEnabled():
        logging.info("Testing mode: not installed anew: %s", [package.requirement for package in broken])
        return False
    packages.install_anew(broken)
    return packages.ensure(confirm=False)


def _question(faults: Sequence[Fault]) -> str:
    rows = "\n".join(f"  {fault.text}" for fault in faults)
    total = packages.size_text(sum(fault.package.megabytes for fault in faults))
    text = _(
        "These Python packages keep predictions from working:\n\n{rows}\n\nInstall them (anew) now? Other packages "
        "stay as they are. Together about {total} on disk."
    )
    return text.format(rows=rows, total=total)


def _why_absent(package: Package) -> str:
    version = packages.installed_version(package.name)
    if version is None:
        return _("{name} is not installed").format(name=package.name)
    text = _("{name} is there in version {version}, which cannot be used ({wanted} is needed)")
    return text.format(name=package.name, version=version, wanted=package.right_versions)


def _errors(names: Sequence[str]) -> dict[str, str]:
    """Import errors by name, from a process of its own.

    An end without a word is blamed on every package that it could be: each is then tried alone.
    """
    said = _ask(names)
    if said is not None:
        return said
    if len(names) == 1:
        return {names[0]: _("the process that imported it ended at once")}
    return {name: error for one in names for name, error in _errors([one]).items()}


def _ask(names: Sequence[str]) -> dict[str, str] | None:
    """What the process says; None if it died."""
    if not names:
        return {}
    # The arguments are ours: names of the table above
    process = subprocess.Popen(  # noqa: S603
        [python_executable(), "-c", TRY_IMPORTS, *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env={**os.environ, **background_environment()},
        cwd=Path(slicer.app.temporaryPath),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    end = time.monotonic() + TRY_SECONDS
    while process.poll() is None and time.monotonic() < end:
        slicer.app.processEvents(qt.QEventLoop.ExcludeUserInputEvents)
        time.sleep(POLL_SECONDS)
    if process.poll() is None:
        process.kill()
    out, _nothing = process.communicate()
    return _read(out)


def _read(out: str) -> dict[str, str] | None:
    lines = out.strip().splitlines()
    try:
        said: Any = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return {str(name): str(error) for name, error in said.items()} if isinstance(said, dict) else None
