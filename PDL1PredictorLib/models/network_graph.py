"""A network's ONNX graph, read by ourselves before onnxruntime sees it: nine operators, every size known beforehand.

The file holds the graph alone; its weights come from the bundle's safetensors and are joined to it in memory. So it has
no tensor that could lie elsewhere, no loop and no graph inside, and the shape of every step follows from the patch and
the weights: a graph that does not fit its weights, or asks for much memory or work, is refused without being run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from PDL1PredictorLib.models.network_shapes import OPERATORS, Limits, Shape
from PDL1PredictorLib.models.onnx.messages import (
    FLOAT,
    GRAPH,
    NODE,
    at_most,
    attributes_of,
    graph_of,
    listed,
    shown,
    value_of,
)
from PDL1PredictorLib.models.onnx.wire import fields_of, message, text, texts, varint

INPUT, OUTPUTS = "patch", ("maps", "deep", "logits")
CHANNELS = 3
OPSETS = {"": range(17, 18)}
MAX_BYTES = 2**20
MAX_NODES = 2000


@dataclass(frozen=True)
class Step:
    """One node of the graph.

    Attributes:
        operator: Its name, one of `network_shapes.OPERATORS`.
        inputs: Names of tensors: the patch, weights, outputs of earlier steps.
        output: Name of what it makes.
        attributes: By name.
    """

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]


def read_network_graph(data: bytes) -> tuple[Step, ...]:
    """The steps of a network, every field and operator checked.

    Args:
        data: The file, without weights.

    Raises:
        ValueError: It is damaged, or holds what no network of ours needs.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has {len(data)} bytes; at most {MAX_BYTES} are read.")
    values = fields_of(graph_of(data, OPSETS), GRAPH, "the graph")
    for name in ("initializer", "value_info"):
        if name in values:
            raise ValueError(f"it holds {name}; the weights of a network come from its safetensors file alone.")
    inputs, outputs = ([value_of(raw) for raw in values.get(name, [])] for name in ("input", "output"))
    found = ([value.name for value in inputs], tuple(value.name for value in outputs))
    if found != ([INPUT], OUTPUTS):
        raise ValueError(
            f"it must map '{INPUT}' to {listed(list(OUTPUTS))}, got {listed(found[0])} to {listed(list(found[1]))}."
        )
    if any(value.kind != FLOAT for value in (*inputs, *outputs)):
        raise ValueError("its input and outputs must be 32-bit floats.")
    at_most(len(values.get("node", [])), MAX_NODES, "the graph: node")
    return tuple(_step(raw) for raw in values.get("node", []))


def _step(data: bytes) -> Step:
    values = fields_of(data, NODE, "a node")
    operator, domain = text(values, "op_type", "a node"), text(values, "domain", "a node")
    if domain or operator not in OPERATORS:
        raise ValueError(f"it holds the operator {shown(domain + '.' + operator)}, which no network of ours needs.")
    inputs, outputs = (texts(values, name, "a node") for name in ("input", "output"))
    most = OPERATORS[operator].most_inputs
    if not 1 <= len(inputs) <= most or len(outputs) != 1 or "" in (*inputs, *outputs):
        raise ValueError(f"{operator} has {len(inputs)} inputs and {len(outputs)} outputs; 1 to {most} and 1 are read.")
    return Step(operator, tuple(inputs), outputs[0], attributes_of(values, operator, _no_graph))


def _no_graph(operator: str, name: str, data: bytes) -> None:
    raise ValueError(f"the attribute {shown(name)} of {operator} is a graph, which it may not be.")


def check_network(
    steps: tuple[Step, ...], weights: Mapping[str, Shape], pixels: tuple[int, int], n_deep: int, n_endpoints: int
) -> dict[str, Shape]:
    """Follow a patch through the network, without computing: every step must fit its weights and the limits.

    Args:
        steps: Of the graph.
        weights: Shape of each weight by name.
        pixels: Height and width of the patch.
        n_deep: Width of the deep feature vector.
        n_endpoints: Number of outputs.

    Returns:
        Shape of the weights that the steps use and of `OUTPUTS`, by name.

    Raises:
        ValueError: A step uses what is not there, does not fit what it is given, or the whole asks for too much.
    """
    shapes: dict[str, Shape] = {INPUT: (1, CHANNELS, *pixels)}
    used: dict[str, Shape] = {}
    limits = Limits()
    for step in steps:
        where = f"{step.operator} that makes {shown(step.output)}"
        if step.output in shapes or step.output in weights:
            raise ValueError(f"{where}: there is such a tensor already.")
        for name in step.inputs:
            if name in weights:
                used[name] = weights[name]
            elif name not in shapes:
                raise ValueError(f"{where} needs {shown(name)}, which is neither a weight nor made before it.")
        given = [used[name] if name in weights else shapes[name] for name in step.inputs]
        is_weight = [name in weights for name in step.inputs]
        try:
            shapes[step.output] = OPERATORS[step.operator].shape(given, is_weight, step.attributes, limits)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    ends = {name: shapes.get(name, ()) for name in OUTPUTS}
    maps = ends["maps"]
    if len(maps) != 4 or ends["deep"] != (1, n_deep) or ends["logits"] != (1, n_endpoints):
        raise ValueError(
            f"it makes maps, deep and logits of the shapes {maps}, {ends['deep']} and {ends['logits']}; four lengths, "
            f"(1, {n_deep}) and (1, {n_endpoints}) are needed."
        )
    return {**used, **ends}


def joined(graph: bytes, weights: Mapping[str, np.ndarray]) -> bytes:
    """The graph with its weights as initializers: protobuf joins two messages that are written one after the other.

    Args:
        graph: The file, as `read_network_graph` let pass.
        weights: By name, 32-bit.
    """
    return graph + b"".join(_model_with(name, np.asarray(array, "<f4")) for name, array in weights.items())


def _model_with(name: str, array: np.ndarray) -> bytes:
    """A model whose graph holds nothing but one tensor."""
    return message(7, message(5, b"".join(_tensor(name, array))))


def _tensor(name: str, array: np.ndarray) -> Iterator[bytes]:
    yield message(1, b"".join(varint(n) for n in array.shape))
    yield varint(2 << 3) + varint(FLOAT)
    yield message(8, name.encode())
    yield message(9, np.ascontiguousarray(array).tobytes())
