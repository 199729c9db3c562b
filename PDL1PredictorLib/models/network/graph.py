"""A network's ONNX graph, read by ourselves before onnxruntime sees it: few operators, every size known beforehand.

The file holds the graph alone; its weights come from the bundle's safetensors and are joined to it in memory. So it has
no tensor that could lie elsewhere, no loop and no graph inside, and the shape of every step follows from what is given
and the weights: a graph that does not fit its weights, or asks for much memory or work, is refused without being run.

A network gives deep features of a patch (`DEEP`), or answers by itself, from a picture, a table or both (`ANSWERS`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from PDL1PredictorLib.models.network.operators import ALL, NUMBERS
from PDL1PredictorLib.models.network.shapes import OPERATORS, Limits, Operator, Shape
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

INPUT, VOLUME, TABLE, CONTOUR = "patch", "volume", "table", "contour"
"""Names of what a network may be given: (n, c, h, w), (n, c, d, h, w), (n, t) standardized columns, and the contour on
the patch, (n, 1, h, w)."""
OUTPUTS = ("maps", "deep", "logits")
"""What a network of deep features gives; it is given the patch, and the contour where it pools its maps within it."""
ANSWER = "answers"
BESIDE = ("maps", "deep", "attention")
"""What a network that answers may give beside its answers, in this order: last feature maps, exactly where it sees a
picture; deep features; and what it attended to."""
CHANNELS = 3
OPSETS = {"": range(17, 18)}
MAX_BYTES = 2**20
MAX_NODES = 2000


@dataclass(frozen=True)
class Step:
    """One node of the graph.

    Attributes:
        operator: Its name, one of `operators.ALL`.
        inputs: Names of tensors: what is given, weights, outputs of earlier steps.
        output: Name of what it makes.
        attributes: By name.
    """

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Graph:
    """A graph whose every field and operator was checked.

    Attributes:
        inputs: Names of what it is given.
        outputs: Names of what it gives.
        steps: In order.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def answers(self) -> bool:
        """Whether it answers by itself."""
        return self.outputs[-1] == ANSWER

    @property
    def operators(self) -> Mapping[str, Operator]:
        """What it may hold."""
        return _operators(self.inputs, self.outputs)


def _operators(inputs: Sequence[str], outputs: Sequence[str]) -> Mapping[str, Operator]:
    return OPERATORS if tuple(outputs) == OUTPUTS and CONTOUR not in inputs else ALL


@dataclass(frozen=True)
class Sizes:
    """What a network must give, one case at a time.

    Attributes:
        n_deep: Width of the deep feature vector; 0 where there is none.
        n_endpoints: Number of answers.
    """

    n_deep: int
    n_endpoints: int


