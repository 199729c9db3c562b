"""Pretraining of Deep-CT's backbone on lung nodules: malignancy, as radiologists voted, against the size alone."""

import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from PDL1PredictorLib import __version__
from PDL1PredictorLib.cohort.lidc import PARTS, Nodules, divided, read_nodules
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.deep.cost import measured
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.deep.training import TrainedDeepCT, train_deep_ct
from PDL1PredictorLib.statistics.discrimination import Auc, DelongTest, auc, delong_test

EPOCHS, PIXELS, SHIFT = 40, 64, 4


@dataclass(frozen=True)
class Pretraining:
    """Everything that decides what comes out.

    Attributes:
        seed: Of the split and the network.
        deep: How the network is trained; its one stage sees crops that are small, as nodules are. No early stopping:
            while the learning rate is high, the loss of so few validation nodules is low by chance in some epoch.
        regions: Patches of 1 mm pixels, wider than the crop by the shift.
    """

    seed: int = 1
    deep: DeepTraining = field(
        default_factory=lambda: DeepTraining(stages=(Stage(EPOCHS, PIXELS, 1e-3),), shift_pixels=SHIFT, moves="all")
    )
    regions: RegionSettings = field(default_factory=lambda: RegionSettings(patch_pixels=PIXELS + 2 * SHIFT))

    def with_backbone(self, name: str) -> "Pretraining":
        """The same for another backbone of `networks.names.BACKBONES`."""
        return replace(self, deep=replace(self.deep, backbone=name))

    def with_epochs(self, epochs: int) -> "Pretraining":
        """The same for another number of epochs."""
        return replace(self, deep=replace(self.deep, stages=(replace(self.deep.stages[0], epochs=epochs),)))


@dataclass(frozen=True, eq=False)
class Pretrained:
    """What came out.

    Attributes:
        settings: How it was made.
        trained: The network and its history.
        counts: Part to its numbers of nodules, of malignant ones, and of patients.
        network: AUC of the network on the test nodules, its logits averaged over their slices.
        size: AUC of a logistic regression on diameter and volume, fitted on the fit nodules.
        comparison: Network minus size, on the same test nodules.
        seconds: Of the training.
        peak_memory_mb: Of the training.
    """

    settings: Pretraining
    trained: TrainedDeepCT
    counts: dict[str, dict[str, int]]
    network: Auc
    size: Auc
    comparison: DelongTest
    seconds: float
    peak_memory_mb: float | None


def pretrain(
    folder: Path,
    settings: Pretraining,
    device: str = "cpu",
    progress: Progress = SILENT,
    checkpoint: Path | None = None,
) -> Pretrained:
    """Read the nodules, divide them by patient, train and measure.

    Args:
        folder: Of cropped LIDC nodules, see `study.lidc`.
        settings: How.
        device: Where the network is trained.
        progress: Told on the way.
        checkpoint: Keeps the training's state, so that one that was stopped goes on.

    Raises:
        InputError: The folder cannot be used, or has too few nodules of a class.
    """
    with progress.part("nodules", 0.0, 0.05, "reading the nodules") as part:
        nodules = read_nodules(folder, settings.regions, part)
    fit, validation, test = _split(nodules, settings.seed)
    with progress.part("network", 0.05, 0.97, "training the network") as part, measured(device) as cost:
        trained = train_deep_ct(
            fit.cohort, validation.cohort, settings.deep, settings.seed, device, None, part, checkpoint
        )
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    progress.step("test", 0.98, "measuring")
    truth = test.cohort.labels[:, 0].astype(int)
    by_network = trained.deep_features(test.cohort, settings.deep.stages[-1].pixels)[1][:, 0]
    by_size = _size_scores(fit, test)
    return Pretrained(
        settings=settings,
        trained=trained,
        counts={name: _counts(part) for name, part in zip(PARTS, (fit, validation, test), strict=True)},
        network=auc(truth, by_network),
        size=auc(truth, by_size),
        comparison=delong_test(truth, by_network, by_size),
        seconds=cost.seconds,
        peak_memory_mb=cost.peak_memory_mb,
    )


