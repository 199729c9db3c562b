"""The files that a manifest names, held against it: tables, weights and classifiers, before any package reads them."""

from collections.abc import Iterable, Mapping

import numpy as np

from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.models.bundle import Bundle
from PDL1PredictorLib.models.network.answering import AnsweringNetwork
from PDL1PredictorLib.models.network.graph import INPUT, TABLE, VOLUME
from PDL1PredictorLib.models.onnx.graph import check_classifier
from PDL1PredictorLib.models.schema.network import NetworkEntry
from PDL1PredictorLib.models.tensors import read_tensors

MAX_CALIBRATIONS = 100_000
LARGEST = 1e30
SPREADS = ("reference/sanity/below", "reference/sanity/above")
PRECISIONS = tuple(f"reference/{view}precision" for view in ("", "deep/", "sanity/"))
_AGAIN = "Get the bundle again from its source."


def read_tables(
    bundle: Bundle,
    file: str,
    shapes: Mapping[str, tuple[int, ...]],
    calibrated: Iterable[str],
    fusion_columns: Mapping[str, int],
) -> dict[str, np.ndarray]:
    """The tables of a model, 64-bit.

    Args:
        bundle: The model.
        file: Where they lie in it.
        shapes: Of the tables of the out-of-distribution check and of the imputer, by name, all of which must be there.
        calibrated: Keys of the model's yes/no endpoints.
        fusion_columns: Endpoint to the columns of its resampled models.

    Returns:
        The tables of the check, and by endpoint `calibration/KEY` (k, 2): slope and intercept of the resampled
        calibrations; `fusion/KEY` (b, d + 1), where it is there: weights of standardized inputs and a constant of the
        resampled models, or of a time the logarithm of its cumulative hazard until each of h times, (b, d + h).

    Raises:
        BundleError: One is not there, of another shape or kind, or holds impossible numbers.
    """
    try:
        tables = read_tensors(bundle.file(file))
    except ValueError as error:
        raise BundleError(f"The tables of {bundle.name} cannot be read: {error} {_AGAIN}") from error
    for name, shape in shapes.items():
        if name not in tables or tables[name].shape != shape:
            raise BundleError(f"The tables of {bundle.name} need {name} of shape {shape}.")
    for key in calibrated:
        name = f"calibration/{key}"
        if name not in tables or tables[name].ndim != 2 or tables[name].shape[1] != 2:
            raise BundleError(f"The tables of {bundle.name} need {name} with two columns.")
        _check_rows(bundle.name, name, tables[name])
    for key, n in fusion_columns.items():
        name = f"fusion/{key}"
        if name in tables and (tables[name].ndim != 2 or tables[name].shape[1] != n):
            raise BundleError(f"The tables of {bundle.name} need {name} with {n} columns.")
        if name in tables:
            _check_rows(bundle.name, name, tables[name])
    return _wide(bundle.name, tables)


def _check_rows(model: str, name: str, table: np.ndarray) -> None:
    if not 1 <= len(table) <= MAX_CALIBRATIONS:
        raise BundleError(f"The tables of {model} need {name} with 1 to {MAX_CALIBRATIONS} rows.")


def _wide(model: str, tables: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """64-bit, with possible numbers alone."""
    wide = {name: table.astype(np.float64) for name, table in tables.items()}
    for name, table in tables.items():
        if table.dtype.kind != "f" or np.abs(wide[name]).max(initial=0.0) > LARGEST:
            raise BundleError(
                f"The tables of {model} need {brief(name)} as floating-point numbers of at most {LARGEST:g}."
            )
        if name in PRECISIONS:
            _check_precision(model, name, wide[name])
        if name in SPREADS and not wide[name].min(initial=1.0) > 0:
            raise BundleError(f"The tables of {model} need {name} as positive numbers.")
    return wide


def _check_precision(model: str, name: str, precision: np.ndarray) -> None:
    """A distance cannot be the root of a negative number."""
    largest = float(np.abs(precision).max(initial=0.0))
    sound = np.abs(precision - precision.T).max(initial=0.0) <= 1e-6 * largest
    if not sound or np.linalg.eigvalsh(precision).min(initial=0.0) < -1e-6 * largest:
        raise BundleError(
            f"The tables of {model} have a {name} that is no inverse covariance: it must be symmetric, "
            f"without negative directions. {_AGAIN}"
        )


def check_weights(bundle: Bundle, file: str, n_deep: int, n_endpoints: int) -> None:
    """Hold the weights' last two layers against the manifest, so that no number of it can ask for a huge network.

    Raises:
        BundleError: The file cannot be read, or is of another network.
    """
    try:
        arrays = read_tensors(bundle.file(file))
    except ValueError as error:
        raise BundleError(f"The weights of {bundle.name} cannot be read: {error} {_AGAIN}") from error
    found = {name: arrays[name].shape if name in arrays else () for name in ("reduce.weight", "classifier.weight")}
    reduce, classifier = found["reduce.weight"], found["classifier.weight"]
    if len(reduce) != 2 or reduce[0] != n_deep or classifier != (n_endpoints, n_deep):
        raise BundleError(
            f"The weights of {bundle.name} do not fit its network: {n_deep} deep features and {n_endpoints} endpoints "
            f"need reduce.weight of shape ({n_deep}, any) and classifier.weight of shape ({n_endpoints}, {n_deep}), "
            f"got {reduce} and {classifier}. {_AGAIN}"
        )


def check_answering(bundle: Bundle, entry: NetworkEntry, picture: tuple[int, ...], n_endpoints: int) -> None:
    """Follow a case through a network that answers, in shapes: graph, weights and manifest must fit each other.

    Args:
        bundle: The model.
        entry: What its manifest says of the network.
        picture: Shape of what it sees of one case, (1, c, ...); () where it sees none.
        n_endpoints: Number of answers.

    Raises:
        BundleError: They do not.
    """
    network = AnsweringNetwork(bundle.name, entry, bundle.file(entry.file), bundle.file(entry.graph or ""), n_endpoints)
    table = {TABLE: (1, len(entry.inputs.table))} if entry.inputs.table else {}
    name = VOLUME if entry.inputs.picture == "volume" else INPUT
    network.check({**({name: picture} if picture else {}), **table})


def check_classifiers(bundle: Bundle, files: Mapping[str, int]) -> None:
    """Hold the classifiers, each with its number of inputs, against what our exporters write.

    Raises:
        BundleError: One is damaged, holds what a classifier does not need, or has other inputs or outputs.
    """
    for file, n_inputs in files.items():
        try:
            check_classifier(bundle.file(file), n_inputs)
        except BundleError:
            raise
        except ValueError as error:
            raise BundleError(f"The classifier {file} of {bundle.name} cannot be read: {error} {_AGAIN}") from error
