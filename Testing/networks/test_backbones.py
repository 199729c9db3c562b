"""Five published networks: their parameter counts, torchvision's names, the shapes of their last maps."""

import pytest
import torch
from torch import nn

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.explain.grad_cam import grad_cams
from PDL1PredictorLib.learning.deep.weights import load_backbone, save_backbone
from PDL1PredictorLib.networks.backbones import TABLE, backbone
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.networks.names import BACKBONES, CUT, WHOLE

LAYER_2048 = 2048 * 1000 + 1000
INCEPTION_AUX = (768 * 128 + 2 * 128) + (128 * 768 * 25 + 2 * 768) + (768 * 1000 + 1000)
VGG_CLASSIFIER = (512 * 49 * 4096 + 4096) + (4096 * 4096 + 4096) + (4096 * 1000 + 1000)
PUBLISHED = {  # torchvision's documentation: parameters of the whole network; less its classifiers
    "densenet121": 7_978_856 - (1024 * 1000 + 1000),
    "resnet50": 25_557_032 - LAYER_2048,
    "resnet101": 44_549_160 - LAYER_2048,
    "vgg19": 143_667_240 - VGG_CLASSIFIER,
    "inception_v3": 27_161_264 - LAYER_2048 - INCEPTION_AUX,
}
ENTRIES = {"densenet121": 725, "resnet50": 318, "resnet101": 624, "vgg19": 32, "inception_v3": 564}  # without heads
NAMES = {  # torchvision's names and shapes, some of each network
    "resnet50": {
        "conv1.weight": (64, 3, 7, 7),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "layer1.0.downsample.1.running_var": (256,),
        "layer3.5.conv2.weight": (256, 256, 3, 3),
        "layer4.2.bn3.num_batches_tracked": (),
    },
    "resnet101": {"layer3.22.conv3.weight": (1024, 256, 1, 1), "layer2.0.conv2.weight": (128, 128, 3, 3)},
    "vgg19": {"0.weight": (64, 3, 3, 3), "10.bias": (256,), "34.weight": (512, 512, 3, 3)},
    "inception_v3": {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Conv2d_4a_3x3.bn.running_mean": (192,),
        "Mixed_5b.branch_pool.conv.weight": (32, 192, 1, 1),
        "Mixed_6a.branch3x3.conv.weight": (384, 288, 3, 3),
        "Mixed_6b.branch7x7dbl_2.conv.weight": (128, 128, 7, 1),
        "Mixed_6e.branch7x7_2.conv.weight": (192, 192, 1, 7),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
    },
}


@pytest.fixture(scope="module")
def built() -> dict[str, nn.Module]:
    with torch.device("meta"):  # shapes without the memory and the time
        return {name: TABLE[name].build() for name in BACKBONES}


@pytest.mark.parametrize("name", WHOLE)
def test_a_backbone_has_the_published_parameters_less_its_classifier(name: str, built: dict[str, nn.Module]):
    assert sum(parameter.numel() for parameter in built[name].parameters()) == PUBLISHED[name]
    assert len(built[name].state_dict()) == ENTRIES[name]


def test_the_published_sums_are_those_that_are_quoted():
    assert PUBLISHED["vgg19"] == 20_024_384
    assert PUBLISHED["inception_v3"] + LAYER_2048 == 23_834_568


@pytest.mark.parametrize("name", NAMES)
def test_the_parameter_names_and_shapes_are_those_of_torchvision(name: str, built: dict[str, nn.Module]):
    state = built[name].state_dict()
    assert {key: tuple(state[key].shape) for key in NAMES[name]} == NAMES[name]


@pytest.mark.parametrize(("name", "edge"), [("resnet50", 5), ("resnet101", 5), ("vgg19", 5), ("inception_v3", 3)])
def test_a_patch_of_160_gives_maps_of_the_stated_shape(name: str, edge: int, built: dict[str, nn.Module]):
    with torch.no_grad():
        maps = built[name](torch.zeros(1, 3, 160, 160, device="meta"))
    assert maps.shape == (1, backbone(name).channels, edge, edge)


