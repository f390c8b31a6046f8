"""Stage `generator`: G, IC-GAN's BigGAN trained on pictures and their f_V features, no labels (paper 3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.data.table import Pictures, sha256_of, store
from s2v.errors import UserError
from s2v.files import sha256
from s2v.losses.adversarial import generator_loss, hinge_loss
from s2v.losses.pictures import reconstruction_loss
from s2v.media.picture import from_unit, to_unit
from s2v.models.biggan import Discriminator, Generator, shape
from s2v.models.image_encoder import ImageEncoder, unit
from s2v.models.perceptual import perceptual_maps
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.augment import diff_augment, draw_diff_augment
from s2v.train.ema import Ema
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.picture_codes import PictureCodes
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task, Update

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


class IcGanTask(Task):
    """Optional warm-up (reconstruction), then the adversarial phase of IC-GAN."""

    faster_in_bf16 = True
    ema: Ema[Generator]

    def __init__(
        self,
        config: GeneratorConfig,
        images: Tensor,
        features: Tensor,
        flipped: Tensor,
        encoder: ImageEncoder,
        runtime: Runtime,
    ) -> None:
        super().__init__(config, runtime, len(images), config.warmup_steps + config.steps)
        self.config, self.encoder, self.images = config, encoder, runtime.near(images)
        both = torch.stack([unit(features), unit(flipped)])
        self.features = runtime.near(both)
        self.spread = both.flatten(0, 1).std(0, unbiased=False).to(runtime.device)
        self.neighbours = neighbours(both[0], config.neighbours)
        code, near = config.reconstruction_code, self.neighbours[:, : config.reconstruction_neighbours]
        self.codes = PictureCodes(images, near, code) if code else None
        self.sample_every = max(1, self.steps // 8)
        dim = features.shape[1]
        self.shape = shape(config, dim)
        generator = Generator(**self.shape).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        discriminator = Discriminator(
            config.resolution, config.channels, dim, config.convs_per_block, config.attention
        ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        generator.fit_statistics(both.flatten(0, 1))
        self.generator: Generator = shared_norms(generator.to(runtime.device), config.sync_batch_norm, runtime)
        self.discriminator: Discriminator = discriminator.to(runtime.device)
        self.ema = Ema(self.generator, config.ema, config.ema_start)
        self.modules = {"g": self.generator, "d": self.discriminator, "ema": self.ema.net}
        # Of the warm-up; those of the adversarial phase are constant.
        self.rate = Schedule(config.warmup_learning_rate, 0, "linear", config.warmup_steps, 0.1)
        self.optimizers = {
            "g": torch.optim.Adam(self.generator.parameters(), config.learning_rate, (0.0, 0.999), eps=1e-6),
            "d": torch.optim.Adam(self.discriminator.parameters(), config.d_learning_rate, (0.0, 0.999), eps=1e-6),
            "warmup": torch.optim.Adam(self.generator.parameters(), config.warmup_learning_rate),
        }
        self.fixed = torch.linspace(0, len(images) - 1, min(32, len(images))).long()

    def updates(self, step: int) -> Iterator[Update]:
        config = self.config
        if step < config.warmup_steps:
            drawn = self._draw(self.index(step))
            yield Update("warmup", self.rate(step), drawn, {}, self._warmup, self._warmup_loss, separable=False)
            return
        self.discriminator.requires_grad_(True)
        for inner in range(config.d_steps):
            drawn = self._draw_pairs(self.index(step * config.d_steps + inner))
            yield Update("d", config.d_learning_rate, drawn, {}, self._judged, self._d_loss, separable=True)
        self.discriminator.requires_grad_(False)
        drawn = self._draw(torch.randint(self.size, (self.batch_size,)))
        drawn["augment"] = self._draw_augment(self.batch_size)
        separable = not config.reconstruction_weight
        yield Update("g", config.learning_rate, drawn, {}, self._generated, self._g_loss, separable)

    def _draw(self, index: Tensor) -> Batch:
        """Noise for a picture that goes with its own feature, mirrored half the time, or with that of a near one."""
        n, near = len(index), self.config.reconstruction_neighbours
        flip = (torch.rand(n) < 0.5) if self.config.hflip else torch.zeros(n, dtype=torch.bool)
        noise, picture = self._draw_noise(n), index
        if near:
            choice = torch.cat([index[:, None], self.neighbours[index, :near]], 1)
            picture = choice[torch.arange(n), torch.randint(choice.shape[1], (n,))]
        if self.codes is not None:
            noise[:, : self.config.reconstruction_code] = self.codes(index, picture, flip).to(noise)
        return {"index": index, "picture": picture, "flip": flip, "noise": noise, **self._draw_condition_noise(n)}

    def _draw_pairs(self, index: Tensor) -> Batch:
        """Real pairs, a feature and the picture of a near neighbour; and any features for generated ones."""
        n, hflip = len(index), self.config.hflip
        picture = self.neighbours[index, torch.randint(self.neighbours.shape[1], (n,))]
        flip = (torch.rand(n) < 0.5) if hflip else torch.zeros(n, dtype=torch.bool)
        feature_flip = (torch.rand(n) < 0.5).long() if hflip else torch.zeros(n).long()
        other = torch.randint(self.size, (n,))
        other_flip = torch.randint(2, (n,)) * int(hflip)
        noise = self._draw_noise(n)
        real, fake = self._draw_augment(2 * n).split(n)
        return {
            "index": index, "picture": picture, "flip": flip, "feature_flip": feature_flip, "other": other,
            "other_flip": other_flip, "noise": noise, "augment": real, "augment_fake": fake,
            **self._draw_condition_noise(n),
        }  # fmt: skip

    def _draw_noise(self, n: int) -> Tensor:
        return torch.randn(n, self.generator.dim_z, device=self.runtime.device)

    def _draw_condition_noise(self, n: int) -> Batch:
        strength = self.config.condition_noise
        return {"z_noise": strength * torch.randn(n, self.features.shape[-1])} if strength else {}

    def _draw_augment(self, n: int) -> Tensor:
        return draw_diff_augment(n, self.config.diffaugment, self.config.resolution, self.runtime.device)

    def _pictures(self, index: Tensor, flip: Tensor) -> Tensor:
        images = self.images[index]
        images = torch.where(flip.to(images.device)[:, None, None, None], images.flip(3), images)
        return to_unit(images).to(self.runtime.device).contiguous(memory_format=torch.channels_last)

    def _features(self, flip: Tensor, index: Tensor) -> Tensor:
        return self.features[flip.long(), index].to(self.runtime.device)

    def _paint(self, batch: Batch, h: Tensor) -> Tensor:
        """G's pictures of features [n, D], which it is given with noise on them where `condition_noise` says so.

        A sound's feature lies off those of pictures. What a picture is compared with, and D, know the feature itself.
        """
        if "z_noise" in batch:
            h = unit(h + self.spread * batch["z_noise"].to(h))
        painted: Tensor = self.generator(batch["noise"], h)
        return painted

    def _compared(self, fake: Tensor, real: Tensor) -> Outputs:
        """What reconstruction compares: pictures, and f_V's maps of them.

        With `reconstruction_mirror` to the picture or its mirror image, whichever is nearer. f_V is trained to see no
        difference between them, so a feature cannot tell which it was; the mean of both would be what pays.
        """
        if self.config.reconstruction_mirror:
            real = nearer_mirror(fake.detach(), real)
        stages = self.config.reconstruction_maps == "all"
        return fake, real, *(perceptual_maps(self.encoder, one, stages) for one in (fake, real))

    def _warmup(self, batch: Batch) -> Outputs:
        h, real = self._features(batch["flip"], batch["index"]), self._pictures(batch["picture"], batch["flip"])
        return self._compared(self._paint(batch, h), real)

    def _warmup_loss(self, *compared: Tensor) -> Loss:
        loss = reconstruction_loss(*compared)
        return loss, {"warmup": loss}

    def _judged(self, batch: Batch) -> Outputs:
        """D's scores [n] of real pairs and of generated ones."""
        real = self._pictures(batch["picture"], batch["flip"])
        h_real = self._features(batch["feature_flip"], batch["index"])
        h_fake = self._features(batch["other_flip"], batch["other"])
        with torch.no_grad():
            fake = self._paint(batch, h_fake)
        augment = torch.cat([batch["augment"], batch["augment_fake"]])
        both = diff_augment(torch.cat([real, fake]), self.config.diffaugment, augment)
        scores: Tensor = self.discriminator(both, torch.cat([h_real, h_fake]))
        return scores.split(len(real))

    def _d_loss(self, *scores: Tensor) -> Loss:
        loss = hinge_loss(*scores)
        return loss, {"d": loss}

    def _generated(self, batch: Batch) -> Outputs:
        """D's scores [n] of generated pictures; and what reconstruction compares."""
        h = self._features(batch["flip"], batch["index"])
        if not self.config.reconstruction_weight:
            fake = self._paint(batch, h)
            return (self.discriminator(diff_augment(fake, self.config.diffaugment, batch["augment"]), h),)
        real = self._pictures(batch["picture"], batch["flip"])
        fake = self._paint(batch, h)
        score = self.discriminator(diff_augment(fake, self.config.diffaugment, batch["augment"]), h)
        return score, *self._compared(fake, real)

    def _g_loss(self, score: Tensor, *compared: Tensor) -> Loss:
        loss = generator_loss(score)
        numbers = {"g": loss}
        if compared:
            numbers["reconstruction"] = reconstruction_loss(*compared)
            loss = loss + self.config.reconstruction_weight * numbers["reconstruction"]
        return loss, numbers

    @torch.no_grad()
    def sample(self, step: int) -> Tensor:
        """Pictures beside what G makes of their features, with fixed noise."""
        g, device = self.ema.net.eval(), self.runtime.device
        noise = torch.randn(len(self.fixed), g.dim_z, generator=torch.Generator().manual_seed(0))
        fake = g(noise.to(device), self.features[0, self.fixed].to(device))
        return torch.cat([self.images[self.fixed].cpu(), from_unit(fake.float().cpu())])


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
    names = ("features", "features_flipped")
    tensors = [load_tensors(path, need=names) for path in features]
    own, flipped = (torch.cat([t[name] for t in tensors]) for name in names)
    encoder = load(ImageEncoder, encoder_dir, place.device)
    torch.manual_seed(config.seed)
    with store(output_dir, runtime, place) as tables:
        images = tables.load(packs, Pictures(config.resolution)).rows
        if len(own) != len(images):
            raise UserError(f"{features[0]}: {len(own)} features for {len(images)} pictures; run stage embed again")
        task = IcGanTask(config, images, own, flipped, encoder, place)
        train_stage(
            task,
            name="generator",
            config=config,
            data=[sha256_of(path) for path in packs] + [sha256(path) for path in features],
            output_dir=output_dir,
            weights={"model.safetensors": task.ema.net, "discriminator.safetensors": task.discriminator},
            shape=task.shape,
            card=lambda _: (
                f"# Generator G (IC-GAN's BigGAN, {config.resolution} px)\n\nTrained on {len(images)} pictures of the "
                f"split(s) {', '.join(config.splits)} without labels: {config.warmup_steps} warm-up steps "
                f"(reconstruction, not in the paper) and {config.steps} adversarial steps at batch "
                f"{config.batch_size}. {_of_the_noise(config)}`model.safetensors` is the EMA generator, "
                "`discriminator.safetensors` the discriminator.\n"
            ),
        )


def _of_the_noise(config: GeneratorConfig) -> str:
    off = ""
    if config.condition_noise:
        off = f"Features had noise of {config.condition_noise:g} of their deviation on them while it learned. "
    if not config.reconstruction_code:
        return off
    return off + (
        f"While it reconstructed, {config.reconstruction_code} numbers of its noise said which of a picture and "
        f"{config.reconstruction_neighbours} near ones was meant, so that noise chooses among such. "
    )


__all__ = ["nearer_mirror", "neighbours", "run"]
