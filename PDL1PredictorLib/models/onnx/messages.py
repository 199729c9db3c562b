"""The messages of an ONNX file: which fields may be in them, and the readers that every kind of graph shares.

What a graph may do is said by the pages that read one: `onnx.graph` for classifiers, `network.graph` for networks.
Field numbers are those of `onnx.proto` (ONNX 1.23).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from PDL1PredictorLib.models.onnx.wire import Field, Values, fields_of, floats, integer, integers, text, texts

IR_VERSIONS = range(3, 15)
FLOAT, INT32, INT64, DOUBLE = 1, 6, 7, 11
MOST_LENGTHS = 5  # of a tensor: cases, channels, and a volume's three

MODEL = {
    1: Field("ir_version", "int"),
    2: Field("producer_name", "text"),
    3: Field("producer_version", "text"),
    4: Field("domain", "text"),
    5: Field("model_version", "int"),
    6: Field("doc_string", "text"),
    7: Field("graph", "message"),
    8: Field("opset_import", "message", many=True),
}
OPSET = {1: Field("domain", "text"), 2: Field("version", "int")}
GRAPH = {
    1: Field("node", "message", many=True),
    2: Field("name", "text"),
    5: Field("initializer", "message", many=True),
    10: Field("doc_string", "text"),
    11: Field("input", "message", many=True),
    12: Field("output", "message", many=True),
    13: Field("value_info", "message", many=True),
}
NODE = {
    1: Field("input", "text", many=True),
    2: Field("output", "text", many=True),
    3: Field("name", "text"),
    4: Field("op_type", "text"),
    5: Field("attribute", "message", many=True),
    6: Field("doc_string", "text"),
    7: Field("domain", "text"),
}
ATTRIBUTE = {
    1: Field("name", "text"),
    2: Field("f", "float"),
    3: Field("i", "int"),
    4: Field("s", "text"),
    6: Field("g", "message"),
    7: Field("floats", "float", many=True),
    8: Field("ints", "int", many=True),
    9: Field("strings", "text", many=True),
    13: Field("doc_string", "text"),
    20: Field("type", "int"),
}
TENSOR = {
    1: Field("dims", "int", many=True),
    2: Field("data_type", "int"),
    4: Field("float_data", "float", many=True),
    5: Field("int32_data", "int", many=True),
    7: Field("int64_data", "int", many=True),
    8: Field("name", "text"),
    9: Field("raw_data", "bytes"),
    10: Field("double_data", "double", many=True),
    12: Field("doc_string", "text"),
    13: Field("external_data", "message", many=True),
    14: Field("data_location", "int"),
}
VALUE = {1: Field("name", "text"), 2: Field("type", "message"), 3: Field("doc_string", "text")}
TYPE = {1: Field("tensor_type", "message"), 6: Field("denotation", "text")}
TENSOR_TYPE = {1: Field("elem_type", "int"), 2: Field("shape", "message")}
SHAPE = {1: Field("dim", "message", many=True)}
DIM = {1: Field("dim_value", "int"), 2: Field("dim_param", "text"), 3: Field("denotation", "text")}


@dataclass(frozen=True)
class Value:
    """An input or output of a graph.

    Attributes:
        name: Of the tensor.
        kind: Of its elements, as ONNX counts them; 0 where it is not said.
        shape: None where a length is not fixed.
    """

    name: str
    kind: int
    shape: tuple[int | None, ...]


def graph_of(data: bytes, opsets: Mapping[str, range]) -> bytes:
    """The graph of a model, still to be read; the versions around it are checked.

    Args:
        data: The file.
        opsets: Domain of operators to the versions that are read.

    Raises:
        ValueError: The model is damaged, of another version, or has no graph.
    """
    model = fields_of(data, MODEL, "the model")
    version = integer(model, "ir_version", "the model")
    if version not in IR_VERSIONS:
        raise ValueError(f"it has the ONNX format {version}; {IR_VERSIONS[0]} to {IR_VERSIONS[-1]} are read.")
    for raw in model.get("opset_import", []):
        where = "an operator set"
        values = fields_of(raw, OPSET, where)
        domain, version = text(values, "domain", where), integer(values, "version", where)
        if version not in opsets.get(domain, ()):
            raise ValueError(f"it needs version {version} of the operators {domain or 'ai.onnx'!r}, which is not read.")
    graphs = model.get("graph")
    if not graphs:
        raise ValueError("it has no graph.")
    return graphs[0]


def attributes_of(values: Values, operator: str, inner_graph: Callable[[str, str, bytes], Any]) -> dict[str, Any]:
    """The attributes of a node: by name a whole number, a number, a text, an array or list of them, or an inner graph.

    An empty list, as exporters write those that are not needed, is None.

    Args:
        values: The node's fields.
        operator: The node's operator.
        inner_graph: Reads a graph inside, given operator, name and content; raises ValueError where none may be.

    Raises:
        ValueError: One is damaged, there twice, or of several kinds.
    """
    attributes: dict[str, Any] = {}
    for raw in values.get("attribute", []):
        name, value = _attribute(raw, operator, inner_graph)
        if name in attributes:
            raise ValueError(f"{operator} has the attribute {shown(name)} twice.")
        attributes[name] = value
    return attributes


def _attribute(data: bytes, operator: str, inner_graph: Callable[[str, str, bytes], Any]) -> tuple[str, Any]:
    where = f"an attribute of {operator}"
    values = fields_of(data, ATTRIBUTE, where)
    name = text(values, "name", where)
    where = f"the attribute {shown(name)} of {operator}"
    content = set(values) - {"name", "doc_string", "type"}
    if len(content) > 1:
        raise ValueError(f"{where} holds {', '.join(sorted(content))}; one of them is allowed.")
    match next(iter(content), ""):
        case "g":
            return name, inner_graph(operator, name, values["g"][0])
        case "f" | "floats" as kind:
            numbers = floats(values, kind, where)
            return name, numbers if kind == "floats" else float(numbers[0])
        case "i":
            return name, integer(values, "i", where)
        case "ints":
            return name, np.array(integers(values, "ints", where), np.int64)
        case "s":
            return name, text(values, "s", where)
        case "strings":
            return name, texts(values, "strings", where)
    return name, None  # an empty list, as the exporter writes those that a tree does not need


def value_of(data: bytes) -> Value:
    """One input or output of a graph.

    Raises:
        ValueError: It is damaged, or has more than five lengths.
    """
    values = fields_of(data, VALUE, "an input or output")
    name = text(values, "name", "an input or output")
    where = f"the type of {shown(name)}"
    kinds = fields_of(b"".join(values.get("type", [])), TYPE, where)
    tensor = fields_of(b"".join(kinds.get("tensor_type", [])), TENSOR_TYPE, where)
    shape = fields_of(b"".join(tensor.get("shape", [])), SHAPE, where)
    at_most(len(shape.get("dim", [])), MOST_LENGTHS, f"{where}: dim")
    return Value(name, integer(tensor, "elem_type", where), tuple(_dim(raw, where) for raw in shape.get("dim", [])))


def _dim(data: bytes, where: str) -> int | None:
    values = fields_of(data, DIM, where)
    return integer(values, "dim_value", where) if "dim_value" in values else None


def at_most(count: int, most: int, what: str) -> None:
    """Refuse what stands there more often than a file of ours needs."""
    if count > most:
        raise ValueError(f"{what} stands there {count} times; at most {most} are read.")


def listed(names: list[str]) -> str:
    """Some of the names, for a message."""
    return ", ".join(map(shown, names[:5])) or "nothing"


def shown(name: str) -> str:
    """A name from outside, for a message."""
    return repr(name if len(name) <= 60 else f"{name[:60]}...")
