"""VGG19, with the parameter names of torchvision, so that its public weight files load as they are.

Only the convolutional part: its two layers of 4096 units, 120 of its 144 million parameters, fit one input size only.

Source: Simonyan and Zisserman 2015, Very Deep Convolutional Networks ..., arXiv:1409.1556, configuration E.
"""

from torch import nn

from PDL1PredictorLib.networks.start import he_start

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # channels, convolutions; each block ends in a pooling
LAST_CHANNELS = 512


def vgg19_features() -> nn.Sequential:
    """The convolutional part: (n, 3, h, w) to (n, 512, h // 32, w // 32), not negative."""
    layers: list[nn.Module] = []
    channels = 3
    for width, n_convolutions in BLOCKS:
        for _ in range(n_convolutions):
            layers += [nn.Conv2d(channels, width, kernel_size=3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    features = nn.Sequential(*layers)
    he_start(features)
    return features
