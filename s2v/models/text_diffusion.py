"""A latent diffusion model whose condition is a sentence, as Stable Diffusion's is (Rombach et al. 2022), small.

It stands in for Stable Diffusion where AudioToken puts its word into a prompt: the U-Net and the autoencoder are those
of the other latent diffusion model here, and a small text tower is trained with the U-Net.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from s2v.models.bounds import Side
from s2v.models.latent_diffusion import UNET, Betas, Diffusion, Prediction, Steps
from s2v.models.text_tower import TextTower

if TYPE_CHECKING:
    from s2v.config import TextDiffusionConfig


class TextDiffusion(Diffusion):
    """The U-Net sees all states of a text, by cross-attention.

    Args:
        pieces: words that the text tower knows as a whole.
        length: tokens of a text.
        text_layers: of the text tower.
        text_heads: of its attention.
        token_dim: size of a token, and width of the text tower.
        latent_channels: C of the latents.
        latent_px: side of the latents.
        channels: of each level of the U-Net.
        attention: which of them have attention.
        layers_per_block: residual blocks of a level.
        heads: of attention.
        groups: of group norm.
        prediction: epsilon or v_prediction.
        timesteps: T of the noising process.
        beta_schedule: its schedule, by diffusers' name.
    """

    def __init__(
        self,
        pieces: list[str],
        length: Annotated[int, Field(ge=3, le=1000)],
        text_layers: Annotated[int, Field(le=100)],
        text_heads: int,
        token_dim: int,
        latent_channels: int,
        latent_px: Side,
        channels: list[int],
        attention: list[bool],
        layers_per_block: int,
        heads: int,
        groups: int,
        prediction: Prediction,
        timesteps: Steps,
        beta_schedule: Betas,
    ) -> None:
        super().__init__(
            latent_channels,
            latent_px,
            channels,
            attention,
            layers_per_block,
            heads,
            groups,
            token_dim,
            prediction,
            timesteps,
            beta_schedule,
        )
        self.text = TextTower(pieces, token_dim, text_layers, text_heads, length)
        self.null = nn.Parameter(torch.randn(length, token_dim) * 0.02)

    def states(self, texts: list[str], word: Tensor | None = None) -> Tensor:
        """Conditions of texts [B, length * token_dim]; `word` [B, token_dim] stands for the `<*>` of each."""
        device = self.null.device
        seen: Tensor = self.text(self.text.tokens(texts).to(device), None if word is None else word.to(device))
        return seen.flatten(1)

    def condition(self, z: Tensor) -> Tensor:
        """What `states` gave -> tokens [B, length, token_dim]."""
        return z.unflatten(1, self.null.shape)

    def forward(self, noisy: Tensor, timestep: Tensor, ids: Tensor, keep: Tensor, word: Tensor | None = None) -> Tensor:
        """Prediction [B, C, h, w] for latents `noisy` at `timestep` [B] and texts of tokens `ids` [B, length].

        Where `keep` [B] is false the text is not seen. `word` is that of `TextTower.forward`.
        """
        return self.denoise(noisy, timestep, self.text(ids, word), keep)


def shape(config: TextDiffusionConfig, pieces: list[str], latent_channels: int, latent_px: int) -> dict[str, Any]:
    """What a `TextDiffusion` is built of."""
    sizes = {"pieces": pieces, "latent_channels": latent_channels, "latent_px": latent_px}
    names = (*UNET, "length", "text_layers", "text_heads", "token_dim")
    return {**sizes, **{name: getattr(config, name) for name in names}}


__all__ = ["TextDiffusion", "shape"]
