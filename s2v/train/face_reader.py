"""Stage `face_reader`: the evaluator of faces. It learns from portraits of the judge split, whose truth is known, and
sees nobody who is trained on or tested."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.files import read_parquet, sha256
from s2v.media.picture import to_unit
from s2v.models.face_reader import LOOKS, NOWHERE, FaceReader, as_numbers, mirrored
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


@dataclass(frozen=True)
class Pictures:
    """Pictures and what is true of them.

    Attributes:
        images: uint8 [N, 3, px, px].
        told: of who is seen [N, K]; not-a-number where nobody is.
        scene: [N], index of what is behind.
    """

    images: Tensor
    told: Tensor
    scene: Tensor

    def __getitem__(self, rows: Tensor) -> Pictures:
        return Pictures(self.images[rows], self.told[rows], self.scene[rows])

    def __len__(self) -> int:
        return len(self.images)

    @property
    def face(self) -> Tensor:
        """[N], whether somebody is seen."""
        return ~self.told[:, 0].isnan()


class FaceReaderTask(Task):
    """Pictures and what is true of them: squared errors of the numbers of those who are seen, and cross-entropies of
    whether somebody is, and before what."""

    def __init__(
        self, config: FaceReaderConfig, names: list[str], scenes: list[str], train: Pictures, val: Pictures,
        runtime: Runtime,
    ) -> None:  # fmt: skip
        super().__init__(config, runtime, len(train), config.steps)
        self.config, self.train, self.val = config, train, val
        self.validate_every = max(1, config.steps // 4)
        net = FaceReader(names, scenes, config.image_px, config.width, {})
        people = train.told[train.face]
        net.mean.copy_(people.mean(0))
        net.spread.copy_(people.std(0).clamp_min(1e-6))
        net = net.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.reader = shared_norms(net, config.sync_batch_norm, runtime)
        self.modules = {"reader": self.reader}
        self.optimizers = {
            "reader": torch.optim.Adam(self.reader.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }
        self.rate = Schedule(config.learning_rate, 20, "cosine", config.steps, 1e-3)
        self.separable = True

    def read(self, index: Tensor) -> Batch:
        some = self.train[index]
        return {"image": some.images, "told": some.told, "scene": some.scene}

    def draw(self, n: int) -> Batch:
        return {
            "jitter": draw_jitter(n, 0.2, torch.device("cpu"), gray=GREY),
            "softness": torch.rand(2).expand(n, 2),  # one for the whole batch
            "mirrored": torch.rand(n) < 0.5,
        }

    def forward(self, batch: Batch) -> Outputs:
        """What is told of each picture, and what is true: people [n, K] standardised, faces [n] and scenes [n]."""
        flip = batch["mirrored"].to(batch["image"].device)
        shown = torch.where(flip[:, None, None, None], batch["image"].flip(3), batch["image"])
        truth = torch.where(flip[:, None], mirrored(batch["told"]), batch["told"])
        jittered = jitter(to_unit(shown), batch["jitter"].to(shown.device))
        images = degrade(jittered, *batch["softness"][0].tolist())
        person, face, scene = self.reader(images.contiguous(memory_format=torch.channels_last))
        return person, (truth - self.reader.mean) / self.reader.spread, face, scene, batch["scene"]

    def loss(self, *outputs: Tensor) -> Loss:
        person, truth, face, scene, true_scene = outputs
        seen = ~truth[:, 0].isnan()
        of_person = torch.where(seen[:, None], (person - truth.nan_to_num()).square(), 0.0).mean()
        of_face = F.binary_cross_entropy_with_logits(face, seen.to(face.dtype))
        of_scene = F.cross_entropy(scene, true_scene)
        loss = of_person + of_face + of_scene
        return loss, {"loss": loss, "person": of_person, "face": of_face, "scene": of_scene}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """Of held-out reels: sex, age, the mesh beside the mean head; whether somebody is seen, and where."""
        if not self.val.face.any():
            return {}
        self.reader.eval()
        found, face = self.reader.look(self.val.images), self.val.face
        named = torch.tensor([self.reader.scenes.index(name) for name in found.scene])
        return how_well(found.person[face], self.val.told[face], self.reader.mean.cpu()) | {
            "val_face": (found.face == face).float().mean().item(),
            "val_scene": (named == self.val.scene).float().mean().item(),
        }


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
    known = {row["clip_id"]: row for row in read_parquet(truth) if row["split"] == config.split}
    usable = [i for i, key in enumerate(keys) if key in known]
    rows = [known[keys[i]] for i in usable]
    people = sum(row["shape"] is not None for row in rows)
    if people < 2:
        raise UserError(
            f"face_reader: {people} picture(s) of the split `{config.split}` show somebody, and it takes two; give "
            "more people in data.speakers.people"
        )
    names, scenes = [*LOOKS, *SHAPE], [NOWHERE, *sorted({row["scene"] for row in rows if row["scene"]})]
    nobody = [float("nan")] * len(names)
    told = torch.tensor([nobody if row["shape"] is None else as_numbers(row) for row in rows])
    seen = Pictures(images[usable], told, torch.tensor([scenes.index(row["scene"] or NOWHERE) for row in rows]))
    out = torch.tensor([_held_out(keys[i]) for i in usable])
    if not seen[~out].face.any():
        out[:] = False
    torch.manual_seed(config.seed)
    task = FaceReaderTask(config, names, scenes, seen[~out], seen[out], place)

    def about(last: dict[str, float]) -> str:
        held = (
            f"on {int(out.sum())} held-out pictures it names the sex of {100 * last['val_sex']:.1f} %, errs by "
            f"{last['val_age_error']:.1f} years, and by {last['val_mesh_mm']:.2f} mm in the head's vertices (the mean "
            f"head: {last['val_mean_head_mm']:.2f}); it tells whether there is a face of {100 * last['val_face']:.1f} %"
            + (
                f", and which of {len(scenes) - 1} scenes is behind of {100 * last['val_scene']:.1f} %"
                if scenes[1:]
                else ""
            )
            if "val_sex" in last
            else "no picture held out"
        )
        return (
            f"face reader: ResNet-10 of width {config.width} at {config.image_px} px, trained on {int((~out).sum())} "
            f"pictures of the split `{config.split}`; {held}"
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
            "scenes": scenes,
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
