"""Stage `s2i_generator`: S2I's GAN, from the embedding of a sound to a picture.

The authors never released this training. Least squares towards 1 and -1 (`s2v.losses.least_squares`), the distance of
pictures beside it, and Adam are our reading of their article; all of it is named in the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from s2v.data.pairs import load_pairs
from s2v.data.table import MelPictures, Pictures, sha256_of, store
from s2v.files import sha256
from s2v.losses.least_squares import discriminator_loss, generator_loss
from s2v.losses.pictures import PIXELS
from s2v.media.picture import from_unit, to_unit
from s2v.models.s2i import S2iDiscriminator, S2iGenerator, SpectrogramAutoencoder
from s2v.models.store import load
from s2v.runtime import Runtime
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task, Update

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig, S2iGeneratorConfig


class S2iGeneratorTask(Task):
    """D learns to tell real pairs from generated ones, G to pass for real and to come near the picture."""

    def __init__(self, config: S2iGeneratorConfig, images: Tensor, embeddings: Tensor, runtime: Runtime) -> None:
        """`images` uint8 [N, 3, R, R] and `embeddings` [N, dim] of the same clips."""
        super().__init__(config, runtime, len(images), config.steps)
        self.config, self.images, self.embeddings = config, images, embeddings
        self.sample_every = max(1, config.steps // 4)
        dim = embeddings.shape[1]
        self.shape = {"resolution": config.resolution, "dim": dim, "width": config.width}
        generator, discriminator = S2iGenerator(**self.shape), S2iDiscriminator(config.resolution, dim, config.d_width)
        for net in (generator, discriminator):
            net.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.generator: S2iGenerator = shared_norms(generator, config.sync_batch_norm, runtime)
        self.discriminator: S2iDiscriminator = shared_norms(discriminator, config.sync_batch_norm, runtime)
        self.modules = {"g": self.generator, "d": self.discriminator}
        self.optimizers = {
            name: torch.optim.Adam(net.parameters(), rate, (config.beta1, 0.999), weight_decay=config.weight_decay)
            for name, net, rate in (
                ("g", self.generator, config.learning_rate),
                ("d", self.discriminator, config.d_learning_rate),
            )
        }
        self.rate = Schedule(config.learning_rate)
        self.fixed = torch.linspace(0, len(images) - 1, min(16, len(images))).long()

    def read(self, index: Tensor) -> Batch:
        return {"image": self.images[index], "z": self.embeddings[index]}

    def draw(self, n: int) -> Batch:
        g, d = self.generator.dropouts, self.discriminator.dropouts
        return {"dropped": g.draw(n), "judged_real": d.draw(n), "judged_fake": d.draw(n)}

    def updates(self, step: int) -> Iterator[Update]:
        config, index, read = self.config, self.index(step), self.batches.get(step)
        if config.adversarial_weight:
            self.discriminator.requires_grad_(True)
            drawn = {"index": index, **self.draw(len(index))}
            yield Update("d", config.d_learning_rate, drawn, read, self._judged, self._d_loss, separable=True)
        self.discriminator.requires_grad_(False)
        drawn = {"index": index, **self.draw(len(index))}
        yield Update("g", self.rate(step), drawn, read, self._generated, self._g_loss, separable=True)

    def _pictures(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Generated pictures, and the real ones."""
        z = batch["z"]
        return self.generator(z, batch["dropped"].to(z.device)), to_unit(batch["image"])

    def _scores(self, real: Tensor, fake: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """D's scores [n] of both. It sees them in one batch: it ends in batch norm, which else hides which is which."""
        dropped = torch.cat([batch["judged_real"], batch["judged_fake"]]).to(real.device)
        scores = self.discriminator(torch.cat([real, fake]), batch["z"].repeat(2, 1), dropped)
        return scores[: len(real)], scores[len(real) :]

    def _judged(self, batch: Batch) -> Outputs:
        with torch.no_grad():
            fake, real = self._pictures(batch)
        return self._scores(real, fake, batch)

    def _d_loss(self, *scores: Tensor) -> Loss:
        loss = discriminator_loss(*scores)
        return loss, {"d": loss}

    def _generated(self, batch: Batch) -> Outputs:
        fake, real = self._pictures(batch)
        return fake, real, *(self._scores(real, fake, batch)[1:] if self.config.adversarial_weight else ())

    def _g_loss(self, fake: Tensor, real: Tensor, *scores: Tensor) -> Loss:
        distance = PIXELS[self.config.pixels](fake, real)
        numbers: dict[str, Tensor] = {self.config.pixels: distance}
        loss = self.config.pixel_weight * distance
        for score in scores:
            numbers["g"] = generator_loss(score)
            loss = loss + self.config.adversarial_weight * numbers["g"]
        return loss, numbers

    @torch.no_grad()
    def sample(self, step: int) -> Tensor:
        """Pictures above what is made of their sounds, with the same dropout each time."""
        g = self.generator.eval()
        dropped = g.dropouts.draw_for(range(len(self.fixed)))
        fake = g(self.embeddings[self.fixed].to(self.runtime.device), dropped.to(self.runtime.device))
        return torch.cat([self.images[self.fixed], from_unit(fake.float().cpu())])


def run(
    *,
    config: S2iGeneratorConfig,
    packs: list[Path],
    autoencoder_dir: Path,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train G on the pairs of `packs`; `autoencoder_dir` holds what embeds their sounds.

    Raises:
        UserError: there are fewer than two pairs.
    """
    place = Runtime.from_config(runtime, threads)
    autoencoder = load(SpectrogramAutoencoder, autoencoder_dir, place.device)
    torch.manual_seed(config.seed)
    with store(output_dir, runtime, place) as tables:
        images, sounds = load_pairs(
            tables, packs, Pictures(config.resolution), MelPictures(**autoencoder.mel), "s2i_generator"
        )
        task = S2iGeneratorTask(config, images.rows, autoencoder.embed(sounds.rows), place)
        train_stage(
            task,
            name="s2i_generator",
            config=config,
            data=[*(sha256_of(path) for path in packs), sha256(autoencoder_dir / "model.safetensors")],
            output_dir=output_dir,
            weights={"model.safetensors": task.generator, "discriminator.safetensors": task.discriminator},
            shape=task.shape,
            card=lambda _: (
                f"# S2I: generator ({config.resolution} px)\n\nWidth {config.width} (published: 64), trained on "
                f"{len(images.keys)} pairs of the train split: {config.steps} steps at batch {config.batch_size}. The "
                "authors never released this training; least squares, "
                f"{config.pixels.upper()} of pictures ({config.pixel_weight:g}) and Adam are our reading of their "
                "article. Dropout stays on when pictures are made, and is their only randomness.\n"
            ),
        )


__all__ = ["run"]
