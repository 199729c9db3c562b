"""Shared by all tests: where the real data lie, and what it means when they do not."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("PDL1_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data; a test that asks for it is skipped without it, and fails under CI."""
    if SHARED.is_dir():
        return SHARED
    message = f"the real data folder {SHARED.name}/ is not beside the project"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
