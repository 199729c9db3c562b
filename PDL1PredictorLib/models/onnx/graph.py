"""A classifier's ONNX file, read by ourselves before onnxruntime sees it: only what our exporters write passes.

onnxruntime reads more than a file of numbers needs: tensors that lie in other files or at addresses of memory, loops
without end, operators of other libraries. So every field, operator and length is held against a list here, and what is
not on it is refused.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from PDL1PredictorLib.models.onnx.messages import (
    DOUBLE,
    FLOAT,
    GRAPH,
    INT32,
    INT64,
    NODE,
    TENSOR,
    Value,
    at_most,
    attributes_of,
    graph_of,
    listed,
    shown,
    value_of,
)
from PDL1PredictorLib.models.onnx.wire import Values, fields_of, floats, integer, integers, text, texts

INPUT, OUTPUT = "inputs", "probabilities"
MAX_BYTES = 64 * 2**20
MAX_NODES = 64
MAX_ELEMENTS = 10**7
MAX_TENSORS = 64
OPSETS = {"": range(9, 31), "ai.onnx.ml": range(1, 6)}
_NUMPY = {FLOAT: "<f4", INT32: "<i4", INT64: "<i8", DOUBLE: "<f8"}

# What skl2onnx writes for the seven of `learning.classifiers`, and how often at most: no chain of them can make large
# tensors of small ones. Its versions for scikit-learn 1.0 also write Normalizer, which makes a sum of 1.
OPERATORS = {
    "": {
        **dict.fromkeys(("Add", "Cast", "Div", "Equal", "Exp", "Identity", "Mul", "Pow", "Relu", "Reshape"), 8),
        **dict.fromkeys(("ReduceLogSumExp", "ReduceSum", "ReduceSumSquare", "Sigmoid", "Sqrt", "Sub", "Sum"), 8),
        **dict.fromkeys(("ArgMax", "Concat", "Flatten", "MatMul", "TopK", "Transpose"), 2),
        "Scan": 1,
    },
    "ai.onnx.ml": {
        "ArrayFeatureExtractor": 4,
        **dict.fromkeys(("LinearClassifier", "Normalizer", "SVMClassifier", "TreeEnsembleClassifier"), 1),
    },
}


@dataclass(frozen=True)
class Node:
    """One step of the graph.

    Attributes:
        operator: Its name.
        attributes: By name: a whole number, a number, a text, an array or list of them, or a `Graph`.
    """

    operator: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Graph:
    """A graph that passed every check but the one of its ends."""

    nodes: tuple[Node, ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]


def check_classifier(data: bytes, n_inputs: int) -> None:
    """Refuse an ONNX file that is not a classifier as `learning.classifiers.to_onnx_bytes` writes it.

    Args:
        data: The file.
        n_inputs: Number of inputs of a case.

    Raises:
        ValueError: What is wrong with it.
    """
    graph = read_graph(data)
    names = [value.name for value in graph.inputs]
    outputs = {value.name: value for value in graph.outputs}
    if names != [INPUT] or OUTPUT not in outputs or set(outputs) - {OUTPUT, "label"}:
        raise ValueError(f"it must map '{INPUT}' to '{OUTPUT}', got {listed(names)} to {listed(list(outputs))}.")
    for value, width in ((graph.inputs[0], n_inputs), (outputs[OUTPUT], 2)):
        if value.kind != FLOAT or len(value.shape) != 2 or value.shape[0] is not None or value.shape[1] != width:
            raise ValueError(
                f"'{value.name}' must be 32-bit floats of shape (cases, {width}), got the kind {value.kind} of shape "
                f"({', '.join('?' if n is None else str(n) for n in value.shape)})."
            )
    for node in graph.nodes:
        if check := _MODELS.get(node.operator):
            check(node.attributes, n_inputs)


def read_graph(data: bytes) -> Graph:
    """The graph of an ONNX file, every field and operator checked.

    Raises:
        ValueError: The file is damaged, or holds what a classifier does not need.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has {len(data)} bytes; at most {MAX_BYTES} are read.")
    return _graph(graph_of(data, OPSETS), "the graph", inner=False)


def _graph(data: bytes, where: str, inner: bool) -> Graph:
    values = fields_of(data, GRAPH, where)
    for name in ("initializer", "input", "output", "value_info"):
        at_most(len(values.get(name, [])), MAX_TENSORS, f"{where}: {name}")
    at_most(len(values.get("node", [])), MAX_NODES, f"{where}: node")
    for raw in values.get("initializer", []):
        _check_tensor(raw)
    for raw in values.get("value_info", []):
        value_of(raw)
    nodes = tuple(_node(raw, inner) for raw in values.get("node", []))
    for operator, count in Counter(node.operator for node in nodes).items():
        most = max(allowed.get(operator, 0) for allowed in OPERATORS.values())
        at_most(count, most, f"{where}: operator {operator}")
    inputs, outputs = (tuple(value_of(raw) for raw in values.get(name, [])) for name in ("input", "output"))
    return Graph(nodes, inputs, outputs)


def _node(data: bytes, inner: bool) -> Node:
    values = fields_of(data, NODE, "a node")
    operator, domain = text(values, "op_type", "a node"), text(values, "domain", "a node")
    if operator not in OPERATORS.get(domain, ()) or (inner and operator == "Scan"):
        raise ValueError(f"it holds the operator {shown(domain + '.' + operator)}, which no classifier of ours needs.")
    for name in ("input", "output"):
        at_most(len(texts(values, name, "a node")), MAX_TENSORS, f"{operator}: {name}")
    return Node(operator, attributes_of(values, operator, _inner_graph))


