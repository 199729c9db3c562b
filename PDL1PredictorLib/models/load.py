"""From a bundle to a model that answers."""

from collections.abc import Callable
from pathlib import Path

from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.manifest import Manifest, read_manifest
from PDL1PredictorLib.models.predictor import Predictor
from PDL1PredictorLib.models.stack import Stack

_FAMILIES: dict[str, Callable[[Bundle, Manifest], Predictor]] = {"stack": Stack}


def load_predictor(source: Bundle | Path) -> Predictor:
    """The model of a bundle, by its family.

    Args:
        source: A bundle as read, or its folder or .zip.

    Raises:
        BundleError: It is not there, damaged, unsafe, or its parts do not fit each other.
    """
    bundle = source if isinstance(source, Bundle) else read_bundle(source)
    manifest = read_manifest(bundle)
    return _FAMILIES[manifest.family](bundle, manifest)
