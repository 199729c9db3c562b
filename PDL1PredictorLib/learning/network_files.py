"""A trained network as the files of a bundle: its graph without weights, its weights in as few bits as they allow."""

import io
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import safetensors.numpy
import torch
from torch import Tensor, nn

from PDL1PredictorLib.core.settings import NEIGHBORS
from PDL1PredictorLib.learning.deep.weights import with_weights_of_a_bundle
from PDL1PredictorLib.models.network.graph import CONTOUR, INPUT, OUTPUTS
from PDL1PredictorLib.models.network.output import LINEAR, NO_HEAD
from PDL1PredictorLib.models.network.session import NetworkSession
from PDL1PredictorLib.models.network.weights import read_weights, restored, rounded
from PDL1PredictorLib.models.schema.network import NetworkInputs
from PDL1PredictorLib.networks.deep_ct import DeepCT

GRAPH, WEIGHTS = "network.onnx", "network.safetensors"
OPSET, IR_VERSION = 17, 8
TRACED_PIXELS = 96  # of the example that is traced; height and width stay free
MOST_MOVED = 0.005  # of a probability, by the rounding to 8 bits
SAME = 1e-3  # deep features and logits by onnxruntime and torch agree within this share of the largest

Probabilities = Callable[[DeepCT], np.ndarray]
"""A network in evaluation mode to the probabilities of the test cases by the whole model on it, in any fixed shape."""


@dataclass(frozen=True, eq=False)
class NetworkFiles:
    """What a bundle gets.

    Attributes:
        files: Content by name.
        entry: The manifest's entry `network`.
        network: A network of deep features as it reads back from the files; None of one that answers by itself.
    """

    files: dict[str, bytes]
    entry: dict[str, Any]
    network: DeepCT | None = None


def network_files(
    network: DeepCT,
    patches: np.ndarray,
    probabilities: Probabilities | None = None,
    outputs: Sequence[int] = (),
    contours: np.ndarray | None = None,
) -> NetworkFiles:
    """Write a network: 8 bits per weight where no probability of the test cases moves by more than 0.005, else 16.

    The same network gives the same bytes.

    Args:
        network: In evaluation mode, on the CPU.
        patches: Input channels of real cases, (n, 3, h, w) 32-bit, at least one: both ways must agree on them.
        probabilities: Answers of the test cases, for the measure of the rounding; None, or no finite answer: 16 bits.
        outputs: Which of the network's outputs are kept, in this order; all where none is named.
        contours: On the patches, (n, 1, h, w) 32-bit; needed where the network pools its maps within them.

    Raises:
        ValueError: The network is in training mode, or what was written answers differently.
    """
    if any(module.training for module in network.modules()):
        raise ValueError(
            "The network is in training mode, in which batch norm depends on the batch; call eval() first."
        )
    kept = with_outputs(network, outputs) if outputs else network
    state = {name: value.detach().cpu().numpy() for name, value in kept.state_dict().items()}
    bits, moved = _bits(network, probabilities)
    written = rounded(state, bits)
    files = {GRAPH: graph_bytes(kept), WEIGHTS: bytes(safetensors.numpy.save(written))}
    back = _like(kept, read_weights(files[WEIGHTS]))
    _check_read_back(back, _like(kept, restored(written)))
    check_agreement(files[GRAPH], back, patches, contours)
    within = network.pool == "contour"  # so are made the inputs of a model that stands beside it; it has no answers
    entry = {
        "file": WEIGHTS,
        "graph": GRAPH,
        "backbone": network.backbone,
        "n_deep": network.reduce.out_features,
        "bits": bits,
        "head": NO_HEAD if within else LINEAR,
        "moved": moved,
        "slices": 1 + len(NEIGHBORS),
        "inputs": NetworkInputs("slices").to_dict(),
        "outputs": "deep",
        **({"pool": network.pool} if within else {}),
    }
    return NetworkFiles(files, entry, back)


def with_outputs(network: DeepCT, outputs: Sequence[int]) -> DeepCT:
    """A copy of a network that has only some of its outputs."""
    kept = deepcopy(network)
    rows = torch.tensor(list(outputs))
    kept.classifier = nn.Linear(network.reduce.out_features, len(outputs))
    with torch.no_grad():
        kept.classifier.weight.copy_(network.classifier.weight[rows])
        kept.classifier.bias.copy_(network.classifier.bias[rows])
    return kept.eval()


def _bits(network: DeepCT, probabilities: Probabilities | None) -> tuple[int, float | None]:
    """How many bits a weight gets, and the largest change of a probability that this makes."""
    if probabilities is None:
        return 16, None
    before = probabilities(network)
    for bits in (8, 16):
        after = probabilities(with_weights_of_a_bundle(network, bits))
        moved = float(np.nanmax(np.abs(after - before), initial=-math.inf))
        if not math.isfinite(moved):
            return 16, None
        if moved <= MOST_MOVED:
            return bits, moved
    return 16, moved


def _like(network: DeepCT, weights: dict[str, np.ndarray]) -> DeepCT:
    copy = deepcopy(network)
    copy.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()}, strict=False)
    return copy.eval()