def _inner_graph(operator: str, name: str, data: bytes) -> Graph:
    if (operator, name) != ("Scan", "body"):
        raise ValueError(f"the attribute {shown(name)} of {operator} is a graph, which it may not be.")
    return _graph(data, "the graph inside Scan", inner=True)


def _check_tensor(data: bytes) -> None:
    values = fields_of(data, TENSOR, "a tensor")
    where = f"the tensor {shown(text(values, 'name', 'a tensor'))}"
    if "external_data" in values or integer(values, "data_location", where):
        raise ValueError(f"{where} is external: its numbers lie outside the bundle. Nothing outside is read.")
    kind = integer(values, "data_type", where)
    if kind not in _NUMPY:
        raise ValueError(f"{where} has numbers of the kind {kind}; 32- and 64-bit floats and integers are read.")
    dims = integers(values, "dims", where)
    if len(dims) > 4 or any(not 0 <= n <= MAX_ELEMENTS for n in dims) or math.prod(dims) > MAX_ELEMENTS:
        raise ValueError(f"{where} has the shape {dims[:8]}; at most 4 lengths and {MAX_ELEMENTS} numbers are read.")
    found = _count(values, kind, where)
    if found != math.prod(dims):
        raise ValueError(f"{where} of shape {dims} holds {found} numbers.")


def _count(values: Values, kind: int, where: str) -> int:
    """How many numbers a tensor holds; they lie in its raw data or in the list of its kind, nowhere else."""
    own = {FLOAT: "float_data", INT32: "int32_data", INT64: "int64_data", DOUBLE: "double_data"}[kind]
    lists = {"float_data", "int32_data", "int64_data", "double_data", "raw_data"} & set(values)
    if lists - {own, "raw_data"} or len(lists) > 1:
        raise ValueError(f"{where} holds its numbers in {', '.join(sorted(lists))}.")
    if "raw_data" in lists:
        raw = values["raw_data"][0]
        if len(raw) % np.dtype(_NUMPY[kind]).itemsize:
            raise ValueError(f"{where} is damaged.")
        numbers = np.frombuffer(raw, _NUMPY[kind])
        if not np.isfinite(numbers).all():
            raise ValueError(f"{where} holds a number that is not finite.")
        return numbers.size
    if own in ("float_data", "double_data"):
        return floats(values, own, where, "float" if own == "float_data" else "double").size
    return len(integers(values, own, where))


# The models inside: their lists must fit each other, or the run could read beyond them, or not end.


def _check_linear(attributes: dict[str, Any], n_inputs: int) -> None:
    coefficients, intercepts = _size(attributes, "coefficients"), _size(attributes, "intercepts")
    if intercepts not in (1, 2) or coefficients != intercepts * n_inputs:
        raise ValueError(f"LinearClassifier has {coefficients} coefficients for {n_inputs} inputs, {intercepts} rows.")


def _check_svm(attributes: dict[str, Any], n_inputs: int) -> None:
    counts = _list(attributes, "vectors_per_class")
    vectors = int(counts.sum()) if counts.size == 2 and (counts >= 0).all() and (counts < MAX_ELEMENTS).all() else -1
    if vectors < 1 or _size(attributes, "support_vectors") != vectors * n_inputs:
        raise ValueError(f"SVMClassifier has support vectors that do not fit {n_inputs} inputs of 2 classes.")
    if _size(attributes, "coefficients") != vectors or not 1 <= _size(attributes, "rho") <= 2:
        raise ValueError(f"SVMClassifier has coefficients that do not fit its {vectors} support vectors.")


def _check_tree(attributes: dict[str, Any], n_inputs: int) -> None:
    tree, node, feature, yes, no = (
        _list(attributes, f"nodes_{name}")
        for name in ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids")
    )
    branch = np.array([mode != "LEAF" for mode in attributes.get("nodes_modes") or []], bool)
    sizes = {len(values) for values in (tree, node, branch, yes, no, feature, _list(attributes, "nodes_values"))}
    if len(sizes) != 1 or tree.size == 0:
        raise ValueError("TreeEnsembleClassifier has lists of different lengths.")
    if ((feature < 0) | (feature >= n_inputs))[branch].any():
        raise ValueError(f"TreeEnsembleClassifier asks for an input beyond the {n_inputs}.")
    known = set(zip(tree.tolist(), node.tolist(), strict=True))
    for child in (yes, no):
        if (child <= node)[branch].any():
            raise ValueError("TreeEnsembleClassifier has a branch that leads back, so that it may never end.")
        if not set(zip(tree[branch].tolist(), child[branch].tolist(), strict=True)) <= known:
            raise ValueError("TreeEnsembleClassifier has a branch that leads nowhere.")
    classes = [_list(attributes, f"class_{name}") for name in ("treeids", "nodeids", "ids")]
    if len({values.size for values in classes} | {_size(attributes, "class_weights")}) != 1:
        raise ValueError("TreeEnsembleClassifier has lists of different lengths.")
    voters = set(zip(classes[0].tolist(), classes[1].tolist(), strict=True))
    if ((classes[2] < 0) | (classes[2] > 1)).any() or not voters <= known:
        raise ValueError("TreeEnsembleClassifier votes for a class or from a node that does not exist.")


_MODELS = {
    "LinearClassifier": _check_linear,
    "SVMClassifier": _check_svm,
    "TreeEnsembleClassifier": _check_tree,
}


def _list(attributes: dict[str, Any], name: str) -> np.ndarray:
    values = attributes.get(name)
    return values if isinstance(values, np.ndarray) else np.zeros(0, np.int64)


def _size(attributes: dict[str, Any], name: str) -> int:
    return int(_list(attributes, name).size)
