"""A bundle's network, ready to answer: where it runs and by what is decided here and nowhere else.

On the processor onnxruntime runs the bundle's graph, and the heat maps follow from the stored head; on a GPU torch runs
the network, and the heat maps follow from a gradient. Both ways give the same within 32-bit arithmetic.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError, MissingPackageError
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.explain.class_activation import class_activation_maps, scaled_to_one
from PDL1PredictorLib.imaging.patch import Patch
from PDL1PredictorLib.models.device import run_with_fallback
from PDL1PredictorLib.models.network.output import LINEAR, NO_HEAD, NetworkOutput, mean_of_slices
from PDL1PredictorLib.models.network.stored import StoredNetwork
from PDL1PredictorLib.networks.channels import channels

if TYPE_CHECKING:
    from PDL1PredictorLib.models.network.by_torch import TorchNetwork
    from PDL1PredictorLib.networks.deep_ct import DeepCT

RUNTIMES = ("auto", "onnxruntime", "torch")
GRAPHS = Path(__file__).parents[1] / "graphs"
SHIPPED_GRAPHS = ("densenet121",)  # of bundles that were written without one
NO_MAPS = np.zeros((0, 1, 1))
_SAME = 1e-2  # the head as it is stored explains the answers within this share of the largest
_REMEDY = "Install it with: pip install pdl1predictor[gpu]"


class Network(StoredNetwork):
    """The network of a bundle.

    Args:
        model: The model's name, for messages.
        weights: Content of its .safetensors file.
        backbone: One of `networks.names.BACKBONES`.
        n_deep: Width of the deep feature vector.
        n_endpoints: Number of outputs.
        graph: Content of its .onnx file; None where the bundle has none, as those of its first version.
        head: `linear` where the answers are a linear function of the pooled maps, `none` where it gives none of its
            own, else `other`.
        pool: One of `networks.names.POOLS`.
    """

    def __init__(
        self,
        model: str,
        weights: bytes,
        backbone: str,
        n_deep: int,
        n_endpoints: int,
        graph: bytes | None = None,
        head: str = LINEAR,
        pool: str = "picture",
    ) -> None:
        super().__init__(model, weights, shipped_graph(backbone) if graph is None else graph, n_deep, n_endpoints)
        self._backbone, self._head, self._pool = backbone, head, pool

    def run(self, patches: Sequence[Patch], device: str, runtime: str = "auto") -> NetworkOutput:
        """One forward pass on the slices of a tumor, and the heat maps of the first.

        Args:
            patches: From `imaging.patch.deep_patches`, or the first of them alone; all of one size.
            device: `cpu`, `cuda` or `mps`.
            runtime: One of `RUNTIMES`; `auto` takes onnxruntime on the processor and torch on a GPU.

        Raises:
            InputError: There is no such runtime, or it does not run on the device.
            BundleError: The weights do not fit the network.
            MissingPackageError: What has to run it is not installed.
        """
        require_runtime(runtime, device)
        x, contour = (np.concatenate([of(patch) for patch in patches]) for of in (patch_channels, patch_contour))

        def compute(where: str) -> NetworkOutput:
            by_torch = where != "cpu" or runtime == "torch" or self._graph is None
            return self._by_torch(x, contour, where) if by_torch else self._by_onnxruntime(x, contour)

        output, used, warnings = run_with_fallback(compute, device)
        return replace(output, device=used, warnings=(*warnings, *output.warnings))

    def module(self, device: str) -> "DeepCT":
        """The network as a torch module on `device`, in evaluation mode, 32-bit.

        Raises:
            BundleError: The weights do not fit it.
            MissingPackageError: torch is not installed.
        """
        return self._torch.module(device)

    def _by_onnxruntime(self, x: np.ndarray, contour: np.ndarray) -> NetworkOutput:
        try:
            activations, deep, logits = self._session.run(x, contour if self._pool == "contour" else None)
        except ValueError as error:
            raise self._unfit(str(error)) from error
        if self._head == NO_HEAD:
            return NetworkOutput(mean_of_slices([deep]), NO_MAPS, "", "cpu", "onnxruntime", ())
        if self._head != LINEAR:
            maps, method, warnings = self._maps_by_torch(x, contour)
            return NetworkOutput(mean_of_slices([deep]), maps, method, "cpu", "onnxruntime", warnings)
        maps = scaled_to_one(class_activation_maps(activations[0], self._stored_head(activations[0], logits[0])))
        return NetworkOutput(mean_of_slices([deep]), maps, "class activation map", "cpu", "onnxruntime", ())

    def _by_torch(self, x: np.ndarray, contour: np.ndarray, device: str) -> NetworkOutput:
        if self._head == NO_HEAD:
            deep = self._torch.deep(x, contour, device)
            return NetworkOutput(mean_of_slices([deep]), NO_MAPS, "", device, "torch", ())
        deep, maps = self._torch.run(x, contour, device)
        return NetworkOutput(mean_of_slices([deep]), maps, "Grad-CAM", device, "torch", ())

    def _maps_by_torch(self, x: np.ndarray, contour: np.ndarray) -> tuple[np.ndarray, str, tuple[CaseWarning, ...]]:
        try:
            return self._torch.run(x, contour, "cpu")[1], "Grad-CAM", ()
        except MissingPackageError:
            text = (
                f"There are no heat maps: those of this model need the package torch, which is not installed. {_REMEDY}"
            )
            return NO_MAPS, "", (CaseWarning("no_heat_maps", text),)

    def _stored_head(self, activations: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """What each feature map's mean counts for each answer, (k, c); the answers must follow from it.

        Raises:
            BundleError: They do not: the head is not as the bundle says.
        """
        try:
            reduce, classifier = (
                self._weights[f"{name}.weight"].astype(np.float64) for name in ("reduce", "classifier")
            )
            inner, outer = (self._weights[f"{name}.bias"].astype(np.float64) for name in ("reduce", "classifier"))
            head = classifier @ reduce
            again = head @ activations.mean(axis=(1, 2), dtype=np.float64) + classifier @ inner + outer
        except (KeyError, ValueError) as error:
            raise self._unfit(f"its last two layers do not fit each other ({error}).") from error
        if not np.abs(again - logits).max() <= _SAME * max(1.0, float(np.abs(logits).max())):
            raise self._unfit("its answers do not follow from its last two layers, as the model says.")
        return np.asarray(head)

    @cached_property
    def _torch(self) -> "TorchNetwork":
        why = "" if self._graph else f" The model {self._model} was written without a graph for onnxruntime."
        require_module("torch", _REMEDY + why)
        from PDL1PredictorLib.models.network.by_torch import TorchNetwork

        try:
            return TorchNetwork(self._weights, self._backbone, self._n_deep, self._n_endpoints, self._pool)
        except ValueError as error:
            raise self._unfit(str(error)) from error


def require_runtime(runtime: str, device: str) -> None:
    """Refuse what there is not.

    Raises:
        InputError: There is no such runtime, or it does not run on the device.
    """
    if runtime not in RUNTIMES:
        raise InputError(f"The runtime must be one of {', '.join(RUNTIMES)}, got {runtime!r}.")
    if runtime == "onnxruntime" and device != "cpu":
        raise InputError(
            f"onnxruntime runs the network on the CPU, not on {device}. Use --device cpu, or another runtime."
        )


def patch_channels(patch: Patch) -> np.ndarray:
    """What the network sees of a patch: (1, 3, h, w), 32-bit."""
    hu, tumor = (sitk.GetArrayFromImage(image).astype(np.float32) for image in (patch.image, patch.tumor))
    return channels(hu, tumor)


def patch_contour(patch: Patch) -> np.ndarray:
    """The contour on a patch: (1, 1, h, w), 1 inside, 32-bit."""
    tumor: np.ndarray = sitk.GetArrayFromImage(patch.tumor).astype(np.float32)
    return tumor[:, None]


def shipped_graph(backbone: str) -> bytes | None:
    """The graph that the library brings for bundles without one; None where it brings none."""
    if backbone not in SHIPPED_GRAPHS:
        return None
    return (GRAPHS / f"{backbone}.onnx").read_bytes()
