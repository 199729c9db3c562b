"""Where the bundled models lie, in a checkout, in Slicer's install tree and in a wheel."""

import os
from pathlib import Path

from PDL1PredictorLib.core.errors import InputError

SYNTHETIC_MODEL = "phantom-demo"
MODELS_VARIABLE = "PDL1_MODELS"
SEGMENTER = "Segmenter"


def model_folders() -> list[Path]:
    """Folders that are searched for bundles: those of the environment variable PDL1_MODELS first.

    Then the bundled ones.
    """
    own = [Path(part) for part in os.environ.get(MODELS_VARIABLE, "").split(os.pathsep) if part]
    package = Path(__file__).resolve().parent
    return [*own, package / "Resources" / "Models", package.parent / "Resources" / "Models"]


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
        f"There is no model {name_or_path!r}: it is no file or folder, and none of the bundled models. "
        "`pdl1 models` lists them."
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
    package = Path(__file__).resolve().parent
    places = [package / "Resources" / SEGMENTER, package.parent / "Resources" / SEGMENTER]
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
