"""A bundle's network, ready to answer: where it runs and by what is decided here and nowhere else."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch

from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.explain.grad_cam import grad_cams, normalize
from PDL1PredictorLib.imaging.patch import Patch
from PDL1PredictorLib.models.device import run_with_fallback
from PDL1PredictorLib.models.tensors import read_tensors
from PDL1PredictorLib.networks.deep_ct import DeepCT, input_channels


@dataclass(frozen=True, eq=False)
class NetworkOutput:
    """What a network gives for one patch.

    Attributes:
        deep: Deep features, (n_deep,), 64-bit.
        maps: Heat map of each endpoint over the whole patch, (k, h, w), each scaled to 0 to 1.
        method: How the maps were made, see `core.results.HeatMap`.
        device: Where it ran.
        runtime: What ran it: `onnxruntime` or `torch`.
        warnings: What the reader must know.
    """

    deep: np.ndarray
    maps: np.ndarray
    method: str
    device: str
    runtime: str
    warnings: tuple[CaseWarning, ...]


class Network:
    """The network of a bundle.

    Args:
        model: The model's name, for messages.
        weights: Content of its .safetensors file.
        backbone: One of `networks.names.BACKBONES`.
        n_deep: Width of the deep feature vector.
        n_endpoints: Number of outputs.
    """

    def __init__(self, model: str, weights: bytes, backbone: str, n_deep: int, n_endpoints: int) -> None:
        self._model, self._weights = model, weights
        self._backbone, self._n_deep, self._n_endpoints = backbone, n_deep, n_endpoints
        self._on_device: dict[str, DeepCT] = {}

    def run(self, patch: Patch, device: str) -> NetworkOutput:
        """One forward pass on one patch, and the heat maps.

        Args:
            patch: From `imaging.patch.deep_patch`.
            device: `cpu`, `cuda` or `mps`.

        Raises:
            BundleError: The weights do not fit the network.
        """
        hu = torch.from_numpy(sitk.GetArrayFromImage(patch.image).astype(np.float32))
        tumor = torch.from_numpy(sitk.GetArrayFromImage(patch.tumor).astype(np.float32))

        def compute(where: str) -> tuple[np.ndarray, np.ndarray]:
            module = self.module(where)
            x = input_channels(hu, tumor).to(where).requires_grad_()  # the weights are frozen: the graph starts here
            output = module(x)
            maps = grad_cams(output.maps, output.logits)
            return output.deep[0].detach().double().cpu().numpy(), normalize(maps)[0].cpu().numpy()

        with torch.enable_grad():
            (deep, maps), used, warnings = run_with_fallback(compute, device)
        return NetworkOutput(deep, maps, "Grad-CAM", used, "torch", warnings)

    def module(self, device: str) -> DeepCT:
        """The network as a torch module on `device`, in evaluation mode, 32-bit."""
        if device not in self._on_device:
            self._on_device[device] = self._load().to(device)
        return self._on_device[device]

    def _load(self) -> DeepCT:
        network = DeepCT(self._n_endpoints, self._n_deep, backbone=self._backbone)
        arrays = read_tensors(self._weights)
        try:
            with np.errstate(over="ignore"):  # a weight beyond 32 bits gives deep features that are refused
                wide = {name: torch.from_numpy(value.astype(_wide(value))) for name, value in arrays.items()}
            network.load_state_dict(wide)
        except (RuntimeError, ValueError) as error:
            text = str(error)  # may name hundreds of layers
            raise BundleError(f"The weights of {self._model} do not fit its network: {text[:500]}") from error
        return network.eval().requires_grad_(False)


def _wide(value: np.ndarray) -> type:
    return np.float32 if value.dtype.kind == "f" else np.int64
