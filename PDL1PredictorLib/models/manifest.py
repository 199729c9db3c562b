"""What a Deep-RadScore bundle says of itself: `model.json` as checked, frozen values."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import BundleError, InputError, PDL1Error
from PDL1PredictorLib.core.outside_text import one_line
from PDL1PredictorLib.core.results import ModelSummary
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.core.strict_json import brief, finite_number, whole_number
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.contents import check_classifiers, check_weights, read_tables
from PDL1PredictorLib.networks.names import BACKBONES
from PDL1PredictorLib.radiomics.settings import FeatureSettings

KIND = "deep-radscore"
REGIONS = ("tumor", "ring")
MAX_DEEP = 4096
MAX_FEATURES = 20_000
MAX_REFERENCE = 2000
MAX_FILTERS = 32
MAX_CASES = 10**9
LARGEST, SMALLEST_SD = 1e30, 1e-30  # so that no sum or product of them leaves 64 bits
STEEPEST = 1e6  # of a calibration
MAX_LIMITATIONS = 100
MAX_LETTERS = {"title": 300, "version": 100, "licence": 200, "intended_use": 5000, "cohort": 5000}
_AGAIN = "Get the bundle again from its source."


@dataclass(frozen=True)
class EndpointModel:
    """Everything that turns the inputs of one endpoint into its calibrated probability.

    Attributes:
        key: The endpoint.
        coefficients: Per region, the RadScore's coefficients by feature name (for standardized features).
        input_mean: Training mean of each fused input.
        input_sd: Training SD of each fused input, over n.
        classifier: File name of the ONNX classifier.
        kind: Its kind in words, such as `logistic regression`.
        slope: Platt slope on the classifier's log-odds.
        intercept: Platt intercept.
        conformal: Nonconformity quantile of true negatives and of true positives; infinite when it could not be set.
        threshold: Calibrated probability at and above which the call is positive.
        auc: On the untouched test cases: value, low, high, n positive, n negative; None when it was not measured.
    """

    key: str
    coefficients: Mapping[str, Mapping[str, float]]
    input_mean: tuple[float, ...]
    input_sd: tuple[float, ...]
    classifier: str
    kind: str
    slope: float
    intercept: float
    conformal: tuple[float, float]
    threshold: float
    auc: tuple[float, float, float, int, int] | None


@dataclass(frozen=True)
class Manifest:
    """A checked manifest.

    Attributes:
        regions: How the regions are made.
        features: How they are measured.
        n_deep: Width of the deep feature vector.
        backbone: Of the network, one of `networks.names.BACKBONES`.
        weights: File name of the network's weights.
        tables: File name of the numeric tables (reference distribution, calibration resamples).
        feature_mean: Training mean of every radiomic feature that the model uses.
        feature_sd: Training SD of the same.
        reference_features: Names of the inputs of the out-of-distribution check.
        reference_distance: 99th percentile of the Mahalanobis distance of cases that it was not fitted on.
        coverage: Design coverage of the prediction sets.
        endpoints: In the model's order, the primary one first.
        summary: What a reader needs to know.
    """

    regions: RegionSettings
    features: FeatureSettings
    n_deep: int
    backbone: str
    weights: str
    tables: str
    feature_mean: Mapping[str, float]
    feature_sd: Mapping[str, float]
    reference_features: tuple[str, ...]
    reference_distance: float
    coverage: float
    endpoints: tuple[EndpointModel, ...]
    summary: ModelSummary

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the fused inputs: deep features first, then the RadScore of each region."""
        return input_names(self.n_deep)


def input_names(n_deep: int) -> tuple[str, ...]:
    """Names of the fused inputs for a network of `n_deep` deep features."""
    return (*(f"deep_{i + 1}" for i in range(n_deep)), *(f"radscore_{region}" for region in REGIONS))


@dataclass(frozen=True)
class Found:
    """A bundle that was found.

    Attributes:
        path: Folder or .zip.
        summary: What a reader needs to know; None when it cannot be used.
        problem: Why it cannot be used; empty when it can.
    """

    path: Path
    summary: ModelSummary | None
    problem: str


def survey(paths: Iterable[Path]) -> list[Found]:
    """Read every bundle as far as it is checked without torch; one that cannot be used does not hide the others."""
    return [_found(path) for path in paths]


def _found(path: Path) -> Found:
    try:
        return Found(path, read_manifest(read_bundle(path)).summary, "")
    except PDL1Error as error:
        return Found(path, None, str(error))
    except Exception as error:  # a kind of damage that nobody thought of is a reason, too
        return Found(path, None, f"{path} cannot be read ({type(error).__name__}: {error}). {_AGAIN}")


