"""Where the library lies, and the Python that runs it in the background."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from slicer.i18n import tr as _

LIBRARY = "PDL1PredictorLib"
SOURCE_ROOT = Path(__file__).resolve().parents[3]


def make_importable() -> None:
    """Makes `import PDL1PredictorLib` work.

    An installed extension has the library beside the module, on Slicer's own path. In a source tree Slicer knows the
    module's folder only, so that the repository's root is added.

    Raises:
        ImportError: The library is in neither place.
    """
    if importlib.util.find_spec(LIBRARY) is not None:
        return
    if not (SOURCE_ROOT / LIBRARY / "__init__.py").is_file():
        text = _("The library {name} is not beside the module. Install the extension PDL1Predictor again.")
        raise ImportError(text.format(name=LIBRARY))
    sys.path.append(str(SOURCE_ROOT))
    importlib.invalidate_caches()


def library_folder() -> Path:
    """The folder that holds the package `PDL1PredictorLib`: what a background process needs on its path."""
    make_importable()
    spec = importlib.util.find_spec(LIBRARY)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).resolve().parents[1]


def python_executable() -> str:
    """The command that starts Slicer's Python without its window.

    Raises:
        FileNotFoundError: Slicer's own installation is not complete.
    """
    command = shutil.which("PythonSlicer")  # Slicer puts its folder on PATH
    if command is None:
        raise FileNotFoundError(_("Slicer's Python (PythonSlicer) was not found. Install 3D Slicer again."))
    return command


def background_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Variables to set for a process that runs the library, besides those that Slicer itself runs with."""
    paths = [str(library_folder()), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUTF8": "1",  # messages and file names are not limited to the letters of the system's code page
        "PYTHONUNBUFFERED": "1",  # what it says arrives when it says it
        "PDL1_SETTINGS": "none",  # what the window shows is what is done, whatever the user's shell is set to
        **(extra or {}),
    }
