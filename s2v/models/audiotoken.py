"""AudioToken's embedder (Yariv et al. 2023): features of a sound over time become one word of a prompt.

Sizes 2304 -> 768 (Stable Diffusion 1.4) or 1024 (2) are the published ones. Names and shapes are the authors' own, so
that their trained embedder loads as it is.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

PLACEHOLDER = "<*>"
"""Stands for the token in a prompt."""
TRAIN_PROMPT = "a photo of <*>"
PROMPT = "a photo of <*>, 4k, high resolution"
"""What the authors train with, and what they draw with."""


class TokenEmbedder(nn.Module):
    """Linear, GELU, linear for each moment on its own, then attention over all of them: one token.

    Args:
        dim_in: of a moment's features; 2304 as published, three layers of BEATs joined.
        dim: of a word of the text encoder.
        dropout: of the attention's hidden units, **always on**, also when pictures are made, as in the authors' code,
            which has 0.5 there and calls the function without saying whether it trains. 0, the default, is off. What
            is dropped for a picture follows from the sound (`words`), so that a sound has one token.
    """

    def __init__(
        self,
        dim_in: int = 2304,
        dim: int = 768,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__()
        self.dim_in, self.dim, self.dropout = dim_in, dim, dropout
        self.fc1 = nn.Linear(dim_in, dim_in)
        self.fc2 = nn.Linear(dim_in, dim)
        self.fga = FactorAttention(dim)

    def forward(self, features: Tensor, kept: Tensor | None = None) -> Tensor:
        """Features of moments [B, T, dim_in], and what `draw` gave or None without dropout -> token [B, dim]."""
        token: Tensor = self.fga(self.fc2(F.gelu(self.fc1(features))), kept)
        return token

    def draw(self, n: int, moments: int, generator: torch.Generator | None = None) -> Tensor:
        """What hidden units of the attention are multiplied with, [n, dim, moments]: 0, or 1 / (1 - dropout)."""
        return (torch.rand(n, self.dim, moments, generator=generator) >= self.dropout) / (1 - self.dropout)

    @torch.no_grad()
    def words(self, features: Tensor, waves: Tensor) -> Tensor:
        """As `forward`, for pictures: what is dropped follows from each sound itself, its waveform [B, N]."""
        if not self.dropout:
            return self(features)
        digests = [sha256(wave.float().cpu().numpy().tobytes()).digest() for wave in waves]
        generators = [torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1) for digest in digests]
        kept = torch.cat([self.draw(1, features.shape[1], generator) for generator in generators])
        return self(features, kept.to(features.device))


class FactorAttention(nn.Module):
    """Pooling by attention whose scores are potentials of a factor graph (Schwartz et al. 2019) of one utility."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.un_models = nn.ModuleList([_Alone(dim)])
        self.pp_models = nn.ModuleDict({"0": _Together(dim)})
        self.reduce_potentials = nn.ModuleList([nn.Conv1d(2, 1, 1, bias=False)])

    def weights(self, x: Tensor, kept: Tensor | None = None) -> Tensor:
        """[B, T, dim] -> how much of each moment there is in the token, [B, T], which sum to 1."""
        # A moment weighs by what it is on its own, and by its mean likeness to all, as in the authors' code.
        potentials = torch.stack([self.un_models[0](x, kept), self.pp_models["0"](x)], 1)
        scores: Tensor = self.reduce_potentials[0](potentials)[:, 0]
        return scores.softmax(1)

    def forward(self, x: Tensor, kept: Tensor | None = None) -> Tensor:
        """[B, T, dim] -> [B, dim]."""
        return torch.einsum("bt,btd->bd", self.weights(x, kept), x)


class _Alone(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.embed = nn.Conv1d(dim, dim, 1)
        self.feature_reduce = nn.Conv1d(dim, 1, 1)

    def forward(self, x: Tensor, kept: Tensor | None = None) -> Tensor:
        """[B, T, dim] -> potentials [B, T]."""
        hidden = F.relu(self.embed(x.transpose(1, 2)))
        out: Tensor = self.feature_reduce(hidden if kept is None else hidden * kept)
        return out[:, 0]


class _Together(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.embed_X = nn.Conv1d(dim, dim, 1)
        self.embed_Y = nn.Conv1d(dim, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, dim] -> mean cosine of each moment to all, [B, T]."""
        x = x.transpose(1, 2)
        # The mean of cosines to all is the product with the mean of all at unit norm.
        mean = F.normalize(self.embed_Y(x)).mean(2, keepdim=True)
        return (F.normalize(self.embed_X(x)) * mean).sum(1)


__all__ = ["PLACEHOLDER", "PROMPT", "TRAIN_PROMPT", "FactorAttention", "TokenEmbedder"]
