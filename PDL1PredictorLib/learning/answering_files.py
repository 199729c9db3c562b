"""A network that answers by itself as the files of a bundle: its graph without weights, its weights beside it.

The graph is traced on one case and holds its sizes: pictures and tables of a bundle never change theirs, and whatever
an exporter would compute from them stands there as a number.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from copy import deepcopy

import numpy as np
import onnx
import safetensors.numpy
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from PDL1PredictorLib.learning.network_files import GRAPH, IR_VERSION, OPSET, SAME, WEIGHTS, NetworkFiles
from PDL1PredictorLib.learning.trained import EndToEnd
from PDL1PredictorLib.models.network.answering import HEAD_BIAS, HEAD_MAPS, HEAD_TABLE
from PDL1PredictorLib.models.network.graph import TABLE
from PDL1PredictorLib.models.network.session import NetworkSession
from PDL1PredictorLib.models.network.weights import read_weights, rounded
from PDL1PredictorLib.networks.output import AnsweringModule

CONSTANT = "constant"  # prefix of numbers that the network's code holds, beside its weights


def answering_files(network: EndToEnd) -> NetworkFiles:
    """Write a network; the same network gives the same bytes.

    Args:
        network: What was trained, its module in evaluation mode on the CPU.

    Raises:
        ValueError: The network is in training mode, or what was written answers differently.
    """
    module = network.module
    if any(part.training for part in module.modules()):
        raise ValueError("The network is in training mode; call eval() first.")
    if not len(next(iter(network.shown.values()))):
        raise ValueError("At least one case is needed to hold the exported network against the trained one.")
    state = {name: value.detach().cpu().numpy() for name, value in module.state_dict().items()}
    graph, constants = graph_and_constants(module, _of_case(network, 0))
    head = module.head()
    beside = {} if head is None else {HEAD_MAPS: head.maps, HEAD_TABLE: head.table, HEAD_BIAS: head.bias}
    exact = {name: np.ascontiguousarray(value, np.float32) for name, value in (constants | beside).items()}
    written = {**rounded(state, network.bits), **{name: value for name, value in exact.items() if value.size}}
    files = {GRAPH: graph, WEIGHTS: bytes(safetensors.numpy.save(written))}
    check_agreement(graph, read_weights(files[WEIGHTS]), network)  # as they are read back: a file may mix them up
    entry = {
        "file": WEIGHTS,
        "graph": GRAPH,
        "backbone": network.name or module.kind,
        "n_deep": network.n_deep,
        "bits": network.bits,
        "head": "linear" if head is not None else "other",
        "moved": None,
        "slices": network.slices,
        "inputs": network.inputs.to_dict(),
        "outputs": "answers",
        **({"pool": module.pool} if module.pool != "picture" else {}),
    }
    return NetworkFiles(files, entry)


def _of_case(network: EndToEnd, row: int) -> dict[str, np.ndarray]:
    return {name: array[row : row + 1].astype(np.float32) for name, array in network.shown.items()}


class _Exported(nn.Module):
    """Takes what there is, and gives a tuple of tensors, which is what a graph has as outputs."""

    def __init__(self, network: AnsweringModule, names: Sequence[str]) -> None:
        super().__init__()
        self.network, self._names = network, tuple(names)

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        named = dict(zip(self._names, given, strict=True))
        picture = next((value for name, value in named.items() if name != TABLE), None)
        return tuple(self.network(picture, named.get(TABLE)).named().values())


def graph_and_constants(module: AnsweringModule, case: dict[str, np.ndarray]) -> tuple[bytes, dict[str, np.ndarray]]:
    """The network's graph as ONNX, without weights, and the numbers that its code holds.

    Args:
        module: In evaluation mode, on the CPU.
        case: What it is given of one case, by the graph's name of the input, (1, ...) 32-bit.
    """
    tensors = [torch.from_numpy(array) for array in case.values()]
    wrapper = _Exported(module, tuple(case)).eval()
    with torch.no_grad():
        given = dict(zip(case, tensors, strict=True))
        picture = next((value for name, value in given.items() if name != TABLE), None)
        made = module(picture, given.get(TABLE)).named()
    shapes = {name: tuple(tensor.shape) for name, tensor in {**given, **made}.items()}
    model = _exported(wrapper, tensors, tuple(case), tuple(made))
    plain, constants = _plain(model, set(module.state_dict()), tuple(case), tuple(made), shapes)
    return bytes(plain.SerializeToString(deterministic=True)), constants


def _exported(
    wrapper: nn.Module, tensors: Sequence[Tensor], inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> onnx.ModelProto:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the exporter by tracing is the old one of two
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]  # sizes become numbers, as they shall
        torch.onnx.export(
            wrapper,
            tuple(tensors),
            buffer,  # type: ignore[arg-type]  # its annotation lags behind its documentation
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            training=torch.onnx.TrainingMode.PRESERVE,  # else convolutions swallow batch norms, and names change
            do_constant_folding=False,
        )
    return onnx.load_model_from_string(buffer.getvalue())


def _plain(
    model: onnx.ModelProto,
    weights: set[str],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    shapes: dict[str, tuple[int, ...]],
) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """The nodes alone, tensors numbered in order: nothing that depends on weights or on the exporter's version."""
    names = {name: name for name in (*inputs, *outputs)} | {f"network.{name}": name for name in weights}
    nodes: list[onnx.NodeProto] = []
    known = _sizes(model)  # numbers that follow from none of the network's inputs or weights
    constants: dict[str, np.ndarray] = {}
    for node in model.graph.node:
        if node.op_type == "Identity" and node.output[0].removeprefix("network.") in weights:
            continue  # the exporter writes equal weights once
        if any(a.name == "training_mode" and a.i for a in node.attribute):
            raise ValueError("A batch norm was exported in training mode; put the exported module into eval().")
        if node.output[0] in known:
            continue
        if all(name in known for name in node.input):
            known |= _computed(node, known)
            continue
        for name in node.input:
            if name in known and name not in names and known[name].dtype.kind == "f":
                names[name] = f"{CONSTANT}.{len(constants)}"
                constants[names[name]] = known[name]
            elif name in known and name not in names:
                names[name] = f"step_{len(nodes)}"
                nodes.append(_whole(names[name], known[name]))
        for name in node.output:
            names.setdefault(name, f"step_{len(nodes)}")
        plain = onnx.helper.make_node(node.op_type, [names[n] for n in node.input], [names[n] for n in node.output])
        plain.attribute.extend(sorted(node.attribute, key=lambda attribute: attribute.name))
        nodes.append(plain)
    first, last = (
        [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, shapes[n]) for n in ends]
        for ends in (inputs, outputs)
    )
    graph = onnx.helper.make_graph(nodes, "network", first, last)
    opset = onnx.helper.make_opsetid("", OPSET)
    made = onnx.helper.make_model(graph, producer_name="PDL1Predictor", ir_version=IR_VERSION, opset_imports=[opset])
    return made, constants


