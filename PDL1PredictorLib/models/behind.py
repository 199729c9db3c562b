"""Which features stand behind an input that sums them up: a RadScore, or the L2 model of many features."""

from collections.abc import Mapping

from PDL1PredictorLib.core.answer_parts import Behind
from PDL1PredictorLib.models.schema.endpoints import EndpointModel

MOST = 5  # features of an input that are named


def features_behind(model: EndpointModel, z: Mapping[str, float]) -> dict[str, tuple[Behind, ...]]:
    """The features with the largest terms of each input that is such a sum, by the input's name.

    Args:
        model: Of the endpoint.
        z: Standardized features by name.

    Returns:
        Of each feature its term (coefficient times value) over the sum of the sizes of all terms, the largest first;
        features whose term is 0 are left out.
    """
    sums: dict[str, Mapping[str, float]] = {}
    if "radscore" in model.parts:
        sums |= {f"radscore_{region}": coefficients for region, coefficients in model.coefficients.items()}
    if "l2" in model.parts:
        sums["l2_score"] = model.l2
    return {name: _largest(coefficients, z) for name, coefficients in sums.items()}


def _largest(coefficients: Mapping[str, float], z: Mapping[str, float]) -> tuple[Behind, ...]:
    terms = {name: weight * z[name] for name, weight in coefficients.items()}
    total = sum(abs(term) for term in terms.values())
    ranked = sorted((name for name in terms if terms[name]), key=lambda name: (-abs(terms[name]), name))
    return tuple(Behind(name, terms[name] / total) for name in ranked[:MOST])
