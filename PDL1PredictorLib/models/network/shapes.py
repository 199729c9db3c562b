"""What the operators of a network make of what they are given, in shapes alone, and what all of it may cost.

Pictures have two axes, or three: whatever slides over them, or takes their mean, has as many.

Source: the operators' definitions in ONNX, version 17; of their attributes only what our networks need.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]

MAX_ELEMENTS = 2**28  # of all tensors that are made for one patch: 1 GiB in 32 bits
MAX_PRODUCTS = 10**12  # a ResNet101 needs 4e9 for a patch of 160 pixels
MAX_CONCAT = 16
PICTURE_AXES = (2, 3)
LARGEST_WINDOW = 16  # pixels; of a convolution or pooling


@dataclass
class Limits:
    """What the steps so far have asked for.

    Attributes:
        elements: Numbers in all tensors that were made.
        products: Multiplications.
    """

    elements: int = 0
    products: int = 0

    def take(self, shape: Shape, products_each: int = 1) -> Shape:
        """Count a tensor that is made.

        Raises:
            ValueError: It has no elements, or there is too much now.
        """
        size = math.prod(shape)
        if min(shape) < 1:
            raise ValueError(f"it would make a tensor of the shape {shape}; the patch is too small for it.")
        self.elements += size
        self.products += size * products_each
        if self.elements > MAX_ELEMENTS or self.products > MAX_PRODUCTS:
            raise ValueError(
                f"up to here {self.elements} numbers in {self.products} products would be made; at most "
                f"{MAX_ELEMENTS} and {MAX_PRODUCTS} are."
            )
        return shape


Rule = Callable[[Sequence[Shape], Sequence[bool], Mapping[str, Any], Limits], Shape]
"""Shapes of the inputs, which of them are weights, attributes and limits to the shape of the output."""


class Operator(NamedTuple):
    """One operator that a network may use.

    Attributes:
        most_inputs: How many inputs it can have.
        shape: What it makes.
    """

    most_inputs: int
    shape: Rule


def _convolution(
    given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits
) -> Shape:
    axes = len(given[0]) - 2
    only(attributes, {"dilations": [1] * axes, "group": 1}, ("kernel_shape", "pads", "strides"))
    need(is_weight, [False, True, True][: len(given)])
    x, weight = given[0], given[1] if len(given) > 1 else ()
    if axes not in PICTURE_AXES or len(weight) != len(x) or weight[1] != x[1]:
        raise ValueError(f"weights of the shape {weight} do not fit an input of the shape {x}.")
    if len(given) == 3 and given[2] != (weight[0],):
        raise ValueError(f"a bias of the shape {given[2]} does not fit {weight[0]} channels.")
    window = _windowed(x, attributes)
    if tuple(_integers(attributes, "kernel_shape", axes)) != weight[2:]:
        raise ValueError(f"its kernel_shape is not that of its weights, {weight[2:]}.")
    return limits.take((x[0], weight[0], *window), math.prod(weight[1:]))


def _batch_norm(
    given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits
) -> Shape:
    only(attributes, {"training_mode": 0}, ("epsilon", "momentum"))
    need(is_weight, [False, True, True, True, True])
    epsilon = attributes.get("epsilon", 1e-5)
    if not isinstance(epsilon, float) or not 0 < epsilon < 1:
        raise ValueError(f"its epsilon must lie between 0 and 1, got {epsilon!r}.")
    if len(given[0]) not in (2, 4, 5) or any(shape != given[0][1:2] for shape in given[1:]):
        raise ValueError(f"its vectors of the shapes {list(given[1:])} do not fit an input of the shape {given[0]}.")
    return limits.take(given[0])


def _relu(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, ())
    need(is_weight, [False])
    return limits.take(given[0])


def _add(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {}, ())
    need(is_weight, [False, False])
    if given[0] != given[1]:
        raise ValueError(f"the shapes {given[0]} and {given[1]} differ.")
    return limits.take(given[0])


def _concat(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {"axis": 1}, ())
    need(is_weight, [False] * len(given))
    first = given[0]
    if "axis" not in attributes or any(len(s) < 2 or (s[0], *s[2:]) != (first[0], *first[2:]) for s in given):
        raise ValueError(f"the shapes {list(given)} cannot be joined along the channels.")
    return limits.take((first[0], sum(shape[1] for shape in given), *first[2:]))


def _pool(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    axes = len(given[0]) - 2
    fixed = {"ceil_mode": 0, "dilations": [1] * axes, "count_include_pad": 1}
    only(attributes, fixed, ("kernel_shape", "pads", "strides"))
    need(is_weight, [False])
    if axes not in PICTURE_AXES:
        raise ValueError(f"an input of the shape {given[0]} has no plane.")
    window = _windowed(given[0], attributes)
    if (attributes["pads"].reshape(2, axes) >= attributes["kernel_shape"]).any():
        raise ValueError("its pads are as wide as its window, which would see nothing there.")
    return limits.take((*given[0][:2], *window), int(np.prod(attributes["kernel_shape"])))


def _mean(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    axes = len(given[0]) - 2
    only(attributes, {"axes": list(range(2, 2 + axes)), "keepdims": 0}, ())
    need(is_weight, [False])
    if axes not in PICTURE_AXES or len(attributes) != 2:
        raise ValueError(f"the mean over the plane is needed, of four or five lengths; got the shape {given[0]}.")
    return limits.take(given[0][:2])


def _linear(given: Sequence[Shape], is_weight: Sequence[bool], attributes: Mapping[str, Any], limits: Limits) -> Shape:
    only(attributes, {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1}, ())
    need(is_weight, [False, True, True])
    x, weight, bias = given
    if "transB" not in attributes or len(x) != 2 or len(weight) != 2 or weight[1] != x[1] or bias != weight[:1]:
        raise ValueError(f"weights of the shapes {weight} and {bias} do not fit an input of the shape {x}.")
    return limits.take((x[0], weight[0]), weight[1])


OPERATORS: dict[str, Operator] = {
    "Add": Operator(2, _add),
    "AveragePool": Operator(1, _pool),
    "BatchNormalization": Operator(5, _batch_norm),
    "Concat": Operator(MAX_CONCAT, _concat),
    "Conv": Operator(3, _convolution),
    "Gemm": Operator(3, _linear),
    "MaxPool": Operator(1, _pool),
    "ReduceMean": Operator(1, _mean),
    "Relu": Operator(1, _relu),
}


def need(is_weight: Sequence[bool], wanted: Sequence[bool]) -> None:
    """Refuse a weight where a step's output belongs, and the reverse; and another number of inputs."""
    if list(is_weight) != list(wanted):
        kinds = ", ".join("a weight" if weight else "a step's output" for weight in wanted)
        raise ValueError(f"its inputs must be {kinds}.")


