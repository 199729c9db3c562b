"""What makes a phantom the same on every processor: exact steps, draws of our own, and what may not be called."""

import ast
import hashlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.phantom import chest, draws, exact, tumor
from PDL1PredictorLib.phantom.patient import make_patient

ROOM = Path(chest.__file__).parent
ULP = 2.0**-52
# CT and tumor of patients 0 to 2 of seed 11, extent "tumor": on every processor
VOXELS = ("d3675e59c028cf5f", "e84420ffd0100e51", "a115f11eec34ab43")


def voxel_hash(index: int) -> str:
    case = make_patient(11, index, "tumor").case
    digest = hashlib.sha256()
    for image in (case.ct, case.tumor):
        digest.update(np.array(image.GetSize(), "<i8").tobytes())
        digest.update(sitk.GetArrayViewFromImage(image).tobytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize("index", range(len(VOXELS)))
def test_the_voxels_are_those_of_every_other_processor(index):
    assert voxel_hash(index) == VOXELS[index]


PROBABILITIES = "425d6fbdfda7a14a"


def test_the_truth_is_that_of_every_other_processor_and_python():
    found = [repr(make_patient(11, index, "tumor").probabilities) for index in range(len(VOXELS))]
    assert hashlib.sha256("".join(found).encode()).hexdigest()[:16] == PROBABILITIES


def test_a_sum_goes_from_left_to_right():
    values = [0.1] * 10
    assert exact.total(values) == 0.9999999999999999  # compensated it is 1
    assert exact.total([1e16, 1.0, -1e16]) == 0.0


def test_a_last_bit_that_differs_would_be_seen(monkeypatch):
    right = exact.cos
    monkeypatch.setattr(exact, "cos", lambda x: np.nextafter(right(x).astype(np.float32), np.float32(2)))
    assert voxel_hash(0) != VOXELS[0]


ANGLES = np.concatenate([np.linspace(-40, 40, 20001), [0.0, np.pi / 4, 1e4]])
WITHIN = {  # of numpy, where, error of both together in units of 2^-52, relative to the greater of 1 and value
    "exp": (np.exp, np.linspace(-600, 600, 20001), 3),
    "log": (np.log, np.geomspace(1e-300, 1e300, 20001), 3),
    "sin": (np.sin, ANGLES, 3),
    "cos": (np.cos, ANGLES, 3),
    "tanh": (np.tanh, np.linspace(-400, 400, 20001), 4),
    "expit": (lambda x: 1 / (1 + np.exp(-x)), np.linspace(-600, 600, 20001), 4),
}


@pytest.mark.parametrize("name", WITHIN)
def test_a_function_agrees_with_the_library_to_the_last_bits(name):
    library, at, bits = WITHIN[name]
    expected = library(at)
    assert (np.abs(getattr(exact, name)(at) - expected) <= bits * ULP * np.maximum(1, np.abs(expected))).all()


def test_powers_and_angles_agree_with_the_library():
    base = np.geomspace(1e-3, 1e3, 5001)
    for exponent in (2.35, -1 / 2.25, 1 / 3):  # an error of the logarithm, up to 7, counts that many times
        assert exact.power(base, exponent) == pytest.approx(base**exponent, rel=40 * ULP, abs=0)
    assert exact.power([0.0, 1.0], 2.2).tolist() == [0.0, 1.0]
    x, y = np.meshgrid(np.linspace(-3, 3, 101), np.linspace(-2, 2, 81))
    assert exact.angle(y, x) == pytest.approx(np.arctan2(y, x), rel=10 * ULP, abs=1e-300)
    assert exact.length(x, y) == pytest.approx(np.hypot(x, y), rel=3 * ULP, abs=0)


def test_a_scalar_and_an_empty_array_are_taken_too():
    assert float(exact.exp(0.0)) == 1.0
    assert exact.sin(np.zeros((0, 3))).shape == (0, 3)
    assert exact.cos([[0.0]]).tolist() == [[1.0]]


@pytest.mark.parametrize("sd", [0.5, 1.1, 2.3])
@pytest.mark.parametrize(("mirrored", "mode"), [(False, "nearest"), (True, "reflect")])
def test_the_blur_is_that_of_scipy(sd, mirrored, mode):
    values = np.random.default_rng(0).normal(0, 100, (5, 9, 4)).astype(np.float32)
    for axis in range(3):  # an axis shorter than the reach is mirrored again
        expected = ndimage.gaussian_filter1d(values, sd, axis, truncate=3.0, mode=mode)
        found = exact.blur(values, sd, axis, mirrored)
        assert found == pytest.approx(expected, rel=2e-7, abs=1e-5)  # scipy's sum may be fused


def test_float32_normals_are_those_of_numpy_and_go_on_where_they_stopped():
    ours, theirs = draws.NormalNumbers(np.random.default_rng(4)), np.random.default_rng(4)
    for shape in ((3, 5), (1,), (20_000,), (7, 11, 3)):
        expected = theirs.standard_normal(shape, dtype=np.float32)
        assert ours.draw(shape) == pytest.approx(expected, rel=3e-7, abs=0)  # the last bit of numbers in the tail


def test_a_word_left_over_from_an_earlier_draw_comes_first():
    ours, theirs = np.random.default_rng(4), np.random.default_rng(4)
    assert ours.integers(9) == theirs.integers(9)  # takes half of a random number
    expected = theirs.standard_normal(50, dtype=np.float32)
    assert draws.NormalNumbers(ours).draw((50,)) == pytest.approx(expected, rel=3e-7, abs=0)


def test_the_tail_is_reached_and_stays_normal():
    numbers = draws.NormalNumbers(np.random.default_rng(8)).draw((1_000_000,))
    beyond = int((np.abs(numbers) > draws.TAIL).sum())
    assert abs(beyond - 258) < 5 * 258**0.5  # 2 * (1 - Phi(3.654)) of a million
    assert abs(numbers.mean()) < 0.005
    assert abs(numbers.std() - 1) < 0.005


def test_float64_draws_are_those_of_numpy():
    assert draws.uniform(np.random.default_rng(1), 3.0, 5.0, (9,)) == pytest.approx(
        np.random.default_rng(1).uniform(3.0, 5.0, 9), rel=2 * ULP
    )
    found = draws.normal(np.random.default_rng(1), 100_000)
    expected = np.random.default_rng(1).standard_normal(100_000)
    tail = np.abs(expected) > draws.TAIL
    assert tail.any()
    assert (found[~tail] == expected[~tail]).all()
    assert found[tail] == pytest.approx(expected[tail], abs=5.1e-7)


POWERS = {"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "power", "float_power", "cbrt", "pow"}
TURNS = {"sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "hypot", "atan2"}
PRODUCTS = {"dot", "matmul", "einsum", "inner", "tensordot", "norm", "convolve", "correlate"}
LIBRARY = POWERS | TURNS | PRODUCTS
DRAWS = {"uniform", "normal", "standard_normal", "standard_exponential", "exponential", "poisson", "gamma"}
TOLERATED = {  # rounded afterwards, far coarser than processors differ, and nowhere near a tie
    ("truth.py", "@"),  # intercepts to 1e-9, AUCs to 1e-4
    *(("masses.py", name) for name in ("@", "convolve")),  # of these and the next: what no model can exceed, to 1e-4
    *(("people.py", name) for name in ("convolve", "log")),
    *(
        ("follow_up.py", name) for name in ("@", "**", "convolve", "exp")
    ),  # days themselves are drawn by exact functions
    ("tps.py", "@"),
    ("pet.py", "log"),  # of 2, in the width of a blur, which is no tie
    ("draws.py", "standard_normal"),  # of its numbers only those in the tail can differ
}


def inexact_calls(source: str) -> set[str]:
    """Names of calls and operators whose last bit depends on the processor."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            found.add("@")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            square = isinstance(node.right, ast.Constant) and node.right.value == 2
            whole = ast.unparse(node.left) in ("2.0", "-1", "(-1)", "10")
            found |= set() if square or whole else {"**"}
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sum", "math.fsum", "fsum"):
            found.add("sum")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            if owner in ("np", "numpy", "np.linalg", "math") and node.func.attr in LIBRARY:
                found.add(node.func.attr)
            if owner != "draws" and node.func.attr in DRAWS:
                found.add(node.func.attr)
            if owner == "ndimage" and node.func.attr != "distance_transform_edt":  # whole multiples of 5 mm: exact
                found.add(node.func.attr)
    return found


def test_the_room_calls_nothing_that_differs_between_processors():
    found = {(path.name, name) for path in ROOM.glob("*.py") for name in inexact_calls(path.read_text("utf-8"))}
    assert found == TOLERATED


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("np.exp(-x)", "exp"),
        ("a @ b", "@"),
        ("x**0.5", "**"),
        ("rng.normal(0, 1)", "normal"),
        ("ndimage.gaussian_filter(x, 1)", "gaussian_filter"),
        ("np.linalg.norm(x)", "norm"),
        ("sum(shares)", "sum"),
    ],
)
def test_such_a_call_would_be_seen(source, name):
    assert inexact_calls(source) == {name}


def test_the_shape_of_a_tumor_does_not_depend_on_the_order_of_memory():
    directions = np.random.default_rng(0).normal(size=(3, 40))
    unit = directions / exact.length(*directions)
    drawn = tumor.draw_tumor(make_patient(11, 0, "tumor").traits, np.zeros(3), np.random.default_rng(1))
    assert (drawn.boundary_mm(unit) == drawn.boundary_mm(np.asfortranarray(unit))).all()
