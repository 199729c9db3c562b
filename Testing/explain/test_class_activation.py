"""Class activation maps: sums by hand, and the equality with Grad-CAM for a linear head."""

import numpy as np
import pytest
import torch

from PDL1PredictorLib.explain.class_activation import class_activation_maps, scaled_to_one
from PDL1PredictorLib.explain.grad_cam import grad_cams, normalize


def test_the_maps_are_the_sums_by_hand():
    activations = np.array([[[1.0, 2.0]], [[0.0, 4.0]]])  # two maps of one row
    head = np.array([[2.0, -1.0], [0.0, 1.0]])
    assert class_activation_maps(activations, head).tolist() == [[[1.0, 0.0]], [[0.0, 2.0]]]  # two places


def test_they_are_those_of_grad_cam_where_the_head_is_linear():
    rng = np.random.default_rng(0)
    activations, head = rng.normal(size=(6, 3, 4)), rng.normal(size=(2, 6))
    maps = torch.from_numpy(activations[None]).requires_grad_()
    outputs = maps.mean(dim=(2, 3)) @ torch.from_numpy(head).T
    by_gradient = grad_cams(maps, outputs)
    found = class_activation_maps(activations, head)
    np.testing.assert_allclose(found, by_gradient[0].numpy(), atol=1e-15)
    np.testing.assert_allclose(scaled_to_one(found), normalize(by_gradient)[0].numpy(), atol=1e-15)


def test_a_map_of_zeros_stays_zero():
    assert scaled_to_one(np.array([[[0.0, 0.0]], [[1.0, 4.0]]])).tolist() == [[[0.0, 0.0]], [[0.25, 1.0]]]


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_values_that_are_no_map_are_refused(bad):
    with pytest.raises(ValueError, match="finite and not negative"):
        scaled_to_one(np.array([[bad]]))


@pytest.mark.parametrize(("activations", "head"), [((2, 3), (1, 2)), ((2, 3, 3), (2,)), ((2, 3, 3), (1, 3))])
def test_shapes_that_do_not_fit_are_refused(activations, head):
    with pytest.raises(ValueError, match="of the same c are needed"):
        class_activation_maps(np.zeros(activations), np.zeros(head))
