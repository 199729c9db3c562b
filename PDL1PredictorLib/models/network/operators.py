"""Operators of networks that answer by themselves, such as those on a table: in shapes alone, as `shapes` does it.

Beside what slides over pictures they need products of matrices, sums of unequal shapes, and what moves numbers about.
Whole numbers that such a step needs (a shape, an axis, a place) stand in the graph as lists of integers, and reach the
rules here as attributes.

Source: the operators' definitions in ONNX, version 17.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from PDL1PredictorLib.models.network.shapes import MAX_CONCAT, OPERATORS, Limits, Operator, Shape, only

MOST_LENGTHS = 5
NUMBERS: dict[str, tuple[str, ...]] = {
    "Expand": ("shape",),
    "Gather": ("indices",),
    "Reshape": ("shape",),
    "Slice": ("starts", "ends", "axes", "steps"),
    "Squeeze": ("axes",),
    "Unsqueeze": ("axes",),
}
"""Operator to the names of its inputs after the first, which are whole numbers that stand in the graph."""


def _elementwise(
    given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits
) -> Shape:
    only(attributes, {}, ())
    _count(given, 2)
    return limits.take(np.broadcast_shapes(*given))


def _alone(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, ())
    return limits.take(given[0])


def _softmax(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, ("axis",))
    _axis(attributes.get("axis", -1), len(given[0]))
    return limits.take(given[0])


def _matrix(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, ())
    _count(given, 2)
    a, b = given
    if min(len(a), len(b)) < 2 or a[-1] != b[-2]:
        raise ValueError(f"the shapes {a} and {b} cannot be multiplied.")
    return limits.take((*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1]), a[-1])


def _layer_norm(
    given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits
) -> Shape:
    only(attributes, {"axis": -1, "stash_type": 1}, ("epsilon",))
    epsilon = attributes.get("epsilon", 1e-5)
    if not isinstance(epsilon, float) or not 0 < epsilon < 1:
        raise ValueError(f"its epsilon must lie between 0 and 1, got {epsilon!r}.")
    if len(given) < 2 or any(shape != given[0][-1:] for shape in given[1:]):
        raise ValueError(f"its vectors of the shapes {list(given[1:])} do not fit an input of the shape {given[0]}.")
    return limits.take(given[0])


def _transpose(
    given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits
) -> Shape:
    only(attributes, {}, ("perm",))
    order = _numbers(attributes, "perm")
    if sorted(order) != list(range(len(given[0]))):
        raise ValueError(f"the order {list(order)} is none of the {len(given[0])} lengths.")
    return limits.take(tuple(given[0][n] for n in order))


def _concat(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, ("axis",))
    axis, first = _axis(attributes.get("axis"), len(given[0])), given[0]
    rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in given}
    if len(rests) > 1 or any(len(shape) != len(first) for shape in given):
        raise ValueError(f"the shapes {list(given)} cannot be joined along the axis {axis}.")
    return limits.take((*first[:axis], sum(shape[axis] for shape in given), *first[axis + 1 :]))


def _mean(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, ("axes", "keepdims"))
    shape, keep = given[0], attributes.get("keepdims", 1)
    axes = {_axis(axis, len(shape)) for axis in _numbers(attributes, "axes")}
    return limits.take(tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes))


def _reshape(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {"allowzero": 0}, ("shape",))
    wanted = [given[0][i] if n == 0 and i < len(given[0]) else n for i, n in enumerate(_numbers(attributes, "shape"))]
    size, known = math.prod(given[0]), math.prod(n for n in wanted if n != -1)
    if wanted.count(-1) > 1 or any(n < -1 or n == 0 for n in wanted) or known == 0 or size % known:
        raise ValueError(f"{given[0]} cannot become {wanted}.")
    shape = tuple(size // known if n == -1 else n for n in wanted)
    if math.prod(shape) != size:
        raise ValueError(f"{given[0]} cannot become {shape}.")
    return limits.take(shape)


def _expand(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, ("shape",))
    return limits.take(np.broadcast_shapes(given[0], tuple(_numbers(attributes, "shape"))))


def _gather(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, ("axis", "indices"))
    shape, found = given[0], attributes.get("indices")
    axis = _axis(attributes.get("axis", 0), len(shape))
    places = [found] if isinstance(found, int) else list(_numbers(attributes, "indices"))
    if not places or any(not -shape[axis] <= place < shape[axis] for place in places):
        raise ValueError(f"the places {places} are none of {shape[axis]}.")
    taken = () if isinstance(found, int) else (len(places),)
    return limits.take((*shape[:axis], *taken, *shape[axis + 1 :]))


def _slice(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, NUMBERS["Slice"])
    shape, starts, ends = list(given[0]), _numbers(attributes, "starts"), _numbers(attributes, "ends")
    axes = _numbers(attributes, "axes") if "axes" in attributes else range(len(starts))
    steps = _numbers(attributes, "steps") if "steps" in attributes else [1] * len(starts)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step < 1:
            raise ValueError(f"a step of {step} leads nowhere.")
        at = _axis(axis, len(shape))
        shape[at] = len(range(shape[at])[start:end:step])
    return limits.take(tuple(shape))


def _squeeze(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, ("axes",))
    axes = {_axis(axis, len(given[0])) for axis in _numbers(attributes, "axes")}
    if any(given[0][axis] != 1 for axis in axes):
        raise ValueError(f"the lengths {sorted(axes)} of {given[0]} are not 1.")
    return limits.take(tuple(n for axis, n in enumerate(given[0]) if axis not in axes))


def _unsqueeze(
    given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits
) -> Shape:
    only(attributes, {}, ("axes",))
    rank = len(given[0]) + len(_numbers(attributes, "axes"))
    axes = {_axis(axis, rank) for axis in _numbers(attributes, "axes")}
    rest = iter(given[0])
    return limits.take(tuple(1 if i in axes else next(rest) for i in range(rank)))


def _axis(value: Any, rank: int) -> int:
    if not isinstance(value, int) or not -rank <= value < rank:
        raise ValueError(f"{str(value)[:60]} is no axis of {rank} lengths.")
    return value % rank


def _count(given: Sequence[Shape], wanted: int) -> None:
    if len(given) != wanted:
        raise ValueError(f"it has {len(given)} inputs; {wanted} are needed.")


def _numbers(attributes: Mapping[str, Any], name: str) -> list[int]:
    value = attributes.get(name)
    if not isinstance(value, np.ndarray) or value.dtype != np.int64 or value.ndim != 1 or len(value) > MOST_LENGTHS:
        raise ValueError(f"it needs {name} of at most {MOST_LENGTHS} whole numbers.")
    return [int(n) for n in value]


ALL: dict[str, Operator] = {
    **OPERATORS,
    **{name: Operator(2, _elementwise) for name in ("Add", "Div", "Mul", "Pow", "Sub")},
    **{name: Operator(1, _alone) for name in ("Erf", "Identity", "Relu", "Sigmoid", "Sqrt", "Tanh")},
    "Concat": Operator(MAX_CONCAT, _concat),
    "Expand": Operator(1, _expand),
    "Gather": Operator(1, _gather),
    "LayerNormalization": Operator(3, _layer_norm),
    "MatMul": Operator(2, _matrix),
    "ReduceMean": Operator(1, _mean),
    "Reshape": Operator(1, _reshape),
    "Slice": Operator(1, _slice),
    "Softmax": Operator(1, _softmax),
    "Squeeze": Operator(1, _squeeze),
    "Transpose": Operator(1, _transpose),
    "Unsqueeze": Operator(1, _unsqueeze),
}
"""What a network may hold that answers by itself."""
