"""Where bundled models, sample patient and examples lie, in a checkout, in Slicer's install tree and in a wheel.

In a checkout and in Slicer they lie beside the library; `setup.py` maps them into it for a wheel.
"""

import os
from pathlib import Path

from PDL1PredictorLib.core.errors import InputError, did_you_mean

SYNTHETIC_MODEL = "phantom-demo"
MODELS_VARIABLE = "PDL1_MODELS"
PACKAGE = Path(__file__).resolve().parent
SAMPLE_NAMES = ("PDL1Sample-ct.nrrd", "PDL1Sample-tumor.seg.nrrd")
SEGMENTER = "Segmenter"


def model_folders() -> list[Path]:
    """Folders that are searched for bundles: those of the environment variable PDL1_MODELS first.

    Then the bundled ones.
    """
    own = [Path(part) for part in os.environ.get(MODELS_VARIABLE, "").split(os.pathsep) if part]
    return [*own, *(place / "Resources" / "Models" for place in (PACKAGE, PACKAGE.parent))]


def sample_patient() -> tuple[Path, Path]:
    """The CT of the bundled synthetic patient, and the mask of its tumor.

    Raises:
        InputError: This installation holds none.
    """
    for place in (PACKAGE, PACKAGE.parent):
        ct, tumor = (place / "Resources" / "SampleData" / name for name in SAMPLE_NAMES)
        if ct.is_file() and tumor.is_file():
            return ct, tumor
    raise InputError("The sample patient is not here. Install pdl1predictor again, or make one: pdl1 phantom --n 1.")


def example_files() -> list[Path]:
    """The example scripts, notebooks and files, sorted.

    Raises:
        InputError: This installation holds none, as that of 3D Slicer.
    """
    for folder in (PACKAGE / "Resources" / "examples", PACKAGE.parent / "examples"):
        if (folder / "patients.py").is_file():  # another package may have a folder of this name beside the library
            return sorted(path for path in folder.iterdir() if path.suffix in (".ipynb", ".py", ".toml"))
    raise InputError("The examples are not part of this installation. Install pdl1predictor by pip to have them.")


def find_model(name_or_path: str) -> Path:
    """A bundle by its path, or by its name in `model_folders`.

    Raises:
        InputError: There is none.
    """
    path = Path(name_or_path)
    if _is_there(path):
        return path
    places = [folder / part for folder in model_folders() for part in (name_or_path, f"{name_or_path}.zip")]
    for place in places:
        if _is_there(place):
            return place
    raise InputError(
        f"There is no model {name_or_path!r}: it is no file or folder, and none of the bundled models."
        f"{did_you_mean(name_or_path, model_names())} `pdl1 models` lists them."
    )


def default_model(case_is_synthetic: bool) -> str:
    """The model that is taken where none is named: for a synthetic patient alone there is one.

    Raises:
        InputError: The case is not known to be synthetic. Whoever predicts a patient's CT has to choose the model.
    """
    if case_is_synthetic:
        return SYNTHETIC_MODEL
    raise InputError(
        "No model was chosen, and none is taken by itself for a CT that is not known to be synthetic. Choose one by "
        f"its name or path (--model); here are: {', '.join(model_names()) or 'none'}. `pdl1 models` says what each "
        "is for."
    )


def segmenter_folder() -> Path | None:
    """Where the network that draws contours lies; None if there is none: then the classical method draws them."""
    places = [place / "Resources" / SEGMENTER for place in (PACKAGE, PACKAGE.parent)]
    return next((place for place in places if place.is_dir()), None)


def model_names() -> list[str]:
    """Names of the bundles in `model_folders`, each once; not yet checked."""
    found: dict[str, None] = {}
    for folder in model_folders():
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix == ".zip" or (path / "model.json").is_file():
                found[path.name.removesuffix(".zip")] = None
    return list(found)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or a folder that may not be entered
        return False
