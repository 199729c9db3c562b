"""The rectangle about a tumor, there and back; the network that joins slices and a table."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from PDL1PredictorLib.core.settings import FrameSettings
from PDL1PredictorLib.networks.backbones import TABLE, Backbone
from PDL1PredictorLib.networks.framing import framed, unframed
from PDL1PredictorLib.networks.joint import Joint


def slice_with(top: int, bottom: int, left: int, right: int, size: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """HU that rise by 1 a row and by 100 a column, and a rectangle as tumor."""
    j, i = np.mgrid[:size, :size]
    tumor = np.zeros((size, size), bool)
    tumor[top:bottom, left:right] = True
    return (j + 100.0 * i).astype(np.float32), tumor


def test_as_many_pixels_as_the_rectangle_show_it_as_it_is():
    hu, tumor = slice_with(20, 30, 12, 22)
    shown, inside = framed(hu, tumor, FrameSettings(pixels=16, margin_pixels=3))
    np.testing.assert_allclose(shown, hu[17:33, 9:25], atol=1e-3)
    np.testing.assert_array_equal(inside, tumor[17:33, 9:25])


def test_axes_are_stretched_each_by_its_own_factor_or_both_alike():
    hu, tumor = slice_with(20, 24, 10, 42)
    stretched, inside = framed(hu, tumor, FrameSettings(16, 0))
    assert inside.all()
    assert stretched[-1, 0] - stretched[0, 0] == pytest.approx(4 * 15 / 16, abs=0.01)
    kept, inside = framed(hu, tumor, FrameSettings(16, 0, keep_aspect=True))
    assert inside.sum() == 2 * 16
    assert kept[-1, 0] - kept[0, 0] == pytest.approx(30, abs=0.1)


def test_what_leaves_the_slice_repeats_its_border_and_a_slice_without_tumor_is_whole():
    hu, tumor = slice_with(0, 10, 0, 10)
    shown, _ = framed(hu, tumor, FrameSettings(16, 3))
    np.testing.assert_allclose(shown[:3, 8], shown[3, 8], atol=1e-3)
    whole, inside = framed(hu, np.zeros_like(tumor), FrameSettings(60, 5))
    np.testing.assert_allclose(whole, hu, atol=1e-3)
    assert not inside.any()


@given(st.integers(0, 40), st.integers(4, 20), st.integers(0, 40), st.integers(4, 20), st.integers(0, 8), st.booleans())
def test_a_map_comes_back_to_the_rectangle_it_was_made_from(top, height, left, width, margin, keep):
    _, tumor = slice_with(top, top + height, left, left + width)
    back = unframed(np.ones((3, 3)), tumor, FrameSettings(32, margin, keep))
    rows, columns = np.nonzero(back)
    inside = np.argwhere(tumor)
    np.testing.assert_allclose(back[back > 0], 1, atol=1e-9)
    assert (rows.min(), columns.min()) <= tuple(inside.min(axis=0))
    assert back[tumor].min() == pytest.approx(1)
    reach = max(height, width) if keep else 0
    assert rows.max() <= top + height - 1 + margin + reach
    assert columns.max() <= left + width - 1 + margin + reach


def test_the_warmest_cell_stays_where_it_was():
    _, tumor = slice_with(20, 30, 12, 42)
    values = np.zeros((5, 5))
    values[4, 0] = 1
    back = unframed(values, tumor, FrameSettings(32, 0))
    j, i = np.unravel_index(back.argmax(), back.shape)
    assert 28 <= j <= 29
    assert 12 <= i <= 17


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Two convolutions stand for the usual backbone."""
    layers = nn.Conv2d(3, 8, 5, 2, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3, 2, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TABLE, "densenet121", Backbone(lambda: nn.Sequential(*layers), 12, 32, "features.", "made up"))
        yield


def network(n_columns: int = 3) -> Joint:
    torch.manual_seed(1)
    found = Joint(n_columns, 2, dropout=0.5)
    torch.nn.init.normal_(found.classifier.weight)
    found.train()
    with torch.no_grad():  # statistics of the batch norms
        for _ in range(2):
            found(torch.randn(4, 3, 32, 32), torch.randn(4, n_columns) if n_columns else None)
    return found.eval()


@pytest.mark.parametrize("n_columns", [0, 3])
def test_answers_follow_from_the_maps_and_the_table_by_the_head(n_columns):
    own = network(n_columns)
    table = torch.randn(2, n_columns) if n_columns else None
    with torch.no_grad():
        out = own(torch.randn(2, 3, 32, 32), table)
    head = own.head()
    again = out.maps.mean(dim=(2, 3)).double().numpy() @ head.maps.T + head.bias
    if table is not None:
        again = again + table.double().numpy() @ head.table.T
    np.testing.assert_allclose(out.answers.numpy(), again, rtol=1e-5, atol=1e-4)


def test_some_of_the_answers_can_be_kept():
    own, x, table = network(), torch.randn(2, 3, 32, 32), torch.randn(2, 3)
    with torch.no_grad():
        np.testing.assert_allclose(own.with_outputs([1])(x, table).answers, own(x, table).answers[:, [1]], rtol=1e-5)


def test_what_it_is_not_given_is_told():
    for picture, table in ((None, torch.zeros(1, 3)), (torch.zeros(1, 3, 32, 32), None)):
        with pytest.raises(ValueError, match="slices and 3 columns are needed"):
            network()(picture, table)
    with pytest.raises(ValueError, match="must be one of"):
        Joint(1, 1, backbone="alexnet")
