"""A result in the scene, as a view of its nodes that holds nothing itself.

The text node of `result.json` points to the other nodes by node references, so that a result survives saving and a
change of node IDs.
"""

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PDL1PredictorGUI.scene.fingerprint import from_text
from PDL1PredictorGUI.setup.library import make_importable

PREFIX = "PDL1Predictor."
MARK = PREFIX + "Result"  # attribute of the text node, and of the folder in the subject hierarchy
SEGMENT_ID, SEGMENT_NAME, FINGERPRINT, ENDPOINT = (
    PREFIX + name for name in ("SegmentID", "SegmentName", "Fingerprint", "Endpoint")
)
VOLUME, SEGMENTATION = PREFIX + "volume", PREFIX + "segmentation"  # roles of nodes that are the user's own
REPORT, PREDICTIONS, WARNINGS, FEATURES, CONTRIBUTIONS, HEAT_MAPS, REGIONS, CHARTS, VOXEL_MAPS = (
    PREFIX + name
    for name in (
        *("report", "predictions", "warnings", "features", "contributions", "heatMap", "regions", "chart"),
        "voxelMap",
    )
)
OWN_ROLES = (REPORT, PREDICTIONS, WARNINGS, FEATURES, CONTRIBUTIONS, HEAT_MAPS, VOXEL_MAPS, REGIONS, CHARTS)
FEATURE = PREFIX + "Feature"  # attribute of a map of a feature: its name


@dataclass(frozen=True)
class ResultNodes:
    """One result in the scene. A node that the user deleted is None here, or missing from the dictionary.

    Attributes:
        main: Text node of the JSON.
    """

    main: Any

    @property
    def node_id(self) -> str:
        """ID of the text node: names the result within this scene."""
        return str(self.main.GetID())

    @property
    def damage(self) -> str:
        """What is wrong with it, for the log; empty if it can be shown."""
        if not self.segment_id:
            return "it does not say which segment it is of"
        return damage(self.main.GetText() or "")

    @property
    def content(self) -> dict[str, Any]:
        """What `result.json` says; not to be changed."""
        return parsed(self.main.GetText())

    @property
    def lesion(self) -> dict[str, Any]:
        """The tumor's part of the content."""
        lesion: dict[str, Any] = self.content["lesions"][0]
        return lesion

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Keys, in the model's order."""
        return tuple(row["endpoint"] for row in self.lesion["endpoints"])

    def endpoint(self, key: str) -> dict[str, Any]:
        """One endpoint's part of the content.

        Raises:
            KeyError: The result does not hold it.
        """
        for row in self.lesion["endpoints"]:
            if row["endpoint"] == key:
                return dict(row)
        raise KeyError(key)

    @property
    def made_by(self) -> str:
        """Model, what ran its network, and how like its training cases the tumor is; for the reader."""
        make_importable()
        from PDL1PredictorLib.report.words import likeness

        model, provenance = self.content["model"], self.content["provenance"]
        network = provenance.get("network", "torch")  # before schema 2.0 nothing else ran one
        ran = "no network" if network == "none" else f"network run by {network} on {provenance['device']}"
        distance = self.lesion["atypicality"]
        like = likeness(math.nan if distance is None else distance)
        return f"{model['title']} {model['version']}, {ran}. Atypicality (limit 1): {like}."

    @property
    def first_words(self) -> Any:
        """What must not be overlooked before the answers, as the report says it: `synthetic`, `unlike` ..."""
        make_importable()
        from PDL1PredictorLib.report.reading.first_words import first_words

        return first_words(self.content, self.lesion)

    @property
    def plain_text(self) -> str:
        """Five plain lines for a clinical report."""
        make_importable()
        from PDL1PredictorLib.report.reading.plain_lines import plain_text

        return str(plain_text(self.content))

    @property
    def warnings(self) -> list[dict[str, str]]:
        """Of the case and of the tumor: `code` and `text`."""
        return [*self.content["warnings"], *self.lesion["warnings"]]

    @property
    def volume(self) -> Any:
        """The CT, or None."""
        return self.main.GetNodeReference(VOLUME)

    @property
    def segmentation(self) -> Any:
        """The segmentation, or None."""
        return self.main.GetNodeReference(SEGMENTATION)

    @property
    def segment_id(self) -> str:
        """The segment that was predicted; it may be gone."""
        return self.main.GetAttribute(SEGMENT_ID) or ""

    @property
    def segment_name(self) -> str:
        """The segment's name now, or what it was when it was predicted."""
        segmentation = self.segmentation
        segment = segmentation.GetSegmentation().GetSegment(self.segment_id) if segmentation is not None else None
        return (segment.GetName() if segment is not None else self.main.GetAttribute(SEGMENT_NAME)) or ""

    @property
    def report(self) -> Any:
        """Text node of the HTML report."""
        return self.main.GetNodeReference(REPORT)

    @property
    def predictions(self) -> Any:
        """Table node, one row per endpoint."""
        return self.main.GetNodeReference(PREDICTIONS)

    @property
    def warning_table(self) -> Any:
        """Table node, one row per warning."""
        return self.main.GetNodeReference(WARNINGS)

    @property
    def features(self) -> Any:
        """Table node, one row per radiomic feature."""
        return self.main.GetNodeReference(FEATURES)

    @property
    def regions(self) -> Any:
        """Label map of what was measured: 1 tumor, 2 ring."""
        return self.main.GetNodeReference(REGIONS)

    @property
    def contributions(self) -> dict[str, Any]:
        """Table nodes by endpoint."""
        return self._by_endpoint(CONTRIBUTIONS)

    @property
    def heat_maps(self) -> dict[str, Any]:
        """Volume nodes by endpoint."""
        return self._by_endpoint(HEAT_MAPS)

    @property
    def voxel_maps(self) -> dict[str, Any]:
        """Volume nodes of maps over the tumor, by the feature's name; none of most models."""
        return {node.GetAttribute(FEATURE): node for node in references(self.main, VOXEL_MAPS)}

    def map_entry(self, feature: str) -> dict[str, Any] | None:
        """What the content says of a map; None where it says nothing."""
        return next((dict(row) for row in self.lesion.get("voxel_maps", []) if row["feature"] == feature), None)

    @property
    def made_from(self) -> dict[str, Any] | None:
        """Fingerprint of what the prediction was made from."""
        return from_text(self.main.GetAttribute(FINGERPRINT))

    def own_nodes(self) -> list[Any]:
        """Every node that is part of the result, the text node last."""
        nodes = [node for role in OWN_ROLES for node in references(self.main, role)]
        return [*nodes, self.main]

    def _by_endpoint(self, role: str) -> dict[str, Any]:
        return {node.GetAttribute(ENDPOINT): node for node in references(self.main, role)}


