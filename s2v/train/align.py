"""Stage `align`: f_A, the audio encoder, trained so that its features take the place of f_V's (paper 3.1)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from s2v.data.subset import indices, read_classes
from s2v.data.table import Spectrograms, sha256_of, store
from s2v.errors import UserError
from s2v.files import sha256
from s2v.losses import LOSSES
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.models.audio_encoder import AudioEncoder
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.batches import batch_indices, steps_per_epoch
from s2v.train.loop import TaskDefaults, finish, fit
from s2v.train.prefetch import Prefetch

if TYPE_CHECKING:
    from s2v.config import AlignConfig, RuntimeConfig


class _Align(TaskDefaults):
    monitor: str | None = "val_loss"

    def __init__(
        self,
        config: AlignConfig,
        model: AudioEncoder,
        train: tuple[Tensor, Tensor],
        val: tuple[Tensor, Tensor],
        runtime: Runtime,
        kept: tuple[list[int], list[int]] | None = None,
    ) -> None:
        self.config, self.train, self.val, self.runtime = config, train, val, runtime
        chosen = kept or (list(range(len(train[0]))), list(range(len(val[0]))))
        self.kept = torch.tensor(chosen[0]), torch.tensor(chosen[1])
        per_epoch = steps_per_epoch(len(chosen[0]), config.batch_size, runtime.world_size)
        self.steps, self.validate_every, self.patience = config.epochs * per_epoch, per_epoch, config.patience
        self.model = model.to(runtime.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.net = runtime.wrap(self.model)
        self.modules: dict[str, nn.Module] = {"audio": self.model}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "audio": torch.optim.Adam(self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        self.loss = LOSSES[config.loss]
        self.batches = Prefetch(self._batch, runtime.device)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        config, r = self.config, self.runtime
        kept = self.kept[0]
        index = kept[batch_indices(len(kept), config.batch_size, config.seed, step, r.rank, r.world_size)]
        return self.train[0][index], self.train[1][index]

    def step(self, step: int) -> dict[str, float]:
        config, r = self.config, self.runtime
        spectrogram, z_v = self.batches.get(step)
        spectrogram = spectrogram.float()
        self.model.train()
        with r.autocast():
            z_a = self.net(spectrogram)
        loss = self.loss(z_v, z_a.float(), config.temperature)
        optimizer = self.optimizers["audio"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return {"loss": loss.item()}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """Loss on held-out pairs, in batches of the training size so that it is comparable."""
        self.model.eval()
        total, count = 0.0, 0
        for index in self.kept[1].split(self.config.batch_size):
            with self.runtime.autocast():
                z_a = self.model(self.val[0][index].float().to(self.runtime.device))
            loss = self.loss(self.val[1][index].to(self.runtime.device), z_a.float(), self.config.temperature)
            total, count = total + loss.item() * len(index), count + len(index)
        return {"val_loss": total / count}


def run(
    *,
    config: AlignConfig,
    train_packs: list[Path],
    val_packs: list[Path],
    train_features: Path,
    val_features: Path,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
    classes: Path | None = None,
) -> None:
    """Train f_A on the pairs of `train_packs`, stop early on those of `val_packs`; the features are f_V's.

    `classes` (stage `classes`) names those whose pairs are taken; all are where it is None.

    Raises:
        UserError: there is nothing to train or to validate on, or features and pairs do not belong together.
    """
    place = Runtime.from_config(runtime, threads)
    features = [load_tensors(path)["features"] for path in (train_features, val_features)]
    torch.manual_seed(config.seed)
    audio = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    model = AudioEncoder(features[0].shape[1], config.width, config.final_relu, audio, config.head)
    heard = Spectrograms(**audio)
    with store(output_dir, runtime, place) as tables:
        pairs, kept, wanted = [], [], read_classes(classes)
        for split, packs, z_v in zip(("train", "val"), (train_packs, val_packs), features, strict=True):
            table = tables.load(packs, heard)
            spectrograms = table.rows
            kept.append(indices(table.labels, wanted))
            if len(kept[-1]) < 2 or len(spectrograms) != len(z_v):
                raise UserError(
                    f"align: the {split} split has {len(kept[-1])} sound(s) and {len(z_v)} picture feature(s); it "
                    "needs the same number, at least 2. See coverage.csv for clips that were left out"
                )
            pairs.append((spectrograms, z_v))
        task = _Align(config, model, pairs[0], pairs[1], place, (kept[0], kept[1]))
        data = [sha256_of(path) for path in (*train_packs, *val_packs)] + [
            sha256(path) for path in (train_features, val_features)
        ]
        data += [sha256(classes)] if classes else []
        fingerprint = {"config": config.model_dump(mode="json"), "data": data}
        last = fit(
            task,
            name="align",
            output_dir=output_dir,
            seed=config.seed,
            fingerprint=fingerprint,
            checkpoint_every=config.checkpoint_every,
            runtime=place,
        )
    card = (
        f"# Audio encoder f_A\n\nResNet-18, width {config.width}, {model.dim}-d, head `{config.head}`, loss "
        f"`{config.loss}`, trained on "
        f"{len(kept[0])} pairs of the train split, stopped on {len(kept[1])} of the val split "
        f"(last validation loss {last['val_loss']:.4f}).\n"
    )
    shape = {
        "dim": model.dim,
        "width": config.width,
        "final_relu": config.final_relu,
        "audio": audio,
        "head": config.head,
    }
    finish(output_dir, modules={"model.safetensors": model}, config=shape, card=card, runtime=place)
