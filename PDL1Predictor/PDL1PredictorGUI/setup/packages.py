"""The Python packages that a prediction needs inside Slicer: what is missing, asked for once, installed with care.

Nothing is installed before the user agrees. Slicer's own packages and those of other extensions stay as they are. torch
is asked for only where the user chose a graphics card; the extension PyTorch, which installs it, takes no such
condition (it may replace pip and setuptools): the question says so.
"""

import importlib
import importlib.metadata
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.setup import computer, preferences
from PDL1PredictorGUI.setup.library import make_importable

REQUESTER = "PDL1Predictor"


@dataclass(frozen=True)
class Package:
    """One package of `requirements/runtime.txt`.

    Attributes:
        name: As in a package index.
        minimum: The oldest version that works, as in pyproject.toml.
        megabytes: About what it takes on disk, with what it needs itself and Slicer does not bring.
        bundled: Slicer 5.10 and later bring it; it is never installed.
        below_on_windows: The first version that cannot be installed there; empty for none.
        not_versions: Series of versions that compute wrong values.
    """

    name: str
    minimum: str
    megabytes: int
    bundled: bool = False
    below_on_windows: str = ""
    not_versions: tuple[str, ...] = ()

    @property
    def right_versions(self) -> str:
        """Those that work, as in pyproject.toml."""
        return f">={self.minimum}" + "".join(f",!={series}.*" for series in self.not_versions)

    @property
    def versions(self) -> str:
        """Those that may be installed here, for pip."""
        below = f",<{self.below_on_windows}" if self.below_on_windows and computer.is_windows() else ""
        return self.right_versions + below

    @property
    def requirement(self) -> str:
        """For pip."""
        return f"{self.name}{self.versions}"


# For a graphics card alone; for one of NVIDIA several thousand MB. From 2.13 on its longest path does not fit into the
# 260 letters that Windows allows below Slicer's folder.
TORCH = Package("torch", "2.5", 750, below_on_windows="2.13")
PACKAGES = (
    Package("numba", "0.61", 195),
    Package("onnxruntime", "1.23", 66, not_versions=("1.26", "1.27")),
    Package("scikit-image", "0.24", 40),
    Package("PyWavelets", "1.6", 9),
    Package("Jinja2", "3.1", 1),
    Package("numpy", "2.0", 57, bundled=True),
    Package("scipy", "1.13", 114, bundled=True),
    Package("SimpleITK", "2.4", 274, bundled=True),
    Package("pydicom", "2.4", 8, bundled=True),
    Package("pillow", "10", 20, bundled=True),
)
#: For results as DICOM objects, where the user wants them: the extra `dicom` of pyproject.toml.
FILING = (Package("highdicom", "0.24", 30), Package("reportlab", "4.2", 11))
#: Of requirements/runtime.txt, what a prediction never needs here: masks are handed over as NRRD.
NOT_NEEDED = ("highdicom",)


def installed_version(name: str) -> str | None:
    """The version of a package; None if it is not there. Nothing is imported."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def needed() -> tuple[Package, ...]:
    """The packages that a prediction needs here; torch among them where a graphics card was chosen."""
    return (TORCH, *PACKAGES) if computer.chosen_device() in computer.GRAPHICS else PACKAGES


def missing(more: Sequence[Package] = ()) -> list[Package]:
    """Packages that are not installed, too old, or of a version that computes wrong values; also of `more`."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    found = []
    for package in (*needed(), *more):
        version = installed_version(package.name)
        try:
            if version is None or Version(version) not in SpecifierSet(package.right_versions, prereleases=True):
                found.append(package)
        except InvalidVersion:  # somebody's own build: believed
            continue
    return found


def why_impossible(wheels: Path | None = None) -> str:
    """Why nothing can be predicted on this computer, whatever is installed; empty where it can.

    Args:
        wheels: Folder of wheel files; None takes the one of the preferences. Whoever has one may have built numba.
    """
    if not computer.is_intel_mac() or (wheels or _wheels_folder()) is not None or not _numba_is_impossible():
        return ""
    return _(
        "This Slicer runs as a program for Macs with an Intel processor, and brings a numpy that the last numba for "
        "them does not go with: nothing can be predicted here today. Outlines, measures and results from elsewhere "
        "work. Use Slicer 5.10; or, on a Mac with Apple silicon, a Slicer that is built for it."
    )


def _numba_is_impossible() -> bool:
    """Whether numba is missing and Slicer's numpy too new for the last one that is made for Intel Macs, 0.62."""
    from packaging.version import Version

    numpy = installed_version("numpy")
    lacks = any(package.name == "numba" for package in missing())
    return lacks and numpy is not None and Version(numpy) >= Version("2.4")


