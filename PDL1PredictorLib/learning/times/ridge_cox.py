"""Cox's model with an L2 penalty, solved directly: for tens to hundreds of inputs, fitted thousands of times."""

import numpy as np
from sklearn.model_selection import StratifiedKFold

from PDL1PredictorLib.statistics.survival.partial_likelihood import Likelihood, likelihood
from PDL1PredictorLib.statistics.survival.risk_sets import RiskSets, risk_sets

PENALTIES: tuple[float, ...] = tuple(np.geomspace(1000.0, 1.0, 10).tolist())  # of standardized inputs, falling
N_FOLDS = 5
STEPS, SETTLED = 30, 1e-6


def ridge_cox(z: np.ndarray, truths: np.ndarray, penalty: float, start: np.ndarray | None = None) -> np.ndarray:
    """Log hazard per input.

    The log partial likelihood (Efron) less half the penalty times the sum of squares is largest, by Newton's method.

    Args:
        z: Standardized inputs, (n, d).
        truths: (n,) of `core.targets.FOLLOWED`, some with the event.
        penalty: Above 0.
        start: From where, (d,).

    Source: Verweij and van Houwelingen 1994, doi 10.1002/sim.4780132307.
    """
    sets = [_sets(truths)]
    beta = np.zeros(z.shape[1]) if start is None else start.copy()
    here = likelihood(z, beta, sets)
    for _ in range(STEPS):
        steep = here.score - penalty * beta
        step = np.linalg.solve(here.information + penalty * np.eye(len(beta)), steep)
        there = likelihood(z, beta + step, sets)
        while _worth(there, beta + step, penalty) < _worth(here, beta, penalty) - 1e-9:
            step = step / 2
            there = likelihood(z, beta + step, sets)
        beta, here = beta + step, there
        if np.abs(step).max(initial=0.0) < SETTLED:
            break
    return np.asarray(beta)


def chosen_penalty(z: np.ndarray, truths: np.ndarray, seed: int) -> float:
    """The penalty under which held-out cases are told best, in 5 folds; the strongest where there are too few events.

    What a fold gains is the likelihood of all cases less that of the others.

    Args:
        z: Standardized inputs, (n, d).
        truths: (n,) of `core.targets.FOLLOWED`.
        seed: Of the folds.

    Source: Verweij and van Houwelingen 1993, doi 10.1002/sim.4780122407.
    """
    n_folds = int(min(N_FOLDS, truths["event"].sum()))
    if n_folds < 2:
        return PENALTIES[0]
    everyone, gain = [_sets(truths)], np.zeros(len(PENALTIES))
    for train, _ in StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(z, truths["event"]):
        own, beta = [risk_sets(truths["time"], truths["event"], train)], None
        for place, penalty in enumerate(PENALTIES):
            beta = ridge_cox(z[train], truths[train], penalty, beta)
            gain[place] += likelihood(z, beta, everyone).value - likelihood(z, beta, own).value
    return PENALTIES[int(gain.argmax())]


def baseline_hazard(log_hazard: np.ndarray, truths: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Breslow's cumulative hazard of a case whose log hazard is 0, until each of some times, (h,).

    Source: Breslow 1972, in the discussion of Cox 1972, doi 10.1111/j.2517-6161.1972.tb00900.x.
    """
    order = np.argsort(truths["time"], kind="stable")
    time, event = truths["time"][order], truths["event"][order]
    hazard = np.exp(np.clip(log_hazard[order], -30, 30))
    first = np.searchsorted(time, time, side="left")  # who shares a time is at risk together
    at_risk = np.cumsum(hazard[::-1])[::-1][first]
    steps = np.cumsum(np.where(event, 1 / at_risk, 0.0))
    return np.asarray(np.concatenate([[0.0], steps])[np.searchsorted(time, days, side="right")])


def _sets(truths: np.ndarray) -> RiskSets:
    return risk_sets(truths["time"], truths["event"], np.arange(len(truths)))


def _worth(found: Likelihood, beta: np.ndarray, penalty: float) -> float:
    return float(found.value - penalty * (beta @ beta) / 2)
