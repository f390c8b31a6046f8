"""Stage `generator`: G, IC-GAN's BigGAN trained on pictures and their f_V features, no labels (paper 3.2)."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.data.table import Pictures, sha256_of, store
from s2v.errors import UserError
from s2v.files import sha256
from s2v.media.picture import from_unit, to_unit
from s2v.models.biggan import Discriminator, Generator, shape
from s2v.models.image_encoder import ImageEncoder, unit
from s2v.models.perceptual import perceptual_distance
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.augment import diff_augment
from s2v.train.batches import batch_indices
from s2v.train.loop import TaskDefaults, finish, fit

if TYPE_CHECKING:
    from s2v.config import GeneratorConfig, RuntimeConfig


def neighbours(features: Tensor, k: int, chunk: int = 1024) -> Tensor:
    """The k nearest other rows of each row by L2 distance, int64 [N, min(k, N - 1)]; itself where N is 1."""
    n = len(features)
    if n == 1:
        return torch.zeros(1, 1, dtype=torch.long)
    rows = []
    for start in range(0, n, chunk):
        distance = torch.cdist(features[start : start + chunk], features)
        distance[torch.arange(len(distance)), torch.arange(start, start + len(distance))] = torch.inf
        rows.append(distance.topk(min(k, n - 1), largest=False).indices)
    return torch.cat(rows)


def nearer_mirror(fake: Tensor, real: Tensor) -> Tensor:
    """Each picture of `real` or its mirror image, whichever is nearer to `fake` (both float [B, 3, H, W])."""
    coarse, target = F.avg_pool2d(fake.float(), 2), F.avg_pool2d(real, 2)
    own, mirrored = ((coarse - t).abs().mean((1, 2, 3)) for t in (target, target.flip(3)))
    chosen = torch.where((mirrored < own)[:, None, None, None], real.flip(3), real)
    return chosen.contiguous(memory_format=torch.channels_last)


class _IcGan(TaskDefaults):
    """Optional warm-up (reconstruction + perceptual), then the adversarial phase of IC-GAN."""

    def __init__(
        self,
        config: GeneratorConfig,
        images: Tensor,
        features: Tensor,
        flipped: Tensor,
        encoder: ImageEncoder,
        runtime: Runtime,
    ) -> None:
        self.config, self.runtime, self.encoder = config, runtime, encoder
        self.images = images
        self.features = torch.stack([unit(features), unit(flipped)])
        self.neighbours = neighbours(self.features[0], config.neighbours)
        self.steps = config.warmup_steps + config.steps
        self.sample_every = max(1, self.steps // 8)
        dim = features.shape[1]
        self.shape = shape(config, dim)
        generator = Generator(**self.shape).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        discriminator = Discriminator(
            config.resolution, config.channels, dim, config.convs_per_block, config.attention
        ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        generator.fit_statistics(self.features.flatten(0, 1))
        self.ema = copy.deepcopy(generator).requires_grad_(False).to(runtime.device)
        self.generator, self.discriminator = generator.to(runtime.device), discriminator.to(runtime.device)
        self.g, self.d = runtime.wrap(self.generator), runtime.wrap(self.discriminator)
        self.modules: dict[str, nn.Module] = {"g": self.generator, "d": self.discriminator, "ema": self.ema}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "g": torch.optim.Adam(self.generator.parameters(), config.learning_rate, (0.0, 0.999), eps=1e-6),
            "d": torch.optim.Adam(self.discriminator.parameters(), config.d_learning_rate, (0.0, 0.999), eps=1e-6),
            "warmup": torch.optim.Adam(self.generator.parameters(), config.warmup_learning_rate),
        }
        self.fixed = torch.linspace(0, len(images) - 1, min(32, len(images))).long()

    def step(self, step: int) -> dict[str, float]:
        warm = step < self.config.warmup_steps
        if warm:
            left = 1 - step / self.config.warmup_steps
            for group in self.optimizers["warmup"].param_groups:
                group["lr"] = self.config.warmup_learning_rate * max(left, 0.1)
        numbers = self._warmup_step(step) if warm else self._adversarial_step(step)
        self._average(step)
        return numbers

    def _index(self, step: int) -> Tensor:
        r = self.runtime
        return batch_indices(len(self.images), self.config.batch_size, self.config.seed, step, r.rank, r.world_size)

    def _noise(self, n: int) -> Tensor:
        return torch.randn(n, self.generator.dim_z, device=self.runtime.device)

    def _own(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures with their own features, mirrored half the time."""
        flip = (torch.rand(len(index)) < 0.5) if self.config.hflip else torch.zeros(len(index), dtype=torch.bool)
        images = self.images[index]
        images = torch.where(flip[:, None, None, None], images.flip(3), images)
        return self._to(images), self.features[flip.long(), index].to(self.runtime.device)

    def _to(self, images: Tensor) -> Tensor:
        return to_unit(images).to(self.runtime.device).contiguous(memory_format=torch.channels_last)

    def _reconstruction(self, fake: Tensor, real: Tensor) -> Tensor:
        """L1 plus distance of f_V's feature maps.

        With `reconstruction_mirror` to the picture or its mirror image, whichever is nearer. f_V is trained to see no
        difference between them, so a feature cannot tell which it was; the mean of both would be what pays.
        """
        if self.config.reconstruction_mirror:
            real = nearer_mirror(fake.detach(), real)
        return F.l1_loss(fake, real) + 0.25 * perceptual_distance(self.encoder, fake, real)

    def _warmup_step(self, step: int) -> dict[str, float]:
        real, h = self._own(self._index(step))
        with self.runtime.autocast():
            loss = self._reconstruction(self.g(self._noise(len(real)), h), real)
        self._update("warmup", loss)
        return {"warmup": loss.item()}

    def _adversarial_step(self, step: int) -> dict[str, float]:
        config, device = self.config, self.runtime.device
        numbers: dict[str, float] = {}
        self.discriminator.requires_grad_(True)
        for inner in range(config.d_steps):
            index = self._index(step * config.d_steps + inner)
            pick = torch.randint(self.neighbours.shape[1], (len(index),))
            real, _ = self._own(self.neighbours[index, pick])
            flip = (torch.rand(len(index)) < 0.5).long() if config.hflip else torch.zeros(len(index)).long()
            h_real = self.features[flip, index].to(device)
            other = torch.randint(len(self.images), (len(index),))
            h_fake = self.features[torch.randint(2, (len(index),)) * int(config.hflip), other].to(device)
            with torch.no_grad(), self.runtime.autocast():
                fake = self.g(self._noise(len(index)), h_fake)
            with self.runtime.autocast():
                both = diff_augment(torch.cat([real, fake]), config.diffaugment)
                score_real, score_fake = self.d(both, torch.cat([h_real, h_fake])).float().split(len(index))
                loss = F.relu(1 - score_real).mean() + F.relu(1 + score_fake).mean()
            self._update("d", loss)
            numbers["d"] = loss.item()
        self.discriminator.requires_grad_(False)
        real, h = self._own(torch.randint(len(self.images), (config.batch_size,)))
        with self.runtime.autocast():
            fake = self.g(self._noise(len(h)), h)
            loss = -self.d(diff_augment(fake, config.diffaugment), h).float().mean()
            numbers["g"] = loss.item()
            if config.reconstruction_weight:
                reconstruction = self._reconstruction(fake, real)
                numbers["reconstruction"] = reconstruction.item()
                loss = loss + config.reconstruction_weight * reconstruction
        self._update("g", loss)
        return numbers

    def _update(self, name: str, loss: Tensor) -> None:
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    @torch.no_grad()
    def _average(self, step: int) -> None:
        decay = self.config.ema if step >= self.config.ema_start else 0.0
        averaged = self.ema.state_dict()
        for key, value in self.generator.state_dict().items():
            # The vectors of spectral norm's power iteration have unit length; an average of two would not.
            if value.dtype.is_floating_point and not key.endswith(("._u", "._v")):
                averaged[key].lerp_(value, 1 - decay)
            else:
                averaged[key].copy_(value)

    @torch.no_grad()
    def sample(self, step: int) -> Tensor:
        """Pictures beside what G makes of their features, with fixed noise."""
        self.ema.eval()
        noise = torch.randn(len(self.fixed), self.ema.dim_z, generator=torch.Generator().manual_seed(0))
        fake = self.ema(noise.to(self.runtime.device), self.features[0, self.fixed].to(self.runtime.device))
        return torch.cat([self.images[self.fixed], from_unit(fake.float().cpu())])


