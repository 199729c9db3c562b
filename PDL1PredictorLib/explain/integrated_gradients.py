"""Integrated gradients: each input's share of a differentiable score, by the path from a baseline."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]
"""Batch (n, *shape) to n numbers, each from its own row only."""


class Attribution(NamedTuple):
    """Shares of a score.

    Attributes:
        values: One share per input, of the input's shape, in the score's unit, detached.
        baseline: Score of the baseline.
        residual: What is missing from baseline + sum(values) = score(x); 0 when exact, else more steps are needed.
    """

    values: Tensor
    baseline: float
    residual: float


def integrated_gradients(score: Score, x: Tensor, baseline: Tensor, steps: int = 64) -> Attribution:
    """Shares of score(x) - score(baseline), along the straight path between the two.

    Args:
        score: See `Score`; called with `steps` points at once, and once more with the two ends.
        x: The case, any shape, floating point.
        baseline: What "nothing" looks like, of the same shape.
        steps: Points on the path, >= 1 (midpoint rule).

    Raises:
        ValueError: Other shapes, not floating point, too few steps, or a score of another shape.

    Source: Sundararajan et al. 2017, arXiv 1703.01365, equation 3.
    """
    if x.shape != baseline.shape or not x.is_floating_point() or not baseline.is_floating_point():
        raise ValueError(
            "x and baseline must be floating-point tensors of one shape, got "
            f"{tuple(x.shape)} {x.dtype} and {tuple(baseline.shape)} {baseline.dtype}."
        )
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}.")
    x, baseline = x.detach(), baseline.detach().to(x)
    fractions = ((torch.arange(steps, dtype=x.dtype, device=x.device) + 0.5) / steps).view(-1, *[1] * x.ndim)
    with torch.inference_mode(False), torch.enable_grad():
        path = (baseline + fractions * (x - baseline)).requires_grad_()
        (gradients,) = torch.autograd.grad(_scored(score, path).sum(), path)
    values = (x - baseline) * gradients.mean(dim=0)
    with torch.no_grad():
        start, end = _scored(score, torch.stack([baseline, x])).tolist()
    return Attribution(values, baseline=start, residual=end - start - float(values.sum()))


def _scored(score: Score, batch: Tensor) -> Tensor:
    scores = score(batch)
    if scores.shape != (len(batch),):
        raise ValueError(f"The score must give {len(batch)} numbers, one per row, got the shape {tuple(scores.shape)}.")
    return scores
