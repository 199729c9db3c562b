"""From inputs to an answer, by sums one can do by hand; and the bundle's promises."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch

from PDL1PredictorLib.core.errors import BundleError, InputError
from PDL1PredictorLib.imaging.patch import deep_patch, deep_patches
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.contents import read_tables
from PDL1PredictorLib.models.inputs import Inputs
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.models.stack import Stack
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.statistics.scores import calibrated_log_odds, limited_log_odds


@pytest.fixture(scope="module")
def predictor(tiny_model: Path) -> Stack:
    return load_predictor(read_bundle(tiny_model))


def features_with(predictor: Stack, **changed: float) -> dict[str, float]:
    """All features at the training mean of 10, but for those named."""
    values = dict.fromkeys(predictor.manifest.features.feature_names(), 10.0)
    return values | changed


def inputs_of(predictor: Stack, features: dict[str, float]) -> Inputs:
    return predictor.inputs(Given(features, None, 10.0), np.zeros(10))


def damaged(bundle: Bundle, **files: bytes) -> Bundle:
    return Bundle(bundle.name, bundle.sha256, bundle.manifest, {**bundle.files, **files})


def test_a_radscore_is_the_sum_of_standardized_features_times_coefficients(predictor: Stack):
    features = features_with(
        predictor,
        tumor_original_firstorder_Mean=50.0,  # z = 2
        tumor_original_firstorder_Range=-10.0,  # z = -1
        ring_original_firstorder_Mean=0.0,  # z = -0.5
    )
    inputs = inputs_of(predictor, features)
    assert inputs.scores["PDL1"] == pytest.approx({"radscore_tumor": 0.5 * 2 + 0.25 * 1, "radscore_ring": 2.0 * -0.5})
    assert inputs.missing == ()


def test_atypicality_is_the_distance_over_its_limit(predictor: Stack):
    features = features_with(
        predictor, tumor_original_firstorder_Mean=10 + 20 * 3, ring_original_firstorder_Mean=10 + 20 * 4
    )
    assert inputs_of(predictor, features).atypicality == pytest.approx(5.0 / 3.0)
    assert inputs_of(predictor, features_with(predictor)).atypicality == 0


def test_a_feature_without_a_value_counts_as_the_mean_and_is_told(predictor: Stack):
    features = features_with(predictor, ring_original_firstorder_Mean=float("nan"))
    inputs = inputs_of(predictor, features)
    assert inputs.missing == ("ring_original_firstorder_Mean",)
    assert inputs.scores["PDL1"] == {"radscore_tumor": 0.0, "radscore_ring": 0.0}


def test_features_of_other_settings_are_refused(predictor: Stack):
    features = features_with(predictor)
    del features["tumor_original_firstorder_Mean"]
    with pytest.raises(InputError, match="needs the feature tumor_original_firstorder_Mean"):
        inputs_of(predictor, features)


def test_the_answer_is_the_calibrated_logistic_of_the_standardized_inputs(predictor: Stack, trained):
    model = predictor.manifest.endpoints[0]
    scores = {"PDL1": {"radscore_tumor": 1.0, "radscore_ring": -3.0}}
    z = dict.fromkeys(predictor.manifest.features.feature_names(), 0.0)
    inputs = Inputs(np.arange(10.0), z, scores, 0.0, (), 0.0, (), ())
    row = predictor.standardized(model, inputs)
    np.testing.assert_allclose(row, np.array([*range(10), 1.0, -3.0]) / 2)
    p = trained.endpoints["PDL1"].model.chosen.estimator.predict_proba(row[None])[0, 1]
    expected = 1 / (1 + np.exp(-(0.8 * np.log(p / (1 - p)) - 0.1)))
    answer = predictor.answer_for(model, inputs)
    assert answer.probability == pytest.approx(expected, abs=1e-6)
    assert answer.interval[0] < answer.probability < answer.interval[1]
    assert answer.positive == (answer.probability >= 0.45)
    calibrated = calibrated_log_odds(model.rule.slope, model.rule.intercept, predictor.score(model, row[None]))
    assert calibrated[0] == pytest.approx(np.log(expected / (1 - expected)), abs=1e-5)


def test_a_higher_ring_score_raises_the_answer(predictor: Stack):
    model = predictor.manifest.endpoints[0]
    rows = np.zeros((3, 12))
    rows[:, -1] = [-1, 0, 1]
    low, middle, high = calibrated_log_odds(model.rule.slope, model.rule.intercept, predictor.score(model, rows))
    assert low < middle < high


def test_certain_votes_are_limited():
    np.testing.assert_allclose(limited_log_odds(np.array([0.0, 0.5, 1.0])), [-7, 0, 7], atol=1e-9)


def test_the_network_of_the_bundle_is_the_trained_one_to_16_bits(predictor: Stack, trained, phantom):
    regions = make_regions(phantom.case, predictor.manifest.regions)
    patch = deep_patch(phantom.case, regions, predictor.manifest.regions)
    output = predictor.network.run([patch], "cpu")
    assert output.maps.shape == (2, 5, 5)
    assert output.deep.shape == (10,)
    stored = predictor.network.module("cpu").state_dict()
    for name, value in trained.network.network.state_dict().items():
        torch.testing.assert_close(stored[name].double(), value.double(), rtol=1e-3, atol=1e-6)


def test_the_deep_features_are_the_mean_over_the_slices_and_the_map_is_of_the_first(predictor: Stack, phantom):
    settings = predictor.manifest.regions
    patches = deep_patches(phantom.case, make_regions(phantom.case, settings), settings)
    assert (len(patches), predictor.slices) == (5, 5)
    together = predictor.network.run(patches, "cpu")
    alone = [predictor.network.run([patch], "cpu") for patch in patches]
    np.testing.assert_allclose(together.deep, np.mean([one.deep for one in alone], axis=0), atol=1e-5)
    np.testing.assert_allclose(together.maps, alone[0].maps, atol=1e-4)
    assert np.abs(alone[0].deep - alone[4].deep).max() > 1e-4  # the slices differ, or nothing was shown
    by_torch = predictor.network.run(patches, "cpu", "torch")
    np.testing.assert_allclose(by_torch.deep, together.deep, atol=1e-4)


def test_a_network_of_several_slices_is_not_content_with_one(predictor: Stack, phantom):
    settings = predictor.manifest.regions
    patches = deep_patches(phantom.case, make_regions(phantom.case, settings), settings)
    features = dict.fromkeys(predictor.features.feature_names(), 10.0)
    with pytest.raises(InputError, match="needs 5 slices of the tumor, 1 were given"):
        predictor.answer(Given(features, patches[0], 10.0), "cpu")
    assert len(predictor.answer(Given(features, patches[0], 10.0, neighbors=patches[1:]), "cpu").answers) == 2


def test_weights_of_another_shape_are_refused(tiny_model: Path):
    bundle = read_bundle(tiny_model)
    other = safetensors.numpy.save({"reduce.weight": np.zeros((3, 4), np.float16)})
    with pytest.raises(BundleError, match="weights of tiny do not fit"):
        load_predictor(damaged(bundle, **{"network.safetensors": other})).network.module("cpu")


def test_tables_without_the_reference_are_refused(tiny_model: Path):
    bundle = read_bundle(tiny_model)
    with pytest.raises(BundleError, match="need reference/mean of shape"):
        load_predictor(damaged(bundle, **{"tables.safetensors": safetensors.numpy.save({"x": np.zeros(1)})}))


def test_a_classifier_that_is_no_onnx_is_refused(tiny_model: Path):
    with pytest.raises(BundleError, match=r"classifiers/EGFR.onnx of tiny cannot be read"):
        load_predictor(damaged(read_bundle(tiny_model), **{"classifiers/EGFR.onnx": b"no model"}))


def change(bundle: Bundle, path: str, value: object) -> Bundle:
    """The bundle with one entry of its manifest set (None as a word removes it)."""
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


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("endpoints/PDL1/threshold", "REMOVE", "lacks 'threshold' in model.json"),
        ("endpoints/PDL1/threshold", "high", "a finite number was expected, got 'high'"),
        ("family", "transformer", "family must be one of stack, got 'transformer'"),
        ("network/backbone", "alexnet", "network.backbone must be one of densenet121, .*, got 'alexnet'"),
        ("network/backbone", "REMOVE", "lacks 'backbone' in model.json"),
        ("endpoint_order", [], "predicts no endpoint"),
        ("regions/ring_mm", 50, "between 0.5 and 20"),
        ("regions/rim_mm", 3, "Unknown region settings: rim_mm"),
        ("features/bin_width", -1, "cannot be used"),
        ("feature_sd/tumor_original_firstorder_Mean", 0, "standard deviation must be positive"),
        ("feature_mean/tumor_original_firstorder_Mean", "REMOVE", "tumor_original_firstorder_Mean, which its settings"),
        ("endpoints/PDL1/radscore/tumor", {"tumor_nothing": 1.0}, "uses the feature tumor_nothing"),
        ("endpoints/PDL1/input_sd", [1.0] * 11, "needs 12 input means"),
        ("endpoints/PDL1/conformal", 3, "cannot be used"),
        ("limitations", 3, "cannot be used"),
    ],
)
def test_a_manifest_with_a_fault_is_refused_with_its_name(tiny_model: Path, path: str, value: object, words: str):
    with pytest.raises(BundleError, match=words):
        load_predictor(change(read_bundle(tiny_model), path, value))


def test_a_bundle_may_stand_on_another_backbone(tiny_model: Path):
    bundle = change(read_bundle(tiny_model), "network/backbone", "resnet50")
    state = DeepCT(len(bundle.manifest["endpoint_order"]), backbone="resnet50").state_dict()
    weights = safetensors.numpy.save({name: value.numpy() for name, value in state.items()})
    other = damaged(bundle, **{bundle.manifest["network"]["file"]: weights})
    network = load_predictor(other).network.module("cpu")
    torch.testing.assert_close(network.features.layer4[2].conv3.weight, state["features.layer4.2.conv3.weight"])
    with pytest.raises(BundleError, match="do not fit its network"):
        load_predictor(bundle).network.module("cpu")


def test_a_conformal_quantile_that_could_not_be_set_rules_nothing_out(tiny_model: Path):
    predictor = load_predictor(change(read_bundle(tiny_model), "endpoints/PDL1/conformal", [None, 0.0]))
    inputs = inputs_of(predictor, features_with(predictor))
    assert predictor.answer_for(predictor.manifest.endpoints[0], inputs).prediction_set == ("negative",)


def test_the_precision_of_the_reference_is_written_in_32_bits_and_read_in_64(tiny_model: Path, trained):
    bundle = read_bundle(tiny_model)
    stored = safetensors.numpy.load(bundle.file("tables.safetensors"))
    assert stored["reference/precision"].dtype == np.float32  # most of the file
    assert stored["reference/mean"].dtype == np.float64
    tables = read_tables(bundle, "tables.safetensors", {"reference/precision": (3, 3)}, (), {})
    assert tables["reference/precision"].dtype == np.float64
    np.testing.assert_allclose(
        tables["reference/precision"], trained.reference.tables["reference/precision"], rtol=1e-6
    )
