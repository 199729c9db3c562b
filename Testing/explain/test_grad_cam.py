"""Grad-CAM: sums by hand, a bright spot, and captum's LayerGradCam as judge."""

import pytest
import torch
from torch import nn

from PDL1PredictorLib.explain.grad_cam import grad_cam, grad_cams, normalize


class TinyNetwork(nn.Module):
    """Two convolutions and a linear layer on the pooled maps; 3 outputs."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 5, 3, stride=2, padding=1))
        self.head = nn.Linear(5, 3)

    def both(self, x):
        maps = self.features(x)
        return maps, self.head(maps.relu().mean(dim=(2, 3)) ** 2)

    def forward(self, x):
        return self.both(x)[1]


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TinyNetwork().eval()


@pytest.fixture
def images():
    return torch.randn(2, 1, 9, 6, generator=torch.Generator().manual_seed(1))  # height and width differ


def linear_forward(x):
    """Maps: x and -x. Outputs: 4 times the first map's mean, and the first's mean plus 3 times the second's."""
    maps = torch.cat([x, -x], dim=1)
    first, second = maps.mean(dim=(2, 3)).T
    return maps, torch.stack([4 * first, first + 3 * second], dim=1)


def test_the_maps_of_a_linear_network_are_the_sums_by_hand():
    x = torch.tensor([[[[1.0, -2.0, 0.0], [0.0, 4.0, 8.0]]]])
    maps = grad_cams(*linear_forward(x.requires_grad_()))
    # Six places, so the weights are 4/6 and 0, then 1/6 and 3/6 (whose sum of x and -x is -2/6 x).
    assert torch.allclose(maps[0, 0], torch.tensor([[4 / 6, 0, 0], [0, 16 / 6, 32 / 6]]))
    assert torch.allclose(maps[0, 1], torch.tensor([[0, 4 / 6, 0], [0, 0, 0]]))


def test_one_map_per_case_and_output_in_the_plane_of_the_feature_maps(network, images):
    maps = grad_cams(*network.both(images))
    assert maps.shape == (2, 3, 5, 3)
    assert not maps.requires_grad
    assert (maps >= 0).all()
    assert (maps.amax(dim=(0, 2, 3)) > 0).any()


@pytest.mark.parametrize("target", [0, 1, 2])
def test_the_maps_agree_with_captum(network, images, target):
    attr = pytest.importorskip("captum.attr")
    judge = attr.LayerGradCam(network, network.features).attribute(images, target=target, relu_attributions=True)
    assert torch.allclose(grad_cam(network.both, images, target), judge[:, 0].detach(), atol=1e-7)
    assert torch.allclose(grad_cams(*network.both(images))[:, target], judge[:, 0].detach(), atol=1e-7)


def test_a_case_gets_the_same_map_alone_and_in_company(network, images):
    together = grad_cams(*network.both(images))
    alone = torch.cat([grad_cams(*network.both(image[None])) for image in images])
    assert torch.allclose(together, alone, atol=1e-7)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (2, 5), (4, 1)])
def test_a_bright_spot_lights_up_at_its_cell(row, column):
    x = torch.zeros(1, 1, 10, 12)
    x[0, 0, 2 * row, 2 * column] = 5.0

    def forward(batch):
        maps = nn.functional.avg_pool2d(batch, 2)
        return maps, maps.sum(dim=(1, 2, 3))[:, None]

    cam = grad_cam(forward, x, 0)[0]
    assert torch.nonzero(cam).tolist() == [[row, column]]


def test_frozen_weights_and_no_grad_do_not_matter(network, images):
    expected = grad_cam(network.both, images, 1)
    network.requires_grad_(False)
    for off in (torch.no_grad(), torch.inference_mode()):
        with off:
            assert torch.equal(grad_cam(network.both, images, 1), expected)


def test_neither_the_input_nor_the_weights_are_left_with_gradients(network, images):
    grad_cam(network.both, images, 0)
    assert images.grad is None
    assert not images.requires_grad
    assert all(weight.grad is None for weight in network.parameters())


def test_each_map_is_scaled_by_its_own_peak():
    maps = torch.tensor([[[0.0, 2.0], [1.0, 0.5]], [[10.0, 0.0], [0.0, 5.0]]])
    assert normalize(maps).tolist() == [[[0.0, 1.0], [0.5, 0.25]], [[1.0, 0.0], [0.0, 0.5]]]


def test_a_map_of_zeros_stays_zero():
    assert torch.equal(normalize(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4))


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_only_heat_maps_are_scaled(bad):
    with pytest.raises(ValueError, match="must be finite and not negative"):
        normalize(torch.tensor([[1.0, bad]]))


def test_other_shapes_are_refused(network, images):
    maps, outputs = network.both(images)
    for wrong in ((maps[0], outputs), (maps, outputs[:, 0]), (maps, outputs[:1])):
        with pytest.raises(ValueError, match=r"Feature maps \(n, c, h, w\) and outputs \(n, k\) of the same n"):
            grad_cams(*wrong)


def test_outputs_without_a_graph_are_refused(network, images):
    with torch.no_grad():
        maps, outputs = network.both(images)
    with pytest.raises(ValueError, match=r"outputs carry no gradient. Run the network outside torch.no_grad"):
        grad_cams(maps, outputs)


def test_maps_that_do_not_lead_to_the_outputs_are_refused(network, images):
    maps, _ = network.both(images)
    _, outputs = network.both(images)
    with pytest.raises(ValueError, match="Output 0 does not depend on the feature maps"):
        grad_cams(maps, outputs)


@pytest.mark.parametrize("target", [-1, 3])
def test_an_output_that_is_not_there_is_refused(network, images, target):
    with pytest.raises(ValueError, match="There are outputs 0 to 2, got target"):
        grad_cam(network.both, images, target)
