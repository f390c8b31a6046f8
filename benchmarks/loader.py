"""Samples a second that a training is fed, beside plain files in torch's DataLoader, in one run on this machine.

    python benchmarks/loader.py [--samples 2000] [--workers 2] [--epochs 50] [--json loader.json]

Two kinds of samples, drawn here: `pairs` at full size (a JPEG with a short side of 256 px, to 224 px; 10 s of sound at
16 kHz, to its 257 x 1004 spectrogram) and `pictures`, many small ones (64 px, to 64 px). Each is read by

- files: a JPEG and a WAV each, torch's DataLoader with PIL and soundfile, batches of 64, in random order;
- stream: WebDataset shards through `s2v.data.stream` in the same DataLoader;
- table, first pass: shards through `s2v.data.table`, decoding included, as a training does once;
- table: every pass after it, random batches out of the mapped file.

All apply the same transforms. Cold: the pages of the files are dropped from the page cache first (POSIX_FADV_DONTNEED;
a disk's or a host's own cache stays warm). `--epochs` gives the last line: a whole training, first pass included.

At the end: samples a second that a full-size step on one GPU would take, **estimated** from counted operations (torch's
FlopCounterMode, a step as three forward passes) and a share of an H100's bf16 peak.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from s2v.data.pack import wds
from s2v.data.stream import stream
from s2v.data.table import Form, Pictures, Spectrograms, Store
from s2v.files import sha256, write_json
from s2v.media.picture import encode_jpeg, resize, to_tensor
from s2v.media.spectrogram import encoder_input
from s2v.models.biggan import Discriminator, Generator
from s2v.models.resnet import ResNet

RATE = 16000
AUDIO = {"window_s": 10.0, "n_fft": 512, "hop": 159, "log_floor": 1e-7, "sample_rate_hz": RATE}
BATCH = 64
SHARD = 500
PEAK_FLOPS, SHARE = 989e12, 0.3  # dense bf16 of an H100 SXM; convolutional nets seldom reach a third of it


@dataclass(frozen=True)
class Kind:
    """What a sample is: sides of its stored and its final picture, and whether it has sound."""

    stored: tuple[int, int]
    px: int
    sound: bool


KINDS = {"pairs": Kind((256, 456), 224, True), "pictures": Kind((64, 64), 64, False)}


def make(kind: Kind, count: int, folder: Path) -> tuple[list[Path], list[Path]]:
    """The same samples as files and as shards."""
    rng = np.random.default_rng(0)
    (folder / "files").mkdir(parents=True)
    (folder / "shards").mkdir()
    # A few soft pictures and noises, each stored under many names: what counts is their size and number.
    height, width = kind.stored
    soft = torch.from_numpy(rng.integers(0, 256, (16, 3, 12, 16), np.uint8)).float()
    soft = torch.nn.functional.interpolate(soft, size=kind.stored, mode="bicubic").clamp(0, 255)
    grain = torch.from_numpy(rng.normal(0, 4, (16, 3, height, width)))
    pictures = [encode_jpeg(p, 90) for p in (soft + grain).clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()]
    waves = [(rng.normal(0, 3000, 10 * RATE)).astype(np.int16) for _ in range(4)]
    flacs, wavs = [], []
    for i, wave in enumerate(waves if kind.sound else []):
        for form, made in (("FLAC", flacs), ("WAV", wavs)):
            path = folder / f"{i}.{form.lower()}"
            soundfile.write(path, wave, RATE, format=form, subtype="PCM_16")
            made.append(path.read_bytes())
    files, shards = [], []
    for start in range(0, count, SHARD):
        tar = folder / "shards" / f"{start // SHARD:03d}.tar"
        n = min(SHARD, count - start)
        with wds.TarWriter(str(tar), encoder=False, mtime=0) as writer:
            for i in range(start, start + n):
                sample = {"__key__": f"s{i:06d}", "jpg": pictures[i % 16], "json": b'{"label": "dog"}'}
                writer.write({**sample, **({"flac": flacs[i % 4]} if kind.sound else {})})
                files.append(folder / "files" / f"s{i:06d}.jpg")
                files[-1].write_bytes(pictures[i % 16])
                if kind.sound:
                    files[-1].with_suffix(".wav").write_bytes(wavs[i % 4])
        write_json(tar.with_suffix(".json"), {"samples": n, "bytes": tar.stat().st_size, "sha256": sha256(tar)})
        shards.append(tar)
    os.sync()
    return files, shards


class Files(Dataset[tuple[Tensor, ...]]):
    """What people write first: a file each, opened as it is asked for."""

    def __init__(self, kind: Kind, files: list[Path]) -> None:
        self.kind, self.files = kind, files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        path = self.files[index]
        image = resize(to_tensor([np.asarray(Image.open(path).convert("RGB"))]), self.kind.px)[0]
        if not self.kind.sound:
            return (image,)
        wave, _ = soundfile.read(path.with_suffix(".wav"), dtype="int16")
        return image, encoder_input(torch.from_numpy(wave)[None], **AUDIO)[0].half()


def collate(kind: Kind, batch: list[dict[str, Tensor]]) -> tuple[Tensor, ...]:
    """A batch of the stream, with the transform of its sound."""
    images = torch.stack([sample["image"] for sample in batch])
    if not kind.sound:
        return (images,)
    return images, encoder_input(torch.stack([sample["wave"] for sample in batch]), **AUDIO).half()


def drop(paths: Iterable[Path]) -> None:
    """Take files out of the page cache."""
    for path in paths:
        with open(path, "rb") as stream_:
            os.posix_fadvise(stream_.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def rate(count: int, batches: Iterator[tuple[Tensor, ...]]) -> float:
    """Samples a second."""
    started, seen = time.monotonic(), 0
    for batch in batches:
        seen += len(batch[0])
    assert seen == count, f"{seen} of {count} samples"
    return count / (time.monotonic() - started)


def random_batches(tables: list[Tensor]) -> Iterator[tuple[Tensor, ...]]:
    """Batches out of tables, in random order."""
    for index in torch.randperm(len(tables[0])).split(BATCH):
        yield tuple(table[index] for table in tables)


def measure(kind: Kind, count: int, workers: int, folder: Path) -> dict[str, float]:
    """Samples a second of each way."""
    files, shards = make(kind, count, folder)
    everything = [*files, *(f.with_suffix(".wav") for f in files if kind.sound)]
    forms: list[Form] = [Pictures(kind.px), *([Spectrograms(**AUDIO)] if kind.sound else [])]  # type: ignore[arg-type]
    found: dict[str, float] = {}

    def plain() -> Iterator[tuple[Tensor, ...]]:
        return iter(DataLoader(Files(kind, files), batch_size=BATCH, shuffle=True, num_workers=workers))

    def streamed() -> Iterator[tuple[Tensor, ...]]:
        part = stream(shards, px=kind.px, sample_rate_hz=RATE)
        return iter(DataLoader(part, batch_size=BATCH, num_workers=workers, collate_fn=partial(collate, kind)))

    ways: dict[str, tuple[Callable[[], Iterator[tuple[Tensor, ...]]], list[Path]]] = {
        "files": (plain, everything), "stream": (streamed, shards)
    }  # fmt: skip
    for name, (way, read) in ways.items():
        drop(read)
        found[f"{name}, cold"] = rate(count, way())
        found[f"{name}, warm"] = rate(count, way())
    for state in ("cold", "warm"):
        if state == "cold":
            drop(shards)
        store = Store(folder / state, 0, workers)
        started = time.monotonic()
        tables = [store.load(shards, form).rows for form in forms]
        found[f"table, first pass, {state}"] = count / (time.monotonic() - started)
    del tables
    store = Store(folder / "warm", 0, workers)
    os.sync()
    drop((folder / "warm").glob("*/rows"))
    tables = [store.load(shards, form).rows for form in forms]
    found["table, cold"] = rate(count, random_batches(tables))
    found["table, warm"] = rate(count, random_batches(tables))
    return found


def needed() -> dict[str, float]:
    """Samples a second that each full-size training would take from the reader on one GPU; an estimate."""

    def flops(module: nn.Module, *inputs: Tensor) -> float:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(*inputs)
        return counter.get_total_flops()

    with torch.device("meta"):
        audio = ResNet(18, 64, in_channels=1)
        image = ResNet(50, 64)
        g, d = Generator(128, 96, 120, 2048, 512, 2, True), Discriminator(128, 96, 2048, 2, True)
        h, z, shown = torch.empty(1, 2048), torch.empty(1, 120), torch.empty(1, 3, 128, 128)
        crops = 2 * flops(image, torch.empty(1, 3, 224, 224)) + 6 * flops(image, torch.empty(1, 3, 96, 96))
        # One step of D (a real and a made picture, the latter only forward through G), then one of G through D.
        gan = flops(g, z, h) + 3 * 2 * flops(d, shown, h) + 3 * (flops(g, z, h) + flops(d, shown, h))
        steps = {
            "align (ResNet-18, 257 x 1004)": 3 * flops(audio, torch.empty(1, 1, 257, 1004)),
            "encoder (ResNet-50, SwAV, 2 x 224 + 6 x 96 px)": 3 * crops,
            "generator (BigGAN, 128 px)": gan,
        }
    return {name: SHARE * PEAK_FLOPS / step for name, step in steps.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2000, help="pairs; there are five times as many small pictures")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--epochs", type=int, default=50, help="passes of a training (config: align.epochs)")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            count = arguments.samples * (1 if kind.sound else 5)
            found = measure(kind, count, arguments.workers, Path(folder))
        results[name] = found
        print(f"\n{name}: {count} samples, {arguments.workers} workers\n")
        print("| way | samples/s | of files |\n|---|---:|---:|")
        for way, value in found.items():
            base = found["files, cold" if "cold" in way else "files, warm"]
            print(f"| {way} | {value:,.0f} | {value / base:.2f} |")
        first, later = found["table, first pass, warm"], found["table, warm"]
        whole = arguments.epochs / (1 / first + (arguments.epochs - 1) / later)
        print(f"| table, {arguments.epochs} passes | {whole:,.0f} | {whole / found['files, warm']:.2f} |")
    print(f"\nEstimate: one H100 at {SHARE:.0%} of its bf16 peak\n\n| step | samples/s it takes |\n|---|---:|")
    for name, value in needed().items():
        print(f"| {name} | {value:,.0f} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