def _check_read_back(back: DeepCT, written: DeepCT) -> None:
    """Refuse a file that gives other weights than were written into it: nothing later would notice.

    Raises:
        ValueError: With the name of such a weight.
    """
    found = back.state_dict()
    for name, value in written.state_dict().items():
        if not torch.equal(found[name], value):
            raise ValueError(f"The weights {name} read back from the file are not those that were written.")


class _Exported(nn.Module):
    """Gives a tuple of tensors, which is what a graph has as outputs."""

    def __init__(self, network: DeepCT) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, contour: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        return tuple(self.network.answer(x, contour))  # type: ignore[return-value]


def graph_bytes(network: DeepCT) -> bytes:
    """The network's graph as ONNX, without weights; tensors that are weights have the names of the state dict.

    The bytes depend on the architecture alone, not on the weights.

    Raises:
        ValueError: The network is in training mode: its batch norms would be exported so.
    """
    wrapper = _Exported(network).eval()  # the exporter takes the mode of what it is handed
    given = {INPUT: 3, CONTOUR: 1} if network.pool == "contour" else {INPUT: 3}
    plain = _plain_graph(_exported(wrapper, given), set(network.state_dict()), given)
    return bytes(plain.SerializeToString(deterministic=True))


def _exported(wrapper: nn.Module, given: Mapping[str, int]) -> onnx.ModelProto:
    """By the exporter; `given` is how many channels each input has, by name."""
    buffer = io.BytesIO()
    free = {0: "n", 2: "h", 3: "w"}
    with warnings.catch_warnings():
        # the exporter by tracing is the old one of two; what it says of the trace itself stays an error in tests
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            wrapper,
            tuple(torch.zeros(2, n, TRACED_PIXELS, TRACED_PIXELS) for n in given.values()),
            buffer,  # type: ignore[arg-type]  # its annotation lags behind its documentation
            dynamo=False,
            opset_version=OPSET,
            input_names=list(given),
            output_names=list(OUTPUTS),
            dynamic_axes={
                **dict.fromkeys(given, free),
                "maps": {0: "n", 2: "maps_h", 3: "maps_w"},
                "deep": {0: "n"},
                "logits": {0: "n"},
            },
            training=torch.onnx.TrainingMode.PRESERVE,  # else convolutions swallow batch norms, and names change
            do_constant_folding=False,
        )
    return onnx.load_model_from_string(buffer.getvalue())


def _plain_graph(model: onnx.ModelProto, weights: set[str], given: Mapping[str, int]) -> onnx.ModelProto:
    """The nodes alone, tensors numbered in order: nothing that depends on weights or on the exporter's version."""
    names = {**{name: name for name in (*given, *OUTPUTS)}, **{f"network.{name}": name for name in weights}}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "Identity" and node.output[0].removeprefix("network.") in weights:
            continue  # the exporter writes equal weights once
        if any(a.name == "training_mode" and a.i for a in node.attribute):
            raise ValueError("A batch norm was exported in training mode; put the exported module into eval().")
        for name in node.output:
            names.setdefault(name, f"step_{len(nodes)}")
        plain = onnx.helper.make_node(node.op_type, [names[n] for n in node.input], [names[n] for n in node.output])
        plain.attribute.extend(sorted(node.attribute, key=lambda attribute: attribute.name))
        nodes.append(plain)
    begin = {name: ["n", channels, "h", "w"] for name, channels in given.items()}
    end = {"maps": ["n", "c", "maps_h", "maps_w"], "deep": ["n", "d"], "logits": ["n", "e"]}
    first, last = (
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in ends.items()]
        for ends in (begin, end)
    )
    graph = onnx.helper.make_graph(nodes, "Deep-CT", first, last)
    opset = onnx.helper.make_opsetid("", OPSET)
    return onnx.helper.make_model(graph, producer_name="PDL1Predictor", ir_version=IR_VERSION, opset_imports=[opset])


def check_agreement(graph: bytes, network: DeepCT, patches: np.ndarray, contours: np.ndarray | None = None) -> None:
    """Hold onnxruntime's answers on the graph against torch's on the network.

    Args:
        graph: As `graph_bytes` gives it.
        network: In evaluation mode, on the CPU.
        patches: Input channels, (n, 3, h, w), at least one.
        contours: On each, (n, 1, h, w), where the network pools its maps within them.

    Raises:
        ValueError: They differ, or the graph cannot be read.
    """
    if not len(patches):
        raise ValueError("At least one patch is needed to hold the exported network against the trained one.")
    weights = {
        name: value.detach().cpu().numpy() for name, value in network.state_dict().items() if value.is_floating_point()
    }
    session = NetworkSession(graph, weights, network.reduce.out_features, network.classifier.out_features)
    for row in range(len(patches)):
        given = [part[row : row + 1].astype(np.float32) for part in (patches, contours) if part is not None]
        with torch.no_grad():
            wanted = [part.numpy() for part in network(*map(torch.from_numpy, given))]
        for name, by_torch, found in zip(OUTPUTS, wanted, session.run(*given), strict=True):
            worst = float(np.abs(found - by_torch).max())
            if not worst <= SAME * max(1.0, float(np.abs(by_torch).max())):
                raise ValueError(f"The exported network gives other {name} than the trained one, {worst:g} apart.")
