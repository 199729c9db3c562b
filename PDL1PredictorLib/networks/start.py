"""How a network's weights start before training."""

from torch import nn


def he_start(network: nn.Module) -> None:
    """He's normal distribution for the convolutions, their biases 0; batch norms keep the identity.

    Source: He et al. 2015, Delving Deep into Rectifiers, arXiv:1502.01852.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