def declined_text() -> str:
    """What is said after the user declined the installation."""
    if [package.name for package in missing()] == [TORCH.name]:
        return _(
            "Without torch a graphics card cannot be used. In section 4, choose the device Automatic or Processor."
        )
    return _("Without these packages nothing can be predicted. Press Predict to be asked again.")


def ensure(confirm: bool = True, wheels: Path | None = None, more: Sequence[Package] = ()) -> bool:
    """Makes sure that a prediction finds its packages; asks once, for all of them.

    Args:
        confirm: Ask before anything is installed; False for scripts whose caller has agreed.
        wheels: Folder of wheel files to install from without the internet; None takes the one of the preferences.
        more: What is needed besides, such as `FILING`.

    Returns:
        Whether all are there; False if the user declined, or Slicer runs in testing mode, where nothing is installed.

    Raises:
        MissingPackageError: They cannot be installed, with what to do.
    """
    wanted = missing(more)
    if not wanted:
        return True
    old = [package for package in wanted if package.bundled]
    if old:
        text = _("Slicer's own package {names} is too old or missing. Install 3D Slicer 5.10 or later.")
        raise error(text.format(names=", ".join(f"{package.name}>={package.minimum}" for package in old)))
    impossible = why_impossible(wheels)
    if impossible:
        raise error(impossible)
    wheels = wheels or _wheels_folder()
    torch_logic = _torch_logic() if TORCH in wanted and wheels is None else None
    if slicer.app.testingEnabled():
        logging.info("Testing mode: not installed: %s", [package.requirement for package in wanted])
        return False
    if confirm and not slicer.util.confirmOkCancelDisplay(question(wanted, wheels), _("Install Python packages")):
        return False
    before = _installed_versions()
    try:
        if torch_logic is not None:
            _install_torch(torch_logic)
        # torch brings some of the others
        _install([package for package in missing(more) if package is not TORCH or wheels is not None], wheels)
    except Exception as reason:  # whatever pip, Slicer's tools around it and the other extension may raise
        logging.exception("Installation failed")
        raise error(_failure_text(wanted, wheels)) from reason
    finally:
        _log_changes(before)
    still = missing(more)
    if still:
        raise error(_failure_text(still, wheels))
    return True


def _install_torch(torch_logic: Any) -> None:
    """By the extension PyTorch, which imports torch at the end: in the application that may fail, and does not matter.

    The prediction imports it in a process of its own, which says so if it cannot.
    """
    try:
        with _busy(_("Installing torch. This takes some minutes, in which Slicer does not answer.")):
            torch_logic.installTorch(askConfirmation=False, torchVersionRequirement=TORCH.versions)
    except Exception:
        importlib.invalidate_caches()
        if TORCH in missing():
            raise
        logging.exception("torch was installed, and cannot be imported into the application")


@contextmanager
def _busy(text: str) -> Iterator[None]:
    """In Slicer 5.10, which shows nothing while it installs, a window that says so."""
    if _installs_with_progress():
        yield
        return
    dialog = _progress_dialog(0, text)
    try:
        slicer.app.processEvents()
        yield
    finally:
        dialog.close()


def _progress_dialog(maximum: int, text: str = "") -> Any:
    dialog = slicer.util.createProgressDialog(
        maximum=maximum, labelText=text, windowTitle=_("Installing Python packages")
    )
    dialog.setCancelButton(None)  # pip cannot be stopped halfway
    return dialog


def _installs_with_progress() -> bool:
    """Whether this is Slicer 5.11 or later, whose own tools show what is being installed."""
    try:
        importlib.import_module("slicer.packaging")
    except ImportError:
        return False
    return True


def question(wanted: Sequence[Package], wheels: Path | None = None) -> str:
    """What the user is asked: every package with its size, and what else may change."""
    rows = "\n".join(f"  {package.name}: {size_text(package.megabytes)}" for package in wanted)
    source = _("from the folder {folder}").format(folder=wheels) if wheels else _("from the internet")
    text = _(
        "This needs Python packages that Slicer does not have yet. Install them now, {source}? {changes}\n\n"
        "{rows}\n\nTogether about {total} on disk. {note}"
    )
    total = size_text(sum(package.megabytes for package in wanted))
    changes, note = _what_changes(wanted, wheels), _note(wanted, wheels)
    return text.format(source=source, changes=changes, rows=rows, total=total, note=note).strip()


def _what_changes(wanted: Sequence[Package], wheels: Path | None) -> str:
    if TORCH not in wanted:
        return _("Nothing that is installed already is changed.")
    if wheels is not None:
        return _("Nothing that is installed already is changed, but for setuptools, which torch may replace.")
    return _(
        "Nothing that is installed already is changed by this module. torch is installed by the extension PyTorch, "
        "which brings torchvision along, and may replace pip, setuptools and older versions of what torch needs."
    )


