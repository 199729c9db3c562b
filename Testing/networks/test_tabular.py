"""Networks over rows of features: what goes in and out, where answers may lie, and whom the attention asks."""

import pytest
import torch

from PDL1PredictorLib.networks.tabular import FARTHEST, Bounds, Perceptron, Recurrent, RowConvolution, Span, drawn_in
from PDL1PredictorLib.networks.transformer import FeatureTransformer

PERCENT = Bounds(-0.7, 1.9)
N, T = 5, 6


def table(seed: int = 0) -> torch.Tensor:
    return torch.randn(N, T, generator=torch.Generator().manual_seed(seed))


def made(kind: str, *bounds: Bounds):
    torch.manual_seed(0)
    spans = Span(bounds or (PERCENT,))
    builders = {
        "transformer": lambda: FeatureTransformer(T, spans, 8, 2, 2, 16, 0.2),
        "ann": lambda: Perceptron(T, spans),
        "cnn": lambda: RowConvolution(T, spans),
    }
    return builders.get(kind, lambda: Recurrent(T, spans, kind))().eval()


ALL = ("transformer", "ann", "cnn", "rnn", "lstm", "gru")


@pytest.mark.parametrize("kind", ALL)
def test_a_row_gives_an_answer_of_each_endpoint_whoever_stands_beside_it(kind: str):
    network = made(kind, PERCENT, Bounds())
    found = network(None, table()).answers
    assert found.shape == (N, 2)
    torch.testing.assert_close(network(None, table()[1:2]).answers, found[1:2], atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ALL)
def test_answers_stay_within_their_bounds(kind: str):
    network = made(kind, PERCENT, Bounds(low=0.0))
    with torch.no_grad():
        network.classifier.bias.copy_(torch.tensor([-50.0, -50.0]))
    low = network(None, table()).answers
    assert torch.allclose(low[:, 0], torch.tensor(-0.7))
    assert (low[:, 1] < 0).all()
    with torch.no_grad():
        network.classifier.bias.fill_(50.0)
    assert torch.allclose(network(None, table()).answers[:, 0], torch.tensor(1.9))


def test_an_answer_of_zero_is_where_a_training_begins():
    spans = Span((PERCENT, Bounds(), Bounds(1.0, 2.0)))
    found = spans(spans.raw_of_zero()[None])[0]
    torch.testing.assert_close(found, torch.tensor([0.0, 0.0, 1.5]))


@pytest.mark.parametrize("kind", ALL)
def test_a_line_beside_a_network_is_its_first_answer_and_stays_within_the_bounds(kind: str):
    network = made(kind, PERCENT, Bounds())
    weights, bias = torch.randn(2, T, generator=torch.Generator().manual_seed(1)), torch.tensor([0.3, -2.0])
    before = network(None, table()).answers
    network.put_beside(weights, bias)
    sums = drawn_in(table()) @ weights.T + bias
    wanted = torch.stack([torch.sigmoid(sums[:, 0]) * 2.6 - 0.7, sums[:, 1]], dim=1)
    torch.testing.assert_close(network(None, table()).answers, wanted)
    assert not torch.allclose(before, wanted)
    assert not any(weight.requires_grad for weight in network.line.parameters())


def test_some_answers_keep_their_own_lines():
    network = made("transformer", PERCENT, Bounds(), Bounds(-1.0, 3.0))
    network.put_line(torch.randn(3, T, generator=torch.Generator().manual_seed(1)), torch.tensor([0.3, -2.0, 1.0]))
    wanted = network(None, table()).answers
    torch.testing.assert_close(network.with_outputs((2, 0))(None, table()).answers, wanted[:, [2, 0]])
    torch.testing.assert_close(network(None, table()).answers, wanted)


def test_answers_are_told_as_shares_of_the_way_between_their_bounds():
    spans = Span((PERCENT, Bounds(), Bounds(low=0.0)))
    found = spans.shares_of(torch.tensor([[-0.7, 5.0, 5.0], [0.6, 0.0, 1.0], [9.0, 0.0, 0.0]]))
    torch.testing.assert_close(found[:, 0], torch.tensor([0.0, 0.5, 1.0]))
    assert (found[:, 1:] == 0).all()


def test_some_answers_keep_their_own_bounds():
    network = made("transformer", PERCENT, Bounds(), Bounds(-1.0, 3.0))
    kept = network.with_outputs((2, 0))
    torch.testing.assert_close(kept(None, table()).answers, network(None, table()).answers[:, [2, 0]])
    assert not any(part.training for part in kept.modules())


