"""Makes unimportable whatever 3D Slicer does not bring: a fresh Slicer, for the process that imports this page.

Slicer 5.10 and 5.12 bring numpy, scipy, SimpleITK, pydicom, pillow, dicomweb-client with requests, PyGithub with PyJWT
and cryptography, GitPython, packaging, pyparsing, chardet, couchdb, six, retrying, setuptools and pip
(SuperBuild/External_python-*.cmake). 5.12 brings highdicom too, 5.10 does not. Test tools and this host's own packages
stay.
"""

import importlib.abc
import importlib.machinery
import importlib.metadata
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

#: Of requirements/*.txt and what they bring, by the name of the import
NOT_BUNDLED = frozenset(
    {
        *("torch", "torchvision", "functorch", "triton", "sympy", "mpmath", "networkx", "fsspec", "filelock"),
        *("numba", "llvmlite", "onnxruntime", "onnx", "skl2onnx", "onnxconverter_common", "flatbuffers", "google"),
        *("skimage", "imageio", "tifffile", "lazy_loader", "pywt", "safetensors", "jinja2", "markupsafe"),
        *("highdicom", "reportlab", "pydicom_seg", "radiomics", "pykwalify", "docopt", "ruamel"),
        *("sklearn", "joblib", "threadpoolctl", "pandas", "pyarrow", "matplotlib", "statsmodels", "captum", "shap"),
        *("hypothesis", "jsonschema", "yaml", "dask", "distributed", "tqdm", "mirp", "nibabel", "psutil"),
    }
)


class _Denied(importlib.abc.MetaPathFinder):
    """Answers for these packages before anyone else does; it also says so of their parts."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """No module of a package that Slicer lacks is found."""
        if name.partition(".")[0] in NOT_BUNDLED:
            raise ModuleNotFoundError(f"No module named {name!r}: 3D Slicer does not bring it", name=name)
        return None


def deny() -> None:
    """From now on they are neither importable nor, by what pip knows, installed."""
    loaded = sorted(NOT_BUNDLED & {name.partition(".")[0] for name in sys.modules})
    if loaded:
        raise RuntimeError(f"too late: {', '.join(loaded)} were imported already")
    sys.meta_path.insert(0, _Denied())
    real, denied = importlib.metadata.version, {"scikit-image", "PyWavelets", "Jinja2", *NOT_BUNDLED}

    def version(name: str) -> Any:
        if name in denied:
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    importlib.metadata.version = version  # type: ignore[assignment]
