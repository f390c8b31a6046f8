"""AudioToken's embedder (Yariv et al. 2023): features of a sound over time become one word of a prompt.

Sizes 2304 -> 768 (Stable Diffusion 1.4) or 1024 (2) are the published ones. Names and shapes are the authors' own, so
that their trained embedder loads as it is.
"""

from __future__ import annotations

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
            which has 0.5 there and calls the function without saying whether it trains. 0, the default, is off; then a
            sound has one token.
        self_interaction: whether the attention weighs a moment also by its mean likeness to all others, as in the
            authors' code; without it, by what it is on its own.
    """

    def __init__(
        self,
        dim_in: int = 2304,
        dim: int = 768,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        self_interaction: bool = True,
    ) -> None:
        super().__init__()
        self.dim_in, self.dim = dim_in, dim
        self.fc1 = nn.Linear(dim_in, dim_in)
        self.fc2 = nn.Linear(dim_in, dim)
        self.fga = FactorAttention(dim, dropout, self_interaction)

    def forward(self, features: Tensor) -> Tensor:
        """Features of moments [B, T, dim_in] -> token [B, dim]."""
        token: Tensor = self.fga(self.fc2(F.gelu(self.fc1(features))))
        return token


class FactorAttention(nn.Module):
    """Pooling by attention whose scores are potentials of a factor graph (Schwartz et al. 2019) of one utility."""

    def __init__(self, dim: int, dropout: float, self_interaction: bool) -> None:
        super().__init__()
        self.un_models = nn.ModuleList([_Alone(dim, dropout)])
        self.pp_models = nn.ModuleDict({"0": _Together(dim)} if self_interaction else {})
        self.reduce_potentials = nn.ModuleList([nn.Conv1d(2 if self_interaction else 1, 1, 1, bias=False)])

    def weights(self, x: Tensor) -> Tensor:
        """[B, T, dim] -> how much of each moment there is in the token, [B, T], which sum to 1."""
        potentials = torch.stack([factor(x) for factor in (*self.un_models, *self.pp_models.values())], 1)
        scores: Tensor = self.reduce_potentials[0](potentials)[:, 0]
        return scores.softmax(1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, dim] -> [B, dim]."""
        return torch.einsum("bt,btd->bd", self.weights(x), x)


class _Alone(nn.Module):
    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__()
        self.embed = nn.Conv1d(dim, dim, 1)
        self.feature_reduce = nn.Conv1d(dim, 1, 1)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, dim] -> potentials [B, T]."""
        hidden = F.relu(self.embed(x.transpose(1, 2)))
        out: Tensor = self.feature_reduce(F.dropout(hidden, self.dropout, training=True))
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
