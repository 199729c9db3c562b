"""The known answers and their data."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def r_answers(shared: Path) -> dict[str, Any]:
    """What R gives, by name."""
    return json.loads((shared / "oracle" / "oracle_R.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def r_cases(shared: Path) -> dict[str, np.ndarray]:
    """The columns of the synthetic table that R was given."""
    with (shared / "oracle" / "synthetic120.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
