"""Stage `judge`: the evaluator that takes the place of CLIP and Inception where their weights cannot be had.

Trained on the judge split alone, with its labels; nothing else in the chain sees that split or these labels.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.files import sha256
from s2v.losses.judge import contrastive_loss
from s2v.media.picture import resize, to_unit
from s2v.models.judge import Judge
from s2v.runtime import Runtime
from s2v.train.augment import crop, degrade, draw_crops, draw_jitter, jitter
from s2v.train.batches import steps_per_epoch
from s2v.train.broken import broken, draw_broken
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task

if TYPE_CHECKING:
    from s2v.config import JudgeConfig, RuntimeConfig

HELD_OUT = 10
"""One clip in so many is held out, to report an accuracy; it is chosen by a hash of its name. None is of a class that
would have no other."""


class JudgeTask(Task):
    """Pictures against class names, and against classes."""

    def __init__(
        self,
        config: JudgeConfig,
        names: list[str],
        train: tuple[Tensor, Tensor],
        val: tuple[Tensor, Tensor],
        runtime: Runtime,
        others: Tensor | None = None,
        backbone: nn.Module | None = None,
    ) -> None:
        super().__init__(config, runtime, len(train[0]), config.steps)
        self.others = others
        self.config, self.names, self.train, self.val = config, names, train, val
        self.validate_every = max(steps_per_epoch(len(train[0]), config.batch_size), config.steps // 5)
        line = 0.0 if config.broken else None
        judge = Judge(
            names, config.image_px, config.width, config.dim, sees=config.sees, line=line, backbone=config.backbone
        )
        if backbone is not None:
            judge.backbone.load_state_dict(backbone.state_dict())
        # A fifth faster on the CPU.
        judge = judge.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.judge = shared_norms(judge, config.sync_batch_norm, runtime)
        self.modules = {"judge": self.judge}
        self.optimizers = {
            "judge": torch.optim.Adam(
                [each for each in self.judge.parameters() if each.requires_grad],
                config.learning_rate,
                weight_decay=config.weight_decay,
            )
        }
        self.rate = Schedule(config.learning_rate, 20, "cosine", config.steps, 1e-3)

    def read(self, index: Tensor) -> Batch:
        return {"image": self.train[0][index], "label": self.train[1][index]}

    def draw(self, n: int) -> Batch:
        device = self.runtime.device
        return {
            "crop": draw_crops(n, (0.5, 1.0), device),
            "jitter": draw_jitter(n, 0.4, device, gray=0.05),
            "softness": torch.rand(2).expand(n, 2),  # one for the whole batch
            **(self._draw_wrong(n) if self.config.broken else {}),
        }

    def _draw_wrong(self, n: int) -> Batch:
        """Which pictures have a broken one beside them, how it is broken, of what, and which one of another class."""
        drawn = {
            "wanted": torch.rand(n, device=self.runtime.device) < self.config.broken,
            "broken": draw_broken(n, self.runtime.device),
            "partner": torch.randint(len(self.train[0]), (n,)),
        }
        return drawn if self.others is None else drawn | {"other": torch.randint(len(self.others), (n,))}

    def forward(self, batch: Batch) -> Outputs:
        """Similarities to the names and logits of the classes, [n, C] each; the labels; and, where it is taught that
        there are pictures of no class, its doubt [n, 3] of these, of broken ones and of other classes' (not a number
        where a picture has none beside it)."""
        images = self._seen(batch["image"], batch)
        n, beside = len(images), []
        if self.config.broken:
            wanted = batch["wanted"]
            beside = [broken(images, self._seen(self.train[0][batch["partner"].cpu()], batch), batch["broken"])[wanted]]
            if self.others is not None:
                beside.append(self._seen(self.others[batch["other"].cpu()], batch)[wanted])
        whole = torch.cat([images, *beside]).contiguous(memory_format=torch.channels_last)
        embedding, features, logits = self.judge(whole)
        seen = self.judge.similarity(embedding[:n], self.names), logits[:n], batch["label"]
        if not self.config.broken:
            return seen
        own, *wrong = self.judge.none(features).split([n, *(len(one) for one in beside)])
        doubt = torch.full((n, 3), math.nan, dtype=own.dtype, device=own.device)
        doubt[:, 0] = own
        for column, one in enumerate(wrong, 1):
            doubt[wanted, column] = one
        return (*seen, doubt)

    def _seen(self, pictures: Tensor, batch: Batch) -> Tensor:
        """Pictures uint8 [n, 3, H, W] as training sees them."""
        # Cut at twice the size and averaged down, since the crop itself does not filter.
        crops = crop(to_unit(pictures).to(batch["crop"].device), batch["crop"], 2 * self.config.image_px)
        return degrade(jitter(F.avg_pool2d(crops, 2), batch["jitter"]), *batch["softness"][0].tolist())

    def loss(self, *outputs: Tensor) -> Loss:
        similarity, logits, labels, *doubt = outputs
        contrast, entropy = contrastive_loss(similarity, labels), F.cross_entropy(logits, labels)
        numbers = {"contrastive": contrast, "cross_entropy": entropy}
        if doubt:
            wrong = torch.ones_like(doubt[0])
            wrong[:, 0] = 0
            there = ~doubt[0].isnan()
            numbers["none"] = F.binary_cross_entropy_with_logits(doubt[0][there], wrong[there])
        return torch.stack(list(numbers.values())).sum(), numbers

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """Accuracy of both towers and of the classifier on held-out clips; nothing where there are none."""
        if len(self.val[0]) == 0:
            return {}
        self.judge.eval()
        hits, doubts = torch.zeros(2), []
        for rows in torch.arange(len(self.val[0])).split(256):
            for index in self.runtime.at_once(rows):
                images = to_unit(resize(self.val[0][index], self.config.image_px)).to(self.runtime.device)
                embedding, features, logits = self.judge(images)
                labels = self.val[1][index]
                for i, scores in enumerate((self.judge.similarity(embedding, self.names), logits)):
                    hits[i] += (scores.argmax(1).cpu() == labels).sum()
                if self.config.broken:
                    doubts.append(torch.stack([self.judge.none(features), self._doubt_of_broken(images)]).cpu())
        r_at_1, accuracy = (hits / len(self.val[0])).tolist()
        found = {"val_R@1": r_at_1, "val_accuracy": accuracy}
        if doubts:
            real, wrong = torch.cat(doubts, 1)
            line = float(real.quantile(1 - self.config.rejects))
            found |= {"val_line": line, "val_broken_rejected": float((wrong > line).float().mean())}
        return found

    def _doubt_of_broken(self, images: Tensor) -> Tensor:
        drawn = torch.rand(len(images), 3, generator=torch.Generator().manual_seed(0)).to(images.device)
        doubt: Tensor = self.judge.none(self.judge(broken(images, images.roll(1, 0), drawn))[1])
        return doubt


def _sum(net: nn.Module) -> float:
    return float(sum(each.double().sum().item() for each in net.state_dict().values()))


def _held_out(key: str) -> bool:
    # All frames of one clip go to the same side: `{clip_id}-000`, or `{clip_id}` where one frame is kept.
    clip = key.rsplit("-", 1)[0] if key[-4:-3] == "-" else key
    return int(hashlib.sha1(clip.encode()).hexdigest(), 16) % HELD_OUT == 0


def run(
    *,
    config: JudgeConfig,
    packs: list[Path],
    others: list[Path] | None = None,
    painted: list[Path] | None = None,
    class_names: list[str] | None = None,
    backbone: nn.Module | None = None,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train the judge and write `model.safetensors`, `config.json`, `train.jsonl`, `README.md`.

    Args:
        config: its slice.
        packs: packed shards of the judge split, and no other.
        others: packed shards of pictures of none of the classes, where `broken` says that there are such.
        painted: tars of stage generate: what some generators paint of the same pictures. Those of held-out clips are
            left out.
        class_names: the names to tell apart; None takes all labels that occur. Pictures of other labels are
            unused.
        backbone: of published weights, where `config.backbone` names one.
        output_dir: where the judge goes.
        runtime: device and precision.
        threads: of torch on the CPU.

    Raises:
        UserError: fewer than two classes have pictures.
    """
    place = Runtime.from_config(runtime, threads)
    images, keys, found = read_images(packs, 2 * config.image_px)
    names = sorted(class_names or {label for label in found if label})
    usable = [i for i, label in enumerate(found) if label in set(names)]
    seen = {found[i] for i in usable}
    if len(seen) < 2:
        raise UserError(
            f"judge: the split `{config.split}` has labelled pictures of {len(seen)} class(es), and a judge "
            "needs two; give more clips of each class, with labels (`s2v plan` says how many), or set "
            "evaluate.evaluator to none or clip_inception"
        )
    labels = torch.tensor([names.index(found[i] or "") for i in usable])
    images, keys = images[usable], [keys[i] for i in usable]
    out = torch.tensor([_held_out(key) for key in keys])
    for one in labels.unique():
        out[labels == one] &= not out[labels == one].all()
    train, val = (images[~out], labels[~out]), (images[out], labels[out])
    for tar in painted or []:
        made, of, found = read_images([tar], 2 * config.image_px, column="png")
        seen_clips = {key for key, left in zip(keys, out.tolist(), strict=True) if not left}
        kept = [i for i, key in enumerate(of) if key in seen_clips]
        more = torch.tensor([names.index(found[i] or "") for i in kept], dtype=torch.long)
        train = torch.cat([train[0], made[kept]]), torch.cat([train[1], more])
    torch.manual_seed(config.seed)
    strange = read_images(others, 2 * config.image_px)[0] if others else None
    task = JudgeTask(config, names, train, val, place, strange, backbone)

    def label(last: dict[str, float]) -> str:
        held = (
            f"on {len(val[0])} held-out pictures R@1 {last['val_R@1']:.3f}, classifier accuracy "
            f"{last['val_accuracy']:.3f}"
            if len(val[0])
            else "no picture held out"
        )
        none = (
            f"; answers none of these to {100 * last['val_broken_rejected']:.0f} % of broken ones, where "
            f"{100 * config.rejects:g} % of real ones are"
            if "val_broken_rejected" in last
            else ""
        )
        tower = (
            f"ResNet-10 of width {config.width}"
            if config.backbone == "resnet10"
            else f"{config.backbone} of ImageNet's weights, frozen,"
        )
        edges = "edges in grey pictures, " if config.sees == "edges" else ""
        beside = f" and {len(painted)} times as many that generators of no table painted" if painted else ""
        return (
            f"judge: {tower} at {config.image_px} px and a letter GRU, {edges}trained with "
            f"labels on {int((~out).sum())} pictures of the split `{config.split}`{beside}, {len(names)} classes, seed "
            f"{config.seed}; {held}{none}"
        )

    train_stage(
        task,
        name="judge",
        config=config,
        data=[sha256(path) for path in (*packs, *(others or []), *(painted or []))],
        also={"names": names} | ({} if backbone is None else {"backbone": _sum(backbone)}),
        output_dir=output_dir,
        weights={"model.safetensors": task.judge},
        shape=lambda last: {
            "class_names": names,
            "image_px": config.image_px,
            "width": config.width,
            "dim": config.dim,
            **({"backbone": config.backbone} if config.backbone != "resnet10" else {}),
            **({"sees": config.sees} if config.sees != "colour" else {}),
            **({"line": last.get("val_line", 0.0)} if config.broken else {}),
            "about": {
                "label": label(last),
                "trained_on": {"split": config.split, "pictures": len(train[0]), "held_out": len(val[0])},
                "validation": {k: v for k, v in last.items() if k.startswith("val_")},
            },
        },
        card=lambda last: (
            f"# Judge\n\nA stand-in for CLIP and Inception-V3, whose weights are not shipped: {label(last)}.\n\n"
            "Its image and text towers rank class names (R@k); the hidden layer of its classifier gives the "
            f"features of FID ({config.dim}-d), its posteriors give IS. Numbers made with it compare rows of "
            "one table; they do not compare with published ones.\n\nClasses: " + ", ".join(names) + ".\n"
        ),
    )


__all__ = ["run"]
