"""Stage `tagger`: the audio tagger, on sounds with names that nothing but systems with text sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.data.table import Spectrograms, sha256_of, store
from s2v.errors import UserError
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.models.tagger import AudioTagger
from s2v.runtime import Runtime
from s2v.train.held_out import held_out
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig, TaggerConfig


class TaggerTask(Task):
    """Cross-entropy over the names; each sound begins anywhere, going round, and may be heard in part."""

    def __init__(
        self, config: TaggerConfig, model: AudioTagger, train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor],
        runtime: Runtime,
    ) -> None:  # fmt: skip
        """Spectrograms [N, F, T] and indices of classes [N], to learn from and held out."""
        super().__init__(config, runtime, len(train[0]), config.steps)
        self.separable = True
        self.train, self.val = train, val
        self.validate_every = max(1, config.steps // 5)
        heard = min(1.0, (config.crop_s or config.audio.window_s) / config.audio.window_s)
        self.columns = max(1, round(heard * train[0].shape[2]))
        model = model.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = shared_norms(model, config.sync_batch_norm, runtime)
        self.modules = {"tagger": self.model}
        self.optimizers = {
            "tagger": torch.optim.AdamW(self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        self.rate = Schedule(config.learning_rate, max(1, config.steps // 20), "cosine", config.steps, 1e-2)

    def read(self, index: Tensor) -> Batch:
        return {"spectrogram": self.train[0][index], "label": self.train[1][index]}

    def draw(self, n: int) -> Batch:
        return {"start": torch.rand(n)}

    def forward(self, batch: Batch) -> Outputs:
        """Logits [n, K] and labels [n]."""
        heard = batch["spectrogram"].float()
        starts = (batch["start"] * heard.shape[2]).long().tolist()
        turned = [one.roll(start, 1)[:, : self.columns] for one, start in zip(heard, starts, strict=True)]
        return self.model(torch.stack(turned)), batch["label"]

    def loss(self, *outputs: Tensor) -> Loss:
        logits, labels = outputs
        loss = F.cross_entropy(logits, labels)
        return loss, {"loss": loss}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """Accuracy on the sounds that are held out; nothing where there are none."""
        if len(self.val[0]) == 0:
            return {}
        self.model.eval()
        hits = [
            (self.model(self.val[0][rows].float().to(self.runtime.device)).argmax(1).cpu() == self.val[1][rows]).sum()
            for rows in torch.arange(len(self.val[0])).split(64)
        ]
        return {"val_accuracy": int(sum(hits)) / len(self.val[0])}


def run(*, config: TaggerConfig, packs: list[Path], output_dir: Path, runtime: RuntimeConfig, threads: int) -> None:
    """Train the tagger on the labelled sounds of `packs`.

    Raises:
        UserError: they are of fewer than two classes.
    """
    place = Runtime.from_config(runtime, threads)
    audio = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    with store(output_dir, runtime, place) as tables:
        table = tables.load(packs, Spectrograms(**audio))
        names = sorted({label for label in table.labels if label})
        if len(names) < 2:
            raise UserError(
                f"tagger: the split `{config.split}` has labelled sounds of {len(names)} class(es), and it takes two; "
                "give more clips with labels"
            )
        usable = torch.tensor([i for i, label in enumerate(table.labels) if label])
        labels = torch.tensor([names.index(table.labels[i] or "") for i in usable.tolist()])
        out = held_out([table.keys[i] for i in usable.tolist()], labels)
        train, val = ((table.rows[usable[which]], labels[which]) for which in (~out, out))
        torch.manual_seed(config.seed)
        task = TaggerTask(config, AudioTagger(names, config.width, audio), train, val, place)
        train_stage(
            task,
            name="tagger",
            config=config,
            data=[sha256_of(path) for path in packs],
            output_dir=output_dir,
            weights={"model.safetensors": task.model},
            shape={"class_names": names, "width": config.width, "audio": audio},
            card=lambda last: (
                f"# Audio tagger\n\nA stand-in for BEATs, whose weights are not shipped: ResNet-10 of width "
                f"{config.width} on log-spectrograms, trained with labels on {len(train[0])} sounds of the split "
                f"`{config.split}`, {len(names)} classes: {config.steps} steps. "
                + (
                    f"On {len(val[0])} sounds held out it names {100 * last['val_accuracy']:.1f} %.\n"
                    if len(val[0])
                    else "\n"
                )
            ),
        )


__all__ = ["run"]
