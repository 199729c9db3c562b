"""The page `import.json` of a folder: which file is what, and what is said of the model; checked, frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from PDL1PredictorLib.core.clinical_columns import CLINICAL_INPUTS
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.outside_text import one_line
from PDL1PredictorLib.core.settings import NEIGHBORS
from PDL1PredictorLib.core.strict_json import brief, strict_json
from PDL1PredictorLib.learning.importing.files import bounded
from PDL1PredictorLib.learning.importing.looks import PAGE
from PDL1PredictorLib.models.schema.endpoints import STEEPEST
from PDL1PredictorLib.models.schema.values import MAX_FEATURES, mapping, number, number_or_none, one_of, text, texts
from PDL1PredictorLib.networks.names import BACKBONES

LAYOUT = 1
MAX_BYTES = 2**20
PARTS = ("deep", "radscore", "selected", "volume", "clinical")
FEATURE_PARTS = ("radscore", "selected")
TRAINED_ON = ("patients", "synthetic")
MAX_ENDPOINTS, MAX_SENTENCES, MAX_RENAMED = 64, 50, 100


@dataclass(frozen=True)
class Words:
    """What is said of the model.

    Attributes:
        title: One line.
        cohort: Whom it was trained on.
        licence: Of its weights.
        intended_use: What it is for, and what not.
        limitations: Sentences.
        sources: Whose work it is.
        version: Of the bundle.
    """

    title: str
    cohort: str
    licence: str
    intended_use: str = "Research. It must not guide care."
    limitations: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    version: str = "1.0.0"


@dataclass(frozen=True)
class NetworkPart:
    """The network.

    Attributes:
        file: .safetensors, or a .pth of weights alone.
        backbone: One of `networks.names.BACKBONES`.
        slices: How many slices it sees.
        outputs: Endpoints of its outputs, in their order.
        rename: Beginnings of the names of its arrays, to those that `networks.deep_ct` gives them.
    """

    file: str
    backbone: str
    slices: int
    outputs: tuple[str, ...]
    rename: Mapping[str, str]


@dataclass(frozen=True)
class EndpointPart:
    """What answers for one endpoint.

    Attributes:
        parts: Some of `PARTS`, in the order of the classifier's inputs.
        classifier: ONNX file.
        kind: Of the classifier, in words.
        radscore: Table of coefficients; empty where the RadScore is no input.
        selected: Features that are inputs themselves.
        inputs: Table of means and SDs of the inputs; empty where the classifier takes them as they are.
        slope: Of the calibration on the classifier's log-odds.
        intercept: Of it.
        threshold: Probability at and above which the call is positive.
        base_rate: Share of positives in training; None if not known.
    """

    parts: tuple[str, ...]
    classifier: str
    kind: str
    radscore: str
    selected: tuple[str, ...]
    inputs: str
    slope: float
    intercept: float
    threshold: float
    base_rate: float | None


@dataclass(frozen=True)
class Layout:
    """The whole page.

    Attributes:
        words: What is said.
        trained_on: `patients` or `synthetic`.
        regions: Region settings that differ from the usual ones, as they stand there; the bundle's reader checks them.
        features: Name of a preset, the settings themselves, or None.
        scales: Table of means and SDs of features; empty without features.
        clinical: Names of clinical inputs.
        network: None without one.
        endpoints: By key, in the order of the answers.
    """

    words: Words
    trained_on: str
    regions: Mapping[str, Any]
    features: str | Mapping[str, Any] | None
    scales: str
    clinical: tuple[str, ...]
    network: NetworkPart | None
    endpoints: Mapping[str, EndpointPart]

    @property
    def parts(self) -> set[str]:
        """All parts that its endpoints are made of."""
        return {part for one in self.endpoints.values() for part in one.parts}


def read_layout(folder: Path) -> Layout:
    """Read the page of a folder.

    Raises:
        InputError: It is no such page; the entry is named.
    """
    path = folder / PAGE
    raw = bounded(path, MAX_BYTES)
    try:
        return _layout(strict_json(raw))
    except InputError:
        raise
    except KeyError as error:
        raise InputError(f"{path} lacks {error}. docs/bundle.md says what it holds.") from error
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be used: {error} docs/bundle.md says what it holds.") from error


def _layout(values: Any) -> Layout:
    given = mapping(values, "the page")
    words = {field.name for field in fields(Words)}
    _only(given, "the page", {"layout", *words, *(field.name for field in fields(Layout))} - {"words"})
    one_of(given["layout"], "layout", (LAYOUT,))
    described = mapping(given["endpoints"], "endpoints")
    if not 1 <= len(described) <= MAX_ENDPOINTS:
        raise ValueError(f"endpoints must hold 1 to {MAX_ENDPOINTS}, got {len(described)}.")
    endpoints = {key: _endpoint(key, entry) for key, entry in described.items()}
    found = Layout(
        words=_words({name: given[name] for name in words if name in given}),
        trained_on=one_of(given.get("trained_on", "patients"), "trained_on", TRAINED_ON),
        regions=mapping(given.get("regions", {}), "regions"),
        features=_features(given.get("features")),
        scales=text(given.get("scales", ""), "scales"),
        clinical=texts(given.get("clinical", []), "clinical", len(CLINICAL_INPUTS)),
        network=_network(given.get("network"), tuple(endpoints)),
        endpoints=endpoints,
    )
    _check(found)
    return found


def _check(found: Layout) -> None:
    """Parts, and the files that they are made of, are both there or neither."""
    pairs = (
        ("the part deep", "deep" in found.parts, "network", found.network is not None),
        ("the part radscore or selected", bool(found.parts & set(FEATURE_PARTS)), "features", bool(found.features)),
        ("features", bool(found.features), "scales", bool(found.scales)),
        ("the part clinical", "clinical" in found.parts, "clinical", bool(found.clinical)),
    )
    for one, has_one, other, has_other in pairs:
        if has_one != has_other:
            raise ValueError(f"{one} and {other} must both be there or neither.")


def _words(values: Mapping[str, Any]) -> Words:
    missing = sorted({"title", "cohort", "licence"} - set(values))
    if missing:
        raise KeyError(missing[0])
    said: dict[str, Any] = {}
    for name, value in values.items():
        if name in ("limitations", "sources"):
            sentences = texts(value, name, MAX_SENTENCES, letters=4000, once=False)
            said[name] = tuple(map(one_line, sentences))
        else:
            said[name] = one_line(text(value, name, {"version": 90, "licence": 200, "title": 300}.get(name, 4000)))
    return Words(**said)


def _features(value: Any) -> str | Mapping[str, Any] | None:
    return value if value is None or isinstance(value, str) else mapping(value, "features")


def _network(values: Any, keys: tuple[str, ...]) -> NetworkPart | None:
    if values is None:
        return None
    given = mapping(values, "network")
    _only(given, "network", {field.name for field in fields(NetworkPart)})
    outputs = texts(given["outputs"], "network.outputs", MAX_ENDPOINTS)
    unknown = sorted(set(keys) - set(outputs))
    if unknown:
        raise ValueError(f"network.outputs does not name {brief(unknown[0])}, for which the network answers, too.")
    rename = mapping(given.get("rename", {}), "network.rename")
    if len(rename) > MAX_RENAMED:
        raise ValueError(f"network.rename holds {len(rename)} names; at most {MAX_RENAMED} are read.")
    return NetworkPart(
        file=text(given["file"], "network.file"),
        backbone=one_of(given.get("backbone", "densenet121"), "network.backbone", BACKBONES),
        slices=one_of(given.get("slices", 1), "network.slices", (1, 1 + len(NEIGHBORS))),
        outputs=outputs,
        rename={text(old, "network.rename"): text(new, "network.rename") for old, new in rename.items()},
    )


def _endpoint(key: str, values: Any) -> EndpointPart:
    if not endpoint(key).yes_no:
        raise ValueError(f"endpoints.{key}: a number cannot be imported, yes/no questions alone.")
    what = f"endpoints.{key}"
    given = mapping(values, what)
    own = {field.name for field in fields(EndpointPart)} - {"slope", "intercept"}
    _only(given, what, own | {"calibration"})
    parts = texts(given["parts"], f"{what}.parts", len(PARTS))
    for part in parts:
        one_of(part, f"an entry of {what}.parts", PARTS)
    if not parts:
        raise ValueError(f"{what}.parts names no input.")
    line = mapping(given.get("calibration", {}), f"{what}.calibration")
    _only(line, f"{what}.calibration", {"slope", "intercept"})
    found = EndpointPart(
        parts=parts,
        classifier=text(given["classifier"], f"{what}.classifier"),
        kind=one_line(text(given.get("kind", "classifier"), f"{what}.kind")),
        radscore=text(given["radscore"], f"{what}.radscore") if "radscore" in parts else "",
        selected=texts(given["selected"], f"{what}.selected", MAX_FEATURES) if "selected" in parts else (),
        inputs=text(given.get("inputs", ""), f"{what}.inputs"),
        slope=number(line.get("slope", 1.0), f"{what}.calibration.slope", -STEEPEST, STEEPEST),
        intercept=number(line.get("intercept", 0.0), f"{what}.calibration.intercept", -STEEPEST, STEEPEST),
        threshold=number(given.get("threshold", 0.5), f"{what}.threshold", 0.0, 1.0),
        base_rate=number_or_none(given.get("base_rate"), f"{what}.base_rate", 0.0, 1.0),
    )
    for part in ("radscore", "selected"):
        if part in given and part not in parts:
            raise ValueError(f"{what} has {part}, which is not among its parts.")
    return found


def _only(given: Mapping[str, Any], what: str, known: set[str]) -> None:
    strange = sorted(set(given) - known)
    if strange:
        raise ValueError(f"{what} has the entry {brief(strange[0])}; known are {', '.join(sorted(known))}.")