def run(
    *,
    config: GeneratorConfig,
    packs: list[Path],
    features: list[Path],
    encoder_dir: Path,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train G on the frames of `packs`; `features` are their embeddings from stage `embed`, in the same order.

    Raises:
        UserError: pictures and features do not belong together.
    """
    place = Runtime.from_config(runtime, threads)
    tensors = [load_tensors(path) for path in features]
    own, flipped = (torch.cat([t[name] for t in tensors]) for name in ("features", "features_flipped"))
    encoder = load(ImageEncoder, encoder_dir, place.device)
    torch.manual_seed(config.seed)
    with store(output_dir, runtime, place) as tables:
        images = tables.load(packs, Pictures(config.resolution)).rows
        if len(own) != len(images):
            raise UserError(f"{features[0]}: {len(own)} features for {len(images)} pictures; run stage embed again")
        task = _IcGan(config, images, own, flipped, encoder, place)
        data = [sha256_of(path) for path in packs] + [sha256(path) for path in features]
        fingerprint = {"config": config.model_dump(mode="json"), "data": data}
        fit(
            task,
            name="generator",
            output_dir=output_dir,
            seed=config.seed,
            fingerprint=fingerprint,
            checkpoint_every=config.checkpoint_every,
            runtime=place,
        )
    card = (
        f"# Generator G (IC-GAN's BigGAN, {config.resolution} px)\n\nTrained on {len(images)} pictures of the split(s) "
        f"{', '.join(config.splits)} without labels: {config.warmup_steps} warm-up steps (reconstruction, not in the "
        f"paper) and {config.steps} adversarial steps at batch {config.batch_size}. `model.safetensors` is the EMA "
        "generator, `discriminator.safetensors` the discriminator.\n"
    )
    weights: dict[str, nn.Module] = {"model.safetensors": task.ema, "discriminator.safetensors": task.discriminator}
    finish(output_dir, modules=weights, config=task.shape, card=card, runtime=place)


__all__ = ["nearer_mirror", "neighbours", "run"]
