"""A time in a manifest: what it holds, and every entry of it held against what it can be."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from time_model import PFS, with_time

from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.models.schema.endpoints import Linear, TimeRule


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> Bundle:
    return read_bundle(tiny_model)


def change(bundle: Bundle, path: str, value: Any) -> Bundle:
    manifest = json.loads(json.dumps(dict(bundle.manifest)))
    *parents, last = path.split("/")
    place = manifest["endpoints"]["PFS"]
    for parent in parents:
        place = place[int(parent) if isinstance(place, list) else parent]
    if value == "REMOVE":
        del place[last]
    else:
        place[last] = value
    return Bundle(bundle.name, bundle.sha256, manifest, bundle.files)


def with_table(bundle: Bundle, shape: tuple[int, ...]) -> Bundle:
    name = bundle.manifest["tables"]
    tables = {**safetensors.numpy.load(bundle.file(name)), "fusion/PFS": np.zeros(shape, np.float32)}
    files = {**bundle.files, name: safetensors.numpy.save(tables)}
    return Bundle(bundle.name, bundle.sha256, bundle.manifest, files)


def test_a_time_is_read_beside_a_yes_or_no(tiny: Bundle):
    manifest = read_manifest(with_time(tiny))
    model = manifest.endpoints[1]
    assert isinstance(model.model, Linear)
    assert isinstance(model.rule, TimeRule)
    assert model.rule.days == (182.625, 365.25, 730.5)
    assert (model.rule.slope, model.rule.at_risk) == (1.5, (80, 52, 21))
    assert manifest.summary.time_tests["PFS"].c == 0.66
    assert manifest.calibrated == ("PDL1",)
    assert manifest.fusion_columns["PFS"] == 4 + 3
    assert manifest.fusion_columns["PDL1"] == len(manifest.inputs(manifest.endpoints[0])) + 1


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("kind", "number", "PFS.kind is 'number'; this endpoint is of the kind time"),
        ("unit", "months", "PFS.unit is 'months'; this endpoint is measured in 'days'"),
        ("calibration", {"slope": -0.1}, "PFS.slope must lie from 0"),
        ("calibration", "none", "PFS.calibration must be an object"),
        ("baseline", [], "PFS.baseline must list 1 to 16 times"),
        ("baseline", PFS["baseline"] * 6, "PFS.baseline must list 1 to 16 times"),
        ("baseline", PFS["baseline"][::-1], "PFS.baseline must rise"),
        ("baseline/1/hazard", 0.1, "PFS.baseline must rise"),
        ("baseline/0/days", 0, "PFS.baseline.days must lie from"),
        ("baseline/0/hazard", "much", "PFS.baseline.hazard: a finite number was expected"),
        ("baseline/0/at_risk", -1, "PFS.baseline.at_risk"),
        ("baseline/0/at_risk", "REMOVE", "lacks 'at_risk'"),
        ("test/c", 0.9, "PFS.test.c is 0.9, which lies outside its interval"),
        ("test/events", 91, "PFS.test.events"),
        ("test/n", "REMOVE", "lacks 'n'"),
        ("model/linear/coefficients", [1.0], "needs 4 coefficients for PFS"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_by_its_name(tiny: Bundle, path: str, value: Any, words: str):
    with pytest.raises(BundleError, match=words):
        read_manifest(change(with_time(tiny), path, value))


def test_a_time_may_be_without_a_test(tiny: Bundle):
    assert read_manifest(change(with_time(tiny), "test", None)).summary.time_tests == {}


def test_resampled_models_have_a_column_for_every_time(tiny: Bundle):
    read_manifest(with_table(with_time(tiny), (5, 7)))
    with pytest.raises(BundleError, match="need fusion/PFS with 7 columns"):
        read_manifest(with_table(with_time(tiny), (5, 5)))
