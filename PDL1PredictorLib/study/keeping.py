"""What is kept of a study's last training: the lead models, and all that a bundle is written from."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.learning.crossfit import Inputs, Learned
from PDL1PredictorLib.learning.deep.inference import channels_of, deep_features
from PDL1PredictorLib.learning.kinds import Fitted, Rules, rules
from PDL1PredictorLib.learning.parts.deep import deep_part
from PDL1PredictorLib.learning.recipe import ModelPlan, Recipe, lead_plan
from PDL1PredictorLib.learning.reference import reference_of
from PDL1PredictorLib.learning.selection import fit_standardizer
from PDL1PredictorLib.learning.trained import Trained, TrainedEndpoint, TrainedNetwork
from PDL1PredictorLib.models.schema.origin import case_hashes
from PDL1PredictorLib.networks.deep_ct import DeepCT

SHOWN = 2  # cases on which the network's files are held against the network
MOST_ANSWERED = 300  # cases whose answers are held against those of rounded weights


def trained_of(
    cohort: PreparedCohort,
    recipe: Recipe,
    learned: Learned,
    models: Mapping[str, Mapping[str, Fitted]],
    test: np.ndarray,
    tests: Mapping[str, dict[str, Any] | None],
    left_out: dict[str, str],
) -> Trained:
    """All that the bundle is written from.

    Args:
        cohort: All cases.
        recipe: How.
        learned: Of the training that is kept.
        models: Endpoint to its fitted models, by title.
        test: Rows of the test cases; may be none.
        tests: Endpoint to its figures.
        left_out: Endpoint to the reason.
    """
    lead = lead_plan(recipe)
    fitted = {key: found[lead.name.title] for key, found in models.items()}
    chosen = {key: _chosen(learned, lead, key, model) for key, model in fitted.items()}
    used = tuple(sorted({name for key in fitted for name in learned.features(lead.parts, key, chosen[key])}))
    standardizer = fit_standardizer(cohort.features[np.sort(learned.rows)]) if used else None
    return Trained(
        recipe=recipe,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        network=_network(cohort, learned, lead, fitted, test),
        standardizer=standardizer,
        feature_names=cohort.feature_names,
        used_features=used,
        endpoints={
            key: TrainedEndpoint(
                kind=cohort.targets[key].kind,
                parts=lead.parts,
                entry=_entry(learned, lead, key, chosen[key]),
                model=model,
                test=tests[key],
            )
            for key, model in fitted.items()
        },
        left_out=left_out,
        reference=reference_of(
            used,
            cohort.feature_names,
            standardizer,
            None if standardizer is None else cohort.features,
            learned.held_out,
            sanity=cohort.blocks.get("sanity"),
            deep=_honest_deep(cohort, learned, lead),
        ),
        n_fit=len(learned.rows),
        n_test=len(test),
        training_cases=tuple(case_hashes(cohort.take(learned.rows).ct_sha256)),
    )


def _honest_deep(cohort: PreparedCohort, learned: Learned, lead: ModelPlan) -> np.ndarray | None:
    """Deep features of all cases, each by a network that has not seen it; NaN of cases that taught nothing."""
    name, model = deep_part({part: learned.parts[part] for part in lead.parts})
    if model is None:
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
    cohort: PreparedCohort, learned: Learned, lead: ModelPlan, fitted: Mapping[str, Fitted], test: np.ndarray
) -> TrainedNetwork | None:
    """The network of the lead model, with what its files are held against."""
    name, model = deep_part({part: learned.parts[part] for part in lead.parts})
    if model is None:
        return None
    rows = (test if len(test) else np.sort(learned.rows))[:MOST_ANSWERED]
    shown = cohort.take(rows)
    inputs = learned.inputs(cohort, rows)

    def answers(network: DeepCT) -> np.ndarray:
        deep, _ = deep_features(network, shown)
        own = Inputs(inputs.n, {**inputs.values, name: deep})
        return np.concatenate(
            [rules(cohort.targets[key].kind).answers(m, own.of(lead.parts, key)).answer for key, m in fitted.items()]
        )

    return TrainedNetwork(
        network=model.network(),
        history=model.history,
        outputs=tuple(cohort.endpoints.index(key) for key in fitted),
        patches=channels_of(shown.take(np.arange(min(SHOWN, len(shown))))),
        probabilities=answers,
    )
