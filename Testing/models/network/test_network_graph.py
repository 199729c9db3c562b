"""Of a network's ONNX graph only what the five backbones need is read, and every size is known before it runs."""

from contextlib import suppress

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from PDL1PredictorLib.models.network import graph as graph_page
from PDL1PredictorLib.models.network import shapes as network_shapes
from PDL1PredictorLib.models.network.graph import Sizes, check_network, joined, read_network_graph
from PDL1PredictorLib.models.network.session import NetworkSession

PIXELS = (6, 5)
WEIGHTS = {
    "conv.weight": np.full((2, 3, 1, 1), 0.5),
    "bn.weight": np.array([1.0, 2.0]),
    "bn.bias": np.zeros(2),
    "bn.mean": np.zeros(2),
    "bn.var": np.ones(2),
    "reduce.weight": np.array([[1.0, 1.0]]),
    "reduce.bias": np.array([0.25]),
    "classifier.weight": np.array([[2.0], [-1.0]]),
    "classifier.bias": np.array([0.0, 1.0]),
}
WINDOW = {"kernel_shape": [1, 1], "pads": [0, 0, 0, 0], "strides": [1, 1]}
NORM = ["bn.weight", "bn.bias", "bn.mean", "bn.var"]


def weights() -> dict[str, np.ndarray]:
    return {name: value.astype(np.float32) for name, value in WEIGHTS.items()}


def nodes() -> list[onnx.NodeProto]:
    """A patch through one convolution of ones and a batch norm that doubles the second channel."""
    return [
        helper.make_node("Conv", ["patch", "conv.weight"], ["a"], **WINDOW),
        helper.make_node("BatchNormalization", ["a", *NORM], ["b"], epsilon=1e-12),
        helper.make_node("Relu", ["b"], ["maps"]),
        helper.make_node("ReduceMean", ["maps"], ["pooled"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["pooled", "reduce.weight", "reduce.bias"], ["deep"], transB=1),
        helper.make_node("Gemm", ["deep", "classifier.weight", "classifier.bias"], ["logits"], transB=1),
    ]


def graph(steps: list[onnx.NodeProto] | None = None, **changes: object) -> onnx.ModelProto:
    ends = {"patch": 4, "maps": 4, "deep": 2, "logits": 2}
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank) for name, rank in ends.items()]
    made = helper.make_graph(nodes() if steps is None else steps, "toy", values[:1], values[1:])
    return helper.make_model(made, ir_version=8, opset_imports=[helper.make_opsetid("", changes.get("version", 17))])


def refused(made: onnx.ModelProto | bytes, words: str | None = None) -> None:
    with pytest.raises(ValueError, match=words):
        read_network_graph(made if isinstance(made, bytes) else made.SerializeToString())


def check(steps: list[onnx.NodeProto], shapes: dict[str, tuple[int, ...]] | None = None, pixels=PIXELS) -> dict:
    known = {name: value.shape for name, value in WEIGHTS.items()} | (shapes or {})
    given = {"patch": (1, 3, *pixels)}
    return check_network(read_network_graph(graph(steps).SerializeToString()), known, given, Sizes(1, 2))


def misfit(steps: list[onnx.NodeProto], words: str, shapes: dict[str, tuple[int, ...]] | None = None) -> None:
    with pytest.raises(ValueError, match=words):
        check(steps, shapes)


def changed(position: int, **attributes: object) -> list[onnx.NodeProto]:
    """The toy with other attributes of one node."""
    steps = nodes()
    kept = [a for a in steps[position].attribute if a.name not in attributes]
    del steps[position].attribute[:]
    steps[position].attribute.extend(kept)
    steps[position].attribute.extend(helper.make_attribute(n, v) for n, v in attributes.items() if v is not None)
    return steps


def test_a_network_answers_as_its_sums_by_hand():
    patch = np.zeros((1, 3, *PIXELS), np.float32)
    patch[0, :, 2, 3] = 30.0  # the convolution makes 45 of it; 6 x 5 places: means 1.5 and, doubled, 3
    maps, deep, logits = NetworkSession(graph().SerializeToString(), weights(), 1, 2).run(patch)
    assert maps[0, :, 2, 3].tolist() == [45.0, 90.0]
    assert deep[0].tolist() == pytest.approx([4.75])
    assert logits[0].tolist() == pytest.approx([9.5, -3.75])


def test_the_weights_that_are_joined_are_what_onnx_reads():
    whole = onnx.load_from_string(joined(graph().SerializeToString(), weights()))
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in whole.graph.initializer}
    assert found.keys() == WEIGHTS.keys()
    for name, array in weights().items():
        np.testing.assert_array_equal(found[name], array)
    onnx.checker.check_model(whole)


def test_only_the_weights_that_are_used_are_joined():
    more = weights() | {"huge": np.zeros((1000, 1000), np.float32)}
    steps = read_network_graph(graph().SerializeToString())
    used = check_network(
        steps, {name: value.shape for name, value in more.items()}, {"patch": (1, 3, *PIXELS)}, Sizes(1, 2)
    )
    assert used.keys() == WEIGHTS.keys() | {"maps", "deep", "logits"}


