"""Networks that answer by themselves: written, read, checked in shapes, run, and explained, against torch."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import SimpleITK as sitk
import torch
from tiny_answering import COLUMNS, VOXELS, TinyPicture, end_to_end, export_answering, needs_of, seeded

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import BundleError, InputError
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.explain.grad_cam import normalize
from PDL1PredictorLib.imaging.patch import deep_patches
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.imaging.volume import tumor_volume
from PDL1PredictorLib.learning.answering_files import answering_files
from PDL1PredictorLib.models.bundle import Bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.models.network.answering import HEAD_BIAS
from PDL1PredictorLib.models.network.sight import shown_of
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.models.schema.network import NetworkEntry, NetworkInputs
from PDL1PredictorLib.models.stack import Stack

CUBE = NetworkEntry("w", "g", "cnn3d", 0, 32, "linear", None, 0, NetworkInputs("volume"), "answers")
FORMS = [("volume", 0), ("volume", 3), ("contour", 0), ("slice", 1), ("slices", 3), ("none", 3)]


@pytest.fixture(scope="module")
def given(phantom) -> Given:
    """All that any of the networks needs of a tumor; its age is not known."""
    case, settings = phantom.case, RegionSettings()
    regions = make_regions(case, settings)
    first, *others = deep_patches(case, regions, settings)
    cube = tumor_volume(case, needs_of("volume", 0).volume)
    return Given({COLUMNS[0]: 14.0}, first, math.exp(32.0), Clinical(), tuple(others), volume=cube)


def loaded(folder: Path, form: str, n_table: int, linear: bool = True) -> Stack:
    return load_predictor(export_answering(folder, end_to_end(form, n_table, linear), needs_of(form, n_table)))


def by_torch(form: str, n_table: int, given: Given, predictor: Stack):
    """Mean answers over the slices, and the output of the first."""
    shown = predictor.shown(given)
    module = end_to_end(form, n_table).module
    table = torch.from_numpy(shown.table[None]).float() if n_table else None
    pictures = [None] if shown.pictures is None else [torch.from_numpy(one[None]) for one in shown.pictures]
    outputs = [module(None if one is None else one.requires_grad_(), table) for one in pictures]
    return torch.stack([one.answers[0] for one in outputs]).mean(0).detach().numpy(), outputs[0]


@pytest.mark.parametrize(("form", "n_table"), FORMS)
def test_a_bundle_answers_as_torch_does(form: str, n_table: int, given: Given, tmp_path: Path):
    predictor = loaded(tmp_path / "m", form, n_table)
    assert predictor.manifest.network.inputs.picture == ("volume" if form == "contour" else form)
    assert predictor.manifest.network.pool == ("contour" if form == "contour" else "picture")
    output = predictor._run(given, "cpu", "auto")
    wanted, first = by_torch(form, n_table, given, predictor)
    np.testing.assert_allclose(output.answers, wanted, atol=1e-5)
    if first.attention is not None:
        np.testing.assert_allclose(output.attention, first.attention.detach().numpy(), atol=1e-5)


def test_columns_are_standardized_by_the_manifest_and_unknown_ones_are_the_mean(given: Given, tmp_path: Path):
    shown = loaded(tmp_path / "m", "none", 3).shown(given)
    assert shown.table == pytest.approx([(14 - 10) / 2, 0.0, (32 - 30) / 2])
    known = replace(given, clinical=Clinical(age_years=26))
    assert loaded(tmp_path / "n", "none", 3).shown(known).table[1] == pytest.approx((26 - 20) / 2)


def test_the_answer_follows_from_the_network_alone(given: Given, tmp_path: Path):
    predictor = loaded(tmp_path / "m", "volume", 0)
    features = dict.fromkeys(predictor.features.feature_names(), 10.0)
    said = predictor.answer(replace(given, features=features), "cpu")
    wanted, _ = by_torch("volume", 0, given, predictor)
    for answer, raw in zip(said.answers, wanted, strict=True):
        assert answer.probability == pytest.approx(1 / (1 + math.exp(-(0.8 * raw / 2 - 0.1))), abs=1e-5)
        assert [share.name for share in answer.contributions] == ["network_answer"]
    assert (said.device, said.network) == ("cpu", "onnxruntime")


@pytest.mark.parametrize(("form", "n_table"), [("volume", 3), ("contour", 0), ("slices", 3)])
def test_the_heat_map_is_torchs_grad_cam_placed_in_the_patient(form: str, n_table: int, given: Given, tmp_path: Path):
    predictor = loaded(tmp_path / "m", form, n_table)
    output = predictor._run(given, "cpu", "auto")
    _, first = by_torch(form, n_table, given, predictor)
    raw = torch.stack(
        [
            (torch.autograd.grad(first.answers[0, k], first.maps, retain_graph=True)[0].flatten(2).mean(2)[0] @ maps)
            for k, maps in [(k, first.maps[0].flatten(1)) for k in range(2)]
        ]
    ).relu()
    wanted = normalize(raw[:, None])[:, 0].reshape(output.maps.shape).detach().numpy()
    np.testing.assert_allclose(output.maps, wanted, atol=1e-4)
    image = predictor._heat_maps(output, given)[0].image
    grid = given.patch.image if form == "slices" else given.volume.image
    assert image.GetSize() == grid.GetSize()
    assert image.GetOrigin() == pytest.approx(grid.GetOrigin())


def test_what_each_place_adds_within_the_contour_sums_to_the_answer(given: Given, tmp_path: Path):
    predictor = loaded(tmp_path / "m", "contour", 0)
    shown = predictor.shown(given)
    assert shown.pictures.shape == (1, 4, *(VOXELS,) * 3)
    np.testing.assert_array_equal(shown.pictures[0, 3], sitk.GetArrayFromImage(given.volume.tumor))
    found = predictor.network.outputs({"volume": shown.pictures})
    head = end_to_end("contour").module.head()
    adds = np.tensordot(head.maps, found["maps"][0], axes=1)
    again = adds.reshape(len(adds), -1).mean(axis=1) + head.bias
    np.testing.assert_allclose(again, found["answers"][0], atol=1e-4)


def test_a_head_that_is_not_linear_has_no_heat_map(given: Given, tmp_path: Path):
    predictor = loaded(tmp_path / "m", "volume", 0, linear=False)
    output = predictor._run(given, "cpu", "auto")
    assert (len(output.maps), predictor._heat_maps(output, given)) == (0, ())


def test_a_network_that_answers_is_run_by_onnxruntime_alone(given: Given, tmp_path: Path):
    with pytest.raises(InputError, match="run by onnxruntime alone"):
        loaded(tmp_path / "m", "volume", 0)._run(given, "cpu", "torch")


def test_what_was_not_given_is_asked_for(given: Given, tmp_path: Path):
    predictor = loaded(tmp_path / "m", "volume", 0)
    with pytest.raises(InputError, match="needs the volume about the tumor, which was not given"):
        predictor.shown(replace(given, volume=None))
    table = loaded(tmp_path / "n", "none", 1)
    with pytest.raises(InputError, match="needs tumor_original_firstorder_Mean and 0 more that were not measured"):
        table.shown(replace(given, features=None))


def changed(bundle: Bundle, **entry: object) -> Bundle:
    manifest = json.loads(json.dumps(dict(bundle.manifest)))
    for name, value in entry.items():
        into = manifest["network"]["inputs"] if name in manifest["network"]["inputs"] else manifest["network"]
        into[name] = value
    return Bundle(bundle.name, bundle.sha256, manifest, bundle.files)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"picture": "slice", "slices": 1}, "needs.picture 'volume', but its network sees 'slice'"),
        ({"picture": "cube"}, "network.inputs.picture must be one of"),
        ({"slices": 5}, "network.slices is 5, which does not fit the picture 'volume'"),
        ({"table": [COLUMNS[0]], "mean": [1.0], "sd": [1.0]}, "joint.*given|do not fit"),
        ({"table": [COLUMNS[0]]}, "needs a mean and an SD for each of its 1 columns"),
        ({"table": [COLUMNS[0]], "mean": [1.0], "sd": [0.0]}, "network.inputs.sd must be positive"),
        ({"outputs": "deep", "n_deep": 1, "backbone": "densenet121"}, "a network of deep features is given slices"),
        ({"backbone": "other"}, "network.backbone must be one of"),
        ({"graph": None}, "network.graph must be named"),
        ({"n_deep": 3}, "do not fit its network: it gives"),
    ],
)
def test_a_manifest_that_does_not_fit_its_network_is_refused(entry: dict, words: str, tmp_path: Path):
    bundle = export_answering(tmp_path / "m", end_to_end("volume"), needs_of("volume", 0))
    read_manifest(bundle)
    with pytest.raises(BundleError, match=words):
        read_manifest(changed(bundle, **entry))


def test_weights_of_another_size_are_refused_when_the_manifest_is_read(tmp_path: Path):
    bundle = export_answering(tmp_path / "m", end_to_end("volume"), needs_of("volume", 0))
    weights = safetensors.numpy.load(bundle.files["network.safetensors"])
    weights["classifier.weight"] = np.zeros((3, 4), np.float32)
    files = {**bundle.files, "network.safetensors": safetensors.numpy.save(weights)}
    with pytest.raises(BundleError, match="do not fit its network: Gemm"):
        read_manifest(Bundle(bundle.name, bundle.sha256, bundle.manifest, files))


def test_a_head_that_does_not_explain_the_answers_is_refused(given: Given, tmp_path: Path):
    bundle = export_answering(tmp_path / "m", end_to_end("volume"), needs_of("volume", 0))
    weights = safetensors.numpy.load(bundle.files["network.safetensors"])
    weights[HEAD_BIAS] = weights[HEAD_BIAS] + 0.5
    files = {**bundle.files, "network.safetensors": safetensors.numpy.save(weights)}
    predictor = load_predictor(Bundle(bundle.name, bundle.sha256, bundle.manifest, files))
    with pytest.raises(BundleError, match="answers do not follow from its head"):
        predictor._run(given, "cpu", "auto")


def test_older_manifests_mean_slices_and_deep_features(tiny_model: Path):
    bundle = load_predictor(tiny_model)._bundle
    manifest = json.loads(json.dumps(dict(bundle.manifest)))
    del manifest["network"]["inputs"], manifest["network"]["outputs"]
    entry = read_manifest(Bundle(bundle.name, bundle.sha256, manifest, bundle.files)).network
    assert (entry.inputs.picture, entry.inputs.table, entry.outputs) == ("slices", (), "deep")
    manifest["network"]["slices"] = 1
    entry = read_manifest(Bundle(bundle.name, bundle.sha256, manifest, bundle.files)).network
    assert entry.inputs.picture == "slice"


def test_the_pet_is_two_more_channels(given: Given):
    needs = replace(needs_of("volume", 0), pet="optional")
    without = shown_of(given, CUBE, needs, {}, "toy").pictures
    suv = sitk.Image([VOXELS] * 3, sitk.sitkFloat32) + 5.0
    suv.CopyInformation(given.volume.image)
    with_pet = replace(given, volume=replace(given.volume, suv=suv))
    seen = shown_of(with_pet, CUBE, needs, {}, "toy").pictures
    assert (without.shape, seen.shape) == ((1, 5, *(VOXELS,) * 3),) * 2
    assert (without[0, 3:].max(), seen[0, 3].max(), seen[0, 4].min()) == (0.0, 0.25, 1.0)
    np.testing.assert_array_equal(without[0, :3], seen[0, :3])
    with pytest.raises(InputError, match="needs a PET in SUV"):
        shown_of(given, CUBE, replace(needs, pet="required"), {}, "toy")


def test_the_same_network_gives_the_same_bytes_and_its_outputs_can_be_chosen():
    files = answering_files(end_to_end("volume", 3)).files
    assert files == answering_files(end_to_end("volume", 3)).files
    whole = end_to_end("slice", 0)
    swapped = replace(whole, module=whole.module.with_outputs([1]))
    weights = safetensors.numpy.load(answering_files(swapped).files["network.safetensors"])
    np.testing.assert_array_equal(weights["classifier.weight"][0], whole.module.classifier.weight[1].detach().numpy())


def test_a_network_in_training_mode_or_rounded_too_late_is_refused():
    network = end_to_end("slice", 0)
    network.module.train()
    with pytest.raises(ValueError, match="is in training mode"):
        answering_files(network)
    steep = seeded(TinyPicture, 2, 0)
    with torch.no_grad():
        steep.classifier.weight.mul_(1000.0)
        steep.classifier.weight.add_(0.3)
    with pytest.raises(ValueError, match="The exported network gives other"):
        answering_files(replace(end_to_end("slice", 0), module=steep, bits=8))


@pytest.mark.parametrize("bits", [16, 32])
def test_weights_that_lie_with_their_channels_last_are_read_back_in_order(bits: int):
    network = end_to_end("volume")
    with torch.no_grad():
        wide = network.module.features[0].weight.half().float()
        network.module.features[0].weight.copy_(wide)
    network.module.to(memory_format=torch.channels_last_3d)
    written = answering_files(replace(network, bits=bits)).files["network.safetensors"]
    np.testing.assert_array_equal(safetensors.numpy.load(written)["features.0.weight"].astype(np.float32), wide)
