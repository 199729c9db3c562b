"""What is kept of a study's last training: the endpoints' models, and all that a bundle is written from."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.learning.bootstrap import bootstrap_fusion
from PDL1PredictorLib.learning.crossfit import Inputs, Learned
from PDL1PredictorLib.learning.deep.inference import channels_of, contours_of, deep_features
from PDL1PredictorLib.learning.fitting import FittedModel
from PDL1PredictorLib.learning.kinds import Fitted, Rules, rules
from PDL1PredictorLib.learning.parts.clinical import imputer_of
from PDL1PredictorLib.learning.parts.deep import network_of, seen_by
from PDL1PredictorLib.learning.parts.network import NetworkAnswers, answering_of
from PDL1PredictorLib.learning.parts.part import PartModel
from PDL1PredictorLib.learning.parts.stacked import StackedAnswers
from PDL1PredictorLib.learning.recipe import ModelPlan, Recipe
from PDL1PredictorLib.learning.reference import reference_of
from PDL1PredictorLib.learning.selection import fit_standardizer
from PDL1PredictorLib.learning.trained import EndToEnd, Trained, TrainedEndpoint, TrainedNetwork
from PDL1PredictorLib.models.schema.kernels import kernels_of
from PDL1PredictorLib.models.schema.origin import case_hashes
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.study.choosing import Choice

SHOWN = 2  # cases on which the network's files are held against the network
MOST_ANSWERED = 300  # cases whose answers are held against those of rounded weights


class Shipped(NamedTuple):
    """The model of an endpoint, as the bundle gets it.

    Attributes:
        plan: How it was fitted.
        model: Fitted on all training cases.
        choice: Why it is this one.
        test: Its figures, for the manifest.
    """

    plan: ModelPlan
    model: Fitted
    choice: Choice
    test: dict[str, Any] | None


def trained_of(
    cohort: PreparedCohort,
    recipe: Recipe,
    learned: Learned,
    shipped: Mapping[str, Shipped],
    test: np.ndarray,
    left_out: dict[str, str],
) -> Trained:
    """All that the bundle is written from.

    Args:
        cohort: All cases.
        recipe: How.
        learned: Of the training that is kept.
        shipped: Endpoint to its model.
        test: Rows of the test cases; may be none.
        left_out: Endpoint to the reason.
    """
    chosen = {key: _chosen(learned, one.plan, key, one.model) for key, one in shipped.items()}
    used = tuple(
        sorted({n for key, one in shipped.items() for n in learned.features(one.plan.parts, key, chosen[key])})
    )
    standardizer = fit_standardizer(cohort.features[np.sort(learned.rows)]) if used else None
    parts = {name: part for name, part in learned.parts.items() if any(name in s.plan.parts for s in shipped.values())}
    return Trained(
        recipe=recipe,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        needs=_needs(recipe, parts),
        network=_network(cohort, learned, parts, shipped, test),
        standardizer=standardizer,
        feature_names=cohort.feature_names,
        used_features=used,
        endpoints={key: _endpoint(cohort, recipe, learned, key, one, chosen[key]) for key, one in shipped.items()},
        left_out=left_out,
        reference=reference_of(
            used,
            cohort.feature_names,
            standardizer,
            None if standardizer is None else cohort.features,
            learned.held_out,
            sanity=cohort.blocks.get("sanity"),
            deep=_honest_deep(cohort, learned, parts),
        ),
        n_fit=len(learned.rows),
        n_test=len(test),
        training_cases=tuple(case_hashes(cohort.take(learned.rows).ct_sha256)),
        imputer=imputer_of(parts),
        training_kernels=kernels_of(cohort.people.get(cohort.names[row], Clinical()).kernel for row in learned.rows),
        voxel_maps=_voxel_maps(learned, shipped),
    )


def _voxel_maps(learned: Learned, shipped: Mapping[str, Shipped]) -> tuple[str, ...]:
    """Features that are mapped beside the heat map: of the first endpoint that a network answers."""
    parts = ((key, learned.parts[part]) for key, one in shipped.items() for part in one.plan.parts)
    return next((part.mapped(key) for key, part in parts if isinstance(part, NetworkAnswers)), ())


def _needs(recipe: Recipe, parts: Mapping[str, PartModel]) -> Needs:
    """What the models that are shipped ask of a case: no picture without a network, no value that nobody reads."""
    answering, own = answering_of(parts), replace(recipe.needs, slabs=0)  # what reads slabs is never shipped
    columns = () if answering is None else answering.columns
    if imputer_of(parts) is None and not set(columns) & set(own.clinical):
        own = replace(own, clinical=(), declared=())
    if network_of(parts) is None and answering is None:
        return replace(own, picture="none", pet="no", volume=None)
    return own


def _endpoint(
    cohort: PreparedCohort, recipe: Recipe, learned: Learned, key: str, one: Shipped, chosen: tuple[str, ...]
) -> TrainedEndpoint:
    target = cohort.targets[key].take(learned.rows)
    yes_no = isinstance(one.model, FittedModel)
    labels = target.values[target.known]
    how = recipe.fitting(True)
    return TrainedEndpoint(
        kind=target.kind,
        parts=tuple(learned.parts[part].form for part in one.plan.parts),
        entry=_entry(learned, one.plan, key, chosen),
        files=_files(learned, one.plan, key),
        model=one.model,
        test=one.test,
        title=one.choice.title,
        role=one.choice.role,
        base_rate=float(labels.mean()) if yes_no else None,
        candidates=tuple(asdict(candidate) for candidate in one.choice.candidates),
        simpler=one.choice.simpler,
        resampled=bootstrap_fusion(one.model, labels.astype(int), how.n_bootstrap, recipe.seed)
        if isinstance(one.model, FittedModel)
        else None,
    )


def _honest_deep(cohort: PreparedCohort, learned: Learned, parts: Mapping[str, PartModel]) -> np.ndarray | None:
    """Deep features of all cases, each by a network that has not seen it; NaN of cases that taught nothing."""
    if network_of(parts) is None:
        return None
    name = next((name for name, part in learned.parts.items() if part.form == "deep"), None)
    if name is None:
        return None
    found = np.asarray(learned.honest.of((name,), cohort.endpoints[0]))
    rows = np.full((len(cohort), found.shape[1]), np.nan)
    rows[learned.rows] = found
    return rows


def _chosen(learned: Learned, lead: ModelPlan, key: str, model: Fitted) -> tuple[str, ...]:
    """Names of the inputs that the model uses."""
    names = learned.names(lead.parts, key)
    return tuple(names[column] for column in model.columns)


def _entry(learned: Learned, lead: ModelPlan, key: str, chosen: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in lead.parts:
        found |= learned.parts[part].entry(key, chosen)
    return found


def _files(learned: Learned, plan: ModelPlan, key: str) -> dict[str, bytes]:
    """Of the parts that bring some: a classifier of a model within."""
    found: dict[str, bytes] = {}
    for part in (learned.parts[name] for name in plan.parts):
        found |= part.files(key) if isinstance(part, StackedAnswers) else {}
    return found


def regions_of(learned: Learned, kind: Rules, model: Fitted, lead: ModelPlan, key: str) -> dict[str, dict[str, float]]:
    """Region to feature to coefficient of the lead model; of features that are inputs themselves if it is linear."""
    weights = kind.weights(model)
    chosen = _chosen(learned, lead, key, model)
    named = {} if weights is None else dict(zip(chosen, weights.tolist(), strict=True))
    found: dict[str, dict[str, float]] = {}
    for part in lead.parts:
        for region, coefficients in learned.parts[part].coefficients(key, named).items():
            found.setdefault(region, {}).update(coefficients)
    return found


def _network(
    cohort: PreparedCohort,
    learned: Learned,
    parts: Mapping[str, PartModel],
    shipped: Mapping[str, Shipped],
    test: np.ndarray,
) -> TrainedNetwork | EndToEnd | None:
    """The network that the shipped models read, with what its files are held against."""
    rows = (test if len(test) else np.sort(learned.rows))[:MOST_ANSWERED]
    outputs = tuple(cohort.endpoints.index(key) for key in shipped)
    model, answering = network_of(parts), answering_of(parts)
    if answering is not None:
        return answering.end_to_end(outputs, rows[:SHOWN])
    if model is None:
        return None
    shown = cohort.take(rows)
    inputs = learned.inputs(cohort, rows)

    def answers(network: DeepCT) -> np.ndarray:
        own = Inputs(inputs.n, {**inputs.values, **seen_by(parts, *deep_features(network, shown))})
        return np.concatenate(
            [
                rules(cohort.targets[key].kind).answers(one.model, own.of(one.plan.parts, key)).answer
                for key, one in shipped.items()
            ]
        )

    network, few = model.network(), shown.take(np.arange(min(SHOWN, len(shown))))
    return TrainedNetwork(
        network=network,
        history=model.history,
        outputs=outputs,
        patches=channels_of(few),
        probabilities=answers,
        contours=contours_of(few) if network.pool == "contour" else None,
    )
