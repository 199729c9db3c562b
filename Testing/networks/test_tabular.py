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


def test_a_picture_is_refused():
    with pytest.raises(ValueError, match="a table and no picture"):
        made("ann")(table(), table())


def test_a_width_that_the_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match="cannot be shared by 3 heads"):
        FeatureTransformer(T, Span((PERCENT,)), width=8, heads=3)
