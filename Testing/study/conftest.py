"""Made-up studies: what training would hand over, without any training, for recipes and models that no page knows."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.study.outcome import (
    EndpointOutcome,
    GalleryCase,
    ModelOutcome,
    NumberGalleryCase,
    NumberModelOutcome,
    Redivision,
    StudyOutcome,
)

TEXTURE, PICTURE, BOTH, SIZE = "Texture score", "Picture net", "Two-eyes", "Size alone"
ROLES: dict[str, Role] = {TEXTURE: "part", PICTURE: "part", BOTH: "lead", SIZE: "baseline"}
STRENGTH = {TEXTURE: 0.9, PICTURE: 1.1, BOTH: 1.6, SIZE: 0.4}
CLASSIFIERS = ("logistic regression", "random forest", "naive Bayes")
INPUTS = (*(f"deep_{n}" for n in range(10)), "radscore_tumor", "radscore_ring")
FOLDED = Design.NESTED
METHOD = """\
Two-eyes (texture and picture, then both):

- Texture: preset `made-up`, z-score by the training cases,
  near-zero variance dropped.
- Picture: a network of a kind <of its own>."""


def make_inputs(n: int, pull: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Inputs and contributions of n cases, the last inputs the strongest."""
    inputs = rng.normal(size=(n, len(INPUTS))) + 0.7 * pull[:, None] * np.linspace(0, 1, len(INPUTS))
    weighted = inputs * np.linspace(-0.3, 1.0, len(INPUTS))
    return {"input_names": INPUTS, "inputs": inputs, "contributions": weighted - weighted.mean(0)}


def make_features(folded: bool) -> dict[str, Any]:
    coefficients = {
        "tumor": {
            "tumor_original_shape_Sphericity": -0.41,
            "tumor_wavelet-LLH_glcm_Contrast": 0.22,
            "tumor_original_firstorder_90Percentile": 0.63,
        },
        "ring": {"ring_wavelet-HHL_gldm_LargeDependenceHighGrayLevelEmphasis": 0.35},
    }
    shares = {region: {name: 0.4 + 0.2 * i for i, name in enumerate(row)} for region, row in coefficients.items()}
    return {"coefficients": coefficients, "selected_in": shares if folded else {}}


def make_folds(n: int, folded: bool, seed: int) -> np.ndarray:
    """Two repetitions of three folds, or one of one."""
    rng = np.random.default_rng([seed, 7])
    return np.stack([rng.permutation(n) % 3 for _ in range(2)]) if folded else np.zeros((1, n), int)


def make_endpoint(key: str, n: int, seed: int, folded: bool, roles: Mapping[str, Role]) -> EndpointOutcome:
    """A yes/no endpoint with the models of `roles` that it may have."""
    rng = np.random.default_rng([seed, n])
    labels = (rng.permutation(n) < max(2, round(0.4 * n))).astype(int)
    folds = make_folds(n, folded, seed)
    outcomes = {}
    for title in roles:
        logit = STRENGTH[title] * (labels - 0.4) + rng.normal(size=n) * 0.8 - 0.3
        probability = 1 / (1 + np.exp(-logit))
        outcomes[title] = ModelOutcome(
            score=np.stack([2 * logit + 0.3 * rng.normal(size=n) * again for again in range(len(folds))]),
            probability=probability,
            positive=probability >= 0.45,
            called=np.ones(n, bool),
            classifier=", ".join(CLASSIFIERS[:2]) if folded else CLASSIFIERS[0],
            mean_auc={kind: 0.7 + 0.01 * i for i, kind in enumerate(CLASSIFIERS)},
            thresholds={} if folded else {"youden": 0.45, "sensitivity 90 %": 0.3},
        )
    inputs = make_inputs(n, labels, rng)
    sure = rng.random((n, 2)) < 0.55
    parts = {"all": (int(labels.sum()), int(n - labels.sum()))}
    return EndpointOutcome(
        key=key,
        cases=tuple(f"case_{i:03}" for i in range(n)),
        labels=labels,
        folds=folds,
        patients=tuple(f"patient_{i:03}" for i in range(n)),
        models=outcomes,
        counts=parts if folded else {"training": (80, 112), "test": parts["all"]},
        **make_features(folded),
        **inputs,
        prediction_sets=np.column_stack([sure[:, 0] | (labels == 0), sure[:, 1] | (labels == 1)]),
        bayes_auc=0.9,
        kind="binary",
        roles=ROLES,
        groups=make_groups(n),
        redivisions=() if folded else tuple(make_redivision(outcomes, labels, start) for start in (1, 3)),
    )


def make_redivision(outcomes: Mapping[str, ModelOutcome], labels: np.ndarray, start: int) -> Redivision:
    """Half of the cases, of three kinds of models."""
    rows = np.arange(start, len(labels), 2)
    scores = {title: one.score[0][rows] for title, one in outcomes.items()}
    return Redivision(labels[rows], tuple(f"patient_{row:03}" for row in rows), rows % 3, scores)


def make_groups(n: int) -> dict[str, tuple[str, ...]]:
    """Three factors: halves, thirds with cases of which nothing is known, and a level that has hardly a case."""
    return {
        "Sex": tuple(("female", "male")[i % 2] for i in range(n)),
        "Volume of the tumor": tuple(("over 8 to 20 mL", "up to 8 mL", "over 20 mL", "")[i % 4] for i in range(n)),
        "Kernel": tuple("<b>30f" if i > 1 else "other" for i in range(n)),
    }


