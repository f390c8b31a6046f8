"""The joint audio-picture-text space of Lee et al. 2022: CLIP (Radford et al. 2021) with an audio encoder added to it.

Theirs is CLIP ViT-B/32, and a ResNet-18 on a mel spectrogram from which the volume is removed; here all three
encoders are small and trained in the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.media.mel import mel_picture
from s2v.models.bounds import Mel, Side
from s2v.models.image_encoder import SMALL_PX
from s2v.models.resnet import ResNet
from s2v.models.text_tower import TextTower

if TYPE_CHECKING:
    from s2v.config import JointConfig


class Joint(nn.Module):
    """Pictures, texts and sounds to features of unit norm in one space.

    Args:
        dim: D of the space.
        image_px: side at which pictures are seen.
        image_width: channels of the picture encoder's first stage, a ResNet-10.
        audio: values of the mel spectrogram (`s2v.media.mel`).
        audio_width: channels of the audio encoder's first stage, a ResNet-18; theirs has 64.
        pieces: words that the text tower knows as a whole.
        text_width: of its tokens.
        text_layers: of its transformer.
        text_heads: of its attention.
        text_length: tokens of a text.
    """

    def __init__(
        self,
        dim: int,
        image_px: Side,
        image_width: int,
        audio: Mel,
        audio_width: int,
        pieces: list[str],
        text_width: int,
        text_layers: int,
        text_heads: int,
        text_length: int,
    ) -> None:
        super().__init__()
        self.image_px, self.audio = image_px, audio
        self.image = ResNet(10, image_width, small_input=image_px < SMALL_PX)
        self.image_head = nn.Linear(self.image.dim, dim)
        self.text = TextTower(pieces, text_width, text_layers, text_heads, text_length)
        self.text_head = nn.Linear(text_width, dim)
        # Three channels as theirs, whose net is a picture's.
        self.audio_stem = nn.Conv2d(1, 3, 1)
        self.sound = ResNet(18, audio_width)
        self.audio_head = nn.Linear(self.sound.dim, dim)

    def see(self, images: Tensor) -> Tensor:
        """Pictures float [B, 3, H, W] in [-1, 1] of any size -> [B, D]. A gradient goes through, resizing too."""
        if images.shape[-2:] != (self.image_px, self.image_px):
            size = (self.image_px, self.image_px)
            images = F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)
        return F.normalize(self.image_head(self.image(images)), dim=1)

    def read(self, ids: Tensor) -> Tensor:
        """Tokens of texts [B, length] (`TextTower.tokens`) -> [B, D]."""
        return F.normalize(self.text_head(self.text.pooled(ids)), dim=1)

    def hear(self, levels: Tensor) -> Tensor:
        """Mel spectrograms [B, F, T] in [-1, 1] -> [B, D]."""
        return F.normalize(self.audio_head(self.sound(self.audio_stem(levels[:, None]))), dim=1)

    @torch.inference_mode()
    def encode_audio(self, wave: Tensor, batch_size: int = 32) -> Tensor:
        """Waveforms int16 or float [B, N] at 16 kHz -> [B, D] on the CPU; the same for any volume."""
        device = next(self.parameters()).device
        levels = (mel_picture(part, **self.audio).to(device) for part in wave.split(batch_size))
        return torch.cat([self.hear(part).float().cpu() for part in levels])


def shape(config: JointConfig, pieces: list[str]) -> dict[str, Any]:
    """What a `Joint` is built of."""
    return {
        "dim": config.dim,
        "image_px": config.image_px,
        "image_width": config.image_width,
        "audio": config.audio.model_dump(),
        "audio_width": config.audio_width,
        "pieces": pieces,
        **{f"text_{name}": getattr(config.text, name) for name in ("width", "layers", "heads", "length")},
    }


__all__ = ["Joint", "shape"]