@pytest.mark.parametrize("name", [name for name in BACKBONES if name != "densenet121"])
def test_deep_ct_on_it_gives_ten_deep_features_and_maps_that_grad_cam_can_use(name: str):
    network = DeepCT(n_endpoints=2, backbone=name).eval()
    output = network(torch.randn(1, 3, 75, 75, generator=torch.Generator().manual_seed(1)))
    assert output.deep.shape == (1, 10)
    assert output.logits.shape == (1, 2)
    assert output.maps.min() >= 0
    heat = grad_cams(output.maps, output.logits)
    assert heat.shape == (1, 2, *output.maps.shape[2:])
    assert heat.isfinite().all()


@pytest.mark.parametrize(("name", "edge", "channels"), [(CUT[0], 16, 256), (CUT[1], 8, 512), (CUT[2], 4, 1024)])
def test_a_network_that_is_cut_short_is_the_beginning_of_the_whole_one(name: str, edge: int, channels: int, tmp_path):
    whole = DeepCT(1, backbone="resnet50").eval()
    save_backbone(whole, tmp_path / "whole.safetensors")
    part = DeepCT(1, backbone=name).eval()
    load_backbone(part, tmp_path / "whole.safetensors")
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        maps = part.features(x)
        torch.testing.assert_close(maps, whole.features[: len(part.features)](x))
    assert maps.shape == (1, channels, edge, edge)
    assert channels == backbone(name).channels
    save_backbone(part, tmp_path / "part.safetensors")
    load_backbone(DeepCT(1, backbone=name), tmp_path / "part.safetensors")
    with pytest.raises(InputError, match="is not a ResNet50 weight file"):
        load_backbone(whole, tmp_path / "part.safetensors")
    save_backbone(DeepCT(1, backbone="densenet121"), tmp_path / "dense.safetensors")
    with pytest.raises(InputError, match="up to layer"):
        load_backbone(part, tmp_path / "dense.safetensors")


def test_the_fine_network_makes_of_a_picture_what_the_plain_one_makes_of_it_enlarged_twice(tmp_path):
    whole, part = DeepCT(1, backbone="resnet50").eval(), DeepCT(1, backbone="resnet50_layer1_fine").eval()
    save_backbone(whole, tmp_path / "whole.safetensors")
    load_backbone(part, tmp_path / "whole.safetensors")
    x = torch.randn(1, 3, 48, 40, generator=torch.Generator().manual_seed(1))
    large = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    with torch.no_grad():
        maps, wanted = part.features(x), whole.features[: len(part.features)](large)
        coarse = whole.features[: len(part.features)](x)
    assert maps.shape == wanted.shape == (1, 256, 24, 20)
    inside = (..., slice(5, -5), slice(5, -5))  # what lies beyond the border, both fill with other numbers
    torch.testing.assert_close(maps[inside], wanted[inside], rtol=1e-3, atol=1e-4)
    assert coarse.shape == (1, 256, 12, 10)
    save_backbone(part, tmp_path / "fine.safetensors")
    again = DeepCT(1, backbone="resnet50_layer1_fine").eval()
    load_backbone(again, tmp_path / "fine.safetensors")  # its kernels are fine already
    assert torch.equal(again.features.conv1.weight, part.features.conv1.weight)


def test_he_start_leaves_the_biases_at_zero_and_the_spread_at_root_two_over_fan_in():
    features = backbone("vgg19").build()
    assert not features[2].bias.detach().any()
    assert float(features[16].weight.detach().std()) == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.01)


def test_a_strange_backbone_is_refused():
    with pytest.raises(ValueError, match="must be one of densenet121, resnet50"):
        DeepCT(1, backbone="alexnet")


def test_a_patch_that_inception_cannot_see_is_refused():
    with (
        torch.device("meta"),
        pytest.raises(ValueError, match=r"inception_v3 needs patches of at least 75 pixels, got \(64, 64\)"),
    ):
        DeepCT(1, backbone="inception_v3")(torch.zeros(1, 3, 64, 64))


def test_the_names_without_torch_are_those_of_the_table():
    assert tuple(TABLE) == BACKBONES
