"""The backbones that Deep-CT can stand on, by name: five as published, ResNet50 cut short, and that on a finer grid."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from PDL1PredictorLib.networks import densenet, inception, resnet, vgg


class Backbone(NamedTuple):
    """One published network without its classifier.

    Attributes:
        build: Makes the convolutional part, (n, 3, h, w) to (n, `channels`, h', w').
        channels: Of the last feature maps.
        least_pixels: Edge of the smallest input; below it a pooling has nothing left.
        prefix: What torchvision's weight files put before the names of the convolutional part.
        source: The publication.
        halvings: How often the input is halved by windows around every other pixel; None where it is otherwise, and
            feature maps cannot be pooled within a contour.
        last: Layer after which it ends, where it is the beginning of a network that a weight file holds whole.
        fine: Whether its first kernels are those of the weight file as `resnet.fine_stem` makes them.
    """

    build: Callable[[], nn.Sequential]
    channels: int
    least_pixels: int
    prefix: str
    source: str
    halvings: int | None = None
    last: int | None = None
    fine: bool = False


TABLE = {
    "densenet121": Backbone(
        densenet.densenet121_features, densenet.LAST_CHANNELS, 32, "features.", "Huang et al. 2017, arXiv:1608.06993"
    ),
    "resnet50": Backbone(resnet.resnet50_features, resnet.LAST_CHANNELS, 1, "", "He et al. 2016, arXiv:1512.03385", 5),
    "resnet101": Backbone(
        resnet.resnet101_features, resnet.LAST_CHANNELS, 1, "", "He et al. 2016, arXiv:1512.03385", 5
    ),
    "vgg19": Backbone(
        vgg.vgg19_features, vgg.LAST_CHANNELS, 32, "features.", "Simonyan and Zisserman 2015, arXiv:1409.1556"
    ),
    "inception_v3": Backbone(
        inception.inception_v3_features, inception.LAST_CHANNELS, 75, "", "Szegedy et al. 2016, arXiv:1512.00567"
    ),
    **{
        f"resnet50_layer{last}": Backbone(
            partial(resnet.resnet50_features, last),
            resnet.channels_after(last),
            1,
            "",
            "He et al. 2016, arXiv:1512.03385, up to a layer",
            last + 1,
            last,
        )
        for last in (1, 2, 3)
    },
    "resnet50_layer1_fine": Backbone(
        partial(resnet.resnet50_features, 1, fine=True),
        resnet.channels_after(1),
        1,
        "",
        "He et al. 2016, arXiv:1512.03385, up to a layer, on a picture twice enlarged",
        1,
        1,
        True,
    ),
}


def backbone(name: str) -> Backbone:
    """The backbone of that name.

    Raises:
        ValueError: There is none.
    """
    if name not in TABLE:
        raise ValueError(f"The backbone must be one of {', '.join(TABLE)}, got {name!r}.")
    return TABLE[name]
