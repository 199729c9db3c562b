"""Every value of a manifest is held against what it can be; what cannot be is refused with the entry's name."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from small_model import export_tiny

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import BundleError, InputError
from PDL1PredictorLib.learning.trained import Trained
from PDL1PredictorLib.models.bundle import Bundle, read_bundle, write_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.manifest import read_manifest, survey
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.resources import find_model

ROOT = Path(__file__).resolve().parents[2]


def change(bundle: Bundle, path: str, value: Any) -> Bundle:
    manifest = json.loads(json.dumps(dict(bundle.manifest)))
    *parents, last = path.split("/")
    place = manifest
    for parent in parents:
        place = place[parent]
    place[last] = value
    return Bundle(bundle.name, bundle.sha256, manifest, bundle.files)


@pytest.fixture(scope="module")
def sound(tiny_model: Path) -> Bundle:
    return read_bundle(tiny_model)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("network/n_deep", 10**9, "network.n_deep must be a whole number from 1 to 4096, got 1000000000"),
        ("network/n_deep", 0, "network.n_deep must be a whole number"),
        ("network/n_deep", 10.0, "network.n_deep must be a whole number"),
        ("network/n_deep", True, "network.n_deep must be a whole number"),
        ("network/n_deep", 11, "needs 13 input means and positive SDs for PDL1"),
        ("network", [], "network must be an object, got"),
        ("network/backbone", ["densenet121"], "network.backbone must be one of densenet121"),
        ("network/pool", "ring", "network.pool must be one of picture, contour"),
        ("network/pool", "contour", "network.pool is contour, which needs deep features of a ResNet"),
        ("network/file", 3, "network.file must be a text"),
        ("network/file", "nothing.safetensors", "has no file 'nothing.safetensors'"),
        ("tables", None, "tables must be a text"),
        ("regions", [], "regions must be an object"),
        ("regions/spacing_mm", "1", "regions.spacing_mm: a finite number was expected, got '1'"),
        ("regions/spacing_mm", 1e-9, "between 0.25 and 5 mm"),
        ("regions/ring_mm", True, "regions.ring_mm: a finite number was expected, got True"),
        ("regions/patch_pixels", 160.5, "regions.patch_pixels must be a whole number"),
        ("regions/patch_pixels", 10**9, "regions.patch_pixels must be a whole number"),
        ("regions/patch_margin_mm", math.nan, "regions.patch_margin_mm: a finite number was expected"),
        ("regions/exclude_air", "no", "regions.exclude_air must be true or false, got 'no'"),
        ("features/bin_width", 1e9, "bin_width must be a number from"),
        ("features/classes", "shape", "classes must be a list"),
        ("features/classes", [["shape"]], "features.classes must be a value or a list of at most 32"),
        (
            "features/log_sigma_mm",
            [1 + n / 1000 for n in range(5000)],
            "features.log_sigma_mm must be a value or a list",
        ),
        ("features/name", "x" * 301, "features.name must be a text of at most 300 letters"),
        ("features/wavelet", {"name": "coif1"}, "features.wavelet must be a value or a list"),
        ("reference/limits/selected", 0, "reference.limits.selected must be positive, got 0"),
        ("reference/limits/sanity", -3.0, "reference.limits.sanity must lie from 0"),
        ("reference/limits/deep", "3", "reference.limits.deep: a finite number was expected"),
        ("reference/limits/deep", math.inf, "reference.limits.deep: a finite number was expected"),
        ("reference/limits", {}, "reference.limits must be of some of sanity, sanity_z, deep, selected"),
        ("reference/limits", {"genes": 1.0}, "reference.limits must be of some of sanity"),
        ("reference/limits", [3.0], "reference.limits must be an object"),
        ("reference/held_out", 10**9, "reference.held_out must be a whole number from 0 to 100000"),
        ("reference/held_out", -1, "reference.held_out must be a whole number"),
        ("reference/held_out", 40, r"need reference/held_out of shape \(40, 5\)"),
        ("reference/held_out", 39.5, "reference.held_out must be a whole number"),
        ("trained_on", "mice", "trained_on must be one of patients, synthetic, got 'mice'"),
        ("trained_on", True, "trained_on must be one of patients, synthetic, got True"),
        ("network/slices", 2, "network.slices must be one of 0, 1, 3, 5, got 2"),
        ("network/slices", 5.0, "network.slices must be one of 0, 1, 3, 5"),
        ("network/slices", 10**9, "network.slices must be one of 0, 1, 3, 5"),
        ("endpoints/PDL1/title", 3, "PDL1.title must be a text"),
        ("endpoints/PDL1/title", "x" * 301, "PDL1.title must be a text of at most 300 letters"),
        ("endpoints/PDL1/role", "chief", "PDL1.role must be one of lead, part, baseline"),
        ("endpoints/PDL1/base_rate", 0, "PDL1.base_rate must lie between 0 and 1, both left out, got 0"),
        ("endpoints/PDL1/base_rate", 1.5, "PDL1.base_rate must lie from 0 to 1"),
        ("endpoints/PDL1/base_rate", "half", "PDL1.base_rate: a finite number was expected"),
        ("endpoints/PDL1/candidates", {}, "PDL1.candidates must be a list of at most 32 models"),
        ("endpoints/PDL1/candidates", [{}] * 33, "PDL1.candidates must be a list of at most 32 models"),
        ("endpoints/PDL1/candidates", [1], "an entry of PDL1.candidates must be an object"),
        (
            "endpoints/PDL1/candidates",
            [{"title": "Volume", "role": "baseline", "auc": 0.4, "low": 0.5, "high": 0.6}],
            "an entry of PDL1.candidates is 0.4, which lies outside its interval",
        ),
        (
            "endpoints/PDL1/candidates",
            [{"title": "Volume", "role": "king", "auc": None, "low": None, "high": None}],
            "role must be one of lead, part, baseline",
        ),
        ("endpoints/PDL1/test/design", "guess", "PDL1.test.design must be one of split, nested"),
        ("endpoints/PDL1/test/repeats", 0, "PDL1.test.repeats must be a whole number from 1"),
        ("endpoints/PDL1/test/p", 1.5, "PDL1.test.p must lie from 0 to 1"),
        ("endpoints/PDL1/test/sensitivity", 0.8, "PDL1.test.sensitivity must be an object"),
        (
            "endpoints/PDL1/test/sensitivity",
            {"value": 0.9, "low": 0.5, "high": 0.8},
            "PDL1.test.sensitivity is 0.9, which lies outside its interval from 0.5 to 0.8",
        ),
        (
            "endpoints/PDL1/test/specificity",
            {"value": 2.0, "low": 0.5, "high": 2.0},
            "PDL1.test.specificity.value must lie from 0 to 1",
        ),
        ("reference/features", "all", "reference.features must be a list of at most 2000 texts"),
        ("reference/features", ["x"] * 2001, "reference.features must be a list of at most 2000 texts"),
        ("reference/features", ["x", "x"], "reference.features names 'x' twice"),
        ("reference/features", [1, 2, 3], "an entry of reference.features must be a text"),
        ("coverage", -1, "coverage must lie from 0 to 1, got -1"),
        ("coverage", 1, "coverage must lie between 0 and 1, both left out, got 1"),
        ("coverage", True, "coverage: a finite number was expected"),
        ("endpoint_order", ["PDL1", "PDL1"], "endpoint_order names 'PDL1' twice"),
        ("endpoint_order", ["PDL1"], "must name the same, but 'EGFR' is in one only"),
        ("endpoint_order", ["PDL1", "HEIGHT"], "must name the same"),
        ("endpoint_order", "PDL1", "endpoint_order must be a list"),
        ("endpoint_order", [["PDL1"]], "an entry of endpoint_order must be a text"),
        ("endpoints/PDL1", 1, "endpoints.PDL1 must be an object, got 1"),
        ("endpoints/PDL1/threshold", 7.5, "PDL1.threshold must lie from 0 to 1, got 7.5"),
        ("endpoints/PDL1/threshold", 10**400, "PDL1.threshold: a finite number was expected, got a number of more"),
        ("endpoints/PDL1/conformal", [0.5], "PDL1.conformal must hold two numbers"),
        ("endpoints/PDL1/conformal", [0.5, 0.5, 0.5], "PDL1.conformal must hold two numbers"),
        ("endpoints/PDL1/conformal", [0.5, 1.5], "PDL1.conformal must lie from 0 to 1, got 1.5"),
        ("endpoints/PDL1/test/auc", 17, "PDL1.test.auc must lie from 0 to 1, got 17"),
        ("endpoints/PDL1/test/low", 0.85, "PDL1.test is 0.8, which lies outside its interval from 0.85 to 0.9"),
        ("endpoints/PDL1/test/n_positive", -1, "PDL1.test.n_positive must be a whole number"),
        ("endpoints/PDL1/test/n_negative", 9.5, "PDL1.test.n_negative must be a whole number"),
        ("endpoints/PDL1/test", [0.8], "PDL1.test must be an object"),
        ("endpoints/PDL1/calibration/slope", 1e200, "PDL1.calibration.slope must lie from -1e.06 to 1e.06"),
        ("endpoints/PDL1/calibration/intercept", None, "PDL1.calibration.intercept: a finite number was expected"),
        ("endpoints/PDL1/calibration", 1, "PDL1.calibration must be an object"),
        ("endpoints/PDL1/input_mean", [True] * 12, "PDL1.input_mean: a finite number was expected, got True"),
        ("endpoints/PDL1/input_mean", 0, "PDL1.input_mean must be a list of numbers"),
        ("endpoints/PDL1/input_sd", [1.0] * 11 + [0.0], "needs 12 input means and positive SDs"),
        ("endpoints/PDL1/input_sd", [1.0] * 11 + [-1.0], "needs 12 input means and positive SDs"),
        ("endpoints/PDL1/radscore/ring", [1], "PDL1.radscore.ring must be an object"),
        ("endpoints/PDL1/radscore/ring", {"ring_original_firstorder_Mean": math.inf}, "a finite number was expected"),
        ("endpoints/PDL1/model/file", ["x"], "PDL1.model.file must be a text"),
        ("endpoints/PDL1/model/kind", 4, "PDL1.model.kind must be a text"),
        ("feature_mean/tumor_original_firstorder_Mean", 1e200, "feature_mean.tumor_original_firstorder_Mean must lie"),
        ("feature_sd/tumor_original_firstorder_Mean", 1e-300, "feature_sd.tumor_original_firstorder_Mean: a standard"),
        ("feature_sd", {str(n): 1.0 for n in range(20_001)}, "feature_sd has 20001 entries; at most 20000"),
        ("title", 3, "title must be a text of at most 300 letters, got 3"),
        ("title", "x" * 301, "title must be a text of at most 300 letters"),
        ("intended_use", "x" * 5001, "intended_use must be a text of at most 5000 letters"),
        ("limitations", ["x"] * 101, "limitations must be a list of at most 100 texts"),
        ("limitations", [1], "an entry of limitations must be a text"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_the_name_of_its_entry(sound: Bundle, path: str, value: Any, words: str):
    with pytest.raises(BundleError, match=words):
        read_manifest(change(sound, path, value))


def with_tables(bundle: Bundle, **changed: np.ndarray) -> Bundle:
    tables = safetensors.numpy.load(bundle.file("tables.safetensors"))
    tables |= {name.replace("__", "/"): value for name, value in changed.items()}
    files = {**bundle.files, "tables.safetensors": safetensors.numpy.save(tables)}
    return Bundle(bundle.name, bundle.sha256, bundle.manifest, files)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"reference__mean": np.array([0.0, np.nan, 0.0])}, "'reference/mean' holds a number that is not finite"),
        ({"reference__mean": np.zeros(3, np.int64)}, "need 'reference/mean' as floating-point numbers"),
        ({"reference__mean": np.full(3, 1e40)}, "need 'reference/mean' as floating-point numbers of at most 1e.30"),
        ({"reference__precision": np.zeros((3, 2))}, r"need reference/precision of shape \(3, 3\)"),
        ({"reference__deep__precision": -np.eye(10)}, "reference/deep/precision that is no inverse covariance"),
        ({"reference__deep__mean": np.zeros(9)}, r"need reference/deep/mean of shape \(10,\)"),
        ({"reference__sanity__precision": -np.eye(11)}, "reference/sanity/precision that is no inverse covariance"),
        ({"reference__sanity__below": np.zeros(11)}, "need reference/sanity/below as positive numbers"),
        ({"reference__sanity__above": -np.ones(11)}, "need reference/sanity/above as positive numbers"),
        ({"reference__sanity__middle": np.zeros(9)}, r"need reference/sanity/middle of shape \(11,\)"),
        ({"reference__held_out": np.zeros((39, 4))}, r"need reference/held_out of shape \(39, 5\)"),
        ({"fusion__PDL1": np.zeros((20, 12))}, "need fusion/PDL1 with 13 columns"),
        ({"fusion__PDL1": np.zeros((0, 13))}, "need fusion/PDL1 with 1 to 100000 rows"),
        ({"fusion__EGFR": np.zeros(13)}, "need fusion/EGFR with 13 columns"),
        ({"reference__precision": -np.eye(3)}, "reference/precision that is no inverse covariance"),
        ({"reference__precision": np.triu(np.ones((3, 3)))}, "reference/precision that is no inverse covariance"),
        ({"calibration__PDL1": np.zeros((0, 2))}, "need calibration/PDL1 with 1 to 100000 rows"),
        ({"calibration__PDL1": np.zeros((5, 3))}, "need calibration/PDL1 with two columns"),
        ({"calibration__PDL1": np.full((5, 2), np.inf)}, "'calibration/PDL1' holds a number that is not finite"),
    ],
)
def test_tables_that_cannot_be_are_refused(sound: Bundle, changed: dict[str, np.ndarray], words: str):
    with pytest.raises(BundleError, match=words):
        read_manifest(with_tables(sound, **changed))


def test_weights_of_another_width_are_refused_before_a_network_is_made(sound: Bundle):
    weights = safetensors.numpy.load(sound.file("network.safetensors"))
    for name, wrong in (("reduce.weight", np.zeros((9, 1024), np.float16)), ("classifier.weight", np.zeros((3, 10)))):
        files = {**sound.files, "network.safetensors": safetensors.numpy.save({**weights, name: wrong})}
        with pytest.raises(BundleError, match="10 deep features and 2 endpoints need reduce.weight of shape"):
            read_manifest(Bundle(sound.name, sound.sha256, sound.manifest, files))


def test_weights_that_make_no_finite_number_give_no_answer(sound: Bundle):
    predictor = load_predictor(sound)
    values = dict.fromkeys(predictor.manifest.features.feature_names(), 10.0)
    assert predictor.inputs(Given(values, None, 10.0), np.zeros(10)).atypicality == 0
    with pytest.raises(BundleError, match="gives deep features that are no finite numbers"):
        predictor.inputs(Given(values, None, 10.0), np.full(10, np.nan))
    with pytest.raises(BundleError, match="gives inputs of PDL1 that are no finite numbers"):
        predictor.score(predictor.manifest.endpoints[0], np.full((1, 12), 1e39))


def test_all_bundled_models_pass():
    for place in sorted((ROOT / "Resources" / "Models").iterdir()):
        assert read_manifest(read_bundle(place)).summary.name == place.name.removesuffix(".zip")


def damaged_copy(sound: Bundle, folder: Path, **changes: Any) -> None:
    """A bundle with right hashes whose manifest is wrong."""
    write_bundle(folder, {**json.loads(json.dumps(dict(sound.manifest))), **changes}, sound.files)


def test_a_bad_bundle_does_not_hide_the_others(sound: Bundle, tiny_model: Path, tmp_path, monkeypatch, capsys):
    damaged_copy(sound, tmp_path / "a_wrong", coverage=-1)
    damaged_copy(sound, tmp_path / "b_good")
    (tmp_path / "c_half").mkdir()
    (tmp_path / "c_half" / "model.json").write_text(r'{"schema_version": 1, "name": "\ud800"}', encoding="utf-8")
    (tmp_path / "d_huge").mkdir()
    (tmp_path / "d_huge" / "model.json").write_text('{"schema_version": ' + "9" * 400 + "}", encoding="utf-8")
    (tmp_path / "e.zip").write_bytes(b"PK\x03\x04 cut")
    monkeypatch.setenv("PDL1_MODELS", str(tmp_path))
    assert main(["models"]) == 0
    told = capsys.readouterr().out
    for name in ("a_wrong", "c_half", "d_huge"):
        assert f"{name}: cannot be used. " in told
    assert "tiny 1.0.0: " in told
    assert "phantom-demo 1.0.0: " in told


def test_damage_that_nobody_thought_of_is_a_reason_too(tiny_model: Path, monkeypatch):
    def fail(path: Path) -> None:
        raise MemoryError("much too large")

    monkeypatch.setattr("PDL1PredictorLib.models.manifest.read_bundle", fail)
    (found,) = survey([tiny_model])
    assert found.summary is None
    assert "cannot be read (MemoryError: much too large)" in found.problem


def test_a_folder_of_models_that_cannot_be_entered_is_passed_over(tmp_path: Path, monkeypatch):
    from PDL1PredictorLib.models.bundle import find_bundles

    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert find_bundles([tmp_path]) == []


def test_the_words_of_a_bundle_cannot_steer_a_terminal(sound: Bundle, tmp_path: Path, monkeypatch, capsys):
    damaged_copy(sound, tmp_path / "m", title="Good\x1b[2J\n\rphantom-demo 9.9.9: \u202etset", version="1\x07")
    monkeypatch.setenv("PDL1_MODELS", str(tmp_path))
    assert main(["models"]) == 0
    told = capsys.readouterr().out
    assert "tiny 1?: Good?[2J ?phantom-demo 9.9.9: ?tset\n" in told
    assert "\x1b" not in told


def test_what_no_reader_would_take_is_not_written(trained: Trained, tmp_path: Path):
    wrong = replace(trained, reference=replace(trained.reference, limits={"selected": 0.0}))
    with pytest.raises(BundleError, match="reference.limits.selected must be positive"):
        export_tiny(wrong, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_a_name_that_no_disk_can_hold_is_a_model_that_is_not_there(name: str):
    with pytest.raises(InputError, match="There is no model"):
        find_model(name)
