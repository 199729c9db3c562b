"""The user's own models: the folder that they lie in, one more, one less. What a bundle is, the library knows."""

from pathlib import Path

import slicer

from PDL1PredictorGUI.setup import preferences
from PDL1PredictorGUI.setup.library import make_importable


def own_folder() -> Path:
    """The *Models folder* of the preferences; where none is set, one beside the application's settings."""
    chosen = preferences.read(preferences.MODELS_FOLDER)
    return Path(chosen) if chosen else Path(slicer.app.slicerUserSettingsFilePath).parent / "PDL1Predictor" / "Models"


def is_own(path: Path) -> bool:
    """Whether a bundle lies right inside the user's folder, so that it may be removed."""
    return path.parent.resolve() == own_folder().resolve()


def name_taken(chosen: Path) -> Path | None:
    """The bundle of the same name that an import would replace; None if there is none.

    Raises:
        BundleError: What was chosen is damaged, unsafe or no bundle.
    """
    make_importable()
    from PDL1PredictorLib.models.install import checked_bundle, installed_path

    target = installed_path(checked_bundle(chosen), own_folder())
    return target if target.exists() else None


def take_in(chosen: Path, replace: bool = False) -> Path:
    """Checks a bundle and keeps a copy of it in the user's folder, which is chosen as *Models folder* from now on.

    Raises:
        BundleError: It is damaged, unsafe or no bundle; nothing was kept.
        OutputError: There is one of this name, or it cannot be written.
    """
    make_importable()
    from PDL1PredictorLib.models.install import install_bundle

    folder = own_folder()
    made = install_bundle(chosen, folder, replace)
    preferences.write(preferences.MODELS_FOLDER, str(folder))
    return made


def remove(path: Path) -> None:
    """Removes one of the user's own.

    Raises:
        InputError: It is none of them.
        OutputError: It cannot be removed.
    """
    make_importable()
    from PDL1PredictorLib.models.install import remove_bundle

    remove_bundle(path, own_folder())
