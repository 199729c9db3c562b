"""What a bundle says of itself: `model.json`, schema 4, 3, 2 or 1, as checked, frozen values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PDL1PredictorLib.core.errors import BundleError, InputError, PDL1Error
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.outside_text import one_line
from PDL1PredictorLib.core.results import ModelSummary, TrainedOn
from PDL1PredictorLib.core.settings import REGIONS, RegionSettings
from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.contents import check_answering, check_classifiers, check_weights, read_tables
from PDL1PredictorLib.models.schema.endpoints import (
    FEATURE_PARTS,
    BinaryRule,
    EndpointModel,
    Linear,
    NumberRule,
    TimeRule,
    input_names,
    read_endpoint,
)
from PDL1PredictorLib.models.schema.imputer import MOST_VALUES, ImputerEntry, read_imputer
from PDL1PredictorLib.models.schema.kernels import TrainingKernels, read_training_kernels
from PDL1PredictorLib.models.schema.network import ANSWERS, DEEP, VOLUME_COLUMN, NetworkEntry, read_network
from PDL1PredictorLib.models.schema.origin import Recalibration, read_recalibration, read_training_cases
from PDL1PredictorLib.models.schema.reference import ReferenceEntry, read_reference
from PDL1PredictorLib.models.schema.v1 import upgraded as from_1_to_2
from PDL1PredictorLib.models.schema.v2 import upgraded as from_2_to_3
from PDL1PredictorLib.models.schema.v3 import upgraded as from_3_to_4
from PDL1PredictorLib.models.schema.values import (
    SMALLEST_SD,
    count,
    mapping,
    number,
    numbers,
    one_of,
    text,
    texts,
)
from PDL1PredictorLib.models.schema.voxel_maps import read_voxel_maps
from PDL1PredictorLib.radiomics.settings import FeatureSettings

FAMILIES = ("stack",)
OF_DEEP = {"deep", "deep_logit", "stacked"}  # parts that read a network's deep features
TRAINED_ON: tuple[TrainedOn, ...] = ("patients", "synthetic")
MAX_FILTERS = 32
MAX_LIMITATIONS = 100
MAX_LETTERS = {"title": 300, "version": 100, "licence": 200, "intended_use": 5000, "cohort": 5000}
_AGAIN = "Get the bundle again from its source."


@dataclass(frozen=True)
class Manifest:
    """A checked manifest.

    Attributes:
        family: How answers are made: `stack`, see `models.stack`.
        needs: What must be given of a case.
        regions: How the regions are made.
        features: How they are measured; None where no radiomic feature is used.
        network: What sees the picture; None where nothing does.
        tables: File name of the numeric tables (reference distribution, calibration resamples).
        feature_mean: Training mean of every radiomic feature that the model uses.
        feature_sd: Training SD of the same.
        reference: The out-of-distribution check; None where there is none.
        coverage: Design coverage of prediction sets and intervals.
        endpoints: In the model's order, the primary one first.
        summary: What a reader needs to know.
        training_cases: Hashes of the CTs that it learned from, see `models.schema.origin`; none of older bundles.
        recalibrated_from: What it was before it was recalibrated; None where it is as it was trained.
        imputer: How clinical values that are not known are estimated; None where they are the training mean.
        voxel_maps: Features that are mapped over the tumor beside the heat map; none of most.
        training_kernels: Reconstruction kernels of the CTs that it learned from; None where it does not say.
    """

    family: str
    needs: Needs
    regions: RegionSettings
    features: FeatureSettings | None
    network: NetworkEntry | None
    tables: str
    feature_mean: Mapping[str, float]
    feature_sd: Mapping[str, float]
    reference: ReferenceEntry | None
    coverage: float
    endpoints: tuple[EndpointModel, ...]
    summary: ModelSummary
    training_cases: frozenset[str] = frozenset()
    recalibrated_from: Recalibration | None = None
    imputer: ImputerEntry | None = None
    training_kernels: TrainingKernels | None = None
    voxel_maps: tuple[str, ...] = ()

    @property
    def seen_cases(self) -> frozenset[str]:
        """Hashes of all CTs that it is known to have learned from, in training or recalibration."""
        before = self.recalibrated_from
        return self.training_cases | (frozenset() if before is None else before.cases)

    @property
    def table_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the tables of the out-of-distribution check and of the imputer."""
        n_deep = 0 if self.network is None else self.network.n_deep
        found = {} if self.reference is None else self.reference.shapes(n_deep)
        return found if self.imputer is None else {**found, **self.imputer.shapes}

    @property
    def table_features(self) -> frozenset[str]:
        """Columns of the network's table that are radiomic features."""
        columns = () if self.network is None else self.network.inputs.table
        return frozenset(columns) - set(self.needs.clinical) - {VOLUME_COLUMN}

    @property
    def calibrated(self) -> tuple[str, ...]:
        """Endpoints that the tables hold resampled calibrations of."""
        return tuple(model.key for model in self.endpoints if isinstance(model.rule, BinaryRule))

    @property
    def fusion_columns(self) -> dict[str, int]:
        """Columns of every endpoint's resampled models: its inputs, then a constant, or one a time."""
        constants = {
            model.key: len(model.rule.days) if isinstance(model.rule, TimeRule) else 1 for model in self.endpoints
        }
        return {model.key: len(self.inputs(model)) + constants[model.key] for model in self.endpoints}

    def inputs(self, model: EndpointModel) -> tuple[str, ...]:
        """Names of one endpoint's inputs, in their order."""
        n_deep = self.network.n_deep if self.network is not None else 0
        return input_names(n_deep, model.parts, model.selected, self.needs.clinical)


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
        manifest = _parse(bundle, current(bundle.manifest))
    except KeyError as error:
        raise BundleError(f"The model {bundle.name} lacks {error} in model.json. Get the bundle again.") from error
    except (TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, InputError) as error:
        raise BundleError(f"The model {bundle.name} has a model.json that cannot be used: {error}") from error
    _check_parts(bundle.name, manifest)
    _check_names(bundle.name, manifest)
    _check_files(bundle, manifest)
    return manifest


