"""A network run by torch: on a GPU, or where somebody asks for it. Imported then only."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy

import numpy as np
import torch

from PDL1PredictorLib.explain.grad_cam import grad_cams, normalize
from PDL1PredictorLib.models.network.weights import COUNTER
from PDL1PredictorLib.networks.deep_ct import DeepCT


class TorchNetwork:
    """A network as a torch module, on whichever device it is asked for.

    Args:
        weights: By name, 32-bit.
        backbone: One of `networks.names.BACKBONES`.
        n_deep: Width of the deep feature vector.
        n_endpoints: Number of outputs.
        pool: One of `networks.names.POOLS`.

    Raises:
        ValueError: The weights do not fit the network.
    """

    def __init__(
        self, weights: Mapping[str, np.ndarray], backbone: str, n_deep: int, n_endpoints: int, pool: str = "picture"
    ) -> None:
        network = DeepCT(n_endpoints, n_deep, backbone=backbone, pool=pool)
        counters = {name: value for name, value in network.state_dict().items() if name.endswith(COUNTER)}
        try:
            network.load_state_dict(counters | {name: torch.from_numpy(value) for name, value in weights.items()})
        except RuntimeError as error:
            raise ValueError(str(error)[:500]) from error  # may name hundreds of layers
        self._on_device: dict[str, DeepCT] = {"cpu": network.eval().requires_grad_(False)}

    def module(self, device: str) -> DeepCT:
        """The network on `device`, in evaluation mode, 32-bit."""
        if device not in self._on_device:
            self._on_device[device] = deepcopy(self._on_device["cpu"]).to(device)
        return self._on_device[device]

    def deep(self, x: np.ndarray, contour: np.ndarray, device: str) -> np.ndarray:
        """Deep features alone, (n, n_deep), 64-bit: of a network that gives no answers, which has no Grad-CAM.

        Args:
            x: Input channels, (n, 3, h, w), 32-bit.
            contour: (n, 1, h, w), 1 inside, 32-bit.
            device: Where.
        """
        with torch.no_grad(), full_precision():
            output = self.module(device)(*(torch.from_numpy(part).to(device) for part in (x, contour)))
        found: np.ndarray = output.deep.double().cpu().numpy()
        return found

    def run(self, x: np.ndarray, contour: np.ndarray, device: str) -> tuple[np.ndarray, np.ndarray]:
        """One forward pass, and Grad-CAM of every output on the first slice.

        Args:
            x: Input channels, (n, 3, h, w), 32-bit.
            contour: (n, 1, h, w), 1 inside, 32-bit.
            device: Where.

        Returns:
            Deep features (n, n_deep), 64-bit, and heat maps (n_endpoints, h', w'), each scaled to 0 to 1.
        """
        with torch.enable_grad(), full_precision():
            # the weights are frozen: the graph starts at the input
            given = (torch.from_numpy(part).to(device) for part in (x, contour))
            output = self.module(device)(next(given).requires_grad_(), next(given))
            maps = normalize(grad_cams(output.maps, output.logits))
        return output.deep.detach().double().cpu().numpy(), maps[0].cpu().numpy()


@contextmanager
def full_precision() -> Iterator[None]:
    """Products in 32 bits: NVIDIA's TF32 keeps 10 bits of them, and the answers would be another device's no more."""
    cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = cuda.allow_tf32, cudnn.allow_tf32
    cuda.allow_tf32 = cudnn.allow_tf32 = False
    try:
        yield
    finally:
        cuda.allow_tf32, cudnn.allow_tf32 = before
