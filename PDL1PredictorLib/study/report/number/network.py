"""What the report tells of networks over features: their epochs, attention beside shares, components; plain values."""

import numpy as np
from scipy import stats

from PDL1PredictorLib.study.insight import TableInsight
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.measures import Plain


def network_numbers(outcome: EndpointOutcome) -> Plain | None:
    """Of an endpoint; None where its lead model is no network over features.

    Returns:
        `epochs`: title to lists of `train`, `mse`, `mae`. `inputs`: by name mean `attention`, mean absolute `share`
        and mean `signed` share in the endpoint's unit. `agreement`: rank correlation of attention and absolute share
        over the inputs, mean of the cases' own and of their means. `explained`: by components.
    """
    inside = outcome.insight
    if inside is None or outcome.contributions is None or not len(outcome.contributions):
        return None
    shares, attention = outcome.contributions, inside.attention
    return {
        "epochs": {
            title: {name: [getattr(epoch, name) for epoch in epochs] for name in ("train", "mse", "mae")}
            for title, epochs in inside.histories.items()
        },
        "inputs": {
            name: {
                "attention": None if attention is None else float(attention[:, column].mean()),
                "share": float(np.abs(shares[:, column]).mean()),
                "signed": float(shares[:, column].mean()),
            }
            for column, name in enumerate(outcome.input_names)
        },
        "agreement": _agreement(inside, np.abs(shares)),
        "explained": list(inside.explained),
    }


def _agreement(inside: TableInsight, shares: np.ndarray) -> Plain | None:
    """Spearman's coefficient; None where it cannot be had."""
    attention = inside.attention
    if attention is None or shares.shape[1] < 3:
        return None
    each = [_rho(a, b) for a, b in zip(attention, shares, strict=True)]
    known = [rho for rho in each if np.isfinite(rho)]
    return {
        "of_means": _rho(attention.mean(axis=0), shares.mean(axis=0)),
        "of_cases": float(np.mean(known)) if known else None,
    }


def _rho(a: np.ndarray, b: np.ndarray) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(stats.spearmanr(a, b).statistic)
