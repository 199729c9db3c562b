"""What `report.json_result.to_json` wrote, read back: nothing of it is believed before it is checked."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PDL1PredictorLib.core.answer_parts import NumberTest, TimeTest
from PDL1PredictorLib.core.case import Clinical, Study
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.provenance import Outline
from PDL1PredictorLib.core.results import (
    CaseResult,
    CaseWarning,
    HeatMap,
    LesionResult,
    ModelSummary,
    Provenance,
    RegionMeasures,
    Unlike,
    UnlikePart,
    VoxelMap,
)
from PDL1PredictorLib.core.strict_json import strict_json
from PDL1PredictorLib.report.entries import range_or_none
from PDL1PredictorLib.report.json_result import SCHEMA_VERSION
from PDL1PredictorLib.report.kinds import read_answer

RESULT = "result.json"
MAX_BYTES = 64 * 2**20
Row = Mapping[str, Any]


def read_result(path: Path) -> CaseResult:
    """What `report.json_result.to_json` wrote, without images: those are as small as they can be.

    Raises:
        InputError: It cannot be read, or is damaged, or of another version.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than any result. Give the folder of a prediction.")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path.parent} is no result: it holds no {path.name}. Give the folder that pdl1 predict made."
        ) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    return result_of(raw, str(path))


def result_of(raw: bytes, name: str) -> CaseResult:
    """The same of what the file holds.

    Args:
        raw: The JSON, UTF-8.
        name: What it is called in messages.

    Raises:
        InputError: It is damaged, or of another version.
    """
    try:
        content = strict_json(raw)
    except ValueError as error:
        raise InputError(f"{name} is no result: {error}. Predict again.") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{name} is of version {version!r}; results of version {SCHEMA_VERSION} are read back. Predict again."
        )
    try:
        return _case(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{name} is damaged: {type(error).__name__}, {error}. Predict again.") from error


def _case(content: Row) -> CaseResult:
    clinical = content["clinical"]
    others = () if clinical is None else tuple(clinical.get("other", {}))
    return CaseResult(
        case=_text(content["case"]),
        lesions=tuple(_lesion(row) for row in content["lesions"]),
        lesions_found=int(content["lesions_found"]),
        clinical=Clinical() if clinical is None else Clinical.from_dict(dict(clinical), others),
        model=_model(content["model"]),
        provenance=_provenance(content["provenance"]),
        warnings=_warnings(content["warnings"]),
        training_case=content.get("training_case"),
        study=Study.from_dict(content.get("study") or {}),
    )


def _lesion(row: Row) -> LesionResult:
    nothing = sitk.Image(1, 1, 1, sitk.sitkUInt8)
    return LesionResult(
        index=int(row["index"]),
        center_lps_mm=tuple(map(float, row["center_lps_mm"])),  # type: ignore[arg-type]  # three, as the schema says
        tumor=RegionMeasures(**row["tumor"]),
        ring=RegionMeasures(**row["ring"]),
        endpoints=tuple(read_answer(one) for one in row["endpoints"]),
        features={name: _number(value) for name, value in row["features"].items()},
        scores={key: {name: _number(one) for name, one in of.items()} for key, of in row["scores"].items()},
        atypicality=_number(row["atypicality"]),
        warnings=_warnings(row["warnings"]),
        heat_maps=tuple(
            HeatMap(one["endpoint"], nothing, "", one["heat"]["share"], one["heat"]["area_share"])
            for one in row["endpoints"]
            if one["heat_map"] is not None
        ),
        tumor_image=nothing,
        ring_image=nothing,
        views_ct=nothing,
        unlike=_unlike(row["unlike"]),
        voxel_maps=tuple(
            VoxelMap(
                feature=_text(one["feature"]),
                unit=_text(one["unit"]),
                image=nothing,
                low=float(one["low"]),
                high=float(one["high"]),
                outside=float(one["outside"]),
                slices=int(one["slices"]),
                tumor_slices=int(one["tumor_slices"]),
            )
            for one in row["voxel_maps"]
        ),
        volume_range_ml=range_or_none(row, "volume_range_ml", 0.0),
        slice_number=_slice(row.get("slice")),
    )


def _slice(row: Row | None) -> tuple[int, int] | None:
    """Of results of before it was told, there is none."""
    return None if row is None else (int(row["number"]), int(row["of"]))


def _provenance(row: Row) -> Provenance:
    outline = row.get("outline")  # older results have none
    return Provenance(**{**row, "outline": None if outline is None else Outline.from_dict(outline)})


def _unlike(row: Row) -> Unlike:
    parts = tuple(UnlikePart(part["name"], part["p"], _text(part["text"])) for part in row["parts"])
    return Unlike(row["p"], parts, bool(row["flagged"]))


def _model(row: Row) -> ModelSummary:
    auc = {
        key: (*(_number(one[name]) for name in ("value", "low", "high")), one["n_positive"], one["n_negative"])
        for key, one in row["auc"].items()
    }
    tests = {key: NumberTest(**one) for key, one in row["number_tests"].items()}
    times = {key: TimeTest(**one) for key, one in row["time_tests"].items()}
    lists = {name: tuple(map(_text, row[name])) for name in ("limitations", "endpoints")}
    return ModelSummary(**{**row, **lists, "auc": auc, "number_tests": tests, "time_tests": times})


def _warnings(rows: list[Row]) -> tuple[CaseWarning, ...]:
    pairs = [(_text(row["code"]), _text(row["text"])) for row in rows]
    return tuple(CaseWarning(*pair) for pair in pairs)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
