"""The five backbones on one endpoint: the same cases, seed and training for each, and what each costs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.deep.cost import measured
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.deep.training import train_deep_ct
from PDL1PredictorLib.learning.deep.weights import TITLES
from PDL1PredictorLib.networks.names import WHOLE
from PDL1PredictorLib.statistics.discrimination import auc

TEST_SHARES, VALIDATION_SHARES = (0.7, 0.3), (0.75, 0.25)
COMPARISON = DeepTraining(stages=(Stage(24, 112, 1e-3),), patience=8, class_weights=True)


def compare_backbones(
    fit: PreparedCohort,
    validation: PreparedCohort,
    test: PreparedCohort,
    endpoint: str,
    settings: DeepTraining,
    seed: int = 1,
    device: str = "cpu",
    names: Sequence[str] = WHOLE,
    progress: Progress = SILENT,
) -> list[dict[str, Any]]:
    """Train Deep-CT once on every backbone, from random weights, and measure it on the test cases.

    Args:
        fit: Training cases.
        validation: Their loss is watched; with `settings.patience` it decides when to stop.
        test: Cases that nothing has seen.
        endpoint: Key; cases without its label are not used.
        settings: How; the same for all but the backbone.
        seed: The same for all.
        device: Where.
        names: Backbones, in this order.
        progress: Told after every step.

    Returns:
        A row of plain values for each: `backbone` (title), `key`, `auc`, `low` and `high` (95 %, DeLong),
        `n_positive`, `n_negative`, `parameters` (of the network as trained), `epochs`, `seconds` (of the training),
        `peak_memory_mb` (see `cost.Cost`), `device`.

    Raises:
        InputError: There is no such endpoint, a part has one class only, or the crop is too small for a backbone.
    """
    given = {"fit": fit, "validation": validation, "test": test}
    parts = tuple(_known(part, endpoint, name) for name, part in given.items())
    rows = []
    for position, name in enumerate(names):
        low, high = position / len(names), (position + 1) / len(names)
        with progress.part(name, low, high, f"training {TITLES[name]}") as part:
            rows.append(_row(name, parts, replace(settings, backbone=name), seed, device, part))
    return rows


def divided(
    cohort: PreparedCohort, patients: Sequence[str], seed: int, test: np.ndarray | None = None
) -> tuple[PreparedCohort, PreparedCohort, PreparedCohort]:
    """Fit, validation and test cases, no patient in two of them; a study of the same seed and endpoint divides alike.

    Args:
        cohort: All cases.
        patients: Of each case.
        seed: Decides between equals.
        test: Rows of the test cases, where the cohort's table says which they are; None takes 30 % of the patients.
    """
    owner = np.asarray(patients)
    if test is None:
        train, test = stratified_parts(patients, cohort.labels, TEST_SHARES, np.random.default_rng([seed, 10]))
    else:
        train = np.setdiff1d(np.arange(len(cohort)), test)
    rng = np.random.default_rng([seed, 11])
    fit, validation = stratified_parts(owner[train].tolist(), cohort.labels[train], VALIDATION_SHARES, rng)
    return cohort.take(train[fit]), cohort.take(train[validation]), cohort.take(test)


def _known(cohort: PreparedCohort, endpoint: str, part: str) -> PreparedCohort:
    """The cases whose label is known, with this endpoint alone."""
    if endpoint not in cohort.endpoints:
        raise InputError(f"The cohort has no endpoint {endpoint!r}; it has {', '.join(cohort.endpoints)}.")
    column = cohort.endpoints.index(endpoint)
    known = cohort.take(np.flatnonzero(np.isfinite(cohort.labels[:, column])))
    labels = known.labels[:, column]
    if part != "validation" and len(np.unique(labels)) < 2:
        raise InputError(f"The {part} cases need both positive and negative {endpoint}. Give more cases.")
    return known.with_targets({endpoint: known.targets[endpoint]})


def _row(
    name: str,
    parts: tuple[PreparedCohort, ...],
    settings: DeepTraining,
    seed: int,
    device: str,
    progress: Progress,
) -> dict[str, Any]:
    fit, validation, test = parts
    with measured(device) as cost:
        trained = train_deep_ct(fit, validation, settings, seed, device, progress=progress)
    _, logits = trained.deep_features(test, settings.stages[-1].pixels)
    found = auc(test.labels[:, 0].astype(int), logits[:, 0])
    return {
        "backbone": TITLES[name],
        "key": name,
        "auc": found.value,
        "low": found.interval[0],
        "high": found.interval[1],
        "n_positive": found.n_positive,
        "n_negative": found.n_negative,
        "parameters": sum(parameter.numel() for parameter in trained.network.parameters()),
        "epochs": len(trained.history),
        "seconds": round(cost.seconds, 1),
        "peak_memory_mb": None if cost.peak_memory_mb is None else round(cost.peak_memory_mb),
        "device": trained.device,
    }


def backbones_text(rows: Sequence[dict[str, Any]], endpoint: str, command: str) -> str:
    """The rows as a Markdown page.

    Args:
        rows: From `compare_backbones`.
        endpoint: Key.
        command: What makes it again.
    """
    first = rows[0]
    lines = [
        f"# Backbones of Deep-CT on {endpoint}",
        "",
        f"{first['n_positive']} positive and {first['n_negative']} negative test cases; trained from random weights "
        "with the same cases, seed and settings. Where intervals overlap, the order may be chance.",
        "",
        "| backbone | test AUC | 95 % interval (DeLong) | parameters | epochs | seconds | peak memory |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row['backbone']} | {row['auc']:.3f} | {row['low']:.3f} to {row['high']:.3f} | "
            f"{row['parameters'] / 1e6:.1f} M | {row['epochs']} | {row['seconds']:.0f} | {_memory(row)} |"
            for row in rows
        ),
        "",
        f"Made by `{command}` on {', '.join(sorted({row['device'] for row in rows}))}.",
    ]
    return "\n".join(lines) + "\n"


def _memory(row: dict[str, Any]) -> str:
    return "not known" if row["peak_memory_mb"] is None else f"{row['peak_memory_mb'] / 1000:.1f} GB"