def references(node: Any, role: str) -> list[Any]:
    """The nodes of a role that are still in the scene."""
    nodes = [node.GetNthNodeReference(role, n) for n in range(node.GetNumberOfNodeReferences(role))]
    return [found for found in nodes if found is not None]


@lru_cache(maxsize=64)
def damage(text: str) -> str:
    """What is wrong with a result's JSON, as far as the window reads it; empty if nothing is.

    A scene may come from anywhere: cut short, edited by hand, written by a later version.
    """
    try:
        content = json.loads(text)
        lesions = content["lesions"]
        for warning in [*content["warnings"], *lesions[0]["warnings"]]:
            _require(warning, code=str, text=str)
        _require(lesions[0], index=int, features=dict, endpoints=list, atypicality=(int, float, type(None)))
        _require(content["model"], title=str, version=str)
        _require_likeness(lesions[0].get("unlike"))
        _require(content["provenance"], device=str)
        for row in lesions[0]["endpoints"]:
            _require_endpoint(row)
        for row in lesions[0].get("voxel_maps", []):  # results of before there were maps have none
            _require_map(row)
        if not lesions[0]["endpoints"]:
            return "it holds no endpoint"
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _require_endpoint(row: dict[str, Any]) -> None:
    make_importable()
    from PDL1PredictorLib.report.kinds import read_answer

    texts = ("endpoint", "title", "definition")
    _require(row, **dict.fromkeys(texts, str))
    read_answer(row)  # the numbers, by the answer's kind
    if not isinstance(row["heat_map"], str | None):
        raise TypeError("heat_map is no file name")
    for name in ("share", "area_share"):
        if not isinstance((row.get("heat") or {}).get(name), int | float | None):
            raise TypeError(f"{name} of the heat is no number")


def _require_map(row: dict[str, Any]) -> None:
    _require(row, feature=str, title=str, unit=str, file=str)
    for name in ("low", "high", "outside"):
        if isinstance(row[name], bool) or not isinstance(row[name], int | float) or not math.isfinite(row[name]):
            raise TypeError(f"{name} of a map is no number")


def _require_likeness(unlike: Any) -> None:
    """Of results of before it was told, there is none."""
    if unlike is None:
        return
    _require(unlike, p=(int, float, type(None)), parts=list, flagged=bool)
    for part in unlike["parts"]:
        _require(part, p=(int, float, type(None)), text=str)


def _require(values: dict[str, Any], **kinds: Any) -> None:
    for name, kind in kinds.items():
        if not isinstance(values[name], kind):
            raise TypeError(f"{name} is {values[name]!r}")


@lru_cache(maxsize=16)
def parsed(text: str) -> dict[str, Any]:
    """The content of a result's JSON; the same text gives the same object, which is not to be changed."""
    content: dict[str, Any] = json.loads(text)
    return content
