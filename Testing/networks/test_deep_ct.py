"""The network has the published shape, names that public weight files use, and channels one can check by hand."""

import pytest
import torch

from PDL1PredictorLib.networks.deep_ct import DeepCT, input_channels
from PDL1PredictorLib.networks.densenet import densenet121_features


def test_the_backbone_has_the_parameters_of_densenet121():
    parameters = sum(p.numel() for p in densenet121_features().parameters())
    assert parameters == 7_978_856 - (1024 * 1000 + 1000)  # the published count less the 1000-way layer


def test_the_parameter_names_are_those_of_torchvision():
    names = densenet121_features().state_dict()
    assert names["conv0.weight"].shape == (64, 3, 7, 7)
    assert names["denseblock4.denselayer16.conv2.weight"].shape == (32, 128, 3, 3)
    assert names["transition3.conv.weight"].shape == (512, 1024, 1, 1)
    assert names["norm5.running_var"].shape == (1024,)
    assert len(names) == 725  # torchvision's densenet121 has 727 with its classifier's weight and bias


def test_a_patch_of_160_gives_5_x_5_maps_ten_deep_features_and_a_logit_per_endpoint():
    network = DeepCT(n_endpoints=3).eval()
    with torch.no_grad():
        output = network(torch.zeros(2, 3, 160, 160))
    assert output.maps.shape == (2, 1024, 5, 5)
    assert output.deep.shape == (2, 10)
    assert output.logits.shape == (2, 3)
    assert output.maps.min() >= 0


def test_the_logits_follow_from_the_maps_alone():
    network = DeepCT(n_endpoints=2).eval()
    with torch.no_grad():
        output = network(torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
        again = network.classifier(network.reduce(output.maps.mean(dim=(2, 3))))
    torch.testing.assert_close(again, output.logits)


@pytest.mark.parametrize(
    ("hu", "lung", "soft"),
    [(-600.0, 0.0, -1.0), (40.0, 640 / 750, 0.0), (-1350.0, -1.0, -1.0), (3000.0, 1.0, 1.0), (-225.0, 0.5, -1.0)],
)
def test_the_windows_are_centered_on_zero_and_the_third_channel_is_blank_outside_the_contour(hu, lung, soft):
    patch = torch.full((1, 1, 2), hu)
    channels = input_channels(patch, torch.tensor([[[1.0, 0.0]]]))
    torch.testing.assert_close(channels[0, :, 0, 0], torch.tensor([lung, soft, soft]))
    torch.testing.assert_close(channels[0, :, 0, 1], torch.tensor([lung, soft, 0.0]))
