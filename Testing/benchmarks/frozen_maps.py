"""What the maps of a frozen ResNet50 tell of an endpoint, layer by layer, over the picture and within the contour.

    python Testing/benchmarks/frozen_maps.py --weights lidc-resnet50.safetensors --cache CACHE

The training patients of `pdl1 train --recipe dlr --n 600 --seed 1`, one slice each. For each layer the maps are pooled,
and an L2 logistic regression is judged by five folds; the best of five penalties is told, so that the figures are a
little too good, all of them alike. `docs/results.md` holds the table.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn import functional

from PDL1PredictorLib.cohort.prepare import PhantomSource, prepare
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.learning.deep.weights import load_backbone
from PDL1PredictorLib.networks.channels import channels
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.recipes.dlr import DlrRecipe

N, SEED, AT_ONCE = 600, 1, 16
LAYERS = ("layer1", "layer2", "layer3", "layer4")
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
VIEWS = ((112, 1), (64, 1), (64, 2))  # edge in mm; how many pixels a mm


def pooled(network: DeepCT, x: np.ndarray, tumor: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Layer to the mean over the picture (n, c), and mean and SD within the contour (n, 2 c)."""
    found: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in LAYERS}
    for first in range(0, len(x), AT_ONCE):
        inside = torch.from_numpy(tumor[first : first + AT_ONCE].astype(np.float32))[:, None]
        maps = torch.from_numpy(x[first : first + AT_ONCE])
        for name, layer in network.features.named_children():
            maps = layer(maps)
            if name not in found:
                continue
            weights = functional.adaptive_avg_pool2d(inside, maps.shape[2:])
            weights = weights / weights.sum(dim=(2, 3), keepdim=True).clamp(min=1e-6)
            mean = (maps * weights).sum(dim=(2, 3), keepdim=True)
            spread = ((maps - mean) ** 2 * weights).sum(dim=(2, 3)).sqrt()
            found[name].append((maps.mean(dim=(2, 3)), torch.cat([mean[:, :, 0, 0], spread], dim=1)))
    joined = {name: [torch.cat(part).numpy() for part in zip(*parts, strict=True)] for name, parts in found.items()}
    return {name: (over, within) for name, (over, within) in joined.items()}


def area(x: np.ndarray, y: np.ndarray) -> float:
    """AUC of held-out answers, of the best penalty."""
    folds = StratifiedKFold(5, shuffle=True, random_state=0)

    def by(c: float) -> float:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=3000))
        return float(roc_auc_score(y, cross_val_predict(model, x, y, cv=folds, method="decision_function")))

    return max(by(c) for c in PENALTIES)


def seen(hu: np.ndarray, tumor: np.ndarray, edge: int, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """The middle of pictures (n, p, p), enlarged: channels (n, 3, q, q) and contour (n, q, q)."""
    begin = (hu.shape[-1] - edge) // 2
    parts = [torch.from_numpy(part[:, None, begin : begin + edge, begin : begin + edge] * 1.0) for part in (hu, tumor)]
    size = (edge * scale, edge * scale)
    large = functional.interpolate(parts[0], size, mode="bilinear", align_corners=False)[:, 0].numpy()
    inside = functional.interpolate(parts[1], size, mode="nearest")[:, 0].numpy() > 0.5
    return channels(large.astype(np.float32), inside), inside


def rows(network: DeepCT, hu: np.ndarray, tumor: np.ndarray, y: np.ndarray, title: str) -> Iterator[str]:
    """Of the table."""
    for edge, scale in VIEWS:
        with torch.no_grad():
            found = pooled(network, *seen(hu, tumor, edge, scale))
        view = f"{edge} mm" + (", twice enlarged" if scale > 1 else "")
        for name, (over, within) in found.items():
            yield f"| {title} | {view} | {name[-1]} | {area(over, y):.2f} | {area(within, y):.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--endpoint", default="PDL1")
    options = parser.parse_args()
    recipe = DlrRecipe((options.endpoint,), clinical=("age_years", "sex", "smoking", "family_history"))
    sources = [PhantomSource(SEED, index, False, True) for index in range(N)]
    cohort = prepare(
        sources, recipe.endpoints, recipe.regions, recipe.features, options.cache, needs=recipe.needs, moved=0
    )
    rng = np.random.default_rng([SEED, 10])
    train, _ = stratified_parts(cohort.names, cohort.strata, (1 - recipe.test_share, recipe.test_share), rng)
    labels = cohort.targets[options.endpoint].values
    train = np.asarray(train)[np.isfinite(labels[train])]
    hu, tumor = cohort.patches_hu[train, 0], cohort.patches_tumor[train, 0]
    torch.manual_seed(SEED)
    trained, drawn = (DeepCT(1, 1, backbone="resnet50").eval() for _ in range(2))
    load_backbone(trained, options.weights)
    print("| weights | picture | layer | mean over the picture | mean and SD within the contour |")
    print("|---|---|---|---|---|")
    for network, title in ((trained, "of the file"), (drawn, "drawn")):
        for row in rows(network, hu, tumor, labels[train], title):
            print(row, flush=True)


if __name__ == "__main__":
    main()