def test_a_tensor_in_the_file_is_refused_wherever_it_lies():
    made = graph()
    made.graph.initializer.append(numpy_helper.from_array(np.ones(3, np.float32), "w"))
    refused(made, "it holds initializer; the weights of a network come from its safetensors file alone")
    external = graph()
    external.graph.initializer.append(TensorProto(name="w", data_location=TensorProto.EXTERNAL))
    refused(external, "it holds initializer")
    sneaked = onnx.ModelProto(graph=external.graph)
    refused(graph().SerializeToString() + sneaked.SerializeToString(), "the model holds the field graph twice")
    refused(graph([helper.make_node("Constant", [], ["maps"], value=TensorProto())]), "operator '.Constant'")


@pytest.mark.parametrize("operator", ["Loop", "If", "Scan", "Expand", "Tile", "Resize", "MatMul", "Identity", "Pad"])
def test_operators_that_no_backbone_needs_are_refused(operator):
    refused(graph([helper.make_node(operator, ["patch"], ["maps"])]), f"operator '.{operator}', which no network")


def test_operators_of_other_libraries_and_times_are_refused():
    refused(graph([helper.make_node("Conv", ["patch"], ["maps"], domain="my.own")]), "'my.own.Conv'")
    refused(graph(version=18), "version 18 of the operators 'ai.onnx', which is not read")


def test_a_graph_inside_is_refused():
    steps = changed(2, body=helper.make_graph([], "inner", [], []))
    refused(graph(steps), "the attribute 'body' of Relu is a graph, which it may not be")


def test_other_ends_are_refused():
    made = graph()
    made.graph.output[0].name = "heat"
    refused(
        made,
        "must map 'patch', with 'contour' or .* 'deep', 'logits', or .* got 'patch' to 'heat', 'deep', 'logits'",
    )
    kind = graph()
    kind.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    refused(kind, "must be 32-bit floats")


def test_a_contour_beside_the_patch_brings_what_pooling_within_it_needs_and_nothing_else_does():
    steps = [helper.make_node("Sqrt", ["a"], ["maps"])]
    refused(graph(steps), "operator '.Sqrt', which no network")
    within = graph(steps)
    within.graph.input.append(helper.make_tensor_value_info("contour", TensorProto.FLOAT, [None] * 4))
    assert read_network_graph(within.SerializeToString()).inputs == ("patch", "contour")
    within.graph.input[1].name = "mask"
    refused(within, "must map 'patch', with 'contour' or without, .* got 'patch', 'mask'")
    turned = graph(steps)
    turned.graph.input.insert(0, helper.make_tensor_value_info("contour", TensorProto.FLOAT, [None] * 4))
    refused(turned, "got 'contour', 'patch'")


@pytest.mark.parametrize(
    ("inputs", "outputs"), [([], ["maps"]), (["patch"], []), (["patch"], ["a", "b"]), (["patch", ""], ["maps"])]
)
def test_nodes_with_too_few_or_many_ends_are_refused(inputs, outputs):
    refused(graph([helper.make_node("Conv", inputs, outputs)]), "inputs and . outputs")


def test_too_many_nodes_or_bytes_are_not_read(monkeypatch):
    monkeypatch.setattr(graph_page, "MAX_NODES", 5)
    refused(graph(), "node stands there 6 times; at most 5 are read")
    monkeypatch.setattr(graph_page, "MAX_BYTES", 10)
    refused(graph(), "at most 10 are read")


@pytest.mark.parametrize(
    ("position", "attributes", "words"),
    [
        (0, {"group": 3}, "'group' is 3"),
        (0, {"dilations": [2, 2]}, r"'dilations' is \[2, 2\]"),
        (0, {"auto_pad": "SAME_UPPER"}, "'auto_pad' is SAME_UPPER"),
        (0, {"kernel_shape": [3, 3]}, r"kernel_shape is not that of its weights, \(1, 1\)"),
        (0, {"kernel_shape": None}, "it needs kernel_shape of 2 whole numbers"),
        (0, {"strides": [0, 1]}, "is not one of ours"),
        (0, {"pads": [-1, 0, 0, 0]}, "is not one of ours"),
        (0, {"pads": [10**9] * 4}, "is not one of ours"),
        (0, {"strides": [16, 16]}, ""),
        (1, {"training_mode": 1}, "'training_mode' is 1"),
        (1, {"epsilon": 0.0}, "epsilon must lie between 0 and 1"),
        (2, {"alpha": 0.5}, "'alpha' is 0.5"),
        (3, {"axes": [1, 2]}, r"'axes' is \[1, 2\]"),
        (3, {"keepdims": None}, "the mean over the plane is needed"),
        (4, {"transB": None}, "do not fit an input"),
        (4, {"alpha": 2.0}, "'alpha' is 2.0"),
    ],
)
def test_attributes_that_no_backbone_needs_are_refused(position, attributes, words):
    if words:
        misfit(changed(position, **attributes), words)
    else:
        check(changed(position, **attributes))


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"conv.weight": (2, 4, 1, 1)}, r"shape \(2, 4, 1, 1\) do not fit an input of the shape \(1, 3, 6, 5\)"),
        ({"bn.mean": (3,)}, "do not fit an input"),
        ({"reduce.weight": (1, 3)}, "do not fit an input"),
        ({"reduce.bias": (2,)}, "do not fit an input"),
        ({"classifier.weight": (3, 1), "classifier.bias": (3,)}, r"\(1, 1\) and \(1, 2\) are needed"),
        ({"reduce.weight": (3, 2), "reduce.bias": (3,), "classifier.weight": (2, 3)}, r"\(1, 1\) and \(1, 2\) are n"),
    ],
)
def test_weights_that_do_not_fit_the_graph_are_refused(shapes, words):
    misfit(nodes(), words, shapes)


