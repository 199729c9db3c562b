"""A small table of patients with follow-up, as a file."""

import csv
from pathlib import Path

import numpy as np

COLUMNS = ("case", "days", "died", "score", "age", "stage", "regime", *(f"f{i}" for i in range(6)))


def followed(n: int = 120, seed: int = 2) -> dict[str, np.ndarray]:
    """Columns; the score and f0 tell of the time, the rest does not."""
    rng = np.random.default_rng(seed)
    score, f = rng.normal(size=n), rng.normal(size=(n, 6))
    time = rng.exponential(900 * np.exp(-0.8 * score - 0.7 * f[:, 0]))
    end = rng.uniform(300, 1700, n)
    table = {
        "case": np.array([f"p{i:03d}" for i in range(n)]),
        "days": np.ceil(np.minimum(time, end)),
        "died": (time <= end).astype(int),
        "score": score.round(4),
        "age": rng.normal(65, 9, n).round(),
        "stage": np.array(["I", "II", "III"])[rng.integers(3, size=n)],
        "regime": np.array(["combination", "mono"])[rng.integers(2, size=n)],
    }
    return table | {f"f{i}": f[:, i].round(4) for i in range(6)}


def write_followed(path: Path, table: dict[str, np.ndarray]) -> Path:
    """The table as CSV."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(table)
        writer.writerows(zip(*(values.tolist() for values in table.values()), strict=True))
    return path
