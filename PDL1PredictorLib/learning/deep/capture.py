"""Gradients of one batch at a fixed place in memory, and their capture: on an NVIDIA GPU all kernels start as one.

The optimizer stays outside. The one-cycle schedule moves the momentum as well as the learning rate, and a fused AdamW
takes it as a plain number, which a graph would keep as it was when it was captured.
"""

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor

from PDL1PredictorLib.learning.deep.inference import masked_loss
from PDL1PredictorLib.networks.deep_ct import DeepCT

CLIP_NORM = 5.0
WARM_UP = 3  # computations before the capture: libraries choose their kernels and take their memory
Step = Callable[[], Tensor]
"""Leaves clipped gradients in the parameters and gives the loss, which the next call overwrites."""


class Gradients:
    """Forward pass, loss, backward pass and clipping of the batch that lies in `x` and `labels`.

    Nothing in it waits for the device.

    Args:
        network: In training mode when it is called.
        shape: Of the batch's input channels, (b, 3, pixels, pixels).
        weights: What a positive case of each endpoint counts, (e,), or None.
        n_endpoints: Columns of the labels.
        bfloat16: Forward pass in 16 bits where it is safe. Its exponents are those of 32 bits: no gradient vanishes, so
            no loss need be scaled.
    """

    def __init__(
        self,
        network: DeepCT,
        shape: tuple[int, ...],
        n_endpoints: int,
        weights: Tensor | None = None,
        bfloat16: bool = False,
    ) -> None:
        device = next(network.parameters()).device
        self.network = network
        self.x = torch.zeros(shape, device=device).to(memory_format=torch.channels_last)
        self.labels = torch.zeros((shape[0], n_endpoints), device=device)
        self._weights, self._bfloat16 = weights, bfloat16

    def __call__(self) -> Tensor:
        """See `Step`."""
        for parameter in self.network.parameters():
            parameter.grad = None  # the backward pass then writes, and a replayed one writes to the same place
        kind = self.x.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=self._bfloat16, cache_enabled=False):
            logits = self.network(self.x).logits
        loss = masked_loss(logits.float(), self.labels, self._weights)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        return loss.detach()


def warmed_up(gradients: Gradients) -> None:
    """Compute a few times, and leave running statistics and random state as they were."""
    buffers = [(buffer, buffer.clone()) for buffer in gradients.network.buffers()]
    device = gradients.x.device
    on_gpu = device.type == "cuda"
    random = torch.cuda.get_rng_state(device) if on_gpu else torch.get_rng_state()
    for _ in range(WARM_UP):
        gradients()
    for buffer, before in buffers:
        buffer.copy_(before)
    if on_gpu:
        torch.cuda.set_rng_state(random, device)
    else:
        torch.set_rng_state(random)


def captured(gradients: Gradients) -> Step:
    """The same computation as one CUDA graph.

    Args:
        gradients: On an NVIDIA GPU, its network in training mode. Its graph reads `x` and `labels` where they lie now.

    Raises:
        RuntimeError: It cannot be captured; `recovered` makes the device usable again.
    """
    device = gradients.x.device
    with torch.cuda.device(device):
        stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):  # the same stream as below: handles of libraries belong to it
            warmed_up(gradients)
        torch.cuda.current_stream(device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            loss = gradients()

    def replay() -> Tensor:
        graph.replay()
        return loss

    return replay


def recovered(gradients: Gradients) -> None:
    """Undo what a capture that failed has left behind, and see whether the device still computes.

    Raises:
        RuntimeError: It does not; the words say that it is the device's error.
    """
    device = gradients.x.device
    try:
        if device.type == "cuda":
            index = torch.cuda.current_device() if device.index is None else device.index
            with suppress(RuntimeError, AttributeError):  # a generator stays in capture mode; its copy does not
                drawn = torch.cuda.default_generators[index]
                drawn.graphsafe_set_state(drawn.clone_state())
            torch.cuda.synchronize(device)
        warmed_up(gradients)
    except RuntimeError as error:
        raise RuntimeError(f"CUDA error after a capture that failed: {error}") from error
