"""A small bundle on disk."""

import pytest
from sample_bundle import FILES, MANIFEST

from PDL1PredictorLib.models.bundle import write_bundle


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "a módel – 肺"
    write_bundle(path, MANIFEST, FILES)
    return path
