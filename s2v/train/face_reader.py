"""Stage `face_reader`: the evaluator of faces. It learns from portraits of the judge split, whose truth is known, and
sees nobody who is trained on or tested."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.files import read_parquet, sha256
from s2v.media.picture import to_unit
from s2v.models.face_reader import LOOKS, FaceReader, as_numbers
from s2v.runtime import Runtime
from s2v.train.augment import degrade, draw_jitter, jitter
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from s2v.config import FaceReaderConfig, RuntimeConfig

HELD_OUT = 10
"""One reel in so many is held out, to report how well it reads."""
GREY = 0.3
"""Share of the pictures that it sees without colour, as old film is."""


class FaceReaderTask(Task):
    """Portraits and what is true of them."""

    def __init__(
        self, config: FaceReaderConfig, names: list[str], train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor],
        runtime: Runtime,
    ) -> None:  # fmt: skip
        super().__init__(config, runtime, len(train[0]), config.steps)
        self.config, self.train, self.val = config, train, val
        self.validate_every = max(1, config.steps // 4)
        net = FaceReader(names, config.image_px, config.width, {})
        net.mean.copy_(train[1].mean(0))
        net.spread.copy_(train[1].std(0).clamp_min(1e-6))
        net = net.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.reader = shared_norms(net, config.sync_batch_norm, runtime)
        self.modules = {"reader": self.reader}
        self.optimizers = {
            "reader": torch.optim.Adam(self.reader.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        self.rate = Schedule(config.learning_rate, 20, "cosine", config.steps, 1e-3)
        self.separable = True

    def read(self, index: Tensor) -> Batch:
        return {"image": self.train[0][index], "told": self.train[1][index]}

    def draw(self, n: int) -> Batch:
        return {
            "jitter": draw_jitter(n, 0.2, torch.device("cpu"), gray=GREY),
            "softness": torch.rand(2).expand(n, 2),  # one for the whole batch
        }

    def forward(self, batch: Batch) -> Outputs:
        """What is told of each picture, [n, K], and what is true, both standardised."""
        jittered = jitter(to_unit(batch["image"]), batch["jitter"].to(batch["image"].device))
        images = degrade(jittered, *batch["softness"][0].tolist())
        told = self.reader(images.contiguous(memory_format=torch.channels_last))
        return told, (batch["told"] - self.reader.mean) / self.reader.spread

    def loss(self, *outputs: Tensor) -> Loss:
        told, truth = outputs
        loss = F.mse_loss(told, truth)
        return loss, {"loss": loss}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """Of the reels that are held out: sex, age, and the mesh beside the mean head."""
        if len(self.val[0]) == 0:
            return {}
        self.reader.eval()
        found, truth = self.reader.read(self.val[0]), self.val[1]
        return how_well(found, truth, self.reader.mean.cpu())


def how_well(found: Tensor, truth: Tensor, mean: Tensor) -> dict[str, float]:
    """Errors of what was read [N, K]: share of right sexes, mean error of ages in years, and of the head's vertices in
    mm, beside those of the mean head."""
    from s2v.speakers.mesh import distance_mm, shape_of

    return {
        "val_sex": ((found[:, 0] > 0) == (truth[:, 0] > 0)).float().mean().item(),
        "val_age_error": (found[:, 1] - truth[:, 1]).abs().mean().item(),
        "val_mesh_mm": distance_mm(shape_of(found), shape_of(truth)).mean().item(),
        "val_mean_head_mm": distance_mm(shape_of(mean.expand_as(truth)), shape_of(truth)).mean().item(),
    }


def run(
    *,
    config: FaceReaderConfig,
    packs: list[Path],
    truth: Path,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train the reader and write `model.safetensors`, `config.json`, `train.jsonl`, `README.md`.

    Args:
        config: its slice.
        packs: packed shards of the judge split, and no other.
        truth: of the embedded speakers.
        output_dir: where it goes.
        runtime: device and precision.
        threads: of torch on the CPU.

    Raises:
        UserError: none of the pictures has a truth.
    """
    from s2v.speakers.recipe import SHAPE

    place = Runtime.from_config(runtime, threads)
    images, keys, _ = read_images(packs, config.image_px)
    known = {
        row["clip_id"]: as_numbers(row)
        for row in read_parquet(truth)
        if row["split"] == config.split and row["shape"] is not None
    }
    usable = [i for i, key in enumerate(keys) if key in known]
    if len(usable) < 2:
        raise UserError(
            f"face_reader: {len(usable)} picture(s) of the split `{config.split}` have a truth, and it takes two; give "
            "more people in data.speakers.people"
        )
    told = torch.tensor([known[keys[i]] for i in usable])
    seen = images[usable]
    out = torch.tensor([_held_out(keys[i]) for i in usable])
    if out.all():
        out[:] = False
    torch.manual_seed(config.seed)
    names = [*LOOKS, *SHAPE]
    task = FaceReaderTask(config, names, (seen[~out], told[~out]), (seen[out], told[out]), place)

    def about(last: dict[str, float]) -> str:
        held = (
            f"on {int(out.sum())} held-out pictures it names the sex of {100 * last['val_sex']:.1f} %, errs by "
            f"{last['val_age_error']:.1f} years, and by {last['val_mesh_mm']:.2f} mm in the head's vertices (the mean "
            f"head: {last['val_mean_head_mm']:.2f})"
            if out.any()
            else "no picture held out"
        )
        return (
            f"face reader: ResNet-10 of width {config.width} at {config.image_px} px, trained on {int((~out).sum())} "
            f"portraits of the split `{config.split}`; {held}"
        )

    train_stage(
        task,
        name="face_reader",
        config=config,
        data=[*(sha256(path) for path in packs), sha256(truth)],
        output_dir=output_dir,
        weights={"model.safetensors": task.reader},
        shape=lambda last: {
            "names": names,
            "image_px": config.image_px,
            "width": config.width,
            "about": {"label": about(last), "validation": {k: v for k, v in last.items() if k.startswith("val_")}},
        },
        card=lambda last: (
            f"# Face reader\n\nAn evaluator of drawn faces: {about(last)}.\n\nIt knows the embedded speakers alone. "
            "It is nothing for pictures of real people, whom it must not be used to sort, find or judge.\n"
        ),
    )


def _held_out(key: str) -> bool:
    return int(hashlib.sha1(key.rsplit("-", 1)[0].encode()).hexdigest(), 16) % HELD_OUT == 0


__all__ = ["run"]
