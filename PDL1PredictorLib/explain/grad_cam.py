"""Grad-CAM: which places of the last feature maps raise a network's answer."""

from collections.abc import Callable

import torch
from torch import Tensor

Forward = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Batch (n, ...) to the last feature maps (n, c, h, w) and the outputs (n, k), the outputs computed from those maps."""


def grad_cams(activations: Tensor, outputs: Tensor) -> Tensor:
    """Heat maps of every output of every case, from one forward pass.

    A map is the sum of the feature maps, each weighed by the mean over the plane of the output's gradient, with what
    lies below zero cut off. The maps are raw, so cases can be compared; `normalize` makes them pictures.

    Args:
        activations: Feature maps (n, c, h, w), part of the graph that leads to `outputs`.
        outputs: Answers before the sigmoid or softmax, (n, k); each case's must depend on its own maps only (a network
            in evaluation mode).

    Returns:
        (n, k, h, w), not negative, detached.

    Raises:
        ValueError: The shapes do not fit, or the outputs do not depend on the maps.

    Source: Selvaraju et al. 2017, arXiv 1610.02391, equations 1 and 2.
    """
    if activations.ndim != 4 or outputs.ndim != 2 or len(activations) != len(outputs):
        raise ValueError(
            "Feature maps (n, c, h, w) and outputs (n, k) of the same n are needed, got "
            f"{tuple(activations.shape)} and {tuple(outputs.shape)}."
        )
    if not outputs.requires_grad:
        raise ValueError("The outputs carry no gradient. Run the network outside torch.no_grad() and inference_mode().")
    maps = []
    for k in range(outputs.shape[1]):
        # Cases do not mix, so the gradient of their sum holds each case's own gradient.
        (gradient,) = torch.autograd.grad(outputs[:, k].sum(), activations, retain_graph=True, allow_unused=True)
        if gradient is None:
            raise ValueError(
                f"Output {k} does not depend on the feature maps. Return the maps that it was computed from."
            )
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        maps.append((weights * activations.detach()).sum(dim=1).relu())
    return torch.stack(maps, dim=1)


def grad_cam(forward: Forward, x: Tensor, target: int) -> Tensor:
    """Heat maps of one output.

    Args:
        forward: Gives feature maps and outputs; see `Forward`.
        x: Batch (n, ...).
        target: Index of the output, 0 to k - 1.

    Returns:
        (n, h, w), not negative, detached.

    Raises:
        ValueError: As `grad_cams`, or there is no such output.
    """
    # Weights may be frozen; the gradient still needs a graph to flow through.
    with torch.inference_mode(False), torch.enable_grad():
        activations, outputs = forward(x.detach().clone().requires_grad_())
        if outputs.ndim == 2 and not 0 <= target < outputs.shape[1]:
            raise ValueError(f"There are outputs 0 to {outputs.shape[1] - 1}, got target {target}.")
        return grad_cams(activations, outputs[:, target : target + 1] if outputs.ndim == 2 else outputs)[:, 0]


def normalize(maps: Tensor) -> Tensor:
    """Scale each map by its own maximum, to 0 to 1.

    A map of zeros only, where nothing raised the answer, stays zero: it must not be stretched into a picture.

    Args:
        maps: (..., h, w), finite and not negative.

    Returns:
        The same shape.

    Raises:
        ValueError: A value is negative or not finite.
    """
    if not bool((maps >= 0).all() and maps.isfinite().all()):
        raise ValueError("Heat maps must be finite and not negative; give the maps of grad_cams.")
    peaks = maps.amax(dim=(-2, -1), keepdim=True)
    return torch.where(peaks > 0, maps / peaks.where(peaks > 0, torch.ones_like(peaks)), torch.zeros_like(maps))