def only(attributes: Mapping[str, Any], fixed: Mapping[str, Any], free: Sequence[str]) -> None:
    """Refuse attributes that are not known, or have another value than the one that they may have."""
    for name, value in attributes.items():
        plain = value.tolist() if isinstance(value, np.ndarray) else value
        if name in free:
            continue
        if name not in fixed or type(plain) is not type(fixed[name]) or plain != fixed[name]:
            raise ValueError(f"the attribute {name[:60]!r} is {str(plain)[:60]}, which no network of ours needs.")


def _integers(attributes: Mapping[str, Any], name: str, count: int) -> list[int]:
    value = attributes.get(name)
    if not isinstance(value, np.ndarray) or value.dtype != np.int64 or value.shape != (count,):
        raise ValueError(f"it needs {name} of {count} whole numbers.")
    return [int(n) for n in value]


def _windowed(x: Shape, attributes: Mapping[str, Any]) -> Shape:
    """Lengths of what a sliding window makes of an input (n, c, h, w) or (n, c, d, h, w)."""
    axes = len(x) - 2
    kernel, strides, pads = (
        _integers(attributes, name, n) for name, n in (("kernel_shape", axes), ("strides", axes), ("pads", 2 * axes))
    )
    if not all(1 <= n <= LARGEST_WINDOW for n in (*kernel, *strides)) or not all(0 <= n < LARGEST_WINDOW for n in pads):
        raise ValueError(f"its window {kernel} with strides {strides} and pads {pads} is not one of ours.")
    return tuple((length + pads[i] + pads[i + axes] - kernel[i]) // strides[i] + 1 for i, length in enumerate(x[2:]))
