"""A small text encoder, trained where it is used: word pieces, and a transformer over them.

It takes the place of CLIP's text transformer, whose weights are not shipped: the same form (a fixed number of tokens,
one state each), a few layers. One of its words, `<*>`, can be any vector: AudioToken's, of a sound.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from s2v.errors import UserError
from s2v.models.audiotoken import PLACEHOLDER

PAD, BEGIN, END, STAR = range(4)
_RESERVED, _BYTES = 4, 256
MAX_TEXT_CHARACTERS = 2000
"""Of a text; what lies beyond is not read."""
_WORD = re.compile(r"<\*>|\w+|[^\w\s]")
_LONGEST_PIECE = 40


def learn_pieces(texts: Iterable[str], most: int) -> list[str]:
    """The words of some texts, at most so many, the commonest first; of equally common ones the first by alphabet."""
    found = Counter(word for text in texts for word in _words(text) if 1 < len(word) <= _LONGEST_PIECE)
    del found[PLACEHOLDER]
    return [word for word, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))[:most]]


def _words(text: str) -> list[str]:
    return _WORD.findall(text[:MAX_TEXT_CHARACTERS].lower())


class TextTower(nn.Module):
    """Texts -> states of their tokens; each token sees all others.

    A text is its words, each cut into the longest known pieces, and into bytes of UTF-8 where there is none. Case does
    not count.

    Args:
        pieces: words that are known as a whole (`learn_pieces`).
        width: of a token.
        layers: of the transformer.
        heads: of its attention.
        length: tokens of a text, begin and end among them; shorter ones are filled up, longer ones cut.
    """

    def __init__(self, pieces: list[str], width: int, layers: int, heads: int, length: int) -> None:
        super().__init__()
        if length < 3 or width % heads:
            raise ValueError(f"a text of {length} tokens, or {heads} heads of width {width}, cannot be")
        self.pieces, self.width, self.length = pieces, width, length
        self._known = {piece: _RESERVED + _BYTES + i for i, piece in enumerate(pieces)}
        self.embed = nn.Embedding(_RESERVED + _BYTES + len(pieces), width)
        nn.init.normal_(self.embed.weight, std=width**-0.5)
        self.position = nn.Parameter(torch.randn(length, width) * 0.01)
        # No biases: that of keys has no gradient but rounding, of which Adam would make steps.
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True, bias=False
        )
        self.transformer = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)

    def tokens(self, texts: list[str]) -> Tensor:
        """Ids of the tokens of texts [B, length]: begin, the text, end, padding."""
        ids = torch.full((len(texts), self.length), PAD)
        for row, text in zip(ids, texts, strict=True):
            found = [BEGIN, *self._cut(text), END]
            row[: len(found)] = torch.tensor(found)
        return ids

    def forward(self, ids: Tensor, word: Tensor | None = None) -> Tensor:
        """Ids [B, length] -> states [B, length, width].

        `word` [B, width] takes the place of the embedding of `<*>` in each text, before the transformer, and of no
        other row.

        Raises:
            ValueError: `word` is given, and a text has not exactly one `<*>`.
        """
        rows = self.embed(ids)
        if word is not None:
            here = ids == STAR
            if not bool((here.sum(1) == 1).all()):
                raise ValueError(f"each text takes one {PLACEHOLDER}, in whose place the word stands")
            rows = torch.where(here[..., None], word[:, None].to(rows.dtype), rows)
        out: Tensor = self.transformer(rows + self.position)
        return out

    def pooled(self, ids: Tensor) -> Tensor:
        """Ids [B, length] -> one feature of each text [B, width], the state of its end."""
        return self(ids)[torch.arange(len(ids), device=ids.device), (ids == END).int().argmax(1)]

    def _cut(self, text: str) -> list[int]:
        found: list[int] = []
        for word in _words(text):
            while word and len(found) < self.length:
                size = next((n for n in range(min(len(word), _LONGEST_PIECE), 1, -1) if word[:n] in self._known), 0)
                if word == PLACEHOLDER:
                    found, word = [*found, STAR], ""
                elif size:
                    found, word = [*found, self._known[word[:size]]], word[size:]
                else:
                    found += [_RESERVED + byte for byte in word[0].encode(errors="replace")]
                    word = word[1:]
        return found[: self.length - 2]


def with_one_placeholder(prompt: str) -> str:
    """A prompt for a given word, as it is.

    Raises:
        UserError: `<*>` is not there once.
    """
    if prompt.count(PLACEHOLDER) != 1:
        raise UserError(
            f"the prompt {prompt[:80]!r} has no place for a word; write {PLACEHOLDER} once, as in 'a photo of <*>'"
        )
    return prompt


def with_room(tower: TextTower, prompt: str) -> str:
    """A prompt for a given word, as it is.

    Raises:
        UserError: `<*>` is not there once, or lies beyond the tower's tokens.
    """
    if not bool((tower.tokens([with_one_placeholder(prompt)]) == STAR).any()):
        raise UserError(
            f"the prompt {prompt[:80]!r} is cut before its {PLACEHOLDER}: a text has {tower.length} tokens "
            "(text_diffusion.length), and unknown words are spelled; put it nearer to the beginning"
        )
    return prompt


__all__ = ["TextTower", "learn_pieces", "with_one_placeholder", "with_room"]
