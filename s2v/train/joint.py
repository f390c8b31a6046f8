"""Stage `joint`: the audio-picture-text space in which Lee et al. 2022 edit pictures.

First pictures and sentences of the split `captioned`, which takes the place of CLIP; then an audio encoder to what
stands still: names of the split `tagged` as texts, and the same sounds with masks, as their published training has it.
Language supervision, which the paper's own method has not. Nothing of the evaluators is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.data.reader import read_captioned
from s2v.data.table import MelPictures, sha256_of, store
from s2v.errors import UserError
from s2v.losses.joint import contrast
from s2v.media.picture import to_unit
from s2v.models.joint import Joint, shape
from s2v.models.text_tower import learn_pieces
from s2v.runtime import Runtime
from s2v.train.augment import crop, degrade, draw_crops, draw_jitter, jitter
from s2v.train.batches import batch_indices
from s2v.train.loop import train_stage
from s2v.train.norms import shared_norms
from s2v.train.schedule import Schedule
from s2v.train.task import Batch, Loss, Outputs, Task, Update

if TYPE_CHECKING:
    from s2v.config import JointConfig, RuntimeConfig


class JointTask(Task):
    """Pictures against texts, then sounds against texts and against themselves.

    Args:
        config: its slice.
        joint: the net.
        pictures: uint8 [N, 3, 2 px, 2 px], and the sentence of each.
        sounds: mel spectrograms [M, F, T], and the name of each.
        runtime: where it runs.
    """

    def __init__(
        self,
        config: JointConfig,
        joint: Joint,
        pictures: tuple[Tensor, list[str]],
        sounds: tuple[Tensor, list[str]],
        runtime: Runtime,
    ) -> None:
        super().__init__(config, runtime, len(pictures[0]), config.picture_steps + config.sound_steps)
        self.config = config
        joint = joint.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.joint = shared_norms(joint, config.sync_batch_norm, runtime)
        self.images, self.levels = pictures[0], sounds[0]
        self.captions, self.caption_of = _distinct(pictures[1])
        self.names, self.name_of = _distinct(sounds[1])
        self.ids = [joint.text.tokens(texts).to(runtime.device) for texts in (self.captions, self.names)]
        self.modules = {"joint": self.joint}
        heard = [self.joint.audio_stem, self.joint.sound, self.joint.audio_head]
        seen = [self.joint.image, self.joint.image_head, self.joint.text, self.joint.text_head]
        self.optimizers = {
            name: torch.optim.AdamW(
                [p for part in parts for p in part.parameters()], config.learning_rate, weight_decay=config.weight_decay
            )
            for name, parts in (("pictures", seen), ("sounds", heard))
        }

    def is_of_sounds(self, step: int) -> bool:
        """Whether a step is one of the later ones."""
        return step >= self.config.picture_steps

    def index(self, step: int) -> Tensor:
        size = len(self.levels) if self.is_of_sounds(step) else len(self.images)
        return batch_indices(size, self.batch_size, self.seed, step)

    def _read(self, step: int) -> Batch:
        index = self.index(step)
        own = index[self.runtime.share(len(index))]
        if self.is_of_sounds(step):
            return {"levels": self.levels[own], "text": self.name_of[own]}
        return {"image": self.images[own], "text": self.caption_of[own]}

    def updates(self, step: int) -> Iterator[Update]:
        index, device, config = self.index(step), self.runtime.device, self.config
        n, read = len(index), self.batches.get(step)
        if self.is_of_sounds(step):
            rate = Schedule(config.learning_rate, 20, "cosine", config.sound_steps, 1e-3)(step - config.picture_steps)
            drawn = {"index": index, "mask": torch.rand(n, 4, device=device)}
            yield Update("sounds", rate, drawn, read, self._heard, self._loss_of_sounds, False)
            return
        rate = Schedule(config.learning_rate, 20, "cosine", config.picture_steps, 1e-3)(step)
        drawn = {
            "index": index,
            "crop": draw_crops(n, (0.5, 1.0), device),
            "jitter": draw_jitter(n, 0.3, device, gray=0.0),  # the sentence names colours
            "softness": torch.rand(2).expand(n, 2),  # one for the whole batch
        }
        yield Update("pictures", rate, drawn, read, self._seen, self._loss_of_pictures, False)

    def _seen(self, batch: Batch) -> Outputs:
        """Features of pictures and of their sentences [n, D], and which sentence each has."""
        # As the judge's: cut at twice the size and averaged down, since the crop itself does not filter.
        crops = F.avg_pool2d(crop(to_unit(batch["image"]), batch["crop"], 2 * self.config.image_px), 2)
        images = degrade(jitter(crops, batch["jitter"]), *batch["softness"][0].tolist())
        seen = self.joint.see(images.contiguous(memory_format=torch.channels_last))
        return seen, self.joint.read(self.ids[0][batch["text"]]), batch["text"]

    def _loss_of_pictures(self, *outputs: Tensor) -> Loss:
        seen, read, text = outputs
        loss = contrast(seen, read, self.config.multiplier, text)
        return loss, {"picture_text": loss}

    def _heard(self, batch: Batch) -> Outputs:
        """Features of sounds, of the same with masks, and of their names [n, D], and which name each has."""
        levels = batch["levels"].float()
        both = self.joint.hear(torch.cat([levels, self._masked(levels, batch["mask"])]))
        with torch.no_grad():
            names = self.joint.read(self.ids[1])
        return *both.chunk(2), names[batch["text"]], batch["text"]

    def _masked(self, levels: Tensor, drawn: Tensor) -> Tensor:
        """A stretch of bands and one of time set to the clip's mean; `drawn` [n, 4] in 0 to 1 says which."""
        hidden = torch.zeros_like(levels, dtype=torch.bool)
        for axis, most, (start, width) in (
            (1, self.config.mask_mels, drawn[:, :2].T),
            (2, self.config.mask_time, drawn[:, 2:].T),
        ):
            size = levels.shape[axis]
            place = (torch.arange(size, device=levels.device) + 0.5) / size
            length = width * most
            first = (start * (1 - length))[:, None]
            inside = (place >= first) & (place < first + length[:, None])
            hidden |= inside[:, :, None] if axis == 1 else inside[:, None]
        return torch.where(hidden, levels.mean((1, 2), keepdim=True), levels)

    def _loss_of_sounds(self, *outputs: Tensor) -> Loss:
        heard, masked, names, text = outputs
        multiplier = self.config.sound_multiplier
        named, own = contrast(heard, names, multiplier, text), contrast(heard, masked, multiplier)
        return named + self.config.self_weight * own, {"sound_text": named, "sound_sound": own}