def _split(nodules: Nodules, seed: int) -> list[Nodules]:
    parts = [nodules.take(part) for part in divided(nodules.patients, nodules.cohort.labels, seed)]
    for name, part in zip(PARTS, parts, strict=True):
        malignant = int(part.cohort.labels.sum())
        if min(malignant, len(part) - malignant) < 2:
            raise InputError(
                f"The part '{name}' has {malignant} malignant of {len(part)} nodules; two of each kind are needed. "
                "Give more nodules."
            )
    return parts


def _size_scores(fit: Nodules, test: Nodules) -> np.ndarray:
    """What the size alone says: logistic regression on the logarithms of diameter and volume, (n,)."""
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(_sizes(fit), fit.cohort.labels[:, 0].astype(int))
    return np.asarray(model.decision_function(_sizes(test)))


def _sizes(nodules: Nodules) -> np.ndarray:
    return np.asarray(np.log(np.column_stack([nodules.diameter_mm, nodules.volume_mm3])))


def _counts(nodules: Nodules) -> dict[str, int]:
    return {
        "nodules": len(nodules),
        "malignant": int(nodules.cohort.labels.sum()),
        "patients": len(set(nodules.patients)),
    }


def pretrained_facts(result: Pretrained) -> dict[str, Any]:
    """All figures and settings as plain values for JSON."""
    return {
        "schema_version": "1.0",
        "library_version": __version__,
        "data": "LIDC-IDRI, nodules cropped to themselves",
        "label": "malignancy as radiologists voted, not pathology",
        "counts": result.counts,
        "test_auc": {"network": _auc_facts(result.network), "size": _auc_facts(result.size)},
        "network_minus_size": {
            "difference": result.comparison.difference,
            "low": result.comparison.interval[0],
            "high": result.comparison.interval[1],
            "p": result.comparison.p,
        },
        "history": [
            {name: loss if math.isfinite(loss) else None for name, loss in epoch.items()}
            for epoch in result.trained.history
        ],
        "device": result.trained.device,
        "warnings": list(result.trained.warnings),
        "seconds": round(result.seconds, 1),
        "peak_memory_mb": result.peak_memory_mb,
        "settings": {
            "seed": result.settings.seed,
            "deep": asdict(result.settings.deep),
            "regions": result.settings.regions.to_dict(),
        },
    }


def _auc_facts(measured_auc: Auc) -> dict[str, float | int]:
    return {
        "value": measured_auc.value,
        "low": measured_auc.interval[0],
        "high": measured_auc.interval[1],
        "n_positive": measured_auc.n_positive,
        "n_negative": measured_auc.n_negative,
    }


def pretrained_text(facts: dict[str, Any], command: str) -> str:
    """The same in Markdown.

    Args:
        facts: From `pretrained_facts`.
        command: What makes it again.
    """
    counts, difference = facts["counts"], facts["network_minus_size"]
    lines = [
        "# Backbone pretrained on lung nodules",
        "",
        f"{facts['data']} (CC BY 3.0; Armato et al. 2011, doi 10.1118/1.3528204). Label: {facts['label']}. The "
        "figures say how well the network repeats that vote; they are no accuracy of a diagnosis.",
        "",
        "| part | nodules | malignant | patients |",
        "|---|---|---|---|",
        *(f"| {name} | {c['nodules']} | {c['malignant']} | {c['patients']} |" for name, c in counts.items()),
        "",
        "| on the test nodules | AUC | 95 % interval (DeLong) |",
        "|---|---|---|",
        *(
            f"| {title} | {facts['test_auc'][key]['value']:.3f} | {facts['test_auc'][key]['low']:.3f} to "
            f"{facts['test_auc'][key]['high']:.3f} |"
            for key, title in (("network", "network"), ("size", "diameter and volume, logistic regression"))
        ),
        f"| difference | {difference['difference']:+.3f} | {difference['low']:+.3f} to {difference['high']:+.3f} "
        f"(p = {difference['p']:.2g}) |",
        "",
        f"Weights of the last of {len(facts['history'])} epochs; the validation nodules were only watched. "
        f"{facts['seconds']:.0f} s on {facts['device']}. Made by `{command}` with version {facts['library_version']}.",
        *facts["warnings"],
    ]
    return "\n".join(lines) + "\n"
