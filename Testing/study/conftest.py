"""A made-up study: what training would hand over, without any training."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from PDL1PredictorLib.learning.model_names import DEEP, FUSED, RADIOMICS, VOLUME
from PDL1PredictorLib.study.outcome import EndpointOutcome, GalleryCase, ModelOutcome, StudyOutcome

CLASSIFIERS = ("logistic regression", "random forest", "naive Bayes")
STRENGTH = {RADIOMICS: 0.9, DEEP: 1.1, FUSED: 1.6, VOLUME: 0.4}
INPUTS = (*(f"deep_{n}" for n in range(10)), "radscore_tumor", "radscore_ring")
FOLDED = "nested cross-validation"


def make_endpoint(key: str, n: int, seed: int, folded: bool, models: tuple[str, ...] = tuple(STRENGTH)) -> Any:
    rng = np.random.default_rng([seed, n])
    labels = (rng.permutation(n) < max(2, round(0.4 * n))).astype(int)
    outcomes = {}
    for name in models:
        logit = STRENGTH[name] * (labels - 0.4) + rng.normal(size=n) * 0.8 - 0.3
        probability = 1 / (1 + np.exp(-logit))
        outcomes[name] = ModelOutcome(
            probability=probability,
            positive=probability >= 0.45,
            classifier=", ".join(CLASSIFIERS[:2]) if folded else CLASSIFIERS[0],
            mean_auc={kind: 0.7 + 0.01 * i for i, kind in enumerate(CLASSIFIERS)},
            thresholds={} if folded else {"youden": 0.45, "sensitivity 90 %": 0.3},
        )
    inputs = rng.normal(size=(n, len(INPUTS))) + 0.7 * labels[:, None] * np.linspace(0, 1, len(INPUTS))
    weights = np.linspace(-0.3, 1.0, len(INPUTS))
    coefficients = {
        "tumor": {
            "tumor_original_shape_Sphericity": -0.41,
            "tumor_wavelet-LLH_glcm_Contrast": 0.22,
            "tumor_original_firstorder_90Percentile": 0.63,
        },
        "ring": {"ring_wavelet-HHL_gldm_LargeDependenceHighGrayLevelEmphasis": 0.35},
    }
    shares = {region: {name: 0.4 + 0.2 * i for i, name in enumerate(row)} for region, row in coefficients.items()}
    sure = rng.random((n, 2)) < 0.55
    sets = np.column_stack([sure[:, 0] | (labels == 0), sure[:, 1] | (labels == 1)])
    parts = {"all": (int(labels.sum()), int(n - labels.sum()))}
    return EndpointOutcome(
        key=key,
        cases=tuple(f"case_{i:03}" for i in range(n)),
        labels=labels,
        models=outcomes,
        counts=parts if folded else {"training": (80, 112), "test": parts["all"]},
        coefficients=coefficients,
        selected_in=shares if folded else {},
        input_names=INPUTS,
        inputs=inputs,
        contributions=inputs * weights - (inputs * weights).mean(0),
        prediction_sets=sets,
        bayes_auc=0.9,
    )


def make_gallery(endpoint: EndpointOutcome) -> tuple[GalleryCase, ...]:
    rows, columns = np.mgrid[:160, :160]
    fused = endpoint.models[FUSED]
    wrong = np.flatnonzero(fused.positive != endpoint.labels)[:1].tolist()
    shown = []
    for number, row in enumerate([*np.flatnonzero(fused.positive == endpoint.labels)[:3].tolist(), *wrong]):
        rng = np.random.default_rng(row)
        radius = 14 + 6 * number
        distance = np.hypot(rows - 80, columns - 78 - number)
        tumor = distance < radius * (1 + 0.15 * np.sin(4 * np.arctan2(rows - 80, columns - 80)))
        lung = np.where(np.hypot((rows - 80) / 75, (columns - 80) / 60) < 1, -820.0, 40.0)
        hu = np.where(tumor, 35.0, lung) + rng.normal(0, 25, size=tumor.shape)
        heat = np.clip(1.1 * np.exp(-(((rows - 70) / 30.0) ** 2) - ((columns - 95) / 25.0) ** 2), 0, 1)
        label, positive = int(endpoint.labels[row]), bool(fused.positive[row])
        probability = float(fused.probability[row])
        shown.append(GalleryCase(endpoint.key, endpoint.cases[row], label, probability, positive, hu, tumor, heat))
    return tuple(shown)


def row(
    variable: str, level: str, every: str, positive: str, negative: str, p: float | None, test: str
) -> dict[str, Any]:
    cells = {"variable": variable, "level": level, "all": every, "positive": positive, "negative": negative}
    return {**cells, "p": p, "test": test, "empty": ""}


def build(
    design: str = "split", sizes: tuple[int, ...] = (120, 180, 60), keys: tuple[str, ...] = ("PDL1", "LVI", "EGFR")
) -> StudyOutcome:
    """A study of some endpoints; the second lacks the volume model where there are several."""
    folded = design == FOLDED
    lacking = tuple(name for name in STRENGTH if name != VOLUME)
    endpoints = {
        key: make_endpoint(key, n, seed, folded, lacking if seed == 1 else tuple(STRENGTH))
        for seed, (key, n) in enumerate(zip(keys, sizes, strict=True))
    }
    return StudyOutcome(
        title="Deep-RadScore on a made-up cohort",
        command="pdl1 train --recipe deepradscore --cohort cohort.csv --out model",
        design=design,
        settings={
            "seed": 1,
            "coverage": 0.9,
            "choice": "simplest",
            "regions": {"spacing_mm": 1.0, "ring_mm": 3.0},
            "features": {"name": "deepradscore", "bin_width": 25.0, "wavelet": "coif1"},
            "deep": {"backbone": "DenseNet121", "epochs": 60, "seed": 7},
        },
        provenance={"library_version": "0.1.0", "created_utc": "2026-01-01T00:00:00+00:00", "device": "cpu"},
        table_1=[
            row("Age (years)", "", "64 (57 to 71)", "65 (58 to 72)", "63 (56 to 70)", 0.4213, "Mann-Whitney"),
            row("Sex", "female", "92 (45%)", "30 (38%)", "62 (50%)", None, ""),
            row("Sex", "male", "112 (55%)", "50 (62%)", "62 (50%)", 0.00003, "chi-square"),
        ],
        flow=[
            ("tumors in the cohort", 206),
            ("could not be used", 2),
            ("prepared", 204),
            *([] if folded else [("training", 144), ("test", 60)]),
        ],
        failed={"case_900": "image and mask lie on different grids", "case_901": "the file cannot be read"},
        endpoints=endpoints,
        left_out={"ROS1": "only 4 positive cases in training; 10 are needed"},
        coverage=0.9,
        history=tuple({"train": 0.4 + 0.5 * 0.9**n, "validation": 0.55 + 0.3 * 0.85**n + 0.004 * n} for n in range(30)),
        backbones=[
            {"backbone": "DenseNet121", "parameters": 7_978_856, "auc": 0.7912, "low": 0.70, "high": 0.87},
            {"backbone": "ResNet50", "parameters": 25_557_032, "auc": 0.7633, "low": 0.66, "high": 0.85},
        ],
        gallery=make_gallery(next(iter(endpoints.values()))),
        notes=("The cohort is made up; nothing may be concluded from it.",),
    )


@pytest.fixture(scope="session")
def make_study() -> Callable[..., StudyOutcome]:
    return build


@pytest.fixture(scope="session")
def study() -> StudyOutcome:
    return build()


@pytest.fixture(scope="session")
def folded_study() -> StudyOutcome:
    return build(FOLDED)