def read_manifest(bundle: Bundle) -> Manifest:
    """Check a bundle's manifest and the files that it names, and turn it into values.

    Raises:
        BundleError: Something is missing, of another type, out of its bounds, or does not fit the rest.
    """
    try:
        manifest = _parse(bundle)
    except KeyError as error:
        raise BundleError(f"The model {bundle.name} lacks {error} in model.json. Get the bundle again.") from error
    except (TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, InputError) as error:
        raise BundleError(f"The model {bundle.name} has a model.json that cannot be used: {error}") from error
    _check_names(bundle.name, manifest)
    keys = [model.key for model in manifest.endpoints]
    read_tables(bundle, manifest.tables, len(manifest.reference_features), keys)
    check_weights(bundle, manifest.weights, manifest.n_deep, len(keys))
    check_classifiers(bundle, (model.classifier for model in manifest.endpoints), len(manifest.inputs))
    return manifest


def _parse(bundle: Bundle) -> Manifest:
    data = bundle.manifest
    network = _mapping(data["network"], "network")
    backbone = network["backbone"]
    if backbone not in BACKBONES or data["architecture"] != f"{KIND}/{backbone}":
        raise ValueError(
            f"it is of the kind {brief(data['architecture'])} with the backbone {brief(backbone)}; this library reads "
            f"'{KIND}/BACKBONE' with one of {', '.join(BACKBONES)}."
        )
    endpoints = _parse_endpoints(data)
    reference = _mapping(data["reference"], "reference")
    names = _texts(reference["features"], "reference.features", MAX_REFERENCE)
    distance = finite_number(reference["distance_99"], "reference.distance_99", 0.0, LARGEST)
    coverage = finite_number(data["conformal_coverage"], "conformal_coverage", 0.0, 1.0)
    if distance < SMALLEST_SD:
        raise ValueError(f"reference.distance_99 must be positive, got {distance:g}.")
    if coverage in (0.0, 1.0):
        raise ValueError(f"conformal_coverage must lie between 0 and 1, both left out, got {coverage:g}.")
    return Manifest(
        regions=_regions(data["regions"]),
        features=_features(data["features"]),
        n_deep=whole_number(network["n_deep"], "network.n_deep", 1, MAX_DEEP),
        backbone=backbone,
        weights=_text(network["file"], "network.file"),
        tables=_text(data["tables"], "tables"),
        feature_mean=_numbers(data["feature_mean"], "feature_mean"),
        feature_sd=_numbers(data["feature_sd"], "feature_sd", positive=True),
        reference_features=names,
        reference_distance=distance,
        coverage=coverage,
        endpoints=endpoints,
        summary=_summary(bundle, endpoints),
    )


def _regions(values: Any) -> RegionSettings:
    """Region settings, whose class looks at the bounds and leaves the kinds to its callers."""
    for name, value in _mapping(values, "regions").items():
        if name in ("spacing_mm", "ring_mm") or (name == "patch_margin_mm" and value is not None):
            finite_number(value, f"regions.{name}", 0.0, 1e6)
        elif name == "patch_pixels":
            whole_number(value, "regions.patch_pixels", 1, 10**6)
        elif name in ("exclude_air", "exclude_bone") and not isinstance(value, bool):
            raise ValueError(f"regions.{name} must be true or false, got {brief(value)}.")
    return RegionSettings.from_dict(values)


def _features(values: Any) -> FeatureSettings:
    """Feature settings; lists are bounded here, since every filter of them multiplies the features."""
    for name, value in _mapping(values, "features").items():
        items = value if isinstance(value, list) else [value]
        if len(items) > MAX_FILTERS or any(isinstance(item, (list, dict)) for item in items):
            raise ValueError(
                f"features.{name[:120]} must be a value or a list of at most {MAX_FILTERS}, got {brief(value)}."
            )
        for item in items:
            if isinstance(item, str):
                _text(item, f"features.{name[:120]}")
    return FeatureSettings.from_dict(values)


def _parse_endpoints(data: Mapping[str, Any]) -> tuple[EndpointModel, ...]:
    order = _texts(data["endpoint_order"], "endpoint_order", 64)
    described = _mapping(data["endpoints"], "endpoints")
    if order and set(described) != set(order):
        strange = sorted(set(described) ^ set(order))
        raise ValueError(f"endpoint_order and endpoints must name the same, but {brief(strange[0])} is in one only.")
    return tuple(_parse_endpoint(key, _mapping(described[key], f"endpoints.{key}")) for key in order)


