"""Operators of networks that answer by themselves, in shapes: what each makes, and what it is refused."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from PDL1PredictorLib.models.network.graph import Sizes, check_network, read_network_graph
from PDL1PredictorLib.models.network.operators import ALL, NUMBERS
from PDL1PredictorLib.models.network.shapes import Limits


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def shape_of(operator: str, shapes: list[tuple[int, ...]], **attributes: object) -> tuple[int, ...]:
    return ALL[operator].shape(shapes, [False] * len(shapes), attributes, Limits())


MADE = [
    ("Add", [(1, 5, 8), (8,)], {}),
    ("Div", [(1, 2, 3), (1, 1, 3)], {}),
    ("MatMul", [(1, 2, 5, 4), (1, 2, 4, 6)], {}),
    ("MatMul", [(5, 4), (4, 6)], {}),
    ("Softmax", [(1, 4)], {"axis": -1}),
    ("LayerNormalization", [(1, 5, 8), (8,), (8,)], {"axis": -1, "epsilon": 1e-5}),
    ("Transpose", [(1, 2, 3)], {"perm": ints(0, 2, 1)}),
    ("Concat", [(1, 2, 3), (1, 4, 3)], {"axis": 1}),
    ("ReduceMean", [(1, 2, 3)], {"axes": ints(-1), "keepdims": 1}),
    ("ReduceMean", [(1, 2, 3, 4, 5)], {"axes": ints(2, 3, 4), "keepdims": 0}),
    ("Reshape", [(1, 6, 4)], {"shape": ints(0, -1, 2)}),
    ("Expand", [(1, 1, 8)], {"shape": ints(1, 3, 1)}),
    ("Gather", [(1, 5, 8)], {"indices": 0, "axis": 1}),
    ("Gather", [(1, 5, 8)], {"indices": ints(0, 3), "axis": 1}),
    ("Slice", [(1, 9, 8)], {"starts": ints(1, -5), "ends": ints(9, 8), "axes": ints(1, 2), "steps": ints(2, 1)}),
    ("Squeeze", [(1, 5, 1)], {"axes": ints(2)}),
    ("Unsqueeze", [(5, 8)], {"axes": ints(0, 3)}),
    ("Relu", [(1, 3)], {}),
    ("Erf", [(1, 3)], {}),
]


def computed(operator: str, shapes: list[tuple[int, ...]], attributes: dict) -> tuple[int, ...]:
    """The shape that ONNX's own evaluation makes."""
    rng = np.random.default_rng(0)
    named = {f"x{i}": rng.random(shape).astype(np.float32) for i, shape in enumerate(shapes)}
    names = [name for name in NUMBERS.get(operator, ()) if name in attributes]
    whole = {name: np.asarray(attributes[name], np.int64) for name in names}
    rest = {name: value for name, value in attributes.items() if name not in names}
    node = helper.make_node(operator, [*named, *names], ["y"], **rest)
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, v.shape) for n, v in named.items()]
    inputs += [helper.make_tensor_value_info(n, TensorProto.INT64, v.shape) for n, v in whole.items()]
    end = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    model = helper.make_model(
        helper.make_graph([node], "one", inputs, [end]), opset_imports=[helper.make_opsetid("", 17)]
    )
    return ReferenceEvaluator(model).run(None, {**named, **whole})[0].shape


@pytest.mark.parametrize(("operator", "shapes", "attributes"), MADE)
def test_a_shape_is_the_one_that_is_computed(operator: str, shapes: list, attributes: dict):
    assert shape_of(operator, shapes, **attributes) == computed(operator, shapes, attributes)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_sums_of_unequal_shapes_are_those_of_numpy_or_refused(a: list[int], b: list[int]):
    try:
        wanted = (np.ones(a) + np.ones(b)).shape
    except ValueError:
        with pytest.raises(ValueError, match="broadcast"):
            shape_of("Add", [tuple(a), tuple(b)])
    else:
        assert shape_of("Add", [tuple(a), tuple(b)]) == wanted


