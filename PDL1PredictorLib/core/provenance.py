"""Which versions made a result: one list of packages for predictions, studies and bundles."""

import importlib.metadata
import platform

PREDICTING = (
    "numpy",
    "scipy",
    "SimpleITK",
    "onnxruntime",
    "torch",
    "PyWavelets",
    "numba",
    "pyradiomics",
)
TRAINING = (*PREDICTING, "scikit-learn", "skl2onnx", "safetensors")


def versions(packages: tuple[str, ...] = PREDICTING) -> dict[str, str]:
    """Python and those of the packages that are installed, by name, without loading them."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
