"""Shared by all tests: where the real data lie, and what it means when they do not."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from PDL1PredictorLib.learning.trained import Trained
from PDL1PredictorLib.phantom.patient import PhantomPatient, make_patient

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("PDL1_SHARED", ROOT.parent / "shared"))
NO_DATA = str(SHARED) == "none"  # PDL1_SHARED=none: said on purpose, so that nothing is missing
sys.path.insert(0, str(ROOT / "Testing" / "helpers"))
os.environ["PDL1_SETTINGS"] = "none"  # those of whoever runs the tests are no concern of theirs
settings.load_profile("ci")  # hypothesis: the same examples everywhere, and no example is too slow

from small_model import tiny_trained, write_tiny_model  # noqa: E402 - the path first


def pytest_configure() -> None:
    """Names in any alphabet must be possible; `make test` sees to it in any locale."""
    if sys.getfilesystemencoding().lower() != "utf-8":
        raise pytest.UsageError(
            f"The tests make files with names in any alphabet; here names are {sys.getfilesystemencoding()}. "
            "Set PYTHONUTF8=1, or take a UTF-8 locale."
        )


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data; a test that asks for it is skipped without it, and fails under CI where it should be."""
    if SHARED.is_dir():
        return SHARED
    message = f"the real data folder {SHARED.name}/ is not beside the project"
    if os.environ.get("CI") == "true" and not NO_DATA:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def trained() -> Trained:
    return tiny_trained()


@pytest.fixture(scope="session")
def tiny_model(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small, valid bundle on disk; tests that damage it make their own copy."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny", trained)


@pytest.fixture(scope="session")
def phantom() -> PhantomPatient:
    """One synthetic patient, the field of view restricted to the tumor."""
    return make_patient(seed=5, index=0, extent="tumor")
