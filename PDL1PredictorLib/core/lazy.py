"""The one doorway to packages that may be absent."""

import importlib
from types import ModuleType

from PDL1PredictorLib.core.errors import MissingPackageError
from PDL1PredictorLib.core.files.cache_folders import keep_fonts_here

EXTRAS = {
    "dask": "cluster",
    "distributed": "cluster",
    "filelock": "train",
    "highdicom": "dicom",
    "matplotlib": "train",
    "onnx": "train",
    "pyarrow": "train",
    "reportlab": "dicom",
    "safetensors": "train",
    "skl2onnx": "train",
    "sklearn": "train",
    "torch": "train",
}
"""Packages that a prediction does not need, as they are imported, and the extra of pdl1predictor that brings each."""


def extra_of(module: str) -> str | None:
    """The extra that brings a module, such as `train`; None where every installation must have it."""
    return EXTRAS.get(module.split(".")[0])


def require_module(name: str, remedy: str) -> ModuleType:
    """Import a package when it is needed.

    Args:
        name: As in an import statement.
        remedy: What the user can do when it is not there.

    Raises:
        MissingPackageError: It cannot be imported.
    """
    if name.split(".")[0] == "matplotlib":
        keep_fonts_here()
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingPackageError(f"The package {name} cannot be imported ({error}). {remedy}") from error
