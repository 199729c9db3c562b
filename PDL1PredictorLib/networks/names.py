"""Names of the backbones, on a page that loads no torch: a manifest is checked before any network is built."""

BACKBONES = ("densenet121", "resnet50", "resnet101", "vgg19", "inception_v3")