def test_a_weight_where_a_step_belongs_and_the_other_way_round_are_refused():
    steps = nodes()
    steps[2].input[0] = "bn.bias"
    misfit(steps, "its inputs must be a step's output")
    steps = nodes()
    steps[0].input[1] = "patch"
    misfit(steps, "its inputs must be a step's output, a weight")


def test_names_that_are_not_there_or_there_twice_are_refused():
    misfit(nodes()[1:], "'a', which is neither a weight nor made before it")
    misfit([*nodes(), nodes()[2]], "there is such a tensor already")
    steps = nodes()
    steps[0].output[0] = "conv.weight"
    misfit(steps, "there is such a tensor already")
    misfit(nodes()[:3], r"shapes \(1, 2, 6, 5\), \(\) and \(\)")


def test_joins_and_sums_of_maps_of_other_sizes_are_refused():
    half = helper.make_node("MaxPool", ["a"], ["half"], kernel_shape=[2, 2], pads=[0] * 4, strides=[2, 2])
    for operator, words in (("Add", "differ"), ("Concat", "cannot be joined")):
        attributes = {"axis": 1} if operator == "Concat" else {}
        joint = helper.make_node(operator, ["a", "half"], ["c"], **attributes)
        misfit([nodes()[0], half, joint, *nodes()[1:]], words)
    misfit([nodes()[0], helper.make_node("Concat", ["a", "a"], ["c"], axis=2), *nodes()[1:]], "'axis' is 2")


def test_a_patch_that_is_too_small_is_told():
    pool = helper.make_node("AveragePool", ["patch"], ["p"], kernel_shape=[8, 8], pads=[0] * 4, strides=[1, 1])
    misfit([pool, *nodes()], "the patch is too small for it")
    wide = helper.make_node("MaxPool", ["patch"], ["p"], kernel_shape=[2, 2], pads=[2] * 4, strides=[1, 1])
    misfit([wide, *nodes()], "pads are as wide as its window")


def test_a_small_file_cannot_ask_for_a_large_memory_or_work(monkeypatch):
    doubled = [helper.make_node("Concat", ["patch"] * 16, ["x0"], axis=1)]
    doubled += [helper.make_node("Concat", [f"x{n}"] * 16, [f"x{n + 1}"], axis=1) for n in range(6)]
    misfit([*doubled, *nodes()], f"at most {network_shapes.MAX_ELEMENTS}")
    monkeypatch.setattr(network_shapes, "MAX_PRODUCTS", 100)
    misfit(nodes(), "at most .* and 100 are")


@pytest.mark.parametrize("data", [b"", b"\x08", b"\x08\x08:\x02ab", b"\x08\x08" + b"\xff" * 20, b"\x08\x63"])
def test_what_is_no_onnx_is_refused(data):
    refused(data)


def test_a_file_cut_anywhere_or_with_any_byte_changed_never_ends_in_another_error():
    data = graph().SerializeToString()
    rng = np.random.default_rng(1)
    for end in range(len(data) - 12):
        refused(data[:end])
    patch = np.ones((1, 3, *PIXELS), np.float32)
    passed = 0
    for _ in range(1500):
        bad = bytearray(data)
        bad[int(rng.integers(len(bad)))] = int(rng.integers(256))
        with suppress(ValueError):
            NetworkSession(bytes(bad), weights(), 1, 2).run(patch)  # what our reader lets pass, onnxruntime can run
            passed += 1
    assert 0 < passed < 700


def test_what_onnxruntime_cannot_use_is_a_plain_error():
    steps = nodes()
    steps[0].output[0] = steps[1].input[0] = "\x7f" * 3
    session = NetworkSession(graph(steps).SerializeToString(), weights(), 1, 2)
    session.run(np.ones((1, 3, *PIXELS), np.float32))
    both = session.run(np.stack([np.ones((3, *PIXELS)), np.zeros((3, *PIXELS))]).astype(np.float32))
    alone = [session.run(np.full((1, 3, *PIXELS), value, np.float32)) for value in (1, 0)]
    for name, found, wanted in zip(("maps", "deep", "logits"), both, zip(*alone, strict=True), strict=True):
        np.testing.assert_allclose(found, np.concatenate(wanted), atol=1e-5, err_msg=name)
    for n in (0, 9):
        with pytest.raises(ValueError, match=r"1 to 8 patches \(n, channels, h, w\) are needed"):
            session.run(np.ones((n, 3, *PIXELS), np.float32))