def current(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """A manifest of any schema that is read, in the words of the newest; not yet checked.

    Raises:
        KeyError: An entry is missing.
        ValueError: An entry is of another type, or out of its bounds.
    """
    version = data["schema_version"]
    second = from_1_to_2(data) if version == 1 else data
    third = from_2_to_3(second) if version <= 2 else data
    return from_3_to_4(third) if version <= 3 else data


def _parse(bundle: Bundle, data: Mapping[str, Any]) -> Manifest:
    endpoints = _parse_endpoints(data)
    coverage = number(data["coverage"], "coverage", 0.0, 1.0)
    if coverage in (0.0, 1.0):
        raise ValueError(f"coverage must lie between 0 and 1, both left out, got {coverage:g}.")
    needs, features = _needs(data["needs"]), _features(data["features"])
    return Manifest(
        family=one_of(data["family"], "family", FAMILIES),
        needs=needs,
        regions=_regions(data["regions"]),
        features=features,
        network=read_network(data["network"]),
        tables=text(data["tables"], "tables"),
        feature_mean=numbers(data["feature_mean"], "feature_mean"),
        feature_sd=numbers(data["feature_sd"], "feature_sd", positive=True),
        reference=read_reference(data["reference"]),
        coverage=coverage,
        endpoints=endpoints,
        summary=_summary(bundle, endpoints, one_of(data["trained_on"], "trained_on", TRAINED_ON)),
        training_cases=read_training_cases(data.get("training_cases")),
        recalibrated_from=read_recalibration(data.get("recalibrated_from")),
        imputer=read_imputer(data["imputer"], needs.clinical),
        voxel_maps=read_voxel_maps(data.get("voxel_maps"), features),
        training_kernels=read_training_kernels(data.get("training_kernels")),
    )


def _needs(values: Any) -> Needs:
    """What is needed; its class looks at the words and leaves the kinds to its callers."""
    given = mapping(values, "needs")
    if not isinstance(given["features"], bool):
        raise ValueError(f"needs.features must be true or false, got {brief(given['features'])}.")
    for name in ("picture", "pet"):
        text(given[name], f"needs.{name}")
    texts(given["clinical"], "needs.clinical", MOST_VALUES)
    if not isinstance(given.get("declared", []), list) or len(given.get("declared", [])) > MOST_VALUES:
        raise ValueError(f"needs.declared must be a list of at most {MOST_VALUES}, got {brief(given['declared'])}.")
    return Needs.from_dict(dict(given))


def _regions(values: Any) -> RegionSettings:
    """Region settings, whose class looks at the bounds and leaves the kinds to its callers."""
    for name, value in mapping(values, "regions").items():
        if name in ("spacing_mm", "ring_mm") or (name == "patch_margin_mm" and value is not None):
            number(value, f"regions.{name}", 0.0, 1e6)
        elif name == "patch_pixels":
            count(value, "regions.patch_pixels", 1, 10**6)
        elif name in ("exclude_air", "exclude_bone") and not isinstance(value, bool):
            raise ValueError(f"regions.{name} must be true or false, got {brief(value)}.")
    return RegionSettings.from_dict(values)


def _features(values: Any) -> FeatureSettings | None:
    """Feature settings; lists are bounded here, since every filter of them multiplies the features."""
    if values is None:
        return None
    for name, value in mapping(values, "features").items():
        items = value if isinstance(value, list) else [value]
        if len(items) > MAX_FILTERS or any(isinstance(item, (list, dict)) for item in items):
            raise ValueError(
                f"features.{name[:120]} must be a value or a list of at most {MAX_FILTERS}, got {brief(value)}."
            )
        for item in items:
            if isinstance(item, str):
                text(item, f"features.{name[:120]}")
    return FeatureSettings.from_dict(values)


def _parse_endpoints(data: Mapping[str, Any]) -> tuple[EndpointModel, ...]:
    order = texts(data["endpoint_order"], "endpoint_order", 64)
    described = mapping(data["endpoints"], "endpoints")
    if order and set(described) != set(order):
        strange = sorted(set(described) ^ set(order))
        raise ValueError(f"endpoint_order and endpoints must name the same, but {brief(strange[0])} is in one only.")
    return tuple(read_endpoint(key, mapping(described[key], f"endpoints.{key}")) for key in order)


def _summary(bundle: Bundle, endpoints: tuple[EndpointModel, ...], trained_on: TrainedOn) -> ModelSummary:
    data = bundle.manifest
    words: dict[str, Any] = {name: one_line(text(data[name], name, most)) for name, most in MAX_LETTERS.items()}
    limitations = tuple(
        map(one_line, texts(data["limitations"], "limitations", MAX_LIMITATIONS, letters=5000, once=False))
    )
    rules = {model.key: model.rule for model in endpoints}
    return ModelSummary(
        name=bundle.name,
        sha256=bundle.sha256,
        limitations=limitations,
        endpoints=tuple(rules),
        auc={key: rule.test.figures for key, rule in rules.items() if isinstance(rule, BinaryRule) and rule.test},
        number_tests={key: rule.test for key, rule in rules.items() if isinstance(rule, NumberRule) and rule.test},
        trained_on=trained_on,
        time_tests={key: rule.test for key, rule in rules.items() if isinstance(rule, TimeRule) and rule.test},
        **words,
    )


def _check_parts(name: str, manifest: Manifest) -> None:
    """What the endpoints are made of, what is needed and what there is must be the same."""
    if not manifest.endpoints:
        raise BundleError(f"The model {name} predicts no endpoint.")
    used = {part for model in manifest.endpoints for part in model.parts}
    needs, network = manifest.needs, manifest.network
    if needs.pet != "no" and needs.picture != "volume":
        raise BundleError(f"The model {name} needs.pet {needs.pet!r}, which is seen in a volume alone. {_AGAIN}")
    outputs = None if network is None else network.outputs
    seen = "none" if network is None else network.inputs.picture.removesuffix("s")
    if needs.picture != seen:
        raise BundleError(f"The model {name} needs.picture {needs.picture!r}, but its network sees {seen!r}. {_AGAIN}")
    columns = () if network is None else network.inputs.table
    clinical = "clinical" in used or bool(set(columns) & set(needs.clinical))
    pairs = (
        ("needs.features", needs.features, "features", manifest.features is not None),
        ("the part deep, deep_logit or stacked", bool(OF_DEEP & used), "network", outputs == DEEP),
        ("the part network", "network" in used, "a network that answers", outputs == ANSWERS),
        ("the part clinical", clinical, "needs.clinical", bool(needs.clinical)),
    )
    for one, has_one, other, has_other in pairs:
        if has_one != has_other:
            raise BundleError(f"The model {name} must have {one} and {other} both or neither. {_AGAIN}")
    deep = network is not None and network.n_deep > 0
    if manifest.reference is not None and "deep" in manifest.reference.views and not deep:
        raise BundleError(f"The model {name} has a reference of deep features, but no network. {_AGAIN}")
    if (used & set(FEATURE_PARTS) or manifest.table_features) and manifest.features is None:
        raise BundleError(f"The model {name} has inputs of radiomic features, but measures none. {_AGAIN}")


def _check_names(name: str, manifest: Manifest) -> None:
    """Every feature that is used must be one that extraction gives, with its mean and SD."""
    settings = manifest.features
    given = set() if settings is None else {n for region in REGIONS for n in settings.feature_names(region)}
    used = {feature for model in manifest.endpoints for feature in model.used_features} | manifest.table_features
    used |= set(() if manifest.reference is None else manifest.reference.features)
    strange = (
        sorted(used - given) or sorted(used - set(manifest.feature_mean)) or sorted(used - set(manifest.feature_sd))
    )
    if strange:
        raise BundleError(
            f"The model {name} uses the feature {strange[0]}, which its settings do not give. Get the bundle again."
        )
    for model in manifest.endpoints:
        _check_inputs(name, manifest, model)


def _check_inputs(name: str, manifest: Manifest, model: EndpointModel) -> None:
    """As many means, SDs and coefficients as there are inputs."""
    n = len(manifest.inputs(model))
    if not len(model.input_mean) == len(model.input_sd) == n or min(model.input_sd) < SMALLEST_SD:
        raise BundleError(f"The model {name} needs {n} input means and positive SDs for {model.key}.")
    if isinstance(model.model, Linear) and len(model.model.coefficients) != n:
        raise BundleError(f"The model {name} needs {n} coefficients for {model.key}.")
    n_deep = 0 if manifest.network is None else manifest.network.n_deep
    if model.deep_logit is not None and len(model.deep_logit.coefficients) != n_deep:
        raise BundleError(f"The model {name} needs {n_deep} coefficients for the network's logit of {model.key}.")
    if model.stacked is not None and max(model.stacked.columns) >= n_deep:
        raise BundleError(f"The model {name} has {n_deep} deep features; {model.key}.stacked names others.")


def _check_files(bundle: Bundle, manifest: Manifest) -> None:
    read_tables(bundle, manifest.tables, manifest.table_shapes, manifest.calibrated, manifest.fusion_columns)
    network = manifest.network
    if network is not None and network.outputs == ANSWERS:
        check_answering(
            bundle, network, picture_shape(manifest.needs, manifest.regions, network.pool), len(manifest.endpoints)
        )
    elif network is not None:
        check_weights(bundle, network.file, network.n_deep, len(manifest.endpoints))
        if network.graph is not None:
            bundle.file(network.graph)
    classifiers: dict[str, int] = {}
    for file, n in _classifiers(manifest):
        if classifiers.setdefault(file, n) != n:
            raise BundleError(f"The model {bundle.name} uses {brief(file)} for endpoints of other inputs.")
    check_classifiers(bundle, classifiers)


def _classifiers(manifest: Manifest) -> Iterator[tuple[str, int]]:
    """Files of classifiers, each with its number of inputs."""
    for model in manifest.endpoints:
        if isinstance(model.model, str):
            yield model.model, len(manifest.inputs(model))
        if model.stacked is not None:
            yield model.stacked.file, len(model.stacked.columns)


def picture_shape(needs: Needs, regions: RegionSettings, pool: str) -> tuple[int, ...]:
    """What a network sees of one case: (1, c, h, w) of a slice, (1, c, d, h, w) of a volume, () of nothing.

    A volume whose maps are pooled within the contour (`pool`) has that as one channel more.
    """
    if needs.volume is not None:
        return (1, needs.n_channels + (pool == "contour"), *(needs.volume.voxels,) * 3)
    return () if needs.picture == "none" else (1, needs.n_channels, regions.patch_pixels, regions.patch_pixels)
