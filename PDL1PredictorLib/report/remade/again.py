"""The report of a result folder, made again: from `result.json`, with the pictures of the report that lies there."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PDL1PredictorLib.core.answer_parts import NumberTest, TimeTest
from PDL1PredictorLib.core.case import Clinical
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
from PDL1PredictorLib.report.html import to_html
from PDL1PredictorLib.report.json_result import SCHEMA_VERSION
from PDL1PredictorLib.report.kinds import read_answer
from PDL1PredictorLib.report.remade.kept import KeptPictures, kept_pictures

RESULT, REPORT = "result.json", "report.html"
MAX_BYTES = 64 * 2**20
Row = Mapping[str, Any]


def report_again(folder: Path) -> tuple[str, bool]:
    """The page of a result folder.

    Args:
        folder: As `pdl1 predict` makes it; neither the CT nor the model is needed.

    Returns:
        The page, and whether it has the pictures of the report that lies there.

    Raises:
        InputError: The folder is no result, or its `result.json` is damaged or of another version.
    """
    result = read_result(folder / RESULT)
    kept = _pictures(folder / REPORT, len(result.lesions))
    clinical = result.clinical != Clinical() or result.case != "case"
    page = to_html(result, clinical, kept or [KeptPictures()] * len(result.lesions))
    return page, bool(kept)


def read_result(path: Path) -> CaseResult:
    """What `report.json_result.to_json` wrote, without images: those are as small as they can be.

    Raises:
        InputError: It cannot be read, or is damaged, or of another version.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than any result. Give the folder of a prediction.")
        content = strict_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{path.parent} is no result: it holds no {path.name}. Give the folder that pdl1 predict made."
        ) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no result: {error}. Predict again.") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{path} is of version {version!r}; reports are made again of version {SCHEMA_VERSION}. Predict again."
        )
    try:
        return _case(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is damaged: {type(error).__name__}, {error}. Predict again.") from error


def _pictures(report: Path, n: int) -> list[KeptPictures]:
    try:
        found = kept_pictures(report.read_text(encoding="utf-8")) if report.stat().st_size <= MAX_BYTES else []
    except (OSError, UnicodeDecodeError):
        return []
    return found if len(found) == n and all(one.slices for one in found) else []


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
    )


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
