"""Integrated gradients: sums by hand, completeness, and captum as judge."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from PDL1PredictorLib.explain.integrated_gradients import integrated_gradients


def crooked(batch):
    flat = batch.flatten(1)
    return (flat[:, 0] * flat[:, 1]).tanh() + flat[:, 2] ** 3 - flat.sum(dim=1).sin()


def double(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_of_a_linear_score_each_input_gets_its_own_term():
    result = integrated_gradients(lambda b: b @ double(1, -2, 3), double(1, 1, 2), double(0, 0.5, 1), steps=1)
    assert result.values.tolist() == pytest.approx([1.0, -1.0, 3.0])
    assert result.baseline == pytest.approx(2.0)
    assert result.residual == pytest.approx(0.0, abs=1e-12)


def test_a_product_is_shared_in_halves():
    result = integrated_gradients(lambda b: b[:, 0] * b[:, 1], double(3, 4), double(0, 0), steps=2)
    assert result.values.tolist() == pytest.approx([6.0, 6.0])


def test_the_residual_tells_what_a_coarse_path_misses():
    # x cubed from 0 to 1: the midpoint has the gradient 3/4, so a quarter is missing.
    coarse = integrated_gradients(lambda b: b[:, 0] ** 3, double(1), double(0), steps=1)
    assert coarse.values.item() == pytest.approx(0.75)
    assert coarse.residual == pytest.approx(0.25)
    fine = integrated_gradients(lambda b: b[:, 0] ** 3, double(1), double(0), steps=50)
    assert fine.residual == pytest.approx(0.25 / 50**2)


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6), st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_the_shares_and_the_residual_add_up_to_the_answer(x, baseline):
    x, baseline = double(*x).reshape(2, 3), double(*baseline).reshape(2, 3)
    result = integrated_gradients(crooked, x, baseline, steps=200)
    assert result.values.shape == (2, 3)
    assert result.baseline == pytest.approx(crooked(baseline[None]).item())
    total = result.baseline + result.values.sum().item() + result.residual
    assert total == pytest.approx(crooked(x[None]).item(), abs=1e-9)
    assert abs(result.residual) < 1e-3


def test_the_shares_agree_with_captum():
    attr = pytest.importorskip("captum.attr")
    x, baseline = double(0.3, -1.2, 2.0, 0.7), double(-0.5, 0.4, 0.1, 1.0)
    judge = attr.IntegratedGradients(crooked).attribute(x[None], baseline[None], n_steps=100)[0]
    assert torch.allclose(integrated_gradients(crooked, x, baseline, steps=500).values, judge, atol=1e-4)


def test_nothing_is_left_on_the_input_and_no_grad_does_not_matter():
    x = double(1, 2, 3).requires_grad_()
    expected = integrated_gradients(crooked, x, torch.zeros_like(x)).values
    assert x.grad is None
    assert not expected.requires_grad
    for off in (torch.no_grad(), torch.inference_mode()):
        with off:
            assert torch.equal(integrated_gradients(crooked, x, torch.zeros_like(x)).values, expected)


@pytest.mark.parametrize(
    ("x", "baseline"),
    [
        (torch.zeros(2), torch.zeros(3)),
        (torch.zeros(2, dtype=torch.int64), torch.zeros(2)),
        (torch.zeros(2), torch.zeros(2, dtype=torch.int64)),
    ],
)
def test_another_shape_or_kind_is_refused(x, baseline):
    with pytest.raises(ValueError, match="must be floating-point tensors of one shape"):
        integrated_gradients(crooked, x, baseline)


def test_a_path_without_points_is_refused():
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        integrated_gradients(crooked, double(1, 2, 3), double(0, 0, 0), steps=0)


def test_a_score_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"The score must give 64 numbers, one per row, got the shape \(64, 3\)"):
        integrated_gradients(lambda b: b, double(1, 2, 3), double(0, 0, 0))