def test_the_attention_is_a_share_of_each_feature_and_only_the_transformer_has_it():
    asked = made("transformer")(None, table()).attention
    assert asked.shape == (N, T)
    assert (asked > 0).all()
    assert (asked.sum(dim=1) < 1).all()
    assert [made(kind)(None, table()).attention for kind in ALL[1:]] == [None] * 5


def test_the_transformer_begins_as_a_sum_over_the_features():
    network = made("transformer", Bounds())
    with torch.no_grad():
        one, other = network(None, table(1)).answers, network(None, table(2)).answers
        middle = network.read((table(1) + table(2)) / 2)[0]
        ends = (network.read(table(1))[0] + network.read(table(2))[0]) / 2
    torch.testing.assert_close(middle, ends)
    assert not torch.equal(one, other)


def test_the_transformer_that_was_moved_is_no_sum_any_more():
    network = made("transformer", Bounds())
    with torch.no_grad():
        for block in network.blocks:
            block.narrow.normal_()
            block.attention.out.normal_()
    middle = network.read((table(1) + table(2)) / 2)[0]
    assert not torch.allclose(middle, (network.read(table(1))[0] + network.read(table(2))[0]) / 2, atol=1e-3)


def test_long_tails_are_drawn_in_and_the_middle_stays():
    found = drawn_in(torch.tensor([0.0, 0.5, -1.0, 40.0, -1e6]))
    torch.testing.assert_close(found[:3], torch.tensor([0.0, 0.5, -1.0]), atol=0.03, rtol=0)
    assert found[3] == pytest.approx(FARTHEST, abs=1e-3)
    assert found[4] == -FARTHEST


SLABS, EACH = 4, 3
RECURRENT = ("rnn", "lstm", "gru")


def over_slabs(kind: str) -> Recurrent:
    torch.manual_seed(0)
    return Recurrent(EACH, Span((PERCENT,)), kind, slabs=True).eval()


def slabs(*lacking: int) -> torch.Tensor:
    """Slabs of `N` cases; these of every case are not there."""
    found = torch.randn(N, SLABS, EACH, generator=torch.Generator().manual_seed(0))
    found[:, list(lacking)] = torch.nan
    return found


@pytest.mark.parametrize("kind", RECURRENT)
def test_slabs_that_are_not_there_are_skipped_wherever_they_lie(kind: str):
    network, whole = over_slabs(kind), slabs()
    for lacking in ((0,), (2,), (3,), (1, 3)):
        there = [number for number in range(SLABS) if number not in lacking]
        wanted = network(None, whole[:, there]).answers
        torch.testing.assert_close(network(None, slabs(*lacking)).answers, wanted)
    mixed = torch.stack([whole[0], slabs(1, 2)[1]])  # cases of other lengths stand in one batch
    one, other = network(None, whole[:1]).answers, network(None, slabs(1, 2)[1:2]).answers
    torch.testing.assert_close(network(None, mixed).answers, torch.cat([one, other]))


@pytest.mark.parametrize("kind", RECURRENT)
def test_without_any_slab_the_answer_is_that_of_the_start(kind: str):
    network = over_slabs(kind)
    wanted = network.spans(network.classifier.bias[None]).expand(N, 1)
    torch.testing.assert_close(network(None, slabs(0, 1, 2, 3)).answers, wanted)


@pytest.mark.parametrize("kind", RECURRENT)
def test_slabs_are_read_in_their_order(kind: str):
    network, whole = over_slabs(kind), slabs()
    assert (network(None, whole).answers - network(None, whole.flip(1)).answers).abs().max() > 1e-3


@pytest.mark.parametrize("kind", RECURRENT)
def test_slabs_that_are_not_there_teach_nothing_and_spoil_no_weight(kind: str):
    network = over_slabs(kind)
    network(None, torch.cat([slabs(1), slabs(0, 1, 2, 3)])).answers.sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in network.parameters())
    assert network.cell.weight_ih_l0.grad.abs().max() > 0


def test_a_picture_is_refused():
    with pytest.raises(ValueError, match="a table and no picture"):
        made("ann")(table(), table())


def test_a_width_that_the_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match="cannot be shared by 3 heads"):
        FeatureTransformer(T, Span((PERCENT,)), width=8, heads=3)
