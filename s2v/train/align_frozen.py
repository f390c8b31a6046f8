"""Stage `align` where `align.backbone` says so: of f_A a head alone is trained, on a frozen backbone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from s2v.data.reader import read_waves
from s2v.data.subset import indices, read_classes
from s2v.data.table import sha256_of
from s2v.data.window import Window
from s2v.errors import UserError
from s2v.files import digest, sha256
from s2v.identity import code_digest
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.models.frozen_audio_encoder import FrozenAudioEncoder
from s2v.models.store import load
from s2v.models.tagger import AudioTagger
from s2v.progress import track
from s2v.runtime import Runtime
from s2v.tensors import load_tensors
from s2v.train.align import AlignTask
from s2v.train.loop import train_stage
from s2v.weights.convert import published

if TYPE_CHECKING:
    from s2v.config import AlignConfig, RuntimeConfig

_AT_ONCE = 64


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
    tagger_dir: Path | None = None,
) -> None:
    """As `s2v.train.align.run`. Each sound is embedded once, before the first step.

    Args:
        config: its slice, of which `backbone` names the backbone.
        train_packs: packed pairs to learn from.
        val_packs: those on which it stops.
        train_features: z^V of the first.
        val_features: of the second.
        output_dir: where it goes.
        runtime: device and precision.
        threads: of torch on the CPU.
        classes: names of those that are taken; None: the configuration's.
        tagger_dir: the trained tagger, where it is the backbone.

    Raises:
        UserError: there is nothing to train or to validate on, features and pairs do not belong together, or published
            weights are missing.
    """
    assert config.backbone is not None
    place = Runtime.from_config(runtime, threads)
    features = [load_tensors(path, need=["features"])["features"] for path in (train_features, val_features)]
    torch.manual_seed(config.seed)
    model, whose = _encoder(config, features[0].shape[1], tagger_dir)
    heard_with = digest([tensor.double().sum().item() for tensor in model.net.state_dict().values()])
    model.to(place.device)
    pairs, kept, wanted = [], [], read_classes(classes, config.classes)
    for split, packs, z_v in zip(("train", "val"), (train_packs, val_packs), features, strict=True):
        heard, labels = _embeddings(model, packs, split, window_at)
        kept.append(indices(labels, wanted))
        if len(kept[-1]) < 2 or len(heard) != len(z_v):
            raise UserError(
                f"align: the {split} split has {len(kept[-1])} sound(s) and {len(z_v)} picture feature(s); it "
                "needs the same number, at least 2. See coverage.csv for clips that were left out"
            )
        pairs.append((heard, z_v))
    model.begin(*(tensor[kept[0]] for tensor in pairs[0]))
    train, val = ((model.standardise(heard), z_v) for heard, z_v in pairs)
    task = AlignTask(config, model.head, train, val, place, (kept[0], kept[1]))
    given = (train_features, val_features, *([classes] if classes else []))
    train_stage(
        task,
        name="align",
        config=config,
        data=[
            *(sha256_of(path) for path in (*train_packs, *val_packs)),
            *(sha256(path) for path in given),
            *([] if window_at == "start" else [window_at]),
        ],
        also={"backbone": heard_with, "code": code_digest(__name__, without=["s2v.weights.convert"])},
        output_dir=output_dir,
        weights={"model.safetensors": model},
        shape={
            "dim": model.dim,
            "backbone": config.backbone,
            "audio": model.audio,
            "width": whose,
            "head": config.head,
        },
        card=lambda last: (
            f"# Audio encoder f_A\n\nThe frozen backbone `{config.backbone}` and a head (`{config.head}`) of "
            f"{sum(p.numel() for p in model.head.parameters()):,} parameters, loss `{config.loss}`, trained on "
            f"{len(kept[0])} pairs of the train split, stopped on {len(kept[1])} of the val split "
            f"(last validation loss {last['val_loss']:.4f}).\n\nOf a voice it tells what a model expects of such "
            "voices, not how a speaker looks. It must not be used to recognise, find or judge anybody.\n"
        ),
    )


def _encoder(config: AlignConfig, dim: int, tagger_dir: Path | None) -> tuple[FrozenAudioEncoder, int]:
    """f_A with its backbone's weights, and the width of the tagger that it is."""
    audio = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    if config.backbone == "tagger":
        assert tagger_dir is not None
        tagger = load(AudioTagger, tagger_dir)
        width = tagger.dim // (2 + 4 + 8)
        audio = {**tagger.audio, "window_s": config.audio.window_s}
        model = FrozenAudioEncoder(dim, "tagger", audio, width, config.head)
        model.net.backbone.load_state_dict(tagger.backbone.state_dict())  # type: ignore[union-attr]
        return model, width
    assert config.backbone is not None
    model = FrozenAudioEncoder(dim, config.backbone, audio, head=config.head)
    model.net.load_state_dict(published(config.backbone).state_dict())
    return model, 64


def _embeddings(
    model: FrozenAudioEncoder, packs: list[Path], split: str, window_at: str
) -> tuple[Tensor, list[str | None]]:
    """Embeddings [N, dim] of all sounds of some packed shards, and their labels; a shard's sounds are held at once."""
    n, found, labels = round(model.audio["window_s"] * SAMPLE_RATE_HZ), [], []
    for pack in track(packs, description=f"embeddings of {split}"):
        waves, _, own = read_waves(
            [pack], SAMPLE_RATE_HZ, Window(window_at, model.audio["window_s"], SAMPLE_RATE_HZ).of
        )
        labels += own
        for first in range(0, len(waves), _AT_ONCE):
            some = [fit_window(torch.from_numpy(wave), n) for wave in waves[first : first + _AT_ONCE]]
            found.append(model.embeddings(torch.stack(some)))
    return torch.cat(found) if found else torch.empty(0, 0), labels


__all__ = ["run"]
