"""Schemas 1 to 3: read as the same values as schema 4, each entry refused under the name that it has there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from schema_1 import as_schema_1, as_schema_2, as_schema_3

from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.models.schema.network import NetworkInputs
from PDL1PredictorLib.models.schema.reference import ReferenceEntry

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def fourth(tiny_model: Path) -> Bundle:
    return read_bundle(tiny_model)


@pytest.fixture(scope="module")
def third(fourth: Bundle) -> Bundle:
    return as_schema_3(fourth)


@pytest.fixture(scope="module")
def second(fourth: Bundle) -> Bundle:
    return as_schema_2(fourth)


@pytest.fixture(scope="module")
def first(fourth: Bundle) -> Bundle:
    return as_schema_1(fourth)


def test_schema_3_says_the_same_but_for_the_imputer_which_it_has_not(third: Bundle, fourth: Bundle):
    assert (third.manifest["schema_version"], fourth.manifest["schema_version"]) == (3, 4)
    assert "imputer" not in third.manifest
    assert read_manifest(third) == read_manifest(fourth)


def test_every_schema_gives_the_same_values_as_far_as_it_says_them(first: Bundle, second: Bundle, fourth: Bundle):
    assert [bundle.manifest["schema_version"] for bundle in (first, second)] == [1, 2]
    now, before = read_manifest(fourth), read_manifest(second)
    one_slice = replace(now.network, slices=1, inputs=NetworkInputs("slice"))
    one_distance = ReferenceEntry(now.reference.features, {"selected": 3.0}, 0)
    untitled = tuple(replace(model, title="", base_rate=11 / 20) for model in now.endpoints)  # of the test cases
    assert before == replace(now, network=one_slice, reference=one_distance, endpoints=untitled)
    library_graph = replace(one_slice, graph=None)  # a file of schema 1 has no graph: the library's is taken
    assert read_manifest(first) == replace(before, network=library_graph)


def test_an_older_model_of_a_synthetic_cohort_is_known_by_what_no_model_can_exceed(second: Bundle):
    assert read_manifest(second).summary.trained_on == "patients"
    synthetic = change(second, "endpoints/PDL1/bayes_auc", 0.9)
    assert read_manifest(synthetic).summary.trained_on == "synthetic"


def test_an_older_model_that_was_not_tested_knows_no_base_rate(second: Bundle):
    (model, _) = read_manifest(change(second, "endpoints/PDL1/test", None)).endpoints
    assert (model.base_rate, model.rule.test) == (None, None)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("network", 3, "network must be an object"),
        ("reference", [], "reference must be an object"),
        ("reference/distance_99", 0, "reference.distance_99 must be positive"),
        ("reference/features", "all", "reference.features must be a list"),
        ("endpoints", 3, "endpoints must be an object"),
        ("endpoints/PDL1", 3, "endpoints.PDL1 must be an object"),
        ("endpoints/PDL1/test", 3, "PDL1.test must be an object"),
        ("endpoints/PDL1/test/auc", 3, "PDL1.test.auc must lie from 0 to 1"),
    ],
)
def test_an_entry_of_schema_2_that_cannot_be_is_refused(second: Bundle, path, value, words):
    with pytest.raises(BundleError, match=words):
        read_manifest(change(second, path, value))


def test_the_bundled_models_are_read(monkeypatch):
    for folder in sorted((ROOT / "Resources" / "Models").iterdir()):
        bundle = read_bundle(folder)
        manifest = read_manifest(bundle)
        assert manifest.summary.name == folder.name
        assert {model.parts for model in manifest.endpoints} == {("deep", "radscore")}
        assert list(manifest.summary.endpoints) == bundle.manifest["endpoint_order"]


def change(bundle: Bundle, path: str, value: Any) -> Bundle:
    manifest = json.loads(json.dumps(dict(bundle.manifest)))
    *parents, last = path.split("/")
    place = manifest
    for parent in parents:
        place = place[parent]
    if value == "REMOVE":
        del place[last]
    else:
        place[last] = value
    return replace(bundle, manifest=manifest)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("architecture", "transformer", "kind 'transformer' with the backbone 'densenet121'; this library reads"),
        ("architecture", ["x"], "this library reads 'deep-radscore/BACKBONE'"),
        ("network/backbone", "alexnet", "with the backbone 'alexnet'; this library reads .* one of densenet121"),
        ("network/backbone", "resnet50", "kind 'deep-radscore/densenet121' with the backbone 'resnet50'"),
        ("network/backbone", ["densenet121"], "with the backbone"),
        ("network/backbone", "REMOVE", "lacks 'backbone' in model.json"),
        ("network", None, "network must be an object"),
        ("network/n_deep", 10**9, "network.n_deep must be a whole number from 1 to 4096"),
        ("reference", None, "reference must be an object"),
        ("reference/distance_99", 0, "reference.distance_99 must be positive"),
        ("features", None, "features must be an object"),
        ("conformal_coverage", -1, "conformal_coverage must lie from 0 to 1, got -1"),
        ("conformal_coverage", 1, "conformal_coverage must lie between 0 and 1, both left out, got 1"),
        ("conformal_coverage", True, "conformal_coverage: a finite number was expected"),
        ("conformal_coverage", "REMOVE", "lacks 'conformal_coverage'"),
        ("endpoints", [], "endpoints must be an object"),
        ("endpoints/PDL1", 1, "endpoints.PDL1 must be an object, got 1"),
        ("endpoints/PDL1/classifier", 1, "PDL1.classifier must be an object"),
        ("endpoints/PDL1/classifier/file", ["x"], "PDL1.classifier.file must be a text"),
        ("endpoints/PDL1/classifier/kind", 4, "PDL1.classifier.kind must be a text"),
        ("endpoints/PDL1/test_auc/value", 17, "PDL1.test_auc.value must lie from 0 to 1, got 17"),
        ("endpoints/PDL1/test_auc/low", 0.85, "PDL1.test_auc is 0.8, which lies outside its interval"),
        ("endpoints/PDL1/test_auc/n_positive", -1, "PDL1.test_auc.n_positive must be a whole number"),
        ("endpoints/PDL1/test_auc", [0.8], "PDL1.test_auc must be an object"),
        ("endpoints/PDL1/test_auc", "REMOVE", "lacks 'test_auc'"),
        ("endpoints/PDL1/threshold", 7.5, "PDL1.threshold must lie from 0 to 1, got 7.5"),
        ("endpoint_order", [], "predicts no endpoint"),
        ("endpoint_order", ["PDL1"], "must name the same, but 'EGFR' is in one only"),
    ],
)
def test_an_entry_of_schema_1_that_cannot_be_is_refused_by_its_name(first: Bundle, path: str, value: Any, words: str):
    with pytest.raises(BundleError, match=words):
        read_manifest(change(first, path, value))


def test_a_model_of_schema_1_that_was_not_tested_is_read(first: Bundle):
    assert "PDL1" not in read_manifest(change(first, "endpoints/PDL1/test_auc", None)).summary.auc
