"""f_A on a frozen backbone, a network that learned from sounds alone, and a head that is trained: the authors' code has
it so for faces (paper 6.2)."""

from __future__ import annotations

from typing import Literal, Protocol, cast

import torch
from torch import Tensor, nn

from s2v.media.spectrogram import encoder_input, fit_window
from s2v.models.bounds import Hearing
from s2v.models.resnet import ResNet

BackboneName = Literal["tagger", "resemblyzer", "wespeaker", "aisfx"]


class Backbone(Protocol):
    """What tells sounds apart."""

    dim: int
    """Of its embeddings."""

    def embed(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> embeddings [B, dim] on the CPU."""
        ...


class TaggerBackbone(nn.Module):
    """What stage `tagger` learned with names, of sounds or of speakers: its ResNet-10 on the log-spectrogram.

    Args:
        width: of the tagger.
        audio: of its spectrogram.
    """

    def __init__(self, width: int, audio: Hearing) -> None:
        super().__init__()
        self.audio = audio
        self.backbone = ResNet(10, width, in_channels=1)
        self.dim = self.backbone.dim

    @torch.inference_mode()
    def embed(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> embeddings [B, dim] on the CPU."""
        heard = {**self.audio, "window_s": wave.shape[1] / self.audio["sample_rate_hz"]}
        device = next(self.parameters()).device
        return self.backbone(encoder_input(wave.to(device), **heard)[:, None]).float().cpu()  # type: ignore[no-any-return]


class FrozenAudioEncoder(nn.Module):
    """f_A: a backbone, which stays as it is, and a head on its standardised embeddings.

    Args:
        dim: size of the visual feature it is aligned to.
        backbone: aisfx, resemblyzer, wespeaker, or tagger, which the run trained.
        audio: window_s is heard; the rest is of the tagger's spectrogram.
        width: of the tagger.
        head: linear, or fc2: two layers with a ReLU between, the first as wide as the second.
    """

    def __init__(
        self,
        dim: int,
        backbone: BackboneName,
        audio: Hearing,
        width: int = 64,
        head: Literal["linear", "fc2"] = "linear",
    ) -> None:
        super().__init__()
        self.audio, self.dim = audio, dim
        self.mean: Tensor
        self.spread: Tensor
        self.net: nn.Module = _untrained(backbone, width, audio)
        self.net.requires_grad_(False).eval()
        size = cast(Backbone, self.net).dim
        self.head: nn.Module = nn.Linear(size, dim)
        if head == "fc2":
            self.head = nn.Sequential(nn.Linear(size, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))

    def train(self, mode: bool = True) -> FrozenAudioEncoder:
        """The backbone is never trained."""
        super().train(mode)
        self.net.eval()
        return self

    @torch.no_grad()
    def begin(self, heard: Tensor, z_v: Tensor) -> None:
        """Before training: the head sees embeddings less the mean of these [N, its dim], over their spread, and gives
        the mean of these features [N, dim] for all. Features of faces lie so close together that a loss which compares
        them alone hardly brings a layer that begins elsewhere to where they are.
        """
        self.mean.copy_(heard.mean(0))
        self.spread.copy_(heard.std(0).clamp_min(1e-6))
        last = [layer for layer in self.head.modules() if isinstance(layer, nn.Linear)][-1]
        last.weight.zero_()
        last.bias.copy_(z_v.mean(0))

    def standardise(self, heard: Tensor) -> Tensor:
        """Embeddings of sounds [B, its dim] as the head takes them."""
        return (heard - self.mean.to(heard.device)) / self.spread.to(heard.device)

    def forward(self, heard: Tensor) -> Tensor:
        """Embeddings of sounds [B, its dim] -> raw features [B, dim]."""
        z: Tensor = self.head(self.standardise(heard))
        return z

    @torch.inference_mode()
    def embeddings(self, wave: Tensor, window_s: float | None = None, batch_size: int = 32) -> Tensor:
        """Waveform float [B, N] at 16 kHz, tiled or cut to the window -> embeddings of sounds on the CPU."""
        heard = fit_window(wave, round((window_s or self.audio["window_s"]) * self.audio["sample_rate_hz"]))
        return torch.cat([cast(Backbone, self.net).embed(part) for part in heard.split(batch_size)])

    @torch.inference_mode()
    def encode(self, wave: Tensor, window_s: float | None = None, batch_size: int = 32) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> raw features [B, dim] on the CPU."""
        heard = self.embeddings(wave, window_s, batch_size).to(next(self.head.parameters()).device)
        return self(heard).float().cpu()  # type: ignore[no-any-return]


def of_speaker(dim: int, speaker: BackboneName, audio: Hearing, width: int = 64) -> FrozenAudioEncoder:
    """The same, of a config.json of before backbones other than of speakers were there."""
    return FrozenAudioEncoder(dim, speaker, audio, width)


def _untrained(backbone: BackboneName, width: int, audio: Hearing) -> nn.Module:
    match backbone:
        case "tagger":
            return TaggerBackbone(width, audio)
        case "resemblyzer":
            from s2v.models.resemblyzer import Resemblyzer

            return Resemblyzer()
        case "wespeaker":
            from s2v.models.wespeaker import WeSpeaker

            return WeSpeaker()
        case "aisfx":
            from s2v.models.aisfx import Aisfx

            return Aisfx()


__all__ = ["BackboneName", "FrozenAudioEncoder", "TaggerBackbone", "of_speaker"]