def _parse_endpoint(key: str, data: Mapping[str, Any]) -> EndpointModel:
    endpoint(key)  # refuses a key that the library cannot put into words
    classifier, calibration = (_mapping(data[name], f"{key}.{name}") for name in ("classifier", "calibration"))
    radscore = _mapping(data["radscore"], f"{key}.radscore")
    return EndpointModel(
        key=key,
        coefficients={region: _numbers(radscore[region], f"{key}.radscore.{region}") for region in REGIONS},
        input_mean=_series(data["input_mean"], f"{key}.input_mean"),
        input_sd=_series(data["input_sd"], f"{key}.input_sd"),
        classifier=_text(classifier["file"], f"{key}.classifier.file"),
        kind=_text(classifier["kind"], f"{key}.classifier.kind"),
        slope=finite_number(calibration["slope"], f"{key}.calibration.slope", -STEEPEST, STEEPEST),
        intercept=finite_number(calibration["intercept"], f"{key}.calibration.intercept", -STEEPEST, STEEPEST),
        conformal=_conformal(data["conformal"], f"{key}.conformal"),
        threshold=finite_number(data["threshold"], f"{key}.threshold", 0.0, 1.0),
        auc=_auc(data["test_auc"], f"{key}.test_auc"),
    )


def _conformal(values: Any, what: str) -> tuple[float, float]:
    if not isinstance(values, list) or len(values) != 2:
        raise ValueError(f"{what} must hold two numbers, of negatives and of positives, got {brief(values)}.")
    negative, positive = (math.inf if q is None else finite_number(q, what, 0.0, 1.0) for q in values)
    return negative, positive


def _auc(values: Any, what: str) -> tuple[float, float, float, int, int] | None:
    if values is None:
        return None
    given = _mapping(values, what)
    value, low, high = (finite_number(given[name], f"{what}.{name}", 0.0, 1.0) for name in ("value", "low", "high"))
    if not low - 1e-9 <= value <= high + 1e-9:
        raise ValueError(f"{what} is {value:g}, which lies outside its interval from {low:g} to {high:g}.")
    positive, negative = (
        whole_number(given[name], f"{what}.{name}", 0, MAX_CASES) for name in ("n_positive", "n_negative")
    )
    return value, low, high, positive, negative


def _summary(bundle: Bundle, endpoints: tuple[EndpointModel, ...]) -> ModelSummary:
    data = bundle.manifest
    words = {name: one_line(_text(data[name], name, most)) for name, most in MAX_LETTERS.items()}
    limitations = tuple(
        map(one_line, _texts(data["limitations"], "limitations", MAX_LIMITATIONS, letters=5000, once=False))
    )
    auc = {model.key: model.auc for model in endpoints if model.auc is not None}
    return ModelSummary(name=bundle.name, sha256=bundle.sha256, limitations=limitations, auc=auc, **words)


# Values of JSON as values of their kind, or a sentence that names the entry.


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} must be an object, got {brief(value)}.")
    return value


def _text(value: Any, what: str, most: int = 300) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f"{what} must be a text of at most {most} letters, got {brief(value)}.")
    return value


def _texts(value: Any, what: str, most: int, letters: int = 300, once: bool = True) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"{what} must be a list of at most {most} texts, got {brief(value)}.")
    found = tuple(_text(item, f"an entry of {what}", letters) for item in value)
    if once and len(set(found)) < len(found):
        twice = next(item for item in found if found.count(item) > 1)
        raise ValueError(f"{what} names {brief(twice)} twice.")
    return found


def _series(value: Any, what: str) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) > MAX_DEEP + len(REGIONS):
        raise ValueError(f"{what} must be a list of numbers, got {brief(value)}.")
    return tuple(finite_number(item, what, -LARGEST, LARGEST) for item in value)


def _numbers(values: Any, what: str, positive: bool = False) -> dict[str, float]:
    if len(_mapping(values, what)) > MAX_FEATURES:
        raise ValueError(f"{what} has {len(values)} entries; at most {MAX_FEATURES} are read.")
    numbers = {name: finite_number(value, f"{what}.{name[:120]}", -LARGEST, LARGEST) for name, value in values.items()}
    name = next((name for name, value in numbers.items() if value < SMALLEST_SD), None) if positive else None
    if name is not None:
        raise ValueError(f"{what}.{name[:120]}: a standard deviation must be positive, got {numbers[name]:g}.")
    return numbers


def _check_names(name: str, manifest: Manifest) -> None:
    """Every feature that is used must be one that extraction gives, with its mean and SD."""
    given = {feature for region in REGIONS for feature in manifest.features.feature_names(region)}
    used = {feature for model in manifest.endpoints for region in REGIONS for feature in model.coefficients[region]}
    used |= set(manifest.reference_features)
    strange = (
        sorted(used - given) or sorted(used - set(manifest.feature_mean)) or sorted(used - set(manifest.feature_sd))
    )
    if strange:
        raise BundleError(
            f"The model {name} uses the feature {strange[0]}, which its settings do not give. Get the bundle again."
        )
    n_inputs = len(manifest.inputs)
    for model in manifest.endpoints:
        if not len(model.input_mean) == len(model.input_sd) == n_inputs or min(model.input_sd) < SMALLEST_SD:
            raise BundleError(f"The model {name} needs {n_inputs} input means and positive SDs for {model.key}.")
    if not manifest.endpoints:
        raise BundleError(f"The model {name} predicts no endpoint.")