def _sizes(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """What the nodes give that ask for the shape of a tensor, by name: each is the same for every case."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        value.name: np.array([dim.dim_value for dim in value.type.tensor_type.shape.dim], np.int64)
        for value in (*inferred.input, *inferred.value_info)
    }
    return {node.output[0]: shapes[node.input[0]] for node in model.graph.node if node.op_type == "Shape"}


def _computed(node: onnx.NodeProto, known: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a node makes of numbers that are known already, by name."""
    if node.op_type == "Constant":
        return {node.output[0]: numpy_helper.to_array(node.attribute[0].t)}
    found = ReferenceEvaluator(node).run(None, {name: known[name] for name in node.input})
    return dict(zip(node.output, map(np.asarray, found), strict=True))


def _whole(name: str, value: np.ndarray) -> onnx.NodeProto:
    """Whole numbers as a node: one, or a list."""
    if value.ndim == 0:
        return onnx.helper.make_node("Constant", [], [name], value_int=int(value))
    return onnx.helper.make_node("Constant", [], [name], value_ints=[int(n) for n in value])


def check_agreement(graph: bytes, weights: dict[str, np.ndarray], network: EndToEnd) -> None:
    """Hold onnxruntime's answers on what was written against torch's on the network.

    Raises:
        ValueError: They differ, or the graph cannot be read.
    """
    session = NetworkSession(graph, weights, network.n_deep, network.n_answers)
    module = deepcopy(network.module)
    for row in range(len(next(iter(network.shown.values())))):
        case = _of_case(network, row)
        for name, (by_torch, found) in _both(session, module, case):
            worst = float(np.abs(found - by_torch).max())
            if not worst <= SAME * max(1.0, float(np.abs(by_torch).max())):
                raise ValueError(f"The exported network gives other {name} than the trained one, {worst:g} apart.")


def _both(
    session: NetworkSession, module: AnsweringModule, case: dict[str, np.ndarray]
) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """What both ways make of a case, by name."""
    given = {name: torch.from_numpy(array) for name, array in case.items()}
    picture = next((value for name, value in given.items() if name != TABLE), None)
    with torch.no_grad():
        wanted = module(picture, given.get(TABLE)).named()
    for name, found in session.outputs(case).items():
        yield name, (wanted[name].numpy(), found)
