"""Right and wrong test cases with their heat maps, for the eye."""

from collections.abc import Mapping

import numpy as np
import torch

from PDL1PredictorLib.explain.grad_cam import grad_cams, normalize
from PDL1PredictorLib.imaging.patch import spread_map
from PDL1PredictorLib.imaging.volume import spread_volume_map
from PDL1PredictorLib.learning.parts.deep import network_of
from PDL1PredictorLib.learning.parts.network_volume import volume_network
from PDL1PredictorLib.learning.parts.part import PartModel
from PDL1PredictorLib.networks.deep_ct import input_channels
from PDL1PredictorLib.study.folds import Fold
from PDL1PredictorLib.study.outcome import (
    EndpointOutcome,
    GalleryCase,
    GalleryPlane,
    ModelOutcome,
    NumberGalleryCase,
    NumberModelOutcome,
    TimeModelOutcome,
)
from PDL1PredictorLib.study.run import StudyRun
from PDL1PredictorLib.study.setup import Study

EACH = 2  # cases called positive rightly, negative rightly, positive wrongly, negative wrongly; nearest, farthest
Shown = GalleryCase | NumberGalleryCase


def examples(study: Study, run: StudyRun, each: int = EACH) -> tuple[Shown, ...]:
    """The surest right and the surest wrong calls of every endpoint, each with the heat map of its own fold's network.

    Args:
        study: What was asked.
        run: What came out.
        each: Cases of each group, at most.

    Returns:
        None where the endpoint's model has no network, or one whose maps are not made here.
    """
    if run.trained.network is None or not _sees(run.kept.learned.parts):
        return ()
    row_of = {name: row for row, name in enumerate(study.cohort.names)}
    fold_of = {int(row): fold for fold in run.folds for row in fold.test}
    wanted: dict[int, list[tuple[str, int]]] = {}
    for key, outcome in run.endpoints.items():
        for index in surest(outcome, each):
            wanted.setdefault(row_of[outcome.cases[index]], []).append((key, index))
    heat: dict[tuple[str, int], np.ndarray] = {}
    for fold in run.folds:
        rows = [row for row in wanted if fold_of[row] is fold]
        maps = _heat_maps(study, fold, rows)
        for row, of_row in zip(rows, maps, strict=True):
            for key, index in wanted[row]:
                heat[key, index] = of_row[study.cohort.endpoints.index(key)]
    return tuple(
        _case(study, outcome, index, row_of[outcome.cases[index]], heat[key, index])
        for key, outcome in run.endpoints.items()
        for index in surest(outcome, each)
    )


def surest(outcome: EndpointOutcome, each: int) -> list[int]:
    """Positions of the cases, the surest first in every group; of numbers the nearest and the farthest answers.

    None of times: most are censored, so that nobody knows who was told rightly.
    """
    model = outcome.models[outcome.lead]
    if isinstance(model, TimeModelOutcome):
        return []
    if isinstance(model, NumberModelOutcome):
        order = np.argsort(np.abs(model.value - outcome.labels), kind="stable")
        return list(dict.fromkeys(int(index) for index in (*order[:each], *order[::-1][:each])))
    chosen: list[int] = []
    for label, called in ((1, True), (0, False), (0, True), (1, False)):
        group = np.flatnonzero(model.called & (outcome.labels == label) & (model.positive == called))
        surest = np.argsort(model.probability[group] * (-1 if called else 1), kind="stable")[:each]
        chosen += [int(index) for index in group[surest]]
    return chosen


def _heat_maps(study: Study, fold: Fold, rows: list[int]) -> list[np.ndarray]:
    """(endpoints, h, w), or (endpoints, d, h, w), of each row, scaled to 0 to 1."""
    if not rows:
        return []
    cohort = study.cohort
    volume = volume_network(fold.learned.parts)
    if volume is not None:
        return list(volume.maps(np.array(rows)))
    model = network_of(fold.learned.parts)
    if model is None:
        return []
    network = model.network().eval()
    maps = []
    for row in rows:
        hu = torch.from_numpy(cohort.patches_hu[row, :1].astype(np.float32))
        tumor = torch.from_numpy(cohort.patches_tumor[row, :1].astype(np.float32))
        with torch.enable_grad():
            output = network(input_channels(hu, tumor).requires_grad_())
            maps.append(normalize(grad_cams(output.maps, output.logits))[0].cpu().numpy())
    return maps


def _case(study: Study, outcome: EndpointOutcome, index: int, row: int, heat: np.ndarray) -> Shown:
    cohort = study.cohort
    if heat.ndim == 3:
        return _volume_case(study, outcome, index, row, heat)
    hu, tumor = cohort.patches_hu[row, 0], cohort.patches_tumor[row, 0]
    pictures = {"hu": hu, "tumor": tumor, "heat": spread_map(heat, (hu.shape[0], hu.shape[1]))}
    if numbers := outcome.number_models():
        model = numbers[outcome.lead]
        value, low, high = (float(values[index]) for values in (model.value, model.low, model.high))
        truth = float(outcome.labels[index])
        return NumberGalleryCase(outcome.key, outcome.cases[index], truth, value, low, high, **pictures)
    called = outcome.binary_models()[outcome.lead]
    probability, positive = float(called.probability[index]), bool(called.positive[index])
    label = int(outcome.labels[index])
    return GalleryCase(outcome.key, outcome.cases[index], label, probability, positive, **pictures)


def _sees(parts: Mapping[str, PartModel]) -> bool:
    """Whether there is a network whose maps are made here: of deep features, or of volumes."""
    return network_of(parts) is not None or volume_network(parts) is not None


def _volume_case(study: Study, outcome: EndpointOutcome, index: int, row: int, heat: np.ndarray) -> GalleryCase:
    """Three planes through the middle of the cube, which is the tumor's centroid."""
    model, cohort = outcome.models[outcome.lead], study.cohort
    if not isinstance(model, ModelOutcome):
        raise TypeError("a network of volumes answers yes or no")
    hu, tumor = cohort.block("volume")[row], cohort.block("volume_tumor")[row]
    layers = (hu, tumor, spread_volume_map(heat, hu.shape))
    middle = len(hu) // 2
    axial_hu, axial_tumor, axial_heat = (layer[middle] for layer in layers)
    coronal = GalleryPlane("coronal", *(layer[::-1, middle] for layer in layers))  # superior at the top
    sagittal = GalleryPlane("sagittal", *(layer[::-1, :, middle] for layer in layers))
    return GalleryCase(
        outcome.key,
        outcome.cases[index],
        int(outcome.labels[index]),
        float(model.probability[index]),
        bool(model.positive[index]),
        axial_hu,
        axial_tumor,
        axial_heat,
        (coronal, sagittal),
    )
