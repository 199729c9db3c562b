"""Schema 2: kinds, parts, needs and what a model may be without; every entry held against what it can be."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy
from number_model import TPS, number_alone, with_number

from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.models.schema.endpoints import Linear, NumberRule


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> Bundle:
    return read_bundle(tiny_model)


@pytest.fixture(scope="module")
def sound(tiny: Bundle) -> Bundle:
    return with_number(tiny)


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
    return Bundle(bundle.name, bundle.sha256, manifest, bundle.files)


def test_a_number_is_read_beside_a_yes_or_no(sound: Bundle):
    manifest = read_manifest(sound)
    model = manifest.endpoints[1]
    assert isinstance(model.model, Linear)
    assert isinstance(model.rule, NumberRule)
    assert (model.rule.clip, model.rule.half_width) == ((0.0, 100.0), 30.0)
    assert manifest.inputs(model) == (
        *("radscore_tumor", "radscore_ring", "tumor_original_firstorder_Range", "log_volume", "age_years", "sex"),
    )
    assert manifest.summary.endpoints == ("PDL1", "TPS")
    assert list(manifest.summary.auc) == ["PDL1"]
    assert manifest.summary.number_tests["TPS"].r2 == 0.23


def test_a_model_may_be_without_network_and_reference(tiny: Bundle):
    manifest = read_manifest(number_alone(tiny))
    assert manifest.network is None
    assert (manifest.reference, manifest.calibrated) == (None, ())


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("family", "network", "family must be one of stack, got 'network'"),
        ("family", ["stack"], "family must be one of stack"),
        ("family", "REMOVE", "lacks 'family'"),
        ("needs", [], "needs must be an object"),
        ("needs/features", 1, "needs.features must be true or false, got 1"),
        ("needs/picture", "film", "picture must be one of none, slice, volume, got 'film'"),
        ("needs/picture", 3, "needs.picture must be a text"),
        ("needs/picture", "volume", "The settings of a volume are given exactly where the picture is one"),
        ("needs/picture", "none", "needs.picture 'none', but its network sees 'slice'"),
        ("needs/pet", "required", "needs.pet 'required', which is seen in a volume alone"),
        ("needs/pet", None, "needs.pet must be a text"),
        ("needs/clinical", "sex", "needs.clinical must be a list"),
        ("needs/clinical", ["sex", "sex"], "needs.clinical names 'sex' twice"),
        ("needs/clinical", ["age_years", "shoe_size"], "Clinical inputs are some of"),
        ("needs/clinical", [], "the part clinical and needs.clinical both or neither"),
        ("needs/clinical", ["sex"], "needs 5 input means and positive SDs for TPS"),
        ("needs/genes", True, "Unknown needs: genes"),
        ("needs/features", False, "needs.features and features both or neither"),
        ("features", None, "needs.features and features both or neither"),
        ("network", None, "needs.picture 'slice', but its network sees 'none'"),
        ("network/graph", 3, "network.graph must be a text"),
        ("network/graph", "nothing.onnx", "has no file 'nothing.onnx'"),
        ("network/graph", "REMOVE", "lacks 'graph'"),
        ("network/bits", 4, "network.bits must be one of 8, 16, 32, got 4"),
        ("network/bits", True, "network.bits must be one of 8, 16, 32"),
        ("network/bits", 8.0, "network.bits must be one of 8, 16, 32"),
        ("network/head", "curved", "network.head must be one of linear, none, other"),
        ("network/moved", 2.0, "network.moved must lie from 0 to 1"),
        ("network/moved", "little", "network.moved: a finite number was expected"),
        ("reference", [], "reference must be an object"),
        ("coverage", 0, "coverage must lie between 0 and 1, both left out"),
        ("endpoints/PDL1/kind", "number", "PDL1.kind is 'number'; this endpoint is of the kind binary"),
        ("endpoints/TPS/kind", "time", "TPS.kind is 'time'; this endpoint is of the kind number"),
        ("endpoints/TPS/kind", {"x": 1}, "TPS.kind must be one of binary, number"),
        ("endpoints/TPS/kind", "REMOVE", "lacks 'kind'"),
        ("endpoints/TPS/parts", [], "TPS.parts names no input"),
        ("endpoints/TPS/parts", "volume", "TPS.parts must be a list"),
        ("endpoints/TPS/parts", ["volume", "volume"], "TPS.parts names 'volume' twice"),
        (
            "endpoints/TPS/parts",
            ["genes"],
            "an entry of TPS.parts must be one of deep, deep_logit, stacked, network, radscore, l2, selected",
        ),
        ("endpoints/TPS/parts", ["volume", "clinical"], "needs 3 input means and positive SDs for TPS"),
        ("endpoints/TPS/selected", "all", "TPS.selected must be a list"),
        ("endpoints/TPS/selected", [1], "an entry of TPS.selected must be a text"),
        ("endpoints/TPS/selected", ["tumor_nothing"], "uses the feature tumor_nothing"),
        ("endpoints/TPS/selected", "REMOVE", "lacks 'selected'"),
        ("endpoints/TPS/model", [], "TPS.model must be an object"),
        ("endpoints/TPS/model/kind", 3, "TPS.model.kind must be a text"),
        ("endpoints/TPS/model/linear", 3, "TPS.model.linear must be an object"),
        ("endpoints/TPS/model/linear", "REMOVE", "lacks 'linear'"),
        ("endpoints/TPS/model/linear/coefficients", [1.0], "needs 6 coefficients for TPS"),
        ("endpoints/TPS/model/linear/coefficients", [1e31] * 6, "TPS.model.linear.coefficients must lie from"),
        ("endpoints/TPS/model/linear/intercept", math.nan, "TPS.model.linear.intercept: a finite number"),
        ("endpoints/TPS/model/cross_validated", [0.2], "TPS.model.cross_validated must be an object"),
        ("endpoints/TPS/model/cross_validated/ridge", "good", "TPS.model.cross_validated.ridge: a finite number"),
        ("endpoints/TPS/unit", "mm", "TPS.unit is 'mm'; this endpoint is measured in '%'"),
        ("endpoints/TPS/unit", 1, "TPS.unit must be a text"),
        ("endpoints/TPS/line", None, "TPS.line must be an object"),
        ("endpoints/TPS/line/slope", 1e7, "TPS.line.slope must lie from"),
        ("endpoints/TPS/line/intercept", "0", "TPS.line.intercept: a finite number"),
        ("endpoints/TPS/clip", [0], "TPS.clip must hold two numbers"),
        ("endpoints/TPS/clip", [None, 100], "TPS.clip must lie from 0.0 to 100.0, as the endpoint does"),
        ("endpoints/TPS/clip", [0, 101], "TPS.clip must lie from 0.0 to 100.0"),
        ("endpoints/TPS/clip", [60, 40], "TPS.clip must rise"),
        ("endpoints/TPS/clip", ["0", "100"], "TPS.clip: a finite number"),
        ("endpoints/TPS/half_width", -1, "TPS.half_width must lie from 0"),
        ("endpoints/TPS/half_width", None, "TPS.half_width: a finite number"),
        ("endpoints/TPS/test", [1], "TPS.test must be an object"),
        ("endpoints/TPS/test/n", 9.5, "TPS.test.n must be a whole number"),
        ("endpoints/TPS/test/mse", -1, "TPS.test.mse must lie from 0"),
        ("endpoints/TPS/test/mse_of_mean", "x", "TPS.test.mse_of_mean: a finite number"),
        ("endpoints/TPS/test/mae", -0.1, "TPS.test.mae must lie from 0"),
        ("endpoints/TPS/test/r2", 1.5, "TPS.test.r2 must lie from"),
        ("endpoints/TPS/test/r2_low", 0.3, "TPS.test.r2 is 0.23, which lies outside its interval from 0.3 to 0.35"),
        ("endpoints/TPS/test/r2_high", None, "TPS.test.r2_high: a finite number"),
        ("endpoints/PDL1/model/file", "classifiers/none.onnx", "has no file 'classifiers/none.onnx'"),
        ("endpoints/PDL1/model", TPS["model"], "lacks 'file'"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_by_its_name(sound: Bundle, path: str, value: Any, words: str):
    with pytest.raises(BundleError, match=words):
        read_manifest(change(sound, path, value))


def test_a_number_that_was_not_tested_is_read(sound: Bundle):
    assert read_manifest(change(sound, "endpoints/TPS/test", None)).summary.number_tests == {}


def test_a_part_of_features_needs_features(tiny: Bundle):
    bundle = change(number_alone(tiny), "needs/features", False)
    with pytest.raises(BundleError, match="has inputs of radiomic features, but measures none"):
        read_manifest(change(bundle, "features", None))


def test_one_classifier_for_endpoints_of_other_inputs_is_refused(tiny: Bundle):
    bundle = change(tiny, "endpoints/EGFR/parts", ["radscore"])
    for name in ("input_mean", "input_sd"):
        bundle = change(bundle, f"endpoints/EGFR/{name}", [1.0, 1.0])
    bundle = change(bundle, "endpoints/EGFR/model/file", "classifiers/PDL1.onnx")
    with pytest.raises(BundleError, match="uses 'classifiers/PDL1.onnx' for endpoints of other inputs"):
        read_manifest(bundle)


def test_without_a_reference_its_tables_are_not_asked_for(tiny: Bundle):
    tables = safetensors.numpy.load(tiny.file("tables.safetensors"))
    left = {name: value for name, value in tables.items() if not name.startswith("reference/")}
    files = {**tiny.files, "tables.safetensors": safetensors.numpy.save(left)}
    without = change(tiny, "reference", None)
    assert read_manifest(Bundle(tiny.name, tiny.sha256, without.manifest, files)).reference is None
    with pytest.raises(BundleError, match="need reference/mean of shape"):
        read_manifest(Bundle(tiny.name, tiny.sha256, tiny.manifest, files))


def test_chances_and_a_simpler_model_may_be_there(sound: Bundle):
    rule = {"cut": 50, "slope": 0.1, "intercept": -5.0}
    told = change(change(sound, "endpoints/TPS/chances", [rule]), "endpoints/TPS/simpler", "Ridge")
    model = read_manifest(told).endpoints[1]
    assert [tuple(one) for one in model.rule.chances] == [(50.0, 0.1, -5.0)]
    assert model.simpler == "Ridge"
    older = read_manifest(sound).endpoints[1]
    assert (older.rule.chances, older.simpler) == ((), "")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("chances", {}, "TPS.chances must be a list of at most 8"),
        ("chances", [{"cut": 1, "slope": 1, "intercept": 0}] * 9, "TPS.chances must be a list of at most 8"),
        ("chances", [1], "an entry of TPS.chances must be an object"),
        ("chances", [{"cut": "1", "slope": 1, "intercept": 0}], "TPS.chances.cut"),
        ("chances", [{"cut": 1, "slope": 1e9, "intercept": 0}], "TPS.chances.slope"),
        ("chances", [{"cut": 1, "slope": 1}], "lacks 'intercept'"),
        ("simpler", ["Ridge"], "TPS.simpler must be a text"),
    ],
)
def test_chances_that_cannot_be_are_refused(sound: Bundle, path: str, value: Any, words: str):
    with pytest.raises(BundleError) as refused:
        read_manifest(change(sound, f"endpoints/TPS/{path}", value))
    assert words in str(refused.value)
