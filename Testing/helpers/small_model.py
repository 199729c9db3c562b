"""A model that is small and quick, with numbers chosen so that sums can be done by hand."""

from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.learning.classifiers import Chosen
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.deep.training import TrainedDeepCT
from PDL1PredictorLib.learning.fitting import YOUDEN, FittedModel
from PDL1PredictorLib.learning.selection import Standardizer
from PDL1PredictorLib.learning.trained import Reference, Trained, TrainedEndpoint
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.recipes.demo import DemoRecipe
from PDL1PredictorLib.recipes.demo_card import export_demo
from PDL1PredictorLib.statistics.discrimination import Auc

N_DEEP = 10
TINY_ENDPOINTS = ("PDL1", "EGFR")


def tiny_recipe() -> DemoRecipe:
    """First-order features only, two endpoints: enough to be a Deep-RadScore, quick to extract."""
    return DemoRecipe(
        n_train=40,
        n_test=20,
        endpoints=TINY_ENDPOINTS,
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
    endpoints = {}
    for key in TINY_ENDPOINTS:
        estimator = LogisticRegression().fit(inputs, labels)
        endpoints[key] = TrainedEndpoint(
            coefficients={
                "tumor": {"tumor_original_firstorder_Mean": 0.5, "tumor_original_firstorder_Range": -0.25},
                "ring": {"ring_original_firstorder_Mean": 2.0},
            },
            model=FittedModel(
                mean=np.zeros(N_DEEP + 2),
                sd=np.full(N_DEEP + 2, 2.0),
                chosen=Chosen("logistic regression", estimator, {"logistic regression": 0.9}, np.full(60, 0.5)),
                inputs=inputs,
                slope=0.8,
                intercept=-0.1,
                calibrations=np.column_stack([np.linspace(0.6, 1.0, 20), np.linspace(-0.3, 0.1, 20)]),
                conformal=(0.6, 0.7),
                thresholds={YOUDEN: 0.45},
            ),
            test_auc=Auc(0.8, (0.7, 0.9), 11, 9),
        )
    reference = ("ring_original_firstorder_Mean", "tumor_original_firstorder_Mean", "tumor_original_firstorder_Range")
    return Trained(
        recipe=recipe,
        created_utc="2026-01-01T00:00:00+00:00",
        deep=TrainedDeepCT(_seeded_network(), ()),
        standardizer=Standardizer(np.full(len(names), 10.0), np.full(len(names), 20.0), np.ones(len(names), bool)),
        feature_names=names,
        endpoints=endpoints,
        left_out={},
        reference=Reference(reference, np.zeros(3), np.eye(3), 3.0),
        n_fit=30,
        n_validation=10,
        n_test=20,
    )


def _seeded_network() -> DeepCT:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return DeepCT(len(TINY_ENDPOINTS), N_DEEP).eval()


def write_tiny_model(folder: Path, trained: Trained | None = None) -> Path:
    """The model as a bundle."""
    export_demo(trained or tiny_trained(), folder)
    return folder
