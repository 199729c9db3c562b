"""A network as files: the graph answers as torch does, its bytes depend on nothing but it, rounding is measured."""

import warnings
from copy import deepcopy

import numpy as np
import onnx
import pytest
import safetensors.numpy
import torch
from torch import nn

from PDL1PredictorLib.learning import network_files as page
from PDL1PredictorLib.learning.deep.heads import head_of
from PDL1PredictorLib.learning.deep.weights import with_weights_of_a_bundle
from PDL1PredictorLib.learning.network_files import check_agreement, graph_bytes, network_files, with_outputs
from PDL1PredictorLib.models.network.graph import read_network_graph
from PDL1PredictorLib.models.network.run import shipped_graph
from PDL1PredictorLib.models.network.session import NetworkSession
from PDL1PredictorLib.models.network.shapes import OPERATORS
from PDL1PredictorLib.models.network.weights import read_weights, rounded
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.networks.names import BACKBONES

EDGES = {"inception_v3": (80, 96)}


def network_of(backbone: str = "densenet121", n_endpoints: int = 3, pool: str = "picture") -> DeepCT:
    """Batch norms that were trained: no two vectors alike, so that none can be taken for another."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DeepCT(n_endpoints, 4, backbone=backbone, pool=pool)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.8, 1.2)
                nn.init.uniform_(module.bias, -0.1, 0.1)
                module.running_mean.uniform_(-0.1, 0.1)
                module.running_var.uniform_(0.8, 1.2)
    return network.eval()


def patches(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (2, 3, *shape)).astype(np.float32)


@pytest.fixture(scope="module")
def densenet() -> DeepCT:
    return network_of()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_answers_by_its_files_as_by_torch_on_patches_of_any_size(backbone: str):
    network = network_of(backbone)
    edges = EDGES.get(backbone, (64, 45))
    written = network_files(network, patches(*edges))
    session = NetworkSession(written.files["network.onnx"], read_weights(written.files["network.safetensors"]), 4, 3)
    for patch in patches(edges[1], edges[0]) if backbone != "vgg19" else patches(70, 64):
        maps, deep, logits = (part[0] for part in session.run(patch[None]))
        with torch.no_grad():
            wanted = network(torch.from_numpy(patch[None]))
        scale = float(wanted.maps.max())
        np.testing.assert_allclose(maps, wanted.maps[0].numpy(), atol=5e-3 * scale)  # 16 bits
        np.testing.assert_allclose(deep, wanted.deep[0].numpy(), atol=5e-3 * max(1, float(wanted.deep.abs().max())))
        np.testing.assert_allclose(
            logits, wanted.logits[0].numpy(), atol=5e-3 * max(1, float(wanted.logits.abs().max()))
        )


def contours(*shape: int) -> np.ndarray:
    found = np.zeros((2, 1, *shape), np.float32)
    found[0, :, 8:20, 10:30], found[1, :, 5:9, 5:9] = 1, 1
    return found


@pytest.mark.parametrize("backbone", ["resnet50", "resnet50_layer1"])
def test_maps_pooled_within_the_contour_are_the_same_by_the_files_as_by_torch(backbone: str):
    network = network_of(backbone, pool="contour")
    written = network_files(network, patches(64, 45), contours=contours(64, 45))
    assert (written.entry["pool"], written.entry["head"]) == ("contour", "none")
    session = NetworkSession(written.files["network.onnx"], read_weights(written.files["network.safetensors"]), 4, 3)
    shown, within = patches(45, 64), contours(45, 64)
    _, deep, _ = session.run(shown, within)
    with torch.no_grad():
        wanted = written.network(torch.from_numpy(shown), torch.from_numpy(within)).deep.numpy()
    np.testing.assert_allclose(deep, wanted, atol=1e-4 * max(1.0, float(np.abs(wanted).max())))
    assert np.abs(session.run(shown, within[::-1])[1] - wanted).max() > 1e-2  # another contour, another answer
    with pytest.raises(ValueError, match="it needs 'patch', 'contour', and is given 'patch'"):
        session.run(shown)


def test_a_graph_that_pools_otherwise_is_caught():
    network = network_of("resnet50_layer1", pool="contour")
    check_agreement(graph_bytes(network), network, patches(64, 64), contours(64, 64))
    other = onnx.load_from_string(graph_bytes(network))
    root = next(node for node in other.graph.node if node.op_type == "Sqrt")
    root.op_type = "Sigmoid"
    with pytest.raises(ValueError, match="The exported network gives other deep than the trained one"):
        check_agreement(other.SerializeToString(), network, patches(64, 64), contours(64, 64))


def test_all_that_the_reader_allows_is_needed():
    used = {
        step.operator
        for name in BACKBONES
        for step in read_network_graph(graph_bytes(DeepCT(1, backbone=name).eval())).steps
    }
    assert used == set(OPERATORS)


def test_the_graph_names_the_weights_as_torch_does_and_depends_on_no_weight(densenet: DeepCT):
    graph = graph_bytes(densenet)
    names = {name for step in read_network_graph(graph).steps for name in step.inputs}
    state = {name for name in densenet.state_dict() if not name.endswith("num_batches_tracked")}
    assert state <= names
    assert graph_bytes(DeepCT(7, 12).eval()) == graph  # fresh weights, many of them equal; other widths
    assert not onnx.load_from_string(graph).graph.initializer


def test_the_graph_that_the_library_brings_is_the_exported_one():
    assert graph_bytes(DeepCT(1).eval()) == shipped_graph("densenet121")


def test_a_network_in_training_mode_is_refused():
    network = network_of()
    network.train()
    with pytest.raises(ValueError, match="is in training mode"):
        network_files(network, patches(64, 64))


def test_an_exported_module_that_was_left_in_training_mode_is_caught(densenet: DeepCT):
    wrapper = page._Exported(densenet)  # never put into eval(), as its parts are
    try:
        wrapper.train()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a batch norm in training mode looks at the batch's size
            model = page._exported(wrapper, {"patch": 3})
    finally:
        densenet.eval()
    with pytest.raises(ValueError, match="exported in training mode"):
        page._plain_graph(model, set(densenet.state_dict()), {"patch": 3})


def test_a_graph_that_answers_differently_is_caught(densenet: DeepCT):
    other = onnx.load_from_string(graph_bytes(densenet))
    next(a for node in other.graph.node for a in node.attribute if a.name == "epsilon").f = 0.5
    with pytest.raises(ValueError, match="The exported network gives other maps"):
        check_agreement(other.SerializeToString(), densenet, patches(64, 64))
    with pytest.raises(ValueError, match="At least one patch is needed"):
        check_agreement(graph_bytes(densenet), densenet, patches(64, 64)[:0])


def answers(moved: dict[str, float]):
    """Probabilities that move by so much when a weight was rounded to so many bits."""
    exact = []

    def of(network: DeepCT) -> np.ndarray:
        weight = network.features.denseblock4.denselayer16.conv2.weight.detach()
        if not exact:
            exact.append(weight.clone())
        error = float((weight - exact[0]).abs().max())
        bits = "none" if error == 0 else "16" if error < 2e-4 else "8"
        return np.array([0.3, np.nan, 0.5 + moved.get(bits, 0.0)])

    return of


def test_8_bits_are_taken_where_they_move_no_probability_by_much(densenet: DeepCT):
    written = network_files(densenet, patches(64, 64), answers({"8": 0.004}))
    assert written.entry == {
        "file": "network.safetensors",
        "graph": "network.onnx",
        "backbone": "densenet121",
        "n_deep": 4,
        "bits": 8,
        "head": "linear",
        "moved": pytest.approx(0.004),
        "slices": 5,
        "inputs": {"picture": "slices", "table": [], "mean": [], "sd": []},
        "outputs": "deep",
    }
    assert sum(map(len, written.files.values())) < 7.8e6  # a bundle has 8 MB
    again = network_files(densenet, patches(64, 64), answers({"8": 0.004}))
    assert again.files == written.files
    stored = safetensors.numpy.load(written.files["network.safetensors"])
    assert stored["features.conv0.weight"].dtype == np.float16  # what goes wrong there goes through all layers
    assert stored["features.denseblock4.denselayer16.conv2.weight"].dtype == np.int8


@pytest.mark.parametrize(
    ("moved", "told"), [({"8": 0.006, "16": 0.001}, 0.001), ({"8": 0.5, "16": 0.25}, 0.25), (None, None)]
)
def test_16_bits_are_taken_else_and_where_nothing_can_be_measured(densenet: DeepCT, moved, told):
    written = network_files(densenet, patches(64, 64), None if moved is None else answers(moved))
    assert written.entry["bits"] == 16
    assert written.entry["moved"] == (None if told is None else pytest.approx(told))


def test_no_finite_probability_measures_nothing(densenet: DeepCT):
    written = network_files(densenet, patches(64, 64), lambda network: np.array([np.nan]))
    assert (written.entry["bits"], written.entry["moved"]) == (16, None)


def test_outputs_that_are_left_out_are_not_written(densenet: DeepCT):
    kept = with_outputs(densenet, [2, 0])
    assert torch.equal(kept.classifier.weight, densenet.classifier.weight[[2, 0]])
    written = network_files(densenet, patches(64, 64), outputs=[2, 0])
    weights = read_weights(written.files["network.safetensors"])
    np.testing.assert_allclose(weights["classifier.bias"], densenet.classifier.bias.detach().numpy()[[2, 0]], atol=1e-3)
    assert weights["classifier.weight"].shape == (2, 4)
    assert written.network.classifier.out_features == 2


def weights_of(network: DeepCT) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in network.state_dict().items() if value.is_floating_point()}


def test_a_network_that_was_rounded_before_is_written_in_8_bits_that_change_nothing(densenet: DeepCT):
    """What was measured on it is then what is shipped, whatever stands on its answers."""
    rounded = with_weights_of_a_bundle(densenet)
    own, first, again = (weights_of(n) for n in (densenet, rounded, with_weights_of_a_bundle(rounded)))
    assert max(float(np.abs(own[name] - first[name]).max()) for name in own) > 1e-4
    assert max(float(np.abs(first[name] - again[name]).max()) for name in own) < 1e-7

    def jumps(network: DeepCT) -> np.ndarray:
        """Answers like a forest's votes: the least change of a weight turns one over."""
        kernel = weights_of(network)["features.denseblock4.denselayer16.conv2.weight"]
        return np.round(kernel[:1, :1].ravel() * 1e3) % 2

    entry = network_files(rounded, patches(64, 45), jumps).entry
    assert (entry["bits"], entry["moved"]) == (8, 0.0)
    assert network_files(densenet, patches(64, 45), jumps).entry["bits"] == 16


