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
from s2v.media.picture import resize, to_unit
from s2v.models.judge import Judge, contrastive_loss
from s2v.runtime import Runtime
from s2v.train.augment import color_jitter, random_resized_crops
from s2v.train.batches import batch_indices, steps_per_epoch
from s2v.train.loop import TaskDefaults, finish, fit

if TYPE_CHECKING:
    from s2v.config import JudgeConfig, RuntimeConfig

HELD_OUT = 10
"""One clip in so many is held out, to report an accuracy; it is chosen by a hash of its name."""


def degrade(images: Tensor) -> Tensor:
    """Soften a batch as a generator may: now and then through fewer pixels and back, now and then a blur.

    Images float [B, 3, H, W]; the same shape comes back. One draw for the batch, from torch's global RNG.
    """
    px = images.shape[-1]
    choice, share = torch.rand(2).tolist()
    if choice < 0.35:
        small = max(4, round(px * (0.4 + 0.5 * share)))
        down = F.interpolate(images, (small, small), mode="bilinear", antialias=True, align_corners=False)
        return F.interpolate(down, (px, px), mode="bilinear", align_corners=False)
    if choice < 0.6:
        edge = 0.1 + 0.25 * share
        line = images.new_tensor([edge, 1.0, edge]) / (1 + 2 * edge)
        kernel = (line[:, None] * line[None, :]).expand(3, 1, 3, 3)
        return F.conv2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)
    return images


class _JudgeTask(TaskDefaults):
    def __init__(
        self,
        config: JudgeConfig,
        names: list[str],
        train: tuple[Tensor, Tensor],
        val: tuple[Tensor, Tensor],
        runtime: Runtime,
    ) -> None:
        self.config, self.names, self.train, self.val, self.runtime = config, names, train, val, runtime
        self.steps = config.steps
        self.validate_every = max(steps_per_epoch(len(train[0]), config.batch_size), config.steps // 5)
        judge = Judge(names, config.image_px, config.width, config.dim)
        # A fifth faster on the CPU.
        self.judge = judge.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.modules: dict[str, nn.Module] = {"judge": self.judge}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "judge": torch.optim.Adam(self.judge.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        }

    def step(self, step: int) -> dict[str, float]:
        config, place = self.config, self.runtime
        rate = 0.5 * (1 + math.cos(math.pi * step / self.steps)) * min(1.0, (step + 1) / 20)
        for group in self.optimizers["judge"].param_groups:
            group["lr"] = config.learning_rate * max(rate, 1e-3)
        index = batch_indices(len(self.train[0]), config.batch_size, config.seed, step)
        labels = self.train[1][index].to(place.device)
        crops = random_resized_crops(to_unit(self.train[0][index]).to(place.device), 2 * config.image_px, (0.5, 1.0))
        # Cut at twice the size and averaged down, since the crop itself does not filter.
        images = degrade(color_jitter(F.avg_pool2d(crops, 2), 0.4, gray=0.05))
        images = images.contiguous(memory_format=torch.channels_last)
        self.judge.train()
        with place.autocast():
            embedding, _, logits = self.judge(images)
            similarity = self.judge.similarity(embedding, self.names)
        contrast, entropy = (
            contrastive_loss(similarity.float(), labels),
            F.cross_entropy(logits.float(), labels),
        )
        optimizer = self.optimizers["judge"]
        optimizer.zero_grad(set_to_none=True)
        (contrast + entropy).backward()
        optimizer.step()
        return {"contrastive": contrast.item(), "cross_entropy": entropy.item()}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """Accuracy of both towers and of the classifier on held-out clips; nothing where there are none."""
        if len(self.val[0]) == 0:
            return {}
        self.judge.eval()
        hits = torch.zeros(2)
        for index in torch.arange(len(self.val[0])).split(256):
            images = to_unit(resize(self.val[0][index], self.config.image_px)).to(self.runtime.device)
            embedding, _, logits = self.judge(images)
            labels = self.val[1][index]
            for i, scores in enumerate((self.judge.similarity(embedding, self.names), logits)):
                hits[i] += (scores.argmax(1).cpu() == labels).sum()
        r_at_1, accuracy = (hits / len(self.val[0])).tolist()
        return {"val_R@1": r_at_1, "val_accuracy": accuracy}


def _held_out(key: str) -> bool:
    # All frames of one clip go to the same side: `{clip_id}-000`, or `{clip_id}` where one frame is kept.
    clip = key.rsplit("-", 1)[0] if key[-4:-3] == "-" else key
    return int(hashlib.sha1(clip.encode()).hexdigest(), 16) % HELD_OUT == 0


def run(
    *,
    config: JudgeConfig,
    packs: list[Path],
    class_names: list[str] | None = None,
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train the judge and write `model.safetensors`, `config.json`, `train.jsonl`, `README.md`.

    Args:
        config: its slice.
        packs: packed shards of the judge split, and no other.
        class_names: the names to tell apart; None takes all labels that occur. Pictures of other labels are
            unused.
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
            "needs two; give labels (data.folder.labels), or set evaluate.evaluator to none or clip_inception"
        )
    labels = torch.tensor([names.index(found[i] or "") for i in usable])
    images, keys = images[usable], [keys[i] for i in usable]
    out = torch.tensor([_held_out(key) for key in keys])
    train, val = (images[~out], labels[~out]), (images[out], labels[out])
    torch.manual_seed(config.seed)
    task = _JudgeTask(config, names, train, val, place)
    inputs = [sha256(path) for path in packs]
    fingerprint = {"config": config.model_dump(mode="json"), "names": names, "data": inputs}
    last = fit(
        task,
        name="judge",
        output_dir=output_dir,
        seed=config.seed,
        fingerprint=fingerprint,
        checkpoint_every=config.checkpoint_every,
        runtime=place,
    )
    held = (
        f"on {len(val[0])} held-out pictures R@1 {last['val_R@1']:.3f}, classifier accuracy {last['val_accuracy']:.3f}"
        if len(val[0])
        else "no picture held out"
    )
    label = (
        f"judge: ResNet-10 of width {config.width} at {config.image_px} px and a letter GRU, trained with "
        f"labels on {len(train[0])} pictures of the split `{config.split}`, {len(names)} classes; {held}"
    )
    card = (
        f"# Judge\n\nA stand-in for CLIP and Inception-V3, whose weights are not shipped: {label}.\n\n"
        "Its image and text towers rank class names (R@k); the hidden layer of its classifier gives the "
        f"features of FID ({config.dim}-d), its posteriors give IS. Numbers made with it compare rows of "
        "one table; they do not compare with published ones.\n\nClasses: " + ", ".join(names) + ".\n"
    )
    about = {
        "label": label,
        "trained_on": {"split": config.split, "pictures": len(train[0]), "held_out": len(val[0])},
        "validation": {k: v for k, v in last.items() if k.startswith("val_")},
    }
    shape = {
        "class_names": names,
        "image_px": config.image_px,
        "width": config.width,
        "dim": config.dim,
        "about": about,
    }
    finish(output_dir, modules={"model.safetensors": task.judge}, config=shape, card=card, runtime=place)


__all__ = ["degrade", "run"]