def read_network_graph(data: bytes) -> Graph:
    """A network's graph, every field and operator checked.

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
    found, given = (tuple(value.name for value in ends) for ends in (outputs, inputs))
    _check_ends(given, found)
    if any(value.kind != FLOAT for value in (*inputs, *outputs)):
        raise ValueError("its input and outputs must be 32-bit floats.")
    at_most(len(values.get("node", [])), MAX_NODES, "the graph: node")
    reader = _Reader(_operators(given, found))
    return Graph(given, found, tuple(step for raw in values.get("node", []) for step in reader.read(raw)))


def _check_ends(inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    """Deep features of a patch, or answers from a picture, a table or both."""
    if inputs in ((INPUT,), (INPUT, CONTOUR)) and outputs == OUTPUTS:
        return
    sees = any(name in (INPUT, VOLUME) for name in inputs)
    beside = [name for name in BESIDE if name in outputs]
    fits = (
        inputs in ((INPUT,), (VOLUME,), (TABLE,), (INPUT, TABLE), (VOLUME, TABLE))
        and outputs == (*beside, ANSWER)
        and ("maps" in beside) == sees
    )
    if not fits:
        raise ValueError(
            f"it must map '{INPUT}', with '{CONTOUR}' or without, to {listed(list(OUTPUTS))}, or "
            f"a picture ('{INPUT}' or '{VOLUME}'), a '{TABLE}' or "
            f"both to '{ANSWER}', with 'maps' before them where it sees a picture; got {listed(list(inputs))} to "
            f"{listed(list(outputs))}."
        )


@dataclass
class _Reader:
    """Reads nodes in order.

    Attributes:
        operators: What may be among them.
        numbers: Whole numbers that stand in the graph, by the name of the node that holds them.
    """

    operators: Mapping[str, Operator]
    numbers: dict[str, Any] = field(default_factory=dict)

    def read(self, data: bytes) -> Iterator[Step]:
        """The step of a node; none of one that only holds whole numbers."""
        values = fields_of(data, NODE, "a node")
        operator, domain = text(values, "op_type", "a node"), text(values, "domain", "a node")
        inputs, outputs = (texts(values, name, "a node") for name in ("input", "output"))
        if (domain, operator) == ("", "Constant") and self.operators is ALL:
            self._keep(inputs, outputs, attributes_of(values, operator, _no_graph))
            return
        if domain or operator not in self.operators:
            raise ValueError(f"it holds the operator {shown(domain + '.' + operator)}, which no network of ours needs.")
        attributes = attributes_of(values, operator, _no_graph)
        if operator in NUMBERS:
            inputs, attributes = self._with_numbers(operator, inputs, attributes)
        most = self.operators[operator].most_inputs
        if not 1 <= len(inputs) <= most or len(outputs) != 1 or "" in (*inputs, *outputs):
            raise ValueError(
                f"{operator} has {len(inputs)} inputs and {len(outputs)} outputs; 1 to {most} and 1 are read."
            )
        yield Step(operator, tuple(inputs), outputs[0], attributes)

    def _keep(self, inputs: list[str], outputs: list[str], attributes: dict[str, Any]) -> None:
        if inputs or len(outputs) != 1 or outputs[0] in self.numbers or set(attributes) - {"value_int", "value_ints"}:
            raise ValueError("a Constant holds whole numbers, of one name, and nothing else.")
        (self.numbers[outputs[0]],) = attributes.values()

    def _with_numbers(
        self, operator: str, inputs: list[str], attributes: dict[str, Any]
    ) -> tuple[list[str], dict[str, Any]]:
        names, given = NUMBERS[operator], inputs[1:]
        strange = [name for name in given if name not in self.numbers]
        if strange or not given or len(given) > len(names) or set(names) & set(attributes):
            raise ValueError(f"{operator} needs {', '.join(names)} as whole numbers that stand in the graph.")
        return inputs[:1], {**attributes, **dict(zip(names, (self.numbers[name] for name in given), strict=False))}


def _no_graph(operator: str, name: str, data: bytes) -> None:
    raise ValueError(f"the attribute {shown(name)} of {operator} is a graph, which it may not be.")


def check_network(
    graph: Graph, weights: Mapping[str, Shape], given: Mapping[str, Shape], sizes: Sizes
) -> dict[str, Shape]:
    """Follow a case through the network, without computing: every step must fit its weights and the limits.

    Args:
        graph: The network.
        weights: Shape of each weight by name.
        given: Shape of what it is given of one case, by name of the input, the first length 1.
        sizes: What it must give.

    Returns:
        Shape of the weights that the steps use and of the outputs, by name.

    Raises:
        ValueError: A step uses what is not there, does not fit what it is given, or the whole asks for too much.
    """
    if set(given) != set(graph.inputs):
        raise ValueError(f"it needs {listed(list(graph.inputs))}, and is given {listed(sorted(given))}.")
    shapes: dict[str, Shape] = dict(given)
    used: dict[str, Shape] = {}
    limits = Limits()
    for step in graph.steps:
        where = f"{step.operator} that makes {shown(step.output)}"
        if step.output in shapes or step.output in weights:
            raise ValueError(f"{where}: there is such a tensor already.")
        for name in step.inputs:
            if name in weights:
                used[name] = weights[name]
            elif name not in shapes:
                raise ValueError(f"{where} needs {shown(name)}, which is neither a weight nor made before it.")
        own = [used[name] if name in weights else shapes[name] for name in step.inputs]
        is_weight = [name in weights for name in step.inputs]
        try:
            shapes[step.output] = graph.operators[step.operator].shape(own, is_weight, step.attributes, limits)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    ends = {name: shapes.get(name, ()) for name in graph.outputs}
    (_check_answers if graph.answers else _check_deep)(graph, ends, given, sizes)
    return {**used, **ends}


def _check_deep(graph: Graph, ends: Mapping[str, Shape], given: Mapping[str, Shape], sizes: Sizes) -> None:
    maps, n_deep, n_endpoints = ends["maps"], sizes.n_deep, sizes.n_endpoints
    if len(maps) != 4 or ends["deep"] != (1, n_deep) or ends["logits"] != (1, n_endpoints):
        raise ValueError(
            f"it makes maps, deep and logits of the shapes {maps}, {ends['deep']} and {ends['logits']}; four lengths, "
            f"(1, {n_deep}) and (1, {n_endpoints}) are needed."
        )


def _check_answers(graph: Graph, ends: Mapping[str, Shape], given: Mapping[str, Shape], sizes: Sizes) -> None:
    wanted = {ANSWER: (1, sizes.n_endpoints), **({"deep": (1, sizes.n_deep)} if sizes.n_deep else {})}
    found = {name: ends.get(name, ()) for name in wanted}
    if found != wanted or ("deep" in ends) != bool(sizes.n_deep):
        raise ValueError(f"it gives {found}; {wanted} is needed, and deep features exactly where the model says so.")
    picture = next((shape for name, shape in given.items() if name != TABLE), None)
    if picture is not None and (len(ends["maps"]) != len(picture) or ends["maps"][0] != 1):
        raise ValueError(f"it makes maps of the shape {ends['maps']} of a picture of the shape {picture}.")
    if "attention" in ends and not ends["attention"]:
        raise ValueError("it makes nothing that it attended to.")


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
