"""A made-up result that looks like a real one: lung, chest wall, vessels and ribs, ellipsoid tumors and their rings."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.answer_parts import Contribution, Estimate, NumberTest
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.results import (
    BinaryAnswer,
    CaseResult,
    CaseWarning,
    HeatMap,
    LesionResult,
    ModelSummary,
    NumberAnswer,
    Provenance,
    RegionMeasures,
    Unlike,
    UnlikePart,
)
from PDL1PredictorLib.core.verdicts import Reason, Verdict, refused
from PDL1PredictorLib.phantom.truth import PHANTOM_ENDPOINTS

SHAPE = (91, 111, 121)  # (k, j, i), 1 mm
ORIGIN = (-95.0, -60.0, -210.0)
TUMORS = (((44, 58, 56), (13, 15, 18)), ((58, 40, 84), (7, 8, 9)))  # center and half axes (k, j, i)
TOUCHING = ((55, 43, 72), (7, 8, 9))  # its ring reaches into the first tumor
HOT_SPOT = (52, 66)  # row, column of the heat map's maximum, away from its middle
PROBABILITIES = (0.62, 0.21, 0.35, 0.08, 0.31, 0.24, 0.04, 0.55, 0.12, 0.02)


@pytest.fixture(scope="session")
def make_result() -> Callable[..., CaseResult]:
    """Builds a result: `make_result(lesions=2, tilt_degrees=12, touching=True, name=...)`."""
    return build


@pytest.fixture(scope="session")
def with_number(make_result) -> CaseResult:
    """One tumor of a model that answers a number first, then a yes/no question, and keeps no reference."""
    result = make_result()
    lesion = result.lesions[0]
    effects = (("log_volume", 0.9, 8.25), ("selected_features", float("nan"), -3.5), ("age_years", -1.2, 0.4))
    moved = tuple(Contribution(*effect) for effect in effects)
    given = {"verdict": Verdict("answered", "value"), "stability": (31.2, 37.9), "model": "Ridge"}
    number = NumberAnswer("TPS", 34.6, (11.8, 61.2), 0.9, moved, **given)
    egfr = next(answer for answer in lesion.endpoints if answer.endpoint == "EGFR")
    model = replace(
        result.model,
        endpoints=("TPS", "EGFR"),
        auc={"EGFR": (0.74, 0.63, 0.83, 40, 80)},
        number_tests={"TPS": NumberTest(96, 441.0, 576.0, 16.25, 0.234, 0.1, 0.35)},
    )
    lesion = replace(lesion, endpoints=(number, egfr), atypicality=float("nan"), heat_maps=lesion.heat_maps[1:])
    return replace(result, lesions=(lesion,), model=model, provenance=replace(result.provenance, network="none"))


@cache  # results are frozen and tests change copies only
def build(
    lesions: int = 1, tilt_degrees: float = 0.0, touching: bool = False, name: str = "case 7", heat_maps: bool = True
) -> CaseResult:
    tumors = (TUMORS[0], TOUCHING if touching else TUMORS[1])[:lesions]
    hu, masks = _chest(tumors)
    direction = _rotation(tilt_degrees)
    found = []
    for index, mask in enumerate(masks, start=1):
        ring = (ndimage.distance_transform_edt(~mask) <= 3) & ~mask
        found.append(_lesion(index, hu, mask, ring, direction, heat_maps))
    return CaseResult(
        case=name,
        lesions=tuple(found),
        lesions_found=lesions,
        clinical=Clinical(age_years=67, sex="female", smoking="former", kernel="B30f"),
        model=_model(),
        provenance=_provenance(),
        warnings=(CaseWarning("thick_slices", "The CT's slices are 5 mm thick; the model learned from 1 to 3 mm."),),
    )


def _chest(tumors: tuple) -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(7)
    k, j, i = np.indices(SHAPE, dtype=np.float32)
    wall = ((i - 66) / 58) ** 2 + ((j - 55) / 50) ** 2 > 1
    hu = np.where(wall, 50.0, -860.0)
    hu[((i - 66) / 62) ** 2 + ((j - 55) / 54) ** 2 > 1.12] = -110  # fat outside the wall
    rib = np.abs(np.sqrt(((i - 66) / 61) ** 2 + ((j - 55) / 53) ** 2) - 1.02) < 0.03
    hu[rib & ((k + j) % 34 < 11)] = 420
    hu[((i - 118) / 26) ** 2 + ((j - 62) / 34) ** 2 < 1] = 45  # mediastinum, on the patient's left
    for row, column, radius, slope in (
        (40, 60, 2.6, 0.2),
        (70, 70, 3.2, -0.25),
        (56, 88, 4.0, 0.1),
        (30, 80, 2.0, 0.3),
    ):
        hu[(j - row - slope * (k - 45)) ** 2 + (i - column + slope * (k - 45)) ** 2 < radius**2] = 30  # vessels
    masks = []
    for center, half in tumors:
        distance = sum(((x - c) / h) ** 2 for x, c, h in zip((k, j, i), center, half, strict=True))
        mask = distance <= 1
        hu[mask] = 38
        hu[(distance <= 0.12)] = -5  # necrotic middle
        hu[(distance > 1) & (distance <= 1.35) & (hu < -500)] = -620  # hazy rim
        masks.append(mask)
    hu = ndimage.gaussian_filter(hu, 0.8) + ndimage.gaussian_filter(rng.normal(0, 60, SHAPE), 0.7)
    return hu.astype(np.float32), masks


def _lesion(
    index: int, hu: np.ndarray, mask: np.ndarray, ring: np.ndarray, direction: np.ndarray, heat_maps: bool
) -> LesionResult:
    where = np.argwhere(mask | ring)
    low, high = where.min(axis=0) - 2 - index, where.max(axis=0) + 4  # boxes differ from lesion to lesion
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    whole = _image(hu, (0, 0, 0), direction)
    center = np.argwhere(mask).mean(axis=0)
    center_mm = whole.TransformContinuousIndexToPhysicalPoint([float(c) for c in center[::-1]])
    keys = PHANTOM_ENDPOINTS
    shift = 0.07 * (index - 1)
    return LesionResult(
        index=index,
        center_lps_mm=center_mm,
        tumor=_measures(hu, mask),
        ring=_measures(hu, ring),
        endpoints=tuple(
            _prediction(key, min(p + shift, 1.0), index > 1) for key, p in zip(keys, PROBABILITIES, strict=True)
        ),
        features={
            "tumor_original_shape_MeshVolume": 14732.125,
            "tumor_wavelet-LLH_glcm_Contrast": 0.1 + 0.2,
            "ring_original_firstorder_Mean": -431.0625,
            "ring_original_glcm_MCC": float("nan"),
        },
        scores={key: {"radscore_tumor": 0.31, "radscore_ring": -0.12} for key in keys},
        atypicality=0.58 if index == 1 else 1.34,
        warnings=(CaseWarning("ring_cut", "A third of the ring lies in the chest wall."),) if index == 1 else (),
        heat_maps=tuple(_heat_map(key, whole, center, shift) for key in keys[:5:4]) if heat_maps else (),
        tumor_image=_image(mask[box].astype(np.uint8), low, direction),
        ring_image=_image(ring[box].astype(np.uint8), low, direction),
        views_ct=whole,
        unlike=_unlike(index),
    )


def _unlike(index: int) -> Unlike:
    """The second tumor is unlike the training cohort in its density."""
    far, near = "mean density of the tumor 9 SD above the training cohort", "the radiomic features together 1.1 times"
    p = 0.4 if index == 1 else 0.008
    return Unlike(p, (UnlikePart("sanity", p, far), UnlikePart("selected", 0.3, near)), index > 1)


def _image(voxels: np.ndarray, start_kji: tuple, direction: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(voxels)
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin((np.array(ORIGIN) + direction @ np.array(start_kji[::-1], dtype=float)).tolist())
    return image


def _heat_map(key: str, whole: sitk.Image, center: np.ndarray, shift: float) -> HeatMap:
    row, column = np.indices((80, 80))
    hot_row, hot_column = HOT_SPOT
    values = np.exp(-((row - hot_row) ** 2 + (column - hot_column) ** 2) / (2 * 8**2)) + 0.55 * np.exp(
        -((row - 38) ** 2 + (column - 36) ** 2) / (2 * 6**2)
    )
    image = sitk.GetImageFromArray((values / values.max())[None].astype(np.float32))
    image.SetDirection(whole.GetDirection())
    k, j, i = (round(c) for c in center)
    image.SetOrigin(whole.TransformIndexToPhysicalPoint((i - 40, j - 40, k + 2)))
    image.SetSpacing((1.0, 1.0, 5.0))
    return HeatMap(key, image, heat_share=0.31, area_share=0.12)


def _prediction(key: str, probability: float, unlike: bool = False) -> BinaryAnswer:
    threshold = 0.48 if key == "PDL1" else 0.3
    sets = {"PDL1": ("positive",), "EGFR": ("negative", "positive"), "TP53": ()}
    effects = (0.71, -0.38, 0.29, 0.22, -0.17, 0.11, -0.08, 0.05, 0.04, -0.03, 0.02, 0.01)
    names = ("radscore_tumor", "deep_3", "radscore_ring", *(f"deep_{n}" for n in (0, 7, 1, 9, 2, 4, 5, 6, 8)))
    return BinaryAnswer(
        endpoint=key,
        probability=probability,
        interval=(max(probability - 0.14, 0.0), min(probability + 0.12, 1.0)),
        threshold=threshold,
        positive=probability >= threshold,
        prediction_set=sets.get(key, ("positive",) if probability >= threshold else ("negative",)),
        coverage=0.9,
        contributions=tuple(Contribution(n, 2.1 * e, e) for n, e in zip(names, effects, strict=True)),
        verdict=UNLIKE if unlike else _verdict(key, probability >= threshold),
        uncertainty=(max(probability - 0.1, 0.0), min(probability + 0.11, 1.0)),
        stability=(max(probability - 0.03, 0.0), min(probability + 0.02, 1.0)),
        base_rate=0.33,
        sensitivity=Estimate(0.78, 0.64, 0.88),
        specificity=Estimate(0.71, 0.6, 0.8),
        model="Deep-RadScore" if key != "LVI" else "Volume",
        role="lead" if key != "LVI" else "baseline",
    )


UNLIKE = refused([Reason("unlike_training", "The tumor is unlike those that the model learned from: its density.")])


def _verdict(key: str, positive: bool) -> Verdict:
    """One of each: not answered (KRAS), borderline (LVI), neither ruled out (EGFR), unlike both (TP53), else a call."""
    if key == "KRAS":
        text = "The model has no proven skill here: AUC 0.69 (95 % interval 0.48 to 0.78) on test cases."
        return refused([Reason("no_skill", text)])
    if key == "TP53":
        text = "The tumor resembles neither the negative nor the positive calibration cases."
        return Verdict("answered", "undecided", (Reason("outside_set", text),))
    call = {"LVI": "borderline", "EGFR": "undecided"}.get(key, "positive" if positive else "negative")
    return Verdict("answered", call)


def _measures(hu: np.ndarray, mask: np.ndarray) -> RegionMeasures:
    values = hu[mask]
    return RegionMeasures(
        voxels=len(values),
        volume_ml=len(values) / 1000,
        longest_axial_diameter_mm=float(np.ptp(np.argwhere(mask)[:, 2])) + 1,
        mean_hu=float(values.mean()),
        sd_hu=float(values.std()),
    )


def _model() -> ModelSummary:
    return ModelSummary(
        name="deepradscore-demo",
        title="Deep-RadScore (synthetic cohort)",
        version="1.0",
        sha256="5f2c" * 16,
        intended_use="To try the software and to check an installation. Not for patients.",
        cohort="400 synthetic cases with known truth, 280 for training and 120 for testing.",
        limitations=("Learned from synthetic volumes only.", "Slices thicker than 3 mm were not seen."),
        licence="CC BY 4.0",
        endpoints=PHANTOM_ENDPOINTS,
        auc={
            key: (0.74 - 0.01 * n, 0.63 - 0.01 * n, 0.83 - 0.01 * n, 40 - n, 80 + n)
            for n, key in enumerate(PHANTOM_ENDPOINTS)
        },
        number_tests={},
    )


def _provenance() -> Provenance:
    return Provenance(
        library_version="0.1.0",
        created_utc="2026-08-01T09:30:00+00:00",
        device="cpu",
        network="onnxruntime",
        engine="own engine 0.1.0",
        settings={"regions": {"spacing_mm": 1.0, "ring_mm": 3.0, "exclude_air": False}, "sigmas_mm": (1.0, 3.0)},
        versions={"python": "3.12.10", "numpy": "2.4.6", "torch": "2.13.0"},
        ct_sha256="ab" * 32,
        tumor_sha256="cd" * 32,
        seconds={"prepare": 1.25, "radiomics": 2.5, "network": 0.75},
    )


def _rotation(degrees: float) -> np.ndarray:
    axis = np.array([0.3, 1.0, 0.5]) / np.linalg.norm([0.3, 1.0, 0.5])  # no axis of the grid: every direction is tilted
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.deg2rad(degrees)
    return np.eye(3) + np.sin(turn) * cross + (1 - np.cos(turn)) * cross @ cross
