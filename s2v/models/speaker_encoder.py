"""f_A for speech: a frozen speaker encoder and a linear layer, as the authors' code has it for faces (paper 6.2)."""

from __future__ import annotations

from typing import Literal, Protocol, cast

import torch
from torch import Tensor, nn

from s2v.media.spectrogram import encoder_input, fit_window
from s2v.models.bounds import Hearing
from s2v.models.resnet import ResNet

SpeakerName = Literal["tagger", "resemblyzer", "wespeaker"]


class Listener(Protocol):
    """What tells voices apart."""

    dim: int
    """Of its embeddings."""

    def embed(self, wave: Tensor) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> embeddings [B, dim] on the CPU."""
        ...


class Voices(nn.Module):
    """What stage `tagger` learned with the names of speakers: its ResNet-10 on the log-spectrogram, before the names.

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


class SpeakerEncoder(nn.Module):
    """f_A: a speaker encoder, which stays as it is, and a linear layer on its standardised embeddings.

    Args:
        dim: size of the visual feature it is aligned to.
        speaker: the speaker encoder: resemblyzer, wespeaker, or tagger, which the run trained.
        audio: window_s is heard; the rest is of the tagger's spectrogram.
        width: of the tagger.
    """

    def __init__(self, dim: int, speaker: SpeakerName, audio: Hearing, width: int = 64) -> None:
        super().__init__()
        self.audio, self.dim = audio, dim
        self.mean: Tensor
        self.spread: Tensor
        self.net: nn.Module = listener(speaker, width, audio)
        self.net.requires_grad_(False).eval()
        size = cast(Listener, self.net).dim
        self.head = nn.Linear(size, dim)
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))

    def train(self, mode: bool = True) -> SpeakerEncoder:
        """The speaker encoder is never trained."""
        super().train(mode)
        self.net.eval()
        return self

    @torch.no_grad()
    def begin(self, voices: Tensor, z_v: Tensor) -> None:
        """Before training: the linear layer sees embeddings less the mean of these [N, its dim], over their spread, and
        gives the mean of these features [N, dim] for all. Features of faces lie so close together that a loss which
        compares them alone hardly brings a layer that begins elsewhere to where they are.
        """
        self.mean.copy_(voices.mean(0))
        self.spread.copy_(voices.std(0).clamp_min(1e-6))
        self.head.weight.zero_()
        self.head.bias.copy_(z_v.mean(0))

    def standardise(self, voice: Tensor) -> Tensor:
        """Embeddings of voices [B, its dim] as the linear layer takes them."""
        return (voice - self.mean.to(voice.device)) / self.spread.to(voice.device)

    def forward(self, voice: Tensor) -> Tensor:
        """Embeddings of voices [B, its dim] -> raw features [B, dim]."""
        z: Tensor = self.head(self.standardise(voice))
        return z

    @torch.inference_mode()
    def voices(self, wave: Tensor, window_s: float | None = None, batch_size: int = 32) -> Tensor:
        """Waveform float [B, N] at 16 kHz, tiled or cut to the window -> embeddings of voices on the CPU."""
        heard = fit_window(wave, round((window_s or self.audio["window_s"]) * self.audio["sample_rate_hz"]))
        return torch.cat([cast(Listener, self.net).embed(part) for part in heard.split(batch_size)])

    @torch.inference_mode()
    def encode(self, wave: Tensor, window_s: float | None = None, batch_size: int = 32) -> Tensor:
        """Waveform float [B, N] at 16 kHz -> raw features [B, dim] on the CPU."""
        return self(self.voices(wave, window_s, batch_size).to(self.head.weight.device)).float().cpu()  # type: ignore[no-any-return]


def listener(speaker: SpeakerName, width: int, audio: Hearing) -> nn.Module:
    """A speaker encoder, untrained."""
    match speaker:
        case "tagger":
            return Voices(width, audio)
        case "resemblyzer":
            from s2v.models.resemblyzer import Resemblyzer

            return Resemblyzer()
        case "wespeaker":
            from s2v.models.wespeaker import WeSpeaker

            return WeSpeaker()


__all__ = ["SpeakerEncoder", "SpeakerName", "Voices"]