def make_number(key: str, n: int, seed: int, folded: bool, roles: Mapping[str, Role]) -> EndpointOutcome:
    """A number from 0 to 100, a third of the cases near 0, as tumor proportion scores are."""
    rng = np.random.default_rng([seed, n, 1])
    folds = make_folds(n, folded, seed)
    trait = rng.normal(size=n)
    values = np.round(100 / (1 + np.exp(-2.0 * (trait - 0.6))))
    outcomes = {}
    for title in roles:
        seen = STRENGTH[title] / 2 * trait + rng.normal(size=n) * (1 - STRENGTH[title] / 2)
        predicted = np.clip(values.mean() + 24 * STRENGTH[title] * seen, 0, 100)
        half = np.quantile(np.abs(values - predicted), 0.88)
        outcomes[title] = NumberModelOutcome(
            score=np.repeat(predicted[None], len(folds), axis=0),
            value=predicted,
            low=np.clip(predicted - half, 0, 100),
            high=np.clip(predicted + half, 0, 100),
            regressor="ridge",
            rmse_in_training={"ridge": 24.3, "random forest": 25.1},
        )
    return EndpointOutcome(
        key=key,
        cases=tuple(f"case_{i:03}" for i in range(n)),
        labels=values,
        folds=folds,
        patients=tuple(f"patient_{i:03}" for i in range(n)),
        models=outcomes,
        counts={"all": (n,)} if folded else {"training": (192,), "test": (n,)},
        **make_features(folded),
        **make_inputs(n, values / 50, rng),
        prediction_sets=np.zeros((0, 2), bool),
        kind="number",
        roles=ROLES,
    )


def make_picture(number: int, row: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Patch in HU, tumor and heat map of one case."""
    rows, columns = np.mgrid[:160, :160]
    rng = np.random.default_rng(row)
    radius = 14 + 6 * number
    distance = np.hypot(rows - 80, columns - 78 - number)
    tumor = distance < radius * (1 + 0.15 * np.sin(4 * np.arctan2(rows - 80, columns - 80)))
    lung = np.where(np.hypot((rows - 80) / 75, (columns - 80) / 60) < 1, -820.0, 40.0)
    hu = np.where(tumor, 35.0, lung) + rng.normal(0, 25, size=tumor.shape)
    heat = np.clip(1.1 * np.exp(-(((rows - 70) / 30.0) ** 2) - ((columns - 95) / 25.0) ** 2), 0, 1)
    return hu, tumor, heat


def make_gallery(found: EndpointOutcome) -> tuple[GalleryCase | NumberGalleryCase, ...]:
    """Three cases that the lead model answers rightly, and one that it does not."""
    if found.kind == "number":
        model = found.number_models()[found.lead]
        right = (model.low <= found.labels) & (found.labels <= model.high)
    else:
        right = found.binary_models()[found.lead].positive == found.labels
    chosen = [*np.flatnonzero(right)[:3].tolist(), *np.flatnonzero(~right)[:1].tolist()]
    return tuple(_shown(found, row, *make_picture(number, row)) for number, row in enumerate(chosen))


def _shown(found: EndpointOutcome, row: int, *picture: np.ndarray) -> GalleryCase | NumberGalleryCase:
    about = (found.key, found.cases[row])
    if found.kind == "number":
        model = found.number_models()[found.lead]
        answer = (float(values[row]) for values in (found.labels, model.value, model.low, model.high))
        return NumberGalleryCase(*about, *answer, *picture)
    called = found.binary_models()[found.lead]
    return GalleryCase(
        *about, int(found.labels[row]), float(called.probability[row]), bool(called.positive[row]), *picture
    )


def row(
    variable: str, level: str, every: str, positive: str, negative: str, p: float | None, test: str
) -> dict[str, Any]:
    cells = {"variable": variable, "level": level, "all": every, "positive": positive, "negative": negative}
    return {**cells, "p": p, "test": test, "empty": ""}


def build(
    design: Design = Design.SPLIT,
    sizes: tuple[int, ...] = (120, 180, 60),
    keys: tuple[str, ...] = ("PDL1", "LVI", "EGFR"),
) -> StudyOutcome:
    """A study of some endpoints, of any kind; the second lacks the baseline where there are several."""
    folded = design == FOLDED
    lacking: dict[str, Role] = {title: role for title, role in ROLES.items() if role != "baseline"}
    makers = {"binary": make_endpoint, "number": make_number}
    endpoints = {
        key: makers[endpoint(key).kind](key, n, seed, folded, lacking if seed == 1 else ROLES)
        for seed, (key, n) in enumerate(zip(keys, sizes, strict=True))
    }
    return StudyOutcome(
        title="Two-eyes on a made-up cohort",
        recipe="two-eyes",
        method=METHOD,
        roles=ROLES,
        command="pdl1 train --recipe two-eyes --cohort cohort.csv --out model",
        design=design,
        settings={
            "seed": 1,
            "coverage": 0.9,
            "choice": "simplest",
            "regions": {"spacing_mm": 1.0, "ring_mm": 3.0},
            "features": {"name": "made-up", "bin_width": 25.0, "wavelet": "coif1"},
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
        left_out={"ROS1": "only 4 positive cases in training; 10 are needed"} if "TPS" not in keys else {},
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


@pytest.fixture(scope="session")
def number_study() -> StudyOutcome:
    return build(keys=("TPS",), sizes=(150,))
