"""What a demo bundle says of itself, and its model card, written from what was measured."""

from functools import partial
from pathlib import Path
from typing import Any

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.learning.export import About, export_bundle
from PDL1PredictorLib.learning.trained import Trained
from PDL1PredictorLib.models.bundle import Bundle
from PDL1PredictorLib.phantom.truth import bayes_auc

TITLE = "Deep-RadScore, synthetic cohort"
INTENDED_USE = (
    "To show and test the software from end to end. It was trained on synthetic phantoms: what it says about a "
    "real patient "
    "means nothing. It must not guide care."
)
LIMITATIONS = (
    "Trained on synthetic phantoms whose labels are drawn from an invented rule; it knows nothing of real tumors.",
    "Its figures hold for further synthetic patients only and say nothing about accuracy in people.",
    "The network saw one axial slice per tumor, in three windows, and was trained from random weights.",
    "The interval speaks of the calibration's uncertainty only, not of the image's or the contour's.",
)


def export_demo(trained: Trained, folder: Path, overwrite: bool = False) -> Bundle:
    """Write the outcome of `train_demo` as a bundle; see `export_bundle`."""
    about = About(
        title=TITLE,
        intended_use=INTENDED_USE,
        cohort=(
            f"Synthetic cohort of this library, seed {trained.recipe.seed}: {trained.n_fit} patients to fit, "
            f"{trained.n_validation} to choose and "
            f"calibrate the classifier, {trained.n_test} to test."
        ),
        limitations=LIMITATIONS,
        recipe_name="demo",
        card=partial(model_card, trained=trained),
        bayes_auc={key: float(bayes_auc(key)) for key in trained.endpoints},
    )
    return export_bundle(trained, about, folder, overwrite)


def model_card(manifest: dict[str, Any], trained: Trained) -> str:
    """Markdown of the card: what the model is, what it was trained on, how it did, what it cannot do."""
    command = (
        f"pdl1 train --recipe demo --seed {trained.recipe.seed} "
        f"--n {trained.n_fit + trained.n_validation} --n-test {trained.n_test}"
    )
    parts = [
        f"# {manifest['title']} (`{manifest['name']}`)",
        f"**{RESEARCH_USE_ONLY}**",
        manifest["intended_use"],
        "## Trained on",
        f"{manifest['cohort']} About a tenth of the labels is missing at random. No real patient is in it.",
        "## How",
        _METHOD,
        "## Test figures",
        f"On the {trained.n_test} synthetic patients that nothing had seen. The Bayes AUC is what the cohort's "
        "own truth reaches: no model can "
        "do better. Intervals: DeLong, 95 %.",
        _table(manifest),
        _left_out(manifest["left_out"]),
        f"Made by `{command}` with version {manifest['library_version']}; the same command makes the same numbers.",
        "## Limitations",
        "\n".join(f"- {sentence}" for sentence in manifest["limitations"]),
        "## Licence",
        f"{manifest['licence']}. The bundle holds weights and numbers only; nothing in it is executed.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_METHOD = """\
Deep-RadScore (Deep-CT, RadScore of tumor and 3 mm ring, fused), with the choices where the paper is silent:

- Radiomics: 851 features per region (original, wavelet coif1, bin width 25) on 1 mm voxels; z-score, Mann-Whitney U
  (p < 0.05), correlation pruning (|rho| > 0.9), LASSO by 5-fold cross-validation, on the fit cases only.
- Deep-CT: DenseNet121, one backbone for all endpoints, 10 deep features; lung window, soft-tissue window, and the
  soft-tissue window inside the contour as its three channels; from random weights; a fixed number of epochs, so that
  no case decides when to stop.
- Fusion: 10 deep features and 2 RadScores; the classifier with the best mean AUC in 5-fold cross-validation repeated
  10 times, fitted on the validation cases, which neither the features nor the network were fitted on.
- Calibration: Platt on out-of-fold predictions; the interval resamples it. Prediction sets: class-conditional
  conformal, 90 % coverage by design.
- Unlike-the-cohort warning: Mahalanobis distance of the selected features, Ledoit-Wolf covariance, against the 99th
  percentile."""


def _table(manifest: dict[str, Any]) -> str:
    lines = [
        "| endpoint | positive means | classifier | test AUC | 95 % interval | positive / negative | Bayes AUC |",
        "|---|---|---|---|---|---|---|",
    ]
    for key in manifest["endpoint_order"]:
        model = manifest["endpoints"][key]
        measured = model["test"]
        figures = (
            "not measured | - | -"
            if measured is None
            else f"{measured['auc']:.3f} | {measured['low']:.3f} to {measured['high']:.3f} | "
            f"{measured['n_positive']} / {measured['n_negative']}"
        )
        kind = model["model"]["kind"]
        lines.append(f"| {key} | {endpoint(key).definition} | {kind} | {figures} | {model['bayes_auc']:.3f} |")
    return "\n".join(lines)


def _left_out(reasons: dict[str, str]) -> str:
    if not reasons:
        return ""
    return "Without a model: " + "; ".join(f"{key} ({reason})" for key, reason in reasons.items()) + "."
