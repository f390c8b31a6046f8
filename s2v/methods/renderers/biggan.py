"""IC-GAN's BigGAN (Casanova et al. 2021), the paper's generator."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.losses.pictures import perceptual_loss
from s2v.media.picture import from_unit, resize, to_unit
from s2v.methods.base import Sources
from s2v.methods.renderers.base import Eye, Inversion, Renderer
from s2v.models.biggan import Generator, fold_spectral_norm
from s2v.models.image_encoder import ImageEncoder, unit
from s2v.models.perceptual import perceptual_maps
from s2v.models.store import load

LEARNING_RATE = 0.05
FEATURE_WEIGHT = 0.5
NOISE_WEIGHT = 1e-3


class BigGan(Renderer):
    """Feature of unit norm and noise -> G."""

    inversion_steps = 150

    def __init__(self, method: str, sources: Sources) -> None:
        super().__init__(method, sources)
        self.g = load(Generator, sources.part("generator"), sources.device)
        fold_spectral_norm(self.g)
        self.g.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.noise_shape, self.resolution, self.dim = (self.g.dim_z,), self.g.resolution, self.g.dim_feature

    def gan(self) -> Generator:
        """G."""
        return self.g

    @torch.inference_mode()
    def draw(self, z: Tensor, seeds: list[int]) -> Tensor:
        """z [B, D] of unit norm -> pictures [B, 3, R, R] in [-1, 1]."""
        return self._painted(self.noises(seeds), z)

    def _painted(self, noise: Tensor, z: Tensor) -> Tensor:
        picture: Tensor = self.g(noise.to(self.device), z.to(self.device))
        return picture.float().clamp(-1, 1).cpu()

    @torch.inference_mode()
    def redraw(self, found: Inversion, z: Tensor) -> Tensor:
        """Features [K, D] -> pictures uint8 [K, 3, R, R] under the noise that was found."""
        return from_unit(self._painted(found.noise.expand(len(z), -1), z))

    def invert(self, f_v: Eye, picture: Tensor, steps: int) -> Inversion:
        """Noise and feature of a picture uint8 [3, H, W]: see `invert_all`."""
        return self.invert_all(f_v, picture[None], steps)[0]

    def invert_all(self, f_v: Eye, pictures: Tensor, steps: int) -> list[Inversion]:
        """Noise and feature of pictures uint8 [B, 3, H, W], each searched for itself by Adam, the feature from f_V's
        own on.

        The paper names the technique (Abdal et al. 2019; Richardson et al. 2021) and releases no code. The loss is the
        mean absolute difference, a quarter of the perceptual distance (as the generator was trained with), how far the
        feature has left f_V's own (cosine), and a pull of the noise to zero, where it is most likely.
        """
        encoder, n = cast(ImageEncoder, f_v), len(pictures)  # the entries of a GAN see by one
        target = to_unit(resize(pictures, self.resolution)).to(self.device)
        # The encoder gives inference tensors, which no gradient may see.
        own = unit(f_v.encode(pictures)).clone().to(self.device)
        noise = torch.zeros(n, self.g.dim_z, device=self.device, requires_grad=True)
        feature = own.clone().requires_grad_()
        optimizer = torch.optim.Adam([noise, feature], LEARNING_RATE)

        def shown() -> Tensor:
            made: Tensor = self.g(noise, F.normalize(feature, dim=1))
            return made

        def errors() -> list[float]:
            return [float(one.abs().mean()) / 2 for one in shown() - target]

        with torch.no_grad():
            start_errors, maps = errors(), perceptual_maps(encoder, target)
        for step in range(steps):
            for group in optimizer.param_groups:  # falls to 0, so that the end is a minimum and not a walk around one
                group["lr"] = LEARNING_RATE * (1 - step / steps)
            made = shown()
            seen = perceptual_maps(encoder, made)
            # Sums over pictures of what is a mean of each, so that none is moved less for being one of many.
            loss = n * F.l1_loss(made, target)
            loss = loss + 0.25 * sum(perceptual_loss(seen[i : i + 1], maps[i : i + 1]) for i in range(n))
            loss = loss + FEATURE_WEIGHT * n * (1 - F.cosine_similarity(feature, own).mean())
            loss = loss + NOISE_WEIGHT * n * noise.square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            last, z = errors(), F.normalize(feature, dim=1).cpu()
            found = from_unit(shown().clamp(-1, 1).cpu())
        return [Inversion(noise.detach()[i].cpu(), z[i], found[i], last[i], start_errors[i], steps) for i in range(n)]


__all__ = ["BigGan"]
