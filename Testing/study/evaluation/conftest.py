"""A finished model on made-up cases: what a batch would bring back, without any image."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from known_site import answer

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.models.bundle import read_bundle
from PDL1PredictorLib.models.manifest import Manifest, read_manifest
from PDL1PredictorLib.study.evaluation.answers import CaseAnswers, ModelAnswers


@pytest.fixture(scope="session")
def manifest(tiny_model: Path) -> Manifest:
    return read_manifest(read_bundle(tiny_model))


@pytest.fixture
def model_of(manifest: Manifest) -> Callable[..., ModelAnswers]:
    """A model that gives these probabilities of PDL1, withholding some."""

    def make(probabilities, title="Model", withheld=None, endpoints=("PDL1",)) -> ModelAnswers:
        hidden = np.zeros(len(probabilities), bool) if withheld is None else withheld
        cases = {
            f"c{row}": CaseAnswers(
                answers={key: answer(key, p, bool(no)) for key in endpoints},
                volume_ml=1.0 + row % 7,
                unlike=bool(no),
                clinical=Clinical(sex="female" if row % 2 else "male"),
                warnings=(),
                ct_sha256=f"{row:064x}",
            )
            for row, (p, no) in enumerate(zip(probabilities, hidden, strict=True))
        }
        own = tuple(one for one in manifest.endpoints if one.key in endpoints)
        return ModelAnswers(title, replace(manifest, endpoints=own), cases, {})

    return make
