"""Weight files of backbones, with torchvision's names: read to start a training from, written after a pretraining."""

from copy import deepcopy
from pathlib import Path
from typing import Protocol, TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.files.output import whole_file
from PDL1PredictorLib.models.network.weights import restored, rounded
from PDL1PredictorLib.networks.backbones import backbone
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.networks.names import CUT, FINE
from PDL1PredictorLib.networks.resnet import fine_stem

Module = TypeVar("Module", bound=nn.Module)
FIRST, STEM_WINDOW = "conv1.weight", 7  # the first kernels of a ResNet, and how wide a weight file holds them
HEADS = ("classifier.", "fc.", "AuxLogits.")  # what torchvision's files hold besides the convolutional part
TITLES = {
    "densenet121": "DenseNet121",
    "resnet50": "ResNet50",
    "resnet101": "ResNet101",
    "vgg19": "VGG19",
    "inception_v3": "Inception V3",
    **{name: f"ResNet50, up to {name.partition('_')[2].replace('_', ', ')}" for name in (*CUT, *FINE)},
}


class OnBackbone(Protocol):
    """A network with a convolutional part from `networks.backbones`."""

    backbone: str
    features: nn.Sequential


def load_backbone(network: OnBackbone, file: Path) -> None:
    """Start the convolutional part from a torchvision weight file of the network's backbone.

    Args:
        network: Changed in place.
        file: .safetensors, or .pth, which is read as weights only.

    Raises:
        InputError: The file is not such a file.
    """
    known = backbone(network.backbone)
    prefix = known.prefix
    try:
        if file.suffix == ".safetensors":
            stored = safetensors.torch.load_file(file)
        else:
            stored = torch.load(file, map_location="cpu", weights_only=True)
        beyond = layers_beyond(network.backbone)
        named = {_present_name(name): value for name, value in stored.items() if not name.startswith((*HEADS, *beyond))}
        if known.fine and named[FIRST].shape[-1] == STEM_WINDOW:
            named[FIRST] = fine_stem(named[FIRST])
        network.features.load_state_dict(
            {name.removeprefix(prefix): value for name, value in named.items() if name.startswith(prefix)}
        )
    except Exception as error:  # whatever a damaged or foreign file raises
        title = TITLES[network.backbone]
        raise InputError(f"{file} is not a {title} weight file of torchvision: {error}") from error


def layers_beyond(name: str) -> tuple[str, ...]:
    """How names of weights begin that a file of the whole network holds beyond a backbone that is cut short."""
    last = backbone(name).last
    return () if last is None else tuple(f"layer{layer}." for layer in range(last + 1, 5))


def save_backbone(network: DeepCT, file: Path, overwrite: bool = False) -> None:
    """Write the convolutional part as safetensors that `load_backbone` and torchvision's networks can read.

    Raises:
        OutputError: The file exists, or cannot be written.
    """
    prefix = backbone(network.backbone).prefix
    state: dict[str, Tensor] = {
        f"{prefix}{name}": value.detach().cpu().contiguous() for name, value in network.features.state_dict().items()
    }
    with whole_file(file, overwrite) as draft:
        safetensors.torch.save_file(state, draft, metadata={"backbone": network.backbone})


def with_weights_of_a_bundle(network: Module, bits: int = 8) -> Module:
    """A copy, in evaluation mode, whose weights are those that a bundle of so many bits gives back.

    A network that is kept is rounded before anything is measured or fitted on it, so that what is measured is what is
    shipped.
    """
    state = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
    back = restored(rounded(state, bits))
    copy = deepcopy(network)
    copy.load_state_dict({name: torch.from_numpy(value) for name, value in back.items()}, strict=False)
    return copy.eval()


def _present_name(name: str) -> str:
    """Older DenseNet files of torchvision have names such as `denselayer1.norm.1.weight`."""
    return name.replace("norm.", "norm").replace("conv.", "conv") if "denselayer" in name else name
