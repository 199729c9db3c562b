"""What a Deep-RadScore bundle says of itself: `model.json` as checked, frozen values."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import BundleError, InputError
from PDL1PredictorLib.core.results import ModelSummary
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.models.bundle import Bundle
from PDL1PredictorLib.networks.names import BACKBONES
from PDL1PredictorLib.radiomics.settings import FeatureSettings

KIND = "deep-radscore"
REGIONS = ("tumor", "ring")


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


def read_manifest(bundle: Bundle) -> Manifest:
    """Check a bundle's manifest and turn it into values.

    Raises:
        BundleError: Something is missing, of another type, or does not fit the rest.
    """
    try:
        manifest = _parse(bundle)
    except KeyError as error:
        raise BundleError(f"The model {bundle.name} lacks {error} in model.json. Get the bundle again.") from error
    except (TypeError, ValueError, AttributeError, InputError) as error:
        raise BundleError(f"The model {bundle.name} has a model.json that cannot be used: {error}") from error
    _check_names(bundle.name, manifest)
    return manifest


def _parse(bundle: Bundle) -> Manifest:
    data = bundle.manifest
    backbone = str(data["network"]["backbone"])
    if backbone not in BACKBONES or data["architecture"] != f"{KIND}/{backbone}":
        raise ValueError(
            f"it is of the kind {data['architecture']!r} with the backbone {backbone!r}; this library reads "
            f"'{KIND}/BACKBONE' with one of {', '.join(BACKBONES)}."
        )
    endpoints = tuple(_parse_endpoint(key, data["endpoints"][key]) for key in data["endpoint_order"])
    return Manifest(
        regions=RegionSettings.from_dict(data["regions"]),
        features=FeatureSettings.from_dict(data["features"]),
        n_deep=int(data["network"]["n_deep"]),
        backbone=backbone,
        weights=str(data["network"]["file"]),
        tables=str(data["tables"]),
        feature_mean=_numbers(data["feature_mean"]),
        feature_sd=_numbers(data["feature_sd"], positive=True),
        reference_features=tuple(map(str, data["reference"]["features"])),
        reference_distance=_number(data["reference"]["distance_99"]),
        coverage=_number(data["conformal_coverage"]),
        endpoints=endpoints,
        summary=_summary(bundle, endpoints),
    )


def _parse_endpoint(key: str, data: Mapping[str, Any]) -> EndpointModel:
    endpoint(key)  # refuses a key that the library cannot put into words
    auc = data["test_auc"]
    conformal = tuple(math.inf if q is None else _number(q) for q in data["conformal"])
    return EndpointModel(
        key=key,
        coefficients={region: _numbers(data["radscore"][region]) for region in REGIONS},
        input_mean=tuple(map(_number, data["input_mean"])),
        input_sd=tuple(map(_number, data["input_sd"])),
        classifier=str(data["classifier"]["file"]),
        kind=str(data["classifier"]["kind"]),
        slope=_number(data["calibration"]["slope"]),
        intercept=_number(data["calibration"]["intercept"]),
        conformal=(conformal[0], conformal[1]),
        threshold=_number(data["threshold"]),
        auc=None
        if auc is None
        else (
            _number(auc["value"]),
            _number(auc["low"]),
            _number(auc["high"]),
            int(auc["n_positive"]),
            int(auc["n_negative"]),
        ),
    )


def _summary(bundle: Bundle, endpoints: tuple[EndpointModel, ...]) -> ModelSummary:
    data = bundle.manifest
    text: Callable[[str], str] = lambda key: str(data[key])  # noqa: E731
    return ModelSummary(
        name=bundle.name,
        title=text("title"),
        version=text("version"),
        sha256=bundle.sha256,
        intended_use=text("intended_use"),
        cohort=text("cohort"),
        limitations=tuple(map(str, data["limitations"])),
        licence=text("licence"),
        auc={model.key: model.auc for model in endpoints if model.auc is not None},
    )


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"a finite number was expected, got {value!r}.")
    return float(value)


def _numbers(values: Mapping[str, Any], positive: bool = False) -> dict[str, float]:
    numbers = {str(name): _number(value) for name, value in values.items()}
    if positive and any(value <= 0 for value in numbers.values()):
        raise ValueError("a standard deviation must be positive.")
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
        if not len(model.input_mean) == len(model.input_sd) == n_inputs or min(model.input_sd) <= 0:
            raise BundleError(f"The model {name} needs {n_inputs} input means and positive SDs for {model.key}.")
    if not manifest.endpoints:
        raise BundleError(f"The model {name} predicts no endpoint.")
