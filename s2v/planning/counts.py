"""Counts parameters and multiply-adds of a configuration's networks on torch's meta device, where nothing is computed.

A program of its own (see `s2v.planning.nets`): sections of a configuration as JSON in, counts as JSON out.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.models import autoencoder, biggan, image_encoder, joint, latent_diffusion, pedersoli, s2i, text_diffusion
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.frozen_audio_encoder import FrozenAudioEncoder
from s2v.models.judge import Judge
from s2v.models.localiser import Ear, Localiser
from s2v.models.perceptual import perceptual_distance
from s2v.models.swav import SwavHead
from s2v.models.tagger import AudioTagger
from s2v.planning.nets import Net

if TYPE_CHECKING:
    from s2v.config import AlignConfig, Config, TaggerConfig


def count(config: Config) -> dict[str, Net]:
    """Networks of a configuration, and what they do to one sample.

    Returns:
        `encoder`, `encoder_vit`: an image to its feature. `encoder_swav`, `encoder_vit_swav`: all crops of an image to
        their scores, as in training. `generator`, `discriminator`. `vae_encoder`, `vae_decoder`, `perceptual` (two
        images to their distance). `diffusion`: one step of the denoiser. `align`, `align_ldm`: a spectrogram to its
        feature. `localise`: a frame and its window to their score. `judge`: its image tower; its parameters are those
        for two classes. `text_diffusion`: one step of the denoiser that sees a text, its text tower included, with as
        many word pieces as there may be. `tagger`: a spectrogram to its classes, two. `s2i_autoencoder`: a spectrogram
        and back. `s2i_generator`, `s2i_discriminator`. `pedersoli_vqvae`: a picture and back. `pedersoli_audio`: a
        spectrogram to latents. `joint`: a picture, a text and a sound to their features.
    """
    found = {}
    with torch.device("meta"):
        for name, heard, part in (
            ("encoder", config.align, config.encoder),
            ("encoder_vit", config.align_ldm, config.encoder_vit),
        ):
            f_v = image_encoder.ImageEncoder(**image_encoder.shape(part))
            found[name] = _net(f_v, f_v, _image(f_v.image_px))
            head = SwavHead(f_v.dim, part.projection_hidden, part.projection_dim, part.prototypes)
            both = nn.ModuleList([f_v, head])
            crops = [(n, _net(both, lambda x, f=f_v, h=head: h(f(x)), _image(px))) for n, px in part.crops]
            found[f"{name}_swav"] = Net(
                crops[0][1].parameters,
                *(sum(n * getattr(net, of) for n, net in crops) for of in ("operations", "inputs", "outputs")),
            )
            found["align" if name == "encoder" else "align_ldm"] = _audio(heard, f_v.dim)

        gan, dim, feature = config.generator, found["encoder"].outputs, torch.empty(1, found["encoder"].outputs)
        g = biggan.Generator(**biggan.shape(gan, dim))
        d = biggan.Discriminator(gan.resolution, gan.channels, dim, gan.convs_per_block, gan.attention)
        found["generator"] = _net(g, g, torch.empty(1, g.dim_z), feature)
        found["discriminator"] = _net(d, d, _image(gan.resolution), feature)

        vae, image = autoencoder.autoencoder(**autoencoder.shape(config.vae)), _image(config.vae.resolution)
        assert vae.quant_conv is not None and vae.post_quant_conv is not None
        latent = vae.encode(image).latent_dist.mean
        halves = [nn.ModuleList([vae.encoder, vae.quant_conv]), nn.ModuleList([vae.decoder, vae.post_quant_conv])]
        found["vae_encoder"] = _net(halves[0], lambda x: vae.encode(x).latent_dist.mean, image)
        found["vae_decoder"] = _net(halves[1], lambda z: vae.decode(z).sample, latent)
        f_v = image_encoder.ImageEncoder(**image_encoder.shape(config.encoder))
        found["perceptual"] = _net(f_v, lambda a, b: perceptual_distance(f_v, a, b), image, image)

        feature = torch.empty(1, found["encoder_vit"].outputs)
        shape = latent_diffusion.shape(config.diffusion, feature.shape[1], latent.shape[1], latent.shape[2])
        unet, step, keep = latent_diffusion.LatentDiffusion(**shape), torch.zeros(1).long(), torch.ones(1).bool()
        found["diffusion"] = _net(unet, lambda x, z: unet(x, step, z, keep), latent, feature)

        text = config.text_diffusion
        built = text_diffusion.shape(text, ["a"] * text.pieces, latent.shape[1], latent.shape[2])
        told = text_diffusion.TextDiffusion(**built)
        ids = torch.zeros(1, text.length).long()
        found["text_diffusion"] = _net(told, lambda x: told(x, step, ids, keep), latent)
        found["tagger"] = _tagger(config.tagger)

        _baselines(config, found)

        local, audio = config.localise, config.align.audio
        ear = Ear(audio.n_fft, audio.hop, audio.log_floor, config.extract.sample_rate_hz, local.window_s)
        localiser = Localiser(local.width, local.dim, local.image_px, ear)
        found["localise"] = _net(localiser, localiser, _image(local.image_px), torch.empty(1, *ear.shape))
        judge = Judge(
            ["a", "b"], config.judge.image_px, config.judge.width, config.judge.dim, backbone=config.judge.backbone
        )
        found["judge"] = _net(judge, lambda x: judge(x)[0], _image(judge.image_px))
    return found


def _baselines(config: Config, found: dict[str, Net]) -> None:
    first, second = config.s2i_autoencoder, config.s2i_generator
    spectrograms = s2i.SpectrogramAutoencoder(first.dim, first.width, first.audio.model_dump())
    mel, z = torch.empty(1, 1, s2i.BANDS, s2i.COLUMNS), torch.empty(1, first.dim)
    found["s2i_autoencoder"] = _net(spectrograms, lambda x: spectrograms.decode(spectrograms.encode(x)), mel)
    g = s2i.S2iGenerator(second.resolution, first.dim, second.width)
    d = s2i.S2iDiscriminator(second.resolution, first.dim, second.d_width)
    found["s2i_generator"] = _net(g, g, z)
    found["s2i_discriminator"] = _net(d, d, _image(second.resolution), z)

    codes, heard = config.pedersoli_vqvae, config.pedersoli_audio
    vqvae = pedersoli.VqVae(**{name: getattr(codes, name) for name in pedersoli.SHAPE})
    found["pedersoli_vqvae"] = _net(vqvae, lambda x: vqvae.decoder(vqvae.encoder(x)), _image(codes.resolution))
    mel = torch.empty(1, heard.audio.bands, heard.audio.columns)
    audio = heard.audio.model_dump()
    hears = pedersoli.AudioToCodes(codes.code_px, codes.code_dim, heard.depth, heard.width, heard.dropout, audio)
    found["pedersoli_audio"] = _net(hears, hears, mel)

    part = config.joint
    space = joint.Joint(**joint.shape(part, ["a"] * part.text.pieces))
    ids, mel = torch.zeros(1, part.text.length).long(), torch.empty(1, part.audio.bands, part.audio.columns)
    image = _image(part.image_px)
    found["joint"] = _net(space, lambda x, y: torch.cat([space.see(x), space.hear(y), space.read(ids)]), image, mel)


def _net(module: nn.Module, forward: Callable[..., Tensor], *inputs: Tensor) -> Net:
    """Count a forward pass; torch counts a multiply-add as two operations."""
    module.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        out = forward(*inputs)
    parameters = sum(p.numel() for p in module.parameters())
    return Net(parameters, counter.get_total_flops() // 2, sum(x.numel() for x in inputs), out.numel())


def _image(px: int) -> Tensor:
    return torch.empty(1, 3, px, px)


def _audio(config: AlignConfig, dim: int) -> Net:
    audio: dict[str, Any] = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    if config.backbone is not None:
        # Each sound goes through the backbone once; what is trained is the head.
        with torch.device("cpu"):
            frozen = FrozenAudioEncoder(dim, config.backbone, audio, head=config.head)
            return _net(frozen.head, frozen.head, torch.zeros(1, len(frozen.mean)))
    encoder = AudioEncoder(dim, config.width, config.final_relu, audio)
    with torch.device("cpu"):
        spectrogram = encoder.spectrogram(torch.zeros(1, SAMPLE_RATE_HZ))
    return _net(encoder, encoder, torch.empty_like(spectrogram, device="meta"))


def _tagger(config: TaggerConfig) -> Net:
    audio: dict[str, Any] = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    tagger = AudioTagger(["a", "b"], config.width, audio)
    with torch.device("cpu"):
        spectrogram = tagger.spectrogram(torch.zeros(1, SAMPLE_RATE_HZ))
    return _net(tagger, tagger, torch.empty_like(spectrogram, device="meta"))


def main() -> None:
    """Standard input to standard output."""
    from s2v.config import Config

    kinds = Config.model_fields
    parts = {name: kinds[name].annotation.model_validate(part) for name, part in json.load(sys.stdin).items()}  # type: ignore[union-attr]
    # Nothing but these, so that no network can depend on a section that the digest leaves out.
    found = count(cast(Config, SimpleNamespace(**parts)))
    print(json.dumps({name: dataclasses.astuple(net) for name, net in found.items()}))


if __name__ == "__main__":
    main()

__all__ = ["count"]
