"""How many cases a recalibration needs: expected log loss beyond the best, by cases of the rarer answer.

python Testing/benchmarks/recalibration_limits.py
"""

import numpy as np

from PDL1PredictorLib.statistics.external.recalibration import fit_site
from PDL1PredictorLib.statistics.scores import expit

SITES = ((1.0, 0.0), (1.0, -1.0), (0.8, 0.0), (0.6, -1.0), (0.4, -0.5))  # true slope and intercept
LEAST = (5, 8, 10, 15, 20, 30, 50, 100)
RUNS, SPREAD = 200, 1.2


def loss(truth: np.ndarray, said: np.ndarray) -> float:
    """Expected log loss of probabilities under the true ones."""
    return float(-(truth * np.log(said) + (1 - truth) * np.log1p(-said)).mean())


def drawn(slope: float, intercept: float, least: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels and log-odds of cases in the order in which they come, until each answer has so many."""
    log_odds = rng.normal(0, SPREAD, size=60 * least)
    labels = (rng.random(log_odds.size) < expit(slope * log_odds + intercept)).astype(int)
    enough = int(np.searchsorted(np.minimum(np.cumsum(labels), np.cumsum(1 - labels)), least)) + 1
    return labels[:enough], log_odds[:enough]


def main() -> None:
    """Print a line a site: loss x 1000 of no recalibration, then by number of cases intercept alone / with slope."""
    rng = np.random.default_rng(0)
    others = rng.normal(0, SPREAD, size=100_000)
    for slope, intercept in SITES:
        truth = expit(slope * others + intercept)
        best, cells = loss(truth, truth), []
        for least in LEAST:
            found = np.zeros(2)
            for _ in range(RUNS):
                labels, log_odds = drawn(slope, intercept, least, rng)
                fits = [fit_site(labels, log_odds, 0.5, way).probability(others) for way in ("intercept", "slope")]
                found += [loss(truth, said) - best for said in fits]
            cells.append("{:.0f}/{:.0f}".format(*(1000 * found / RUNS)))
        none = 1000 * (loss(truth, expit(others)) - best)
        print(f"slope {slope}, intercept {intercept}: none {none:.0f};", " ".join(cells))


if __name__ == "__main__":
    main()
