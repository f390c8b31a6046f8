"""Counts parameters and multiply-adds of a configuration's networks on torch's meta device, where nothing is computed.

A program of its own (see `s2v.planning.nets`): sections of a configuration as JSON in, counts as JSON out.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.models import autoencoder, biggan, image_encoder, latent_diffusion
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.judge import Judge
from s2v.models.localiser import Ear, Localiser
from s2v.models.perceptual import perceptual_distance
from s2v.models.swav import SwavHead
from s2v.planning.nets import Net

if TYPE_CHECKING:
    from s2v.config import AlignConfig, Config, EncoderConfig


def count(config: Config) -> dict[str, Net]:
    """Networks of a configuration, and what they do to one sample.

    Returns:
        `encoder`, `encoder_vit`: an image to its feature. `encoder_swav`, `encoder_vit_swav`: all crops of an image to
        their scores, as in training. `generator`, `discriminator`. `vae_encoder`, `vae_decoder`, `perceptual` (two
        images to their distance). `diffusion`: one step of the denoiser. `align`, `align_ldm`: a spectrogram to its
        feature. `localise`: a frame and its window to their score. `judge`: its image tower; its parameters are those
        for two classes.
    """
    with torch.device("meta"):
        found = {}
        for name, part in (("encoder", config.encoder), ("encoder_vit", config.encoder_vit)):
            found[name], found[f"{name}_swav"] = _encoder(part)
        found |= _gan(config, found["encoder"].outputs) | _autoencoder(config)
        px = config.vae.resolution // 2 ** (len(config.vae.channels) - 1)
        found["diffusion"] = _diffusion(config, found["encoder_vit"].outputs, px)
        found["align"] = _audio(config.align, found["encoder"].outputs)
        found["align_ldm"] = _audio(config.align_ldm, found["encoder_vit"].outputs)
        local, audio = config.localise, config.align.audio
        ear = Ear(audio.n_fft, audio.hop, audio.log_floor, config.extract.sample_rate_hz, local.window_s)
        localiser = Localiser(local.width, local.dim, local.image_px, ear)
        found["localise"] = _net(localiser, localiser, _image(local.image_px), torch.empty(1, *ear.shape))
        judge = Judge(["a", "b"], config.judge.image_px, config.judge.width, config.judge.dim)
        found["judge"] = _net(judge, lambda x: judge(x)[0], _image(judge.image_px))
    return found


def _net(module: nn.Module, forward: Callable[..., Tensor], *inputs: Tensor) -> Net:
    """Count a forward pass; torch counts a multiply-add as two operations."""
    module.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        out = forward(*inputs)
    parameters = sum(p.numel() for p in module.parameters())
    return Net(parameters, counter.get_total_flops() // 2, sum(x.numel() for x in inputs), out.numel())


def _image(px: int) -> Tensor:
    return torch.empty(1, 3, px, px)


def _encoder(config: EncoderConfig) -> tuple[Net, Net]:
    encoder = image_encoder.ImageEncoder(**image_encoder.shape(config))
    head = SwavHead(encoder.dim, config.projection_hidden, config.projection_dim, config.prototypes)
    crops = [_image(px) for n, px in config.crops for _ in range(n)]
    swav = _net(nn.ModuleList([encoder, head]), lambda *images: torch.cat([head(encoder(x)) for x in images]), *crops)
    return _net(encoder, encoder, _image(config.image_px)), swav


def _gan(config: Config, dim: int) -> dict[str, Net]:
    part, feature = config.generator, torch.empty(1, dim)
    g = biggan.Generator(**biggan.shape(part, dim))
    d = biggan.Discriminator(part.resolution, part.channels, dim, part.convs_per_block, part.attention)
    return {
        "generator": _net(g, g, torch.empty(1, g.dim_z), feature),
        "discriminator": _net(d, d, _image(part.resolution), feature),
    }


def _autoencoder(config: Config) -> dict[str, Net]:
    vae, image = autoencoder.autoencoder(**autoencoder.shape(config.vae)), _image(config.vae.resolution)
    assert vae.quant_conv is not None and vae.post_quant_conv is not None
    encoder = _net(nn.ModuleList([vae.encoder, vae.quant_conv]), lambda x: vae.encode(x).latent_dist.mean, image)
    px = config.vae.resolution // 2 ** (len(config.vae.channels) - 1)
    latent = torch.empty(1, config.vae.latent_channels, px, px)
    decoder = _net(nn.ModuleList([vae.decoder, vae.post_quant_conv]), lambda z: vae.decode(z).sample, latent)
    seen = image_encoder.ImageEncoder(**image_encoder.shape(config.encoder))
    distance = _net(seen, lambda a, b: perceptual_distance(seen, a, b), image, image)
    return {"vae_encoder": encoder, "vae_decoder": decoder, "perceptual": distance}


def _diffusion(config: Config, dim: int, px: int) -> Net:
    channels = config.vae.latent_channels
    net = latent_diffusion.LatentDiffusion(**latent_diffusion.shape(config.diffusion, dim, channels, px))
    step, keep = torch.zeros(1, dtype=torch.long), torch.ones(1, dtype=torch.bool)
    return _net(net, lambda x, z: net(x, step, z, keep), torch.empty(1, channels, px, px), torch.empty(1, dim))


def _audio(config: AlignConfig, dim: int) -> Net:
    audio: dict[str, Any] = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    encoder = AudioEncoder(dim, config.width, config.final_relu, audio)
    with torch.device("cpu"):
        spectrogram = encoder.spectrogram(torch.zeros(1, SAMPLE_RATE_HZ))
    return _net(encoder, encoder, torch.empty_like(spectrogram, device="meta"))


def main() -> None:
    """Standard input to standard output."""
    from s2v.config import Config

    kinds = Config.model_fields
    parts = {name: kinds[name].annotation.model_validate(part) for name, part in json.load(sys.stdin).items()}  # type: ignore[union-attr]
    found = count(Config.model_construct(**parts))
    print(json.dumps({name: dataclasses.astuple(net) for name, net in found.items()}))


if __name__ == "__main__":
    main()

__all__ = ["count"]
