"""R's answers and the tables that R was given."""

from pathlib import Path
from typing import Any

import pytest
from survival_oracle import Columns, read_answers, read_tables


@pytest.fixture(scope="session")
def survival_answers(shared: Path) -> dict[str, Any]:
    return read_answers(shared)


@pytest.fixture(scope="session")
def tables(shared: Path) -> dict[str, Columns]:
    return read_tables(shared)