def test_a_network_whose_channels_lie_last_is_written_as_any_other(densenet: DeepCT):
    trained = deepcopy(densenet).to(memory_format=torch.channels_last)
    one, other = (network_files(n, patches(64, 64), answers({"8": 0.0})) for n in (trained, densenet))
    assert one.entry["bits"] == 8
    assert one.files == other.files


def test_a_file_that_gives_other_weights_than_were_written_is_caught(densenet: DeepCT, monkeypatch):
    """As safetensors does of arrays in another order than C's."""

    def in_fortran_order(state, bits):
        return {name: np.asfortranarray(value) for name, value in rounded(state, bits).items()}

    monkeypatch.setattr(page, "rounded", in_fortran_order)
    with pytest.raises(ValueError, match="read back from the file are not those that were written"):
        network_files(densenet, patches(64, 64))


def test_the_head_of_a_rounded_network_gives_its_deep_features(densenet: DeepCT):
    head = head_of(with_weights_of_a_bundle(densenet), ({"train": 1.0},))
    assert head.history == ({"train": 1.0},)
    pooled = np.random.default_rng(0).normal(size=(3, densenet.reduce.in_features))
    kept = densenet.reduce.weight.detach().numpy().astype(np.float16).astype(np.float64)
    bias = densenet.reduce.bias.detach().numpy().astype(np.float16)
    np.testing.assert_allclose(head.deep(pooled), pooled @ kept.T + bias, rtol=1e-5, atol=1e-6)