def _distinct(texts: list[str]) -> tuple[list[str], Tensor]:
    """Each text once, and which of them every sample has [N]."""
    once = sorted(set(texts))
    place = {text: i for i, text in enumerate(once)}
    return once, torch.tensor([place[text] for text in texts])


def as_in_sentences(names: list[str], sentences: list[str]) -> list[str]:
    """Names without the words that no sentence has: `dog` of `dog barking`, since the text tower never read of barking.

    CLIP, in whose place it stands, has read of everything. A name of which no word is known stays as it is.
    """
    known = {word for sentence in set(sentences) for word in sentence.lower().replace(",", " ").split()}
    kept = {name: " ".join(word for word in name.split() if word.lower() in known) for name in set(names)}
    return [kept[name] or name for name in names]


def run(
    *,
    config: JointConfig,
    captioned: list[Path],
    tagged: list[Path],
    output_dir: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Train the joint space and write `model.safetensors`, `config.json`, `train.jsonl`, `README.md`.

    Args:
        config: its slice.
        captioned: packed shards of pictures with sentences.
        tagged: packed shards of sounds with names.
        output_dir: where it goes.
        runtime: device and precision.
        threads: of torch on the CPU.

    Raises:
        UserError: there are not two pictures with sentences, or two named sounds.
    """
    place = Runtime.from_config(runtime, threads)
    images, captions = read_captioned(captioned, 2 * config.image_px)
    mels = MelPictures(**config.audio.model_dump())
    with store(output_dir, runtime, place) as tables:
        table = tables.load(tagged, mels)
        named = [i for i, label in enumerate(table.labels) if label]
        if len(images) < 2 or len(named) < 2:
            raise UserError(
                f"joint: {len(images)} picture(s) with a sentence in the split `{config.captioned}` and {len(named)} "
                f"named sound(s) in `{config.tagged}`; it takes two of each"
            )
        known = as_in_sentences([str(table.labels[i]) for i in named], captions)
        names = [config.prompt.replace("{}", name) for name in known]
        built = shape(config, learn_pieces(captions, config.text.pieces))
        torch.manual_seed(config.seed)
        task = JointTask(config, Joint(**built), (images, captions), (table.rows[named], names), place)
        train_stage(
            task,
            name="joint",
            config=config,
            data=[sha256_of(path) for path in (*captioned, *tagged)],
            output_dir=output_dir,
            weights={"model.safetensors": task.joint},
            shape=built,
            card=lambda _: (
                f"# Joint space of pictures, texts and sounds\n\nAfter Lee et al. 2022, small: in place of CLIP "
                f"ViT-B/32 a ResNet-10 of width {config.image_width} at {config.image_px} px and a text tower, trained "
                f"on {len(images)} pictures with sentences; then a ResNet-18 of width {config.audio_width} on "
                f"{len(named)} sounds with {len(task.names)} names. It uses text. Its spectrogram is relative to the "
                "clip's maximum: volume does not reach it.\n"
            ),
        )


__all__ = ["JointTask", "as_in_sentences", "run"]
