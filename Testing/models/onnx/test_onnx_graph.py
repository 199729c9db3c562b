"""Of ONNX only what our exporters write is read: nothing outside the file, nothing without end."""

import warnings
from contextlib import suppress

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from PDL1PredictorLib.learning.classifiers import CLASSIFIERS, to_onnx_bytes
from PDL1PredictorLib.models.onnx import graph as onnx_graph
from PDL1PredictorLib.models.onnx.graph import check_classifier
from PDL1PredictorLib.models.onnx.session import Classifier

D = 12


@pytest.fixture(scope="module")
def exported() -> dict[str, bytes]:
    """Every classifier that training can choose, as a bundle holds it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, D))
    labels = (x[:, 0] + rng.normal(size=60) > 0).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a perceptron that stopped early
        return {kind: to_onnx_bytes(make(0, 60).fit(x, labels), x) for kind, make in CLASSIFIERS.items()}


def tensor(name: str, values: object) -> TensorProto:
    return numpy_helper.from_array(np.array(values, np.float32), name)


def model(*nodes: onnx.NodeProto, tensors: tuple[TensorProto, ...] = (), **changes: object) -> onnx.ModelProto:
    """A perceptron without hidden layer, or other nodes: `inputs` (n, 12) to `probabilities` (n, 2)."""
    nodes = nodes or (
        helper.make_node("MatMul", ["inputs", "weights"], ["score"]),
        helper.make_node("Sigmoid", ["score"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
    )
    tensors = tensors or (tensor("weights", np.full((D, 1), 0.5)), tensor("one", [1.0]))
    inputs = changes.pop("inputs", ("inputs", TensorProto.FLOAT, [None, D]))
    outputs = changes.pop("outputs", ("probabilities", TensorProto.FLOAT, [None, 2]))
    graph = helper.make_graph(
        list(nodes),
        "toy",
        [helper.make_tensor_value_info(*inputs)],
        [helper.make_tensor_value_info(*outputs)],
        list(tensors),
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def external(name: str, location: str = "secret.bin") -> TensorProto:
    found = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[D, 1], data_location=TensorProto.EXTERNAL)
    found.external_data.add(key="location", value=location)
    return found


def refused(made: onnx.ModelProto | bytes, words: str | None = None) -> None:
    with pytest.raises(ValueError, match=words):
        check_classifier(made if isinstance(made, bytes) else made.SerializeToString(), D)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_what_our_exporters_write_is_read(exported, kind):
    check_classifier(exported[kind], D)
    assert Classifier(exported[kind]).probabilities(np.zeros((3, D))).shape == (3,)


def test_a_model_of_the_same_operators_by_hand_is_read_and_computed():
    data = model().SerializeToString()
    check_classifier(data, D)
    rows = np.zeros((2, D))
    rows[1, 0] = 2.0  # times 0.5: a score of 1
    assert Classifier(data).probabilities(rows) == pytest.approx([0.5, 1 / (1 + np.exp(-1))], abs=1e-6)


def test_shares_as_earlier_exporters_write_them_are_read_and_computed():
    """Converters of before 2023 bring the two probabilities of a linear model to a sum of 1, which they have."""
    nodes = (
        helper.make_node("MatMul", ["inputs", "weights"], ["score"]),
        helper.make_node("Sigmoid", ["score"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["both"], axis=1),
        helper.make_node("Normalizer", ["both"], ["probabilities"], domain="ai.onnx.ml", norm="L1"),
    )
    data = model(*nodes).SerializeToString()
    check_classifier(data, D)
    assert Classifier(data).probabilities(np.zeros((1, D))) == pytest.approx([0.5])
    twice = helper.make_node("Normalizer", ["both"], ["again"], domain="ai.onnx.ml", norm="L1")
    refused(model(*nodes[:-1], twice, nodes[-1]), "operator Normalizer stands there 2 times; at most 1")


@pytest.mark.parametrize("location", ["secret.bin", "/etc/passwd", "../x", "*/_ORT_MEM_ADDR_/*"])
def test_a_tensor_that_lies_elsewhere_is_refused(location):
    refused(model(tensors=(external("weights", location), tensor("one", [1.0]))), "'weights' is external")


def test_a_tensor_that_only_says_that_it_lies_elsewhere_is_refused():
    made = model()
    made.graph.initializer[0].data_location = TensorProto.EXTERNAL
    refused(made, "'weights' is external")


def scan(body_tensor: TensorProto, *body: onnx.NodeProto) -> onnx.ModelProto:
    """A loop over the cases, as the nearest neighbors have one, with its own graph inside."""
    body = body or (helper.make_node("Add", ["row", body_tensor.name], ["out"]),)
    inside = helper.make_graph(
        list(body),
        "body",
        [helper.make_tensor_value_info("row", TensorProto.FLOAT, [D])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [body_tensor],
    )
    return model(helper.make_node("Scan", ["inputs"], ["probabilities"], body=inside, num_scan_inputs=1))


def test_a_tensor_elsewhere_is_refused_inside_a_graph_of_a_graph():
    check_classifier(scan(tensor("step", [1.0])).SerializeToString(), D)
    refused(scan(external("step")), "'step' is external")


def test_loops_within_loops_are_refused():
    inner = helper.make_node("Scan", ["row"], ["out"], num_scan_inputs=1)
    refused(scan(tensor("step", [1.0]), inner), "operator '.Scan', which no classifier of ours needs")


def test_sparse_tensors_are_refused_wherever_they_stand():
    sparse = helper.make_sparse_tensor(external("values"), numpy_helper.from_array(np.array([0], np.int64), "i"), [D])
    made = model()
    made.graph.sparse_initializer.append(sparse)
    refused(made, "the graph holds the field 15")
    node = helper.make_node("Identity", ["inputs"], ["x"])
    node.attribute.append(helper.make_attribute("sparse_value", sparse))
    refused(model(node), "an attribute of Identity holds the field 22")


def test_a_tensor_as_an_attribute_is_refused_with_its_operator():
    refused(model(helper.make_node("Constant", [], ["x"], value=external("c"))), "operator '.Constant'")
    hidden = helper.make_node("Identity", ["inputs"], ["x"])
    hidden.attribute.append(helper.make_attribute("value", external("c")))
    refused(model(hidden), "an attribute of Identity holds the field 5")


@pytest.mark.parametrize("operator", ["Loop", "If", "Expand", "Tile", "Range", "ConstantOfShape", "RandomNormal"])
def test_operators_that_no_exporter_writes_are_refused(operator):
    refused(model(helper.make_node(operator, ["inputs"], ["probabilities"])), f"operator '.{operator}'")


@pytest.mark.parametrize(
    ("operator", "domain"), [("Add", "my.own"), ("Attention", "com.microsoft"), ("PyOp", "ai.onnx.ml")]
)
def test_operators_of_other_libraries_are_refused(operator, domain):
    refused(model(helper.make_node(operator, ["inputs"], ["probabilities"], domain=domain)), f"'{domain}.{operator}'")


def test_operator_sets_of_other_libraries_or_times_are_refused():
    for domain, version in (("my.own", 1), ("", 99), ("ai.onnx.ml", 0)):
        made = model()
        made.opset_import.append(helper.make_opsetid(domain, version))
        refused(made, "which is not read")


def test_functions_training_and_metadata_are_refused():
    own = model()
    own.functions.append(helper.make_function("my.own", "Add", ["a"], ["b"], [], [helper.make_opsetid("", 18)]))
    refused(own, "the model holds the field 25")
    trained = model()
    trained.training_info.add()
    refused(trained, "the model holds the field 20")
    described = model()
    described.metadata_props.add(key="ort_config", value="{}")
    refused(described, "the model holds the field 14")


def test_a_second_graph_that_readers_would_join_to_the_first_is_refused():
    sneaked = onnx.ModelProto(graph=onnx.GraphProto(initializer=[external("late")]))
    refused(model().SerializeToString() + sneaked.SerializeToString(), "the model holds the field graph twice")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": ("x", TensorProto.FLOAT, [None, D])}, "must map 'inputs' to 'probabilities', got 'x' to"),
        ({"outputs": ("answer", TensorProto.FLOAT, [None, 2])}, "must map 'inputs' to 'probabilities', got 'inputs'"),
        (
            {"inputs": ("inputs", TensorProto.DOUBLE, [None, D])},
            r"'inputs' must be 32-bit floats of shape \(cases, 12\)",
        ),
        ({"inputs": ("inputs", TensorProto.FLOAT, [None, D + 1])}, r"got the kind 1 of shape \(\?, 13\)"),
        ({"inputs": ("inputs", TensorProto.FLOAT, [5, D])}, r"got the kind 1 of shape \(5, 12\)"),
        ({"inputs": ("inputs", TensorProto.FLOAT, None)}, r"of shape \(\)"),
        ({"outputs": ("probabilities", TensorProto.FLOAT, [None, 3])}, r"'probabilities' must be .* \(cases, 2\)"),
        ({"outputs": ("probabilities", TensorProto.INT64, [None, 2])}, "got the kind 7"),
    ],
)
def test_other_inputs_outputs_kinds_and_shapes_are_refused(changes, words):
    refused(model(**changes), words)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (tensor("weights", np.full((D, 1), np.nan)), "'weights' holds a number that is not finite"),
        (
            TensorProto(name="w", data_type=TensorProto.STRING, dims=[1], string_data=[b"x"]),
            "a tensor holds the field 6",
        ),
        (TensorProto(name="w", data_type=TensorProto.BFLOAT16, dims=[1], raw_data=b"xx"), "numbers of the kind 16"),
        (TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3], raw_data=b"1234"), r"of shape \[3\] holds 1"),
        (TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], raw_data=b"123"), "'w' is damaged"),
        (TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[10**9]), r"has the shape \[1000000000\]"),
        (TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-1, -1]), r"has the shape \[-1, -1\]"),
        (
            TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], float_data=[1], int64_data=[2]),
            "its numbers in",
        ),
    ],
)
def test_tensors_that_are_not_what_they_say_are_refused(made, words):
    refused(model(tensors=(made,)), words)


def edited(data: bytes, operator: str, **lists: object) -> onnx.ModelProto:
    made = onnx.load_from_string(data)
    (node,) = (node for node in made.graph.node if node.op_type == operator)
    for name, values in lists.items():
        (attribute,) = (a for a in node.attribute if a.name == name)
        kept = attribute.floats if attribute.floats else attribute.ints
        changed = values(list(kept))
        del kept[:]
        kept.extend(changed)
    return made


@pytest.mark.parametrize(
    ("kind", "operator", "name", "change", "words"),
    [
        ("random forest", "TreeEnsembleClassifier", "nodes_truenodeids", lambda v: [0] * len(v), "leads back"),
        ("random forest", "TreeEnsembleClassifier", "nodes_falsenodeids", lambda v: [10**6] * len(v), "leads nowhere"),
        ("random forest", "TreeEnsembleClassifier", "nodes_featureids", lambda v: [D] * len(v), "beyond the 12"),
        ("random forest", "TreeEnsembleClassifier", "nodes_featureids", lambda v: v[:-1], "different lengths"),
        ("random forest", "TreeEnsembleClassifier", "class_ids", lambda v: [2] * len(v), "does not exist"),
        ("random forest", "TreeEnsembleClassifier", "class_nodeids", lambda v: [10**6] * len(v), "does not exist"),
        ("logistic regression", "LinearClassifier", "coefficients", lambda v: v[:-1], "23 coefficients for 12 inputs"),
        ("logistic regression", "LinearClassifier", "intercepts", lambda v: v * 9, "18 rows"),
        ("logistic regression", "LinearClassifier", "coefficients", lambda v: [np.inf] * 24, "is not finite"),
        ("support vector machine", "SVMClassifier", "support_vectors", lambda v: v[:-1], "do not fit 12 inputs"),
        ("support vector machine", "SVMClassifier", "vectors_per_class", lambda v: [2**40, 1], "do not fit 12 inputs"),
        ("support vector machine", "SVMClassifier", "coefficients", lambda v: v[:-1], "coefficients that do not fit"),
    ],
)
def test_models_whose_lists_do_not_fit_each_other_are_refused(exported, kind, operator, name, change, words):
    refused(edited(exported[kind], operator, **{name: change}), words)


def test_chains_that_make_large_tensors_of_small_ones_are_refused():
    doubled = [helper.make_node("Concat", [f"x{n}", f"x{n}"], [f"x{n + 1}"], axis=1) for n in range(3)]
    refused(model(*doubled), "operator Concat stands there 3 times; at most 2 are read")
    many = [helper.make_node("Add", ["inputs", "one"], [f"x{n}"]) for n in range(65)]
    refused(model(*many), "node stands there 65 times; at most 64 are read")


def test_files_that_are_too_large_are_not_read(monkeypatch):
    monkeypatch.setattr(onnx_graph, "MAX_BYTES", 10)
    refused(model(), "at most 10 are read")


@pytest.mark.parametrize(
    "data", [b"", b"\x08", b"\x08\x08:\x02ab", b"\x08\x08" + b"\xff" * 20, b"\x08\x63", b"\x0b\x0c"]
)
def test_what_is_no_onnx_is_refused(data):
    refused(data)


@pytest.mark.parametrize("kind", ["logistic regression", "nearest neighbors", "support vector machine"])
def test_a_file_cut_anywhere_or_with_any_byte_changed_never_ends_in_another_error(exported, kind):
    data = exported[kind]
    rng = np.random.default_rng(1)
    for end in range(0, len(data) // 2, max(len(data) // 400, 1)):
        refused(data[:end])
    for _ in range(300):
        bad = bytearray(data)
        bad[int(rng.integers(len(bad)))] = int(rng.integers(256))
        with suppress(ValueError):
            check_classifier(bytes(bad), D)


def test_answers_that_are_no_probabilities_are_refused():
    rows = np.zeros((1, D))
    large = model(
        helper.make_node("MatMul", ["inputs", "zeros"], ["nothing"]),
        helper.make_node("Add", ["nothing", "large"], ["probabilities"]),
        tensors=(tensor("zeros", np.zeros((D, 2))), tensor("large", [-6.5, 7.5])),
    )
    check_classifier(large.SerializeToString(), D)
    with pytest.raises(ValueError, match=r"it gives -6.5 and 7.5; probabilities lie from 0 to 1 and add up to 1"):
        Classifier(large.SerializeToString()).probabilities(rows)
    nothing = model(
        helper.make_node("MatMul", ["inputs", "zeros"], ["zero"]),
        helper.make_node("Div", ["zero", "zero"], ["probabilities"]),
        tensors=(tensor("zeros", np.zeros((D, 2))),),
    )
    with pytest.raises(ValueError, match="it gives nan and nan"):
        Classifier(nothing.SerializeToString()).probabilities(rows)
    other = model(helper.make_node("Identity", ["inputs"], ["probabilities"]), tensors=(tensor("one", [1.0]),))
    with pytest.raises(ValueError, match=r"onnxruntime cannot use it|of shape \(1, 12\) for 1 cases"):
        Classifier(other.SerializeToString()).probabilities(rows)


def test_a_small_file_cannot_ask_for_a_large_memory():
    n = 100_000
    product = model(
        helper.make_node("MatMul", ["column", "row"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["total"], keepdims=0),
        helper.make_node("MatMul", ["inputs", "zeros"], ["nothing"]),
        helper.make_node("Add", ["nothing", "total"], ["probabilities"]),
        tensors=(
            tensor("column", np.ones((n, 1))),
            tensor("row", np.ones((1, n))),
            tensor("zeros", np.zeros((D, 2))),
        ),
    )
    check_classifier(product.SerializeToString(), D)
    with pytest.raises(ValueError, match="cannot be computed"):
        Classifier(product.SerializeToString()).probabilities(np.zeros((1, D)))
