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
from s2v.losses.alignment import LOSSES
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.models.audio_encoder import AudioEncoder
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.batches import steps_per_epoch
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.sound_augment import draw_sound_augment, sound_augment
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from s2v.config import AlignConfig, RuntimeConfig


class AlignTask(Task):
    """Pairs of a spectrogram and z^V, and the loss that the configuration names."""

    monitor = "val_loss"

    def __init__(
        self,
        config: AlignConfig,
        model: nn.Module,
        train: tuple[Tensor, Tensor],
        val: tuple[Tensor, Tensor],
        runtime: Runtime,
        kept: tuple[list[int], list[int]] | None = None,
    ) -> None:
        chosen = kept or (list(range(len(train[0]))), list(range(len(val[0]))))
        per_epoch = steps_per_epoch(len(chosen[0]), config.batch_size)
        super().__init__(config, runtime, len(chosen[0]), max(config.epochs * per_epoch, config.min_steps))
        self.min_steps = config.min_steps
        self.faster_in_bf16 = isinstance(model, AudioEncoder)  # and no head on features that are there
        self.config, self.val = config, val
        self.train = runtime.near(train[0]), runtime.near(train[1])
        self.kept = torch.tensor(chosen[0]), torch.tensor(chosen[1])
        self.validate_every, self.patience = per_epoch, config.patience
        model = model.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = shared_norms(model, config.sync_batch_norm, runtime)
        self.modules = {"audio": self.model}
        self.optimizers = {
            "audio": torch.optim.Adam(self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        self.rate = Schedule(config.learning_rate)
        self.separable = config.loss == "l2"

    def read(self, index: Tensor) -> Batch:
        rows = self.kept[0][index]
        return {"spectrogram": self.train[0][rows], "z_v": self.train[1][rows]}

    def draw(self, n: int) -> Batch:
        return draw_sound_augment(n, self.config.augment, self.runtime.device)

    def forward(self, batch: Batch) -> Outputs:
        return batch["z_v"], self.model(sound_augment(batch["spectrogram"].float(), self._drawn(batch)))

    @staticmethod
    def _drawn(batch: Batch) -> Batch:
        return {name: rows for name, rows in batch.items() if name not in ("index", "spectrogram", "z_v")}

    def loss(self, *outputs: Tensor) -> Loss:
        z_v, z_a = outputs
        loss = LOSSES[self.config.loss](z_v, z_a, self.config.temperature)
        return loss, {"loss": loss}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """Loss on held-out pairs, in batches of the training size so that it is comparable."""
        self.model.eval()
        total, device = 0.0, self.runtime.device
        for rows in self.kept[1].split(self.batch_size):
            with self.autocast():
                parts = [self.model(self.val[0][part].float().to(device)) for part in self.runtime.at_once(rows)]
            loss, _ = self.loss(self.val[1][rows].to(device), torch.cat(parts).float())
            total += loss.item() * len(rows)
        return {"val_loss": total / len(self.kept[1])}


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
    window_at: str = "start",
) -> None:
    """Train f_A on the pairs of `train_packs`, stop early on those of `val_packs`; the features are f_V's.

    `classes` (stage `classes`) names those whose pairs are taken; those of the configuration are where it is None.
    `window_at` is the part of a sound that is heard, see `s2v.data.window`.

    Raises:
        UserError: there is nothing to train or to validate on, or features and pairs do not belong together.
    """
    place = Runtime.from_config(runtime, threads)
    features = [load_tensors(path, need=["features"])["features"] for path in (train_features, val_features)]
    torch.manual_seed(config.seed)
    audio = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    model = AudioEncoder(features[0].shape[1], config.width, config.final_relu, audio, config.head)
    heard = Spectrograms(**audio, at=window_at)
    with store(output_dir, runtime, place) as tables:
        pairs, kept, wanted = [], [], read_classes(classes, config.classes)
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
        task = AlignTask(config, model, pairs[0], pairs[1], place, (kept[0], kept[1]))
        data = [sha256_of(path) for path in (*train_packs, *val_packs)]
        data += [sha256(path) for path in (train_features, val_features, *([classes] if classes else []))]
        data += [] if window_at == "start" else [window_at]
        train_stage(
            task,
            name="align",
            config=config,
            data=data,
            output_dir=output_dir,
            weights={"model.safetensors": task.model},
            shape={
                "dim": model.dim,
                "width": config.width,
                "final_relu": config.final_relu,
                "audio": audio,
                "head": config.head,
            },
            card=lambda last: (
                f"# Audio encoder f_A\n\nResNet-18, width {config.width}, {model.dim}-d, head `{config.head}`, loss "
                f"`{config.loss}`, trained on "
                f"{len(kept[0])} pairs of the train split, stopped on {len(kept[1])} of the val split "
                f"(last validation loss {last['val_loss']:.4f}).\n"
            ),
        )