@pytest.mark.parametrize(
    ("operator", "shapes", "attributes", "words"),
    [
        ("Add", [(1, 2)], {}, "1 inputs; 2 are needed"),
        ("MatMul", [(1, 2), (3, 4)], {}, "cannot be multiplied"),
        ("MatMul", [(2,), (2, 4)], {}, "cannot be multiplied"),
        ("Softmax", [(1, 2)], {"axis": 2}, "is no axis of 2 lengths"),
        ("LayerNormalization", [(1, 5, 8), (5,)], {}, "do not fit an input"),
        ("LayerNormalization", [(1, 5, 8), (8,)], {"axis": 1}, "the attribute 'axis' is 1"),
        ("Transpose", [(1, 2)], {"perm": ints(0, 0)}, "none of the 2 lengths"),
        ("Concat", [(1, 2, 3), (1, 4, 4)], {"axis": 1}, "cannot be joined along the axis 1"),
        ("Reshape", [(1, 6)], {"shape": ints(4, -1)}, "cannot become"),
        ("Reshape", [(1, 6)], {"shape": ints(-1, -1)}, "cannot become"),
        ("Reshape", [(1, 6)], {}, "it needs shape of at most 5 whole numbers"),
        ("Gather", [(1, 5)], {"indices": 5, "axis": 1}, "are none of 5"),
        ("Slice", [(1, 5)], {"starts": ints(0), "ends": ints(5), "axes": ints(1), "steps": ints(-1)}, "leads nowhere"),
        ("Slice", [(1, 5)], {"starts": ints(5), "ends": ints(5), "axes": ints(1)}, "too small"),
        ("Squeeze", [(2, 5)], {"axes": ints(0)}, "are not 1"),
        ("Relu", [(1, 5)], {"alpha": 1.0}, "the attribute 'alpha'"),
        ("Expand", [(1, 1)], {"shape": ints(10**6, 10**6)}, "at most"),
    ],
)
def test_what_does_not_fit_is_refused(operator: str, shapes: list, attributes: dict, words: str):
    with pytest.raises(ValueError, match=words):
        shape_of(operator, shapes, **attributes)


def table_model(nodes: list[onnx.NodeProto], inputs: tuple[str, ...] = ("table",)) -> bytes:
    first = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in inputs]
    last = [helper.make_tensor_value_info("answers", TensorProto.FLOAT, [1, 2])]
    graph = helper.make_graph(nodes, "toy", first, last)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def node(operator: str, inputs: list[str], output: str = "answers", **attributes: object) -> onnx.NodeProto:
    return helper.make_node(operator, inputs, [output], **attributes)


LAYER = node("Gemm", ["table", "w", "b"], transB=1)
WEIGHTS = {"w": (2, 4), "b": (2,)}


def test_a_table_is_followed_through_its_layer():
    graph = read_network_graph(table_model([LAYER]))
    shapes = check_network(graph, WEIGHTS, {"table": (1, 4)}, Sizes(0, 2))
    assert shapes == {"w": (2, 4), "b": (2,), "answers": (1, 2)}
    with pytest.raises(ValueError, match="is needed, and deep features exactly where"):
        check_network(graph, WEIGHTS, {"table": (1, 4)}, Sizes(0, 3))
    with pytest.raises(ValueError, match="do not fit an input"):
        check_network(graph, WEIGHTS, {"table": (1, 5)}, Sizes(0, 2))
    with pytest.raises(ValueError, match="it needs 'table', and is given 'patch'"):
        check_network(graph, WEIGHTS, {"patch": (1, 3, 9, 9)}, Sizes(0, 2))


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node("Loop", ["table"])], "Loop', which no network of ours needs"),
        ([node("Constant", [], "n", value_ints=[1]), node("Reshape", ["table", "m"])], "needs shape as whole numbers"),
        ([node("Reshape", ["table"], shape=[1, 2])], "needs shape as whole numbers"),
        ([node("Constant", [], "n", value_float=1.0), LAYER], "a Constant holds whole numbers"),
        ([node("Constant", [], "n", value_int=1), node("Constant", [], "n", value_int=2), LAYER], "a Constant holds"),
    ],
)
def test_numbers_of_a_graph_are_whole_and_stand_in_it(nodes: list, words: str):
    with pytest.raises(ValueError, match=words):
        read_network_graph(table_model(nodes))


@pytest.mark.parametrize("inputs", [("rows",), ("table", "patch"), ("patch",), ("patch", "volume")])
def test_other_inputs_are_refused_and_a_picture_gives_its_maps(inputs: tuple[str, ...]):
    with pytest.raises(
        ValueError, match="it must map 'patch', with 'contour' or without, to 'maps', 'deep', 'logits', or a pic"
    ):
        read_network_graph(table_model([LAYER], inputs))


def test_a_network_of_deep_features_may_hold_none_of_these():
    steps = [node("Tanh", ["patch"], "maps")]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("maps", "deep", "logits")]
    first = [helper.make_tensor_value_info("patch", TensorProto.FLOAT, None)]
    model = helper.make_model(
        helper.make_graph(steps, "t", first, ends), ir_version=8, opset_imports=[helper.make_opsetid("", 17)]
    )
    with pytest.raises(ValueError, match="Tanh', which no network of ours needs"):
        read_network_graph(model.SerializeToString())
