"""Synthetic patients for the examples, made once in the current folder, as `pdl1 phantom` makes them.

They have known truth and say nothing about real patients.
"""

from pathlib import Path

from PDL1PredictorLib.phantom.cohort import write_cohort


def synthetic_patients(n: int, seed: int = 1) -> Path:
    """A folder with `cases.csv` (the table of the cohort) and `images/` (a CT and a tumor mask each)."""
    folder = Path("demo") / f"patients_{n}"
    if not folder.exists():
        write_cohort(folder, n, seed, extent="tumor", workers=1)  # the field of view around the tumor: quick to make
    return folder
