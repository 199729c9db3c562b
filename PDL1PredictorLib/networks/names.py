"""Names of networks, on a page that loads no torch: a manifest is checked before any network is built."""

BACKBONES = ("densenet121", "resnet50", "resnet101", "vgg19", "inception_v3")
NETWORKS = ("cnn3d", "joint", "transformer")
"""Networks that answer by themselves; what they are made of, their graph says."""
CNN3D_WIDTHS = (8, 16, 32, 64)
"""Channels of the blocks of `cnn3d`."""
