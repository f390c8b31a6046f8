"""Stage `inception`: the Inception-V3 behind FID and IS, of the data's own classes, as the paper's authors have one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.data.table import Pictures, sha256_of, store
from s2v.errors import UserError
from s2v.files import sha256
from s2v.media.picture import to_unit
from s2v.models.inception import Inception
from s2v.runtime import Runtime
from s2v.train.augment import crop, draw_crops
from s2v.train.held_out import held_out
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task
from s2v.weights.checkpoint import tensors

if TYPE_CHECKING:
    from s2v.config import InceptionConfig, RuntimeConfig

SMOOTHING = 0.1
"""Of labels (Szegedy et al. 2016)."""


class InceptionTask(Task):
    """Cross-entropy over the classes, of random crops, mirrored half the time."""

    def __init__(
        self, config: InceptionConfig, model: Inception, images: Tensor, labels: Tensor, train: Tensor, val: Tensor,
        runtime: Runtime,
    ) -> None:  # fmt: skip
        """Pictures uint8 [N, 3, px, px] and their classes [N]; `train` and `val` are rows of them."""
        super().__init__(config, runtime, len(train), config.steps)
        self.separable = True
        self.config, self.images, self.labels, self.train, self.val = config, images, labels, train, val
        self.validate_every = max(1, config.steps // 5)
        model = model.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = shared_norms(model, config.sync_batch_norm, runtime)
        self.modules = {"inception": self.model}
        self.optimizers = {
            "inception": torch.optim.AdamW(
                self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay
            )
        }
        self.rate = Schedule(config.learning_rate, max(1, config.steps // 20), "cosine", config.steps, 1e-2)

    def read(self, index: Tensor) -> Batch:
        rows = self.train[index]
        return {"image": self.images[rows], "label": self.labels[rows]}

    def draw(self, n: int) -> Batch:
        return {"crop": draw_crops(n, (0.35, 1.0), self.runtime.device)}

    def forward(self, batch: Batch) -> Outputs:
        """Logits [n, K] and labels [n]."""
        images = crop(to_unit(batch["image"]), batch["crop"], self.config.image_px)
        return self.model(images.contiguous(memory_format=torch.channels_last))[1], batch["label"]

    def loss(self, *outputs: Tensor) -> Loss:
        logits, labels = outputs
        loss = F.cross_entropy(logits, labels, label_smoothing=SMOOTHING)
        return loss, {"loss": loss}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """Accuracy on what is held out; nothing where there is none."""
        if len(self.val) == 0:
            return {}
        self.model.eval()
        hits = [
            (self.model(to_unit(self.images[rows]).to(self.runtime.device))[1].argmax(1).cpu() == self.labels[rows])
            for rows in self.val.split(64)
        ]
        return {"val_accuracy": float(torch.cat(hits).float().mean())}


def run(
    *, config: InceptionConfig, packs: list[Path], start: Path | None, output_dir: Path, runtime: RuntimeConfig,
    threads: int,
) -> None:  # fmt: skip
    """Train it on the labelled frames of `packs`, from `start` on: published weights as torchvision stores them.

    Raises:
        UserError: the frames are of fewer than two classes, or `start` is of another network.
    """
    place = Runtime.from_config(runtime, threads)
    with store(output_dir, runtime, place) as tables:
        table = tables.load(packs, Pictures(config.image_px))
        names = sorted({label for label in table.labels if label})
        if len(names) < 2:
            raise UserError(
                f"inception: the split `{config.split}` has labelled pictures of {len(names)} class(es), and it takes "
                "two; give more clips with labels, or set evaluate.inception to imagenet"
            )
        place_of = {name: i for i, name in enumerate(names)}
        labels = torch.tensor([place_of.get(label or "", -1) for label in table.labels])
        out = held_out(table.keys, labels)
        train, val = ((labels >= 0) & which for which in (~out, out))
        torch.manual_seed(config.seed)
        model = Inception(names, config.image_px)
        if start is not None:
            begin(model, start)
        task = InceptionTask(config, model, table.rows, labels, train.nonzero()[:, 0], val.nonzero()[:, 0], place)

        def label(last: dict[str, float]) -> str:
            accuracy = (
                f"; of {len(task.val)} pictures held out it names {100 * last['val_accuracy']:.1f} %"
                if "val_accuracy" in last
                else ""
            )
            begun = f"from `{config.start}` (ImageNet)" if config.start else "from random weights"
            return (
                f"Inception-V3 at {config.image_px} px, trained with labels on {len(task.train)} frames of the split "
                f"`{config.split}`, {len(names)} classes, {begun}, {config.steps} steps, seed {config.seed}{accuracy}"
            )

        train_stage(
            task,
            name="inception",
            config=config,
            data=[*(sha256_of(path) for path in packs), *([sha256(start)] if start else [])],
            output_dir=output_dir,
            weights={"model.safetensors": task.model},
            shape=lambda last: {"class_names": names, "image_px": config.image_px, "about": {"label": label(last)}},
            card=lambda last: (
                f"# Inception-V3\n\n{label(last)}.\n\nIts pooled features give FID, its posteriors IS. Numbers made "
                "with it compare rows of one data set; with published ones they do not compare.\n\nClasses: "
                + ", ".join(names)
                + ".\n"
            ),
        )


def begin(model: Inception, start: Path) -> None:
    """Give a network the published weights of all but its classes.

    Raises:
        UserError: they are of another network.
    """
    given = {
        name: value for name, value in tensors(start).items() if not name.startswith(("fc.", "AuxLogits."))
    }  # fmt: skip
    wanted = {name: value for name, value in model.net.state_dict().items() if not name.startswith("fc.")}
    counted = {name for name in wanted if name.endswith("num_batches_tracked")}  # old files have none
    wrong = sorted(
        name for name in (wanted.keys() | given.keys()) - (counted - given.keys())
        if name not in given or name not in wanted or given[name].shape != wanted[name].shape
    )  # fmt: skip
    if wrong:
        raise UserError(f"{start}: not torchvision's Inception-V3 ({len(wrong)} names or sizes differ, as {wrong[0]})")
    model.net.load_state_dict(given, strict=False)


__all__ = ["begin", "run"]
