"""A model that is small and quick, with numbers chosen so that sums can be done by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.classifiers import Chosen
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.export import About, export_bundle
from PDL1PredictorLib.learning.fitting import YOUDEN, FittedModel
from PDL1PredictorLib.learning.reference import Reference
from PDL1PredictorLib.learning.selection import Standardizer
from PDL1PredictorLib.learning.trained import Trained, TrainedEndpoint, TrainedNetwork
from PDL1PredictorLib.models.bundle import Bundle
from PDL1PredictorLib.models.schema.reference import SCORES
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.recipes.deepradscore import DeepRadScoreRecipe

N_DEEP = 10
TINY_ENDPOINTS = ("PDL1", "EGFR")
RADSCORE = {
    "tumor": {"tumor_original_firstorder_Mean": 0.5, "tumor_original_firstorder_Range": -0.25},
    "ring": {"ring_original_firstorder_Mean": 2.0},
}


def tiny_recipe() -> DeepRadScoreRecipe:
    """First-order features only, two endpoints: enough for all parts, quick to extract."""
    return DeepRadScoreRecipe(
        endpoints=TINY_ENDPOINTS,
        regions=RegionSettings(),
        features=FeatureSettings(name="first-order", classes=("firstorder",), wavelet=None),
        deep=DeepTraining(stages=(Stage(1, 64, 1e-3),), batch=10),
        n_repeats=1,
        n_bootstrap=20,
    )


def tiny_trained() -> Trained:
    """What training brings back, with numbers chosen so that sums can be done by hand."""
    recipe = tiny_recipe()
    names = recipe.features.feature_names()
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, N_DEEP + 2))
    labels = (inputs[:, -1] + 0.5 * rng.normal(size=60) > 0).astype(int)
    endpoints = {key: _endpoint(inputs, labels) for key in TINY_ENDPOINTS}
    used = ("ring_original_firstorder_Mean", "tumor_original_firstorder_Mean", "tumor_original_firstorder_Range")
    patch = rng.random((1, 3, 64, 64)).astype(np.float32)
    return Trained(
        recipe=recipe,
        created_utc="2026-01-01T00:00:00+00:00",
        needs=recipe.needs,
        network=TrainedNetwork(_seeded_network(), (), (0, 1), patch),
        standardizer=Standardizer(np.full(len(names), 10.0), np.full(len(names), 20.0), np.ones(len(names), bool)),
        feature_names=names,
        used_features=used,
        endpoints=endpoints,
        left_out={},
        reference=tiny_reference(used),
        n_fit=40,
        n_test=20,
    )


def tiny_reference(used: tuple[str, ...]) -> Reference:
    """Means 0, SDs 1; 39 held-out cases, of which two have a score of 3 in every view and the others less."""
    mean, deep = np.zeros(3), np.zeros(N_DEEP)
    spread = np.array([50.0, 50.0, 50.0, 100.0, 100.0, 50.0, 1.5, 0.5, 1.0, 0.05, 1.0])
    held_out = np.repeat(np.r_[np.linspace(0.1, 2.9, 37), 3.0, 3.0][:, None], 5, axis=1)
    tables = {
        "reference/mean": mean,
        "reference/precision": np.eye(3),
        "reference/deep/mean": deep,
        "reference/deep/precision": np.eye(N_DEEP) / 1e4,
        "reference/sanity/middle": np.array([0.0, 60.0, 60.0, -500.0, 300.0, -850.0, 2.0, -0.3, 0.4, 0.01, 2.5]),
        "reference/sanity/below": spread,
        "reference/sanity/above": spread,
        "reference/sanity/mean": np.zeros(11),
        "reference/sanity/precision": np.eye(11) / 100,
        "reference/held_out": held_out,
    }
    return Reference(used, dict.fromkeys(SCORES, 3.0), tables)


def _endpoint(inputs: np.ndarray, labels: np.ndarray) -> TrainedEndpoint:
    estimator = LogisticRegression().fit(inputs, labels)
    kind = "logistic regression"
    model = FittedModel(
        mean=np.zeros(N_DEEP + 2),
        sd=np.full(N_DEEP + 2, 2.0),
        chosen=Chosen(kind, estimator, np.arange(N_DEEP + 2), {kind: 0.9}, np.full(60, 0.5)),
        inputs=inputs,
        slope=0.8,
        intercept=-0.1,
        calibrations=np.column_stack([np.linspace(0.6, 1.0, 20), np.linspace(-0.3, 0.1, 20)]),
        conformal=(0.6, 0.7),
        thresholds={YOUDEN: 0.45},
    )
    test = {"auc": 0.8, "low": 0.7, "high": 0.9, "n_positive": 11, "n_negative": 9}
    return TrainedEndpoint(
        "binary", ("deep", "radscore"), {"radscore": RADSCORE}, model, test, title="Deep-RadScore", base_rate=0.55
    )


def _seeded_network() -> DeepCT:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return DeepCT(len(TINY_ENDPOINTS), N_DEEP).eval()


def tiny_card(manifest: dict[str, Any]) -> str:
    """A card of one line."""
    return f"# {manifest['title']}\n\nResearch use only.\n"


def export_tiny(trained: Trained, folder: Path, overwrite: bool = False) -> Bundle:
    """Write it as a bundle."""
    about = About(
        title="Deep-RadScore, synthetic cohort",
        intended_use="To show and test the software. It must not guide care.",
        cohort="Synthetic cohort of this library: 40 patients to train, 20 to test.",
        limitations=("Trained on synthetic phantoms; it knows nothing of real tumors.",),
        card=tiny_card,
    )
    return export_bundle(trained, about, folder, overwrite)


def write_tiny_model(folder: Path, trained: Trained | None = None) -> Path:
    """The model as a bundle."""
    export_tiny(trained or tiny_trained(), folder)
    return folder
