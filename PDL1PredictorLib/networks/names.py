"""Names of networks, on a page that loads no torch: a manifest is checked before any network is built."""

WHOLE = ("densenet121", "resnet50", "resnet101", "vgg19", "inception_v3")
"""Backbones as published."""
CUT = ("resnet50_layer1", "resnet50_layer2", "resnet50_layer3")
"""ResNet50 that ends after one of its layers: the later maps of a network know what it was trained for, the earlier
ones textures."""
FINE = ("resnet50_layer1_fine",)
"""The first of these with maps that are twice as fine: what it makes of a picture that was enlarged twice."""
BACKBONES = (*WHOLE, *CUT, *FINE)
POOLS = ("picture", "contour")
"""What the last feature maps are averaged over: the slice, or the tumor alone, where their spread counts, too."""
POOLED_WITHIN = ("resnet50", "resnet101", *CUT, *FINE)
"""Backbones whose maps can be pooled within the contour: each of their windows has its middle on every other pixel."""
NETWORKS = ("cnn3d", "joint", "transformer")
"""Networks that answer by themselves; what they are made of, their graph says."""
CNN3D_WIDTHS = (8, 16, 32, 64)
"""Channels of the blocks of `cnn3d`."""
