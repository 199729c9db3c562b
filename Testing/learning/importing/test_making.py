"""A model taken apart and imported answers as before, is checked as any other, and says that nobody measured it."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from import_layout import INPUTS, SCALES, SCORES, without_network, write_csv, write_layout

from PDL1PredictorLib.core.errors import BundleError, InputError, OutputError
from PDL1PredictorLib.learning.importing.making import import_bundle
from PDL1PredictorLib.learning.recalibrated import Recalibrated, Site, write_recalibrated
from PDL1PredictorLib.models.bundle import read_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.models.network.weights import read_weights
from PDL1PredictorLib.prediction import Options, predict_case

BOTH = ["PDL1", "EGFR"]
OPTIONS = Options(device="cpu", stability=False)


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    return write_layout(tiny_model, tmp_path / "частi – 部品")


def page(folder: Path) -> dict:
    return json.loads((folder / "import.json").read_text(encoding="utf-8"))


def rewritten(folder: Path, **changes) -> Path:
    (folder / "import.json").write_text(json.dumps({**page(folder), **changes}), encoding="utf-8")
    return folder


def refused(folder: Path, out: Path, error: type[Exception] = InputError) -> str:
    with pytest.raises(error) as found:
        import_bundle(folder, out)
    assert not out.exists()
    return str(found.value)


def answers(source: Path, phantom):
    lesion = predict_case(phantom.case, load_predictor(source), OPTIONS).lesions[0]
    return {answer.endpoint: answer for answer in lesion.endpoints}


def test_parts_written_out_and_imported_answer_as_before_without_a_verdict(tiny_model, folder, tmp_path, phantom):
    out = tmp_path / "imported – 肺"
    import_bundle(folder, out)
    before, after = answers(tiny_model, phantom), answers(out, phantom)
    assert list(after) == BOTH
    for key, answer in after.items():
        assert answer.probability == pytest.approx(before[key].probability, abs=1e-9)
        assert answer.interval == (answer.probability, answer.probability)
        assert answer.prediction_set == ("negative", "positive")
        assert (answer.verdict.status, answer.verdict.reasons[0].code) == ("not_answered", "not_measured")


def test_it_says_what_it_is_and_what_it_was_made_of(folder, tmp_path):
    bundle = import_bundle(folder, tmp_path / "imported")
    words = bundle.file("MODEL_CARD.md").decode()
    assert "not trained here but made of the parts of a model from elsewhere" in words
    assert "| net.safetensors |" in words
    assert "Research use only" in words or "research use only" in words.lower()
    summary = read_manifest(bundle).summary
    assert summary.title == "From elsewhere"
    assert not summary.auc
    assert any("not measured" in sentence for sentence in summary.limitations)


def test_a_recalibration_gives_it_threshold_interval_and_figures(folder, tmp_path, phantom):
    bundle = import_bundle(folder, tmp_path / "imported")
    test = {"auc": 0.8, "low": 0.7, "high": 0.9, "n_positive": 30, "n_negative": 30, "design": "evaluation"}
    test |= {"repeats": 1, "p": None, "sensitivity": None, "specificity": None}
    lines = np.random.default_rng(0).normal((1.0, 0.0), 0.1, (500, 2))
    change = Recalibrated(1.0, 0.0, 0.4, (0.6, 0.7), lambda n: np.resize(lines, (n, 2)), 0.5, test)
    write_recalibrated(bundle, {"PDL1": change}, Site(60, {"PDL1": (30, 30)}, []), tmp_path / "site")
    answer = answers(tmp_path / "site", phantom)["PDL1"]
    assert "not_measured" not in [reason.code for reason in answer.verdict.reasons]
    assert answer.threshold == 0.4
    assert answer.interval[0] < answer.probability < answer.interval[1]


def test_features_may_be_named_without_their_region_and_a_score_may_have_an_intercept(folder, tmp_path, phantom):
    text = (folder / SCORES).read_text(encoding="utf-8")
    bare = text.replace("tumor_original", "original").replace("ring_original", "original")
    (folder / SCORES).write_text(f"{bare}ring,intercept,3\n", encoding="utf-8")
    bundle = import_bundle(folder, tmp_path / "imported")
    entry = bundle.manifest["endpoints"]["PDL1"]
    assert entry["radscore"]["tumor"] == {
        "tumor_original_firstorder_Mean": 0.5,
        "tumor_original_firstorder_Range": -0.25,
    }
    assert entry["input_mean"] == [*([0.0] * 11), -3.0]  # (s + 3) / 2 is (s - -3) / 2


def test_a_network_of_torch_is_read_as_weights_alone(tiny_model, folder, tmp_path):
    weights = read_weights(read_bundle(tiny_model).file("network.safetensors"))
    named = {f"module.{name.replace('reduce', 'fc1')}": torch.from_numpy(value) for name, value in weights.items()}
    torch.save({"state_dict": named}, folder / "net.pth")
    network = {**page(folder)["network"], "file": "net.pth", "rename": {"fc1.": "reduce."}}
    bundle = import_bundle(rewritten(folder, network=network), tmp_path / "imported")
    again = read_weights(bundle.file("network.safetensors"))
    assert set(again) == set(weights)
    for name, value in weights.items():
        np.testing.assert_array_equal(again[name], value)


def test_a_bundle_may_take_some_outputs_of_a_network(tiny_model, folder, tmp_path):
    values = page(folder)
    network = {**values["network"], "outputs": ["PDL1", "EGFR"]}
    endpoints = {"EGFR": values["endpoints"]["EGFR"]}
    bundle = import_bundle(rewritten(folder, network=network, endpoints=endpoints), tmp_path / "imported")
    before = read_weights(read_bundle(tiny_model).file("network.safetensors"))
    after = read_weights(bundle.file("network.safetensors"))
    np.testing.assert_array_equal(after["classifier.weight"], before["classifier.weight"][1:])


def test_a_model_without_a_network_needs_no_picture(folder, tmp_path, phantom):
    import_bundle(without_network(folder), tmp_path / "imported")
    answer = answers(tmp_path / "imported", phantom)["PDL1"]
    assert 0 < answer.probability < 1
    assert answer.threshold == 0.5


def test_an_existing_bundle_is_not_replaced_unasked(folder, tmp_path):
    import_bundle(folder, tmp_path / "imported")
    with pytest.raises(OutputError):
        import_bundle(folder, tmp_path / "imported")
    import_bundle(folder, tmp_path / "imported", overwrite=True)


@pytest.mark.parametrize(
    "name", ["../net.safetensors", "/etc/passwd", "a/../../b.onnx", "C:\\x.onnx", "a\\b", "", "./x", "a\nb"]
)
def test_names_that_lead_out_of_the_folder_are_refused(folder, tmp_path, name):
    endpoints = page(folder)["endpoints"]
    endpoints["PDL1"]["classifier"] = name
    assert "import.json names the file" in refused(rewritten(folder, endpoints=endpoints), tmp_path / "imported")


def test_a_link_is_refused(folder, tmp_path):
    secret = tmp_path / "elsewhere.csv"
    secret.write_bytes((folder / SCALES).read_bytes())
    (folder / SCALES).unlink()
    (folder / SCALES).symlink_to(secret)
    assert "which is a link" in refused(folder, tmp_path / "imported")


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (SCALES, "10.0,20.0", "nan,20.0", "mean is 'nan'; a finite number is needed"),
        (SCALES, "10.0,20.0", "inf,20.0", "mean is 'inf'"),
        (SCALES, "10.0,20.0", "10.0,0", "sd is '0'; a number above 0"),
        (SCALES, "10.0,20.0", "1e40,20.0", "mean is '1e40'"),
        (SCALES, "region,feature,mean,sd", "region,feature,mean,scale", "lacks the column sd"),
        (SCORES, "coefficient", "weight", "lacks the column coefficient"),
        (SCORES, "tumor,", "lung,", "region must be tumor or ring"),
        (SCORES, "0.5", "much", "coefficient is 'much'"),
        (SCORES, "tumor_original_firstorder_Range", "original_firstorder_Mean", "stands there twice"),
        (SCORES, "tumor_original_firstorder_Mean", "tumor_original_firstorder_Nothing", "such as tumor_original_f"),
        (INPUTS, "deep_10", "deep_11", "12 in all; 'deep_10' is in one only"),
        (INPUTS, "0.0,2.0", "0.0,-2.0", "sd is '-2.0'"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_its_row(folder, tmp_path, file, old, new, words):
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    assert words in refused(folder, tmp_path / "imported")


def test_a_table_of_some_other_kind_is_refused(folder, tmp_path):
    (folder / SCALES).write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in refused(folder, tmp_path / "imported")
    write_csv(folder / SCALES, [("region", "feature", "mean", "sd"), *[("ring", f"f{i}", 0, 1) for i in range(20_001)]])
    assert "at most 20000" in refused(folder, tmp_path / "imported")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layout": 2}, "layout must be one of 1"),
        ({"colour": "red"}, "the entry 'colour'"),
        ({"endpoints": {}}, "endpoints must hold 1 to 64"),
        ({"endpoints": {"FASHION": {}}}, "FASHION"),
        ({"endpoints": {"TPS": {}}}, "a number cannot be imported"),
        ({"network": None}, "the part deep and network"),
        ({"scales": ""}, "features and scales"),
        ({"title": 7}, "title must be a text"),
        ({"trained_on": "mice"}, "trained_on must be one of"),
        (
            {"network": {"file": "net.safetensors", "backbone": "vit", "outputs": BOTH}},
            "network.backbone must be one of",
        ),
        ({"network": {"file": "net.bin", "outputs": BOTH}}, "cannot be read: No such file"),
        ({"network": {"file": "PDL1.onnx", "outputs": BOTH}}, "is no .safetensors"),
        ({"network": {"file": "net.safetensors", "outputs": ["PDL1"]}}, "does not name 'EGFR'"),
        ({"network": {"file": "net.safetensors", "outputs": ["PDL1", "EGFR", "ALK"]}}, "3 outputs were named"),
        (
            {"network": {"file": "net.safetensors", "outputs": BOTH, "rename": {"reduce.": "fc."}}},
            "lacks reduce.weight",
        ),
        (
            {"network": {"file": "net.safetensors", "outputs": BOTH, "rename": {"features.conv0": "conv0"}}},
            "lacks 1 arrays",
        ),
        (
            {"network": {"file": "net.safetensors", "outputs": BOTH, "rename": {"reduce.": "classifier."}}},
            "two arrays named",
        ),
        ({"network": {"file": "net.safetensors"}}, "lacks 'outputs'"),
        ({"regions": {"patch_pixels": "wide"}}, "patch_pixels must be a whole number"),
        ({"regions": {"patch_pixels": 16}}, "does not fit densenet121"),
    ],
)
def test_a_page_that_cannot_be_is_refused_with_its_entry(folder, tmp_path, changes, words):
    assert words in refused(rewritten(folder, **changes), tmp_path / "imported")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"regions": {"ring_mm": 99}}, "ring"),
        ({"regions": {"size": 3}}, "Unknown region settings"),
        ({"features": {"name": "x", "classes": ["magic"]}}, "magic"),
    ],
)
def test_what_the_bundles_reader_refuses_is_not_written(folder, tmp_path, changes, words):
    message = refused(rewritten(folder, **changes), tmp_path / "imported", BundleError)
    assert words in message
    assert "do not make a bundle" in message


def test_a_page_that_is_no_json_is_refused(folder, tmp_path):
    (folder / "import.json").write_text('{"layout": NaN}', encoding="utf-8")
    assert "NaN is not allowed" in refused(folder, tmp_path / "imported")
    (folder / "import.json").write_bytes(b" " * (2**20 + 1))
    assert "larger than the 1 MiB" in refused(folder, tmp_path / "imported")


def test_a_classifier_of_other_inputs_or_no_classifier_is_refused(folder, tmp_path):
    endpoints = page(folder)["endpoints"]
    endpoints["PDL1"] |= {"parts": ["radscore"], "inputs": ""}
    assert "a classifier of 2 inputs" in refused(rewritten(folder, endpoints=endpoints), tmp_path / "imported")
    (folder / "PDL1.onnx").write_bytes(b"\x08\x07rubbish")
    assert "cannot be a classifier" in refused(folder, tmp_path / "imported")


def test_a_damaged_network_is_refused(folder, tmp_path):
    data = (folder / "net.safetensors").read_bytes()
    (folder / "net.safetensors").write_bytes(data[:-10])
    assert "cannot be read" in refused(folder, tmp_path / "imported")


def test_a_network_with_a_number_that_is_none_is_refused(tiny_model, folder, tmp_path):
    weights = read_weights(read_bundle(tiny_model).file("network.safetensors"))
    state = {name: torch.from_numpy(value.copy()) for name, value in weights.items()}
    state["reduce.bias"][0] = float("nan")
    stream = io.BytesIO()
    torch.save(state, stream)
    (folder / "net.pth").write_bytes(stream.getvalue())
    network = {**page(folder)["network"], "file": "net.pth"}
    assert "not finite" in refused(rewritten(folder, network=network), tmp_path / "imported")
