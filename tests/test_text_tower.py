"""The small text tower: its word pieces, and the one word that may be given."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from s2v.models.text_tower import BEGIN, END, PAD, STAR, TextTower, learn_pieces

SENTENCES = ["a brown dog on a meadow, far away", "a dog in a street", "sea waves at the shore, in haze"]


def tower(**changes: int) -> TextTower:
    torch.manual_seed(0)
    sizes = {"width": 16, "layers": 2, "heads": 2, "length": 12, **changes}
    return TextTower(learn_pieces(SENTENCES, 100), **sizes).eval()


def test_pieces_are_the_commonest_words_whatever_the_order_of_texts() -> None:
    pieces = learn_pieces(SENTENCES, 4)
    assert pieces == ["dog", "in", "at", "away"]
    assert learn_pieces(SENTENCES[::-1], 4) == pieces
    assert "<*>" not in learn_pieces(["a <*> and a <*>"], 10)


def test_a_text_is_its_words_and_an_unknown_word_its_longest_pieces_and_bytes() -> None:
    net = tower()
    known = {piece: 260 + i for i, piece in enumerate(net.pieces)}
    (row,) = net.tokens(["Brown DOGs é"]).tolist()
    expected = [BEGIN, known["brown"], known["dog"], 4 + ord("s"), 4 + 0xC3, 4 + 0xA9, END]
    assert row == expected + [PAD] * (12 - len(expected))


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=300))
def test_any_text_has_as_many_tokens_as_there_are(text: str) -> None:
    net = tower()
    ids = net.tokens([text])
    assert ids.shape == (1, 12) and int(ids.min()) >= 0 and int(ids.max()) < net.embed.num_embeddings
    assert int((ids == END).sum()) == 1 and int(ids[0, 0]) == BEGIN


def test_a_text_without_end_is_read_to_a_bound() -> None:
    ids = tower().tokens(["dog" * 10**6, "", "\ud800 <*"])
    assert ids.shape == (3, 12) and ids[1].tolist() == [BEGIN, END] + [PAD] * 10


def test_a_given_word_replaces_one_row_and_no_other() -> None:
    net = tower()
    ids = net.tokens(["a photo of <*> in haze", "<*> and a dog"])
    seen = []
    net.transformer.register_forward_pre_hook(lambda _, given: seen.append(given[0].clone()))
    word = torch.randn(2, 16)
    net(ids)
    net(ids, word)
    changed = (seen[0] != seen[1]).any(-1)
    assert torch.equal(changed, ids == STAR) and changed.sum(1).tolist() == [1, 1]
    torch.testing.assert_close(seen[1][changed], word + net.position.expand(2, -1, -1)[changed])


@pytest.mark.parametrize("text", ["a dog", "<*> and <*>"])
def test_a_word_without_its_one_place_is_an_error(text: str) -> None:
    net = tower()
    with pytest.raises(ValueError, match="each text takes one <"):
        net(net.tokens([text]), torch.zeros(1, 16))


def test_the_feature_of_a_text_depends_on_all_of_its_words_and_on_no_other_text() -> None:
    net = tower()
    both = net.pooled(net.tokens(["a brown dog", "sea waves"]))
    assert both.shape == (2, 16)
    torch.testing.assert_close(both[:1], net.pooled(net.tokens(["a brown dog"])))
    assert not torch.allclose(both[:1], net.pooled(net.tokens(["a dog"])))
