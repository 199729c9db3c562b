"""Are the figures of nested cross-validation honest? Cohorts whose truth is known, again and again.

    python Testing/reliability/estimates.py --cohorts 300

prints a table for docs/methods.md: bias of the area, how often its interval holds the true area of the models, and how
often its permutation p is 0.05 or less.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
from nested_cases import Recipe, nested_outcome

from PDL1PredictorLib.study.discrimination import area_of

RECIPES = {
    "3 inputs": Recipe(3, 3),
    "3 inputs, 3 repetitions": Recipe(3, 3, 3),
    "5 of 60 selected": Recipe(60, 5),
    "5 of 60 selected, 3 repetitions": Recipe(60, 5, 3),
}
AREAS = (0.5, 0.65, 0.8)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=300, help="of each line (default: 300)")
    parser.add_argument("--cases", type=int, default=100, help="of a cohort (default: 100)")
    parser.add_argument("--share", type=float, default=0.4, help="of the positives (default: 0.4)")
    parser.add_argument("--areas", type=float, nargs="+", default=AREAS, help="of the feature (default: all three)")
    options = parser.parse_args()
    print("| models | area of the feature | bias (standard error) | coverage | p <= 0.05 |\n|---|---|---|---|---|")
    for area in options.areas:
        for name, recipe in RECIPES.items():
            bias, error, coverage, found = measured(options.cases, options.share, area, recipe, options.cohorts)
            print(f"| {name} | {area:g} | {bias:+.3f} ({error:.3f}) | {coverage:.1%} | {found:.1%} |", flush=True)


def measured(
    n: int, share: float, area: float, recipe: Recipe, cohorts: int, seed: int = 0
) -> tuple[float, float, float, float]:
    """Bias of the area and its standard error, share of intervals that hold the truth, share of p of 0.05 or less."""
    rng = np.random.default_rng([seed, n])
    off, covered, found = [], [], []
    for _ in range(cohorts):
        outcome, truth = nested_outcome(n, share, area, recipe, rng)
        measure = area_of(outcome, "line")
        if measure is None or measure.p is None:
            continue
        low, high = measure.interval
        off.append(measure.value - truth)
        covered.append(low <= truth <= high)
        found.append(measure.p <= 0.05)
    return float(np.mean(off)), float(np.std(off) / len(off) ** 0.5), float(np.mean(covered)), float(np.mean(found))


if __name__ == "__main__":
    main()