def _note(wanted: Sequence[Package], wheels: Path | None) -> str:
    if TORCH not in wanted or wheels is not None:
        return ""
    notes = [_("torch for an NVIDIA graphics card takes several GB.")]
    if not _installs_with_progress():
        notes.append(_("Slicer does not answer while torch is being installed, which takes some minutes."))
    return " ".join(notes)


def size_text(megabytes: float) -> str:
    """A size for people."""
    return _("{size} MB").format(size=round(megabytes)) if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def _wheels_folder() -> Path | None:
    folder = preferences.read(preferences.WHEELS_FOLDER)
    return Path(folder) if folder and Path(folder).is_dir() else None


def _torch_logic() -> Any:
    """The PyTorch extension, which knows which build of torch fits the computer."""
    try:
        from PyTorchUtils import PyTorchUtilsLogic
    except ImportError as reason:
        raise error(
            _(
                "PyTorch is missing, and so is the extension that installs it. Open the Extensions Manager, install "
                "PyTorch, restart Slicer, and try again. Without internet, set a folder of wheel files."
            )
        ) from reason
    return PyTorchUtilsLogic()


def install_anew(broken: Sequence[Package], wheels: Path | None = None) -> None:
    """Installs packages that are there and do not work once more, and nothing that they need.

    Args:
        broken: None of those that Slicer brings.
        wheels: Folder of wheel files; None takes the one of the preferences.

    Raises:
        MissingPackageError: They cannot be installed, with what to do.
    """
    wheels = wheels or _wheels_folder()
    try:
        _install(broken, wheels, ("--force-reinstall", "--no-deps"))
    except Exception as reason:  # whatever pip and Slicer's tools around it may raise
        logging.exception("Installation failed")
        raise error(_failure_text(broken, wheels)) from reason
    finally:
        importlib.invalidate_caches()


def _install(wanted: Sequence[Package], wheels: Path | None, more: Sequence[str] = ()) -> None:
    if not wanted:
        return
    options = ["--only-binary=:all:", *more]  # a package that would have to be compiled fails in minutes, not at once
    if wheels is not None:
        options += ["--no-index", f"--find-links={wheels}"]
    requirements = [package.requirement for package in wanted]
    with tempfile.TemporaryDirectory(prefix="PDL1Predictor-") as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(constraint_lines(wanted)) + "\n", encoding="utf-8")
        if _installs_with_progress():
            from slicer.packaging import pip_install

            pip_install([*options, *requirements], constraints=constraints, requester=REQUESTER)
        else:
            _install_one_by_one(requirements, [*options, f"--constraint={constraints}"])


def _install_one_by_one(requirements: Sequence[str], options: list[str]) -> None:
    """For Slicer 5.10, which shows nothing while it installs."""
    dialog = _progress_dialog(len(requirements))
    try:
        for done, requirement in enumerate(requirements):
            dialog.labelText = _("Installing {name} ...").format(name=requirement)
            dialog.value = done
            slicer.app.processEvents()
            slicer.util.pip_install([*options, requirement])
    finally:
        dialog.close()


def constraint_lines(wanted: Sequence[Package]) -> list[str]:
    """Every installed package at its version, but for those that are to be installed, and pip's own tools."""
    free = {*(_canonical(package.name) for package in wanted), "pip", "setuptools", "wheel"}
    return sorted(f"{name}=={version}" for name, version in _installed_versions().items() if name not in free)


def _installed_versions() -> dict[str, str]:
    """Version by name of all that is installed."""
    versions: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            versions.setdefault(_canonical(name), distribution.version)  # the first one found is the one imported
    return versions


def _log_changes(before: dict[str, str]) -> None:
    """Names what was there and is another version now: what a user has to know when something else breaks."""
    importlib.invalidate_caches()
    after = _installed_versions()
    for name, old in before.items():
        if after.get(name) != old:
            logging.warning("The installation changed %s from %s to %s", name, old, after.get(name, "nothing"))


def _canonical(name: str) -> str:
    from packaging.utils import canonicalize_name

    return str(canonicalize_name(name))


def _failure_text(wanted: Sequence[Package], wheels: Path | None) -> str:
    names = ", ".join(package.requirement for package in wanted)
    if wheels is not None:
        text = _(
            "These packages could not be installed from {folder}: {names}. Put their wheel files there, with those of "
            "what they need, for this system and Slicer's Python; or clear the folder of wheels to use the internet."
        )
        return text.format(folder=wheels, names=names)
    text = _(
        "These packages could not be installed: {names}. Check the internet connection (a proxy may need to be set), "
        "or set a folder of wheel files; the application's log says what pip said."
    )
    return text.format(names=names)


def error(text: str) -> Exception:
    """The library's `MissingPackageError`: a sentence that is shown as it is."""
    make_importable()
    from PDL1PredictorLib.core.errors import MissingPackageError

    return MissingPackageError(text)
