"""Alignment alone against a literal loop in the manner of the public training scripts, at equal data and steps.

    python benchmarks/align.py results [--steps 22] [--threads 1] [--workers 0] [--bf16] [--json align.json]

The literal loop reads a wav and a jpg for each sample of each step, makes the spectrogram with scipy, scales the
picture to f_V's size, and runs f_V in every step: in evaluation mode and not among the optimiser's parameters, but
inside the graph, so that its gradients are computed and never used ("no_grad": without them). Ours is stage `align`'s
own task on cached features and a table of spectrograms; how long these take to make is printed, and counted over a
whole training. Validation, curves and checkpoints are left out on both sides.

Same net, same first weights, same batches in the same order: the run stops where the loss curves differ by more than
`TOLERANCE`. Ways take turns, a step each, and the median of the steps counts; with workers, which would read on in
another's turn, they come one after the other. "kept" has the allocator keep freed memory, as every training of ours
does; the setting is for good, so these ways come last. "At its best" the literal loop also has no gradients of f_V and
its maps in channels last, as ours has; with `--bf16` both have bf16 autocast, too. `results` is a finished run.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal
import soundfile
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from s2v.config import AlignConfig
from s2v.configfile import load as load_config
from s2v.data.reader import Only, decode_wave, decoded, read_images, samples
from s2v.data.table import Spectrograms, Store
from s2v.errors import UserError
from s2v.files import write_json
from s2v.media.picture import resize, to_tensor, to_unit
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.image_encoder import ImageEncoder
from s2v.models.store import load
from s2v.runtime import Runtime, keep_freed_memory
from s2v.train.align import AlignTask
from s2v.train.batches import batch_indices
from s2v.train.step import train_step

TOLERANCE = 0.02
"""Largest difference between loss curves in fp32: ours keeps spectrograms in half precision."""

SOUND, PICTURE, WAIT = "read sound, spectrogram", "read picture, scale", "wait for workers"
FORWARD, BACKWARD, AUDIO = "image encoder, forward", "image encoder, backward", "audio encoder, loss, step"


@contextmanager
def timed(spent: Counter[str], what: str) -> Iterator[None]:
    """Add the seconds to `spent`."""
    started = time.perf_counter()
    yield
    spent[what] += time.perf_counter() - started


class Literal(Dataset[tuple[Tensor, Tensor]]):
    """A wav and a jpg of each clip, decoded whenever they are asked for."""

    def __init__(self, folder: Path, keys: list[str], config: AlignConfig, image_px: int) -> None:
        self.folder, self.keys, self.audio, self.image_px = folder, keys, config.audio, image_px
        self.spent: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        audio = self.audio
        with timed(self.spent, SOUND):
            wave, rate = soundfile.read(self.folder / f"{self.keys[i]}.wav", dtype="float32")
            wave = np.clip(np.tile(wave, 10)[: round(audio.window_s * rate)], -1.0, 1.0)
            overlap = audio.n_fft - audio.hop
            _, _, density = scipy.signal.spectrogram(wave, rate, nperseg=audio.n_fft, noverlap=overlap)
            spectrogram = np.log(density + audio.log_floor)
            spectrogram = (spectrogram - spectrogram.mean()) / (spectrogram.std() + 1e-9)
        with timed(self.spent, PICTURE):
            with Image.open(self.folder / f"{self.keys[i]}.jpg") as image:
                pixels = np.asarray(image.convert("RGB"))
            # The public scripts scale to 256 and then 224 px; here as ours does, so that f_V sees the same numbers.
            picture = resize(to_tensor([pixels]), self.image_px)[0]
        return torch.from_numpy(spectrogram.astype(np.float32)), picture


def write_files(packs: list[Path], folder: Path) -> list[str]:
    """A wav and a jpg of each clip in the order of the packs: the stored sound and the stored bytes of the frame."""
    keys = []
    decode = partial(decode_wave, sample_rate_hz=SAMPLE_RATE_HZ)
    for pack in packs:
        for sample in samples(pack, Only("flac", "jpg")):
            key = sample["__key__"]
            if not {"flac", "jpg"} <= sample.keys():
                raise UserError(f"{pack}: clip {key} lacks sound or picture, so stage align cannot have run on it")
            soundfile.write(folder / f"{key}.wav", decoded(pack, sample, "flac", decode), SAMPLE_RATE_HZ, "PCM_16")
            (folder / f"{key}.jpg").write_bytes(sample["jpg"])
            keys.append(key)
    return keys


def literal(
    config: AlignConfig,
    data: Literal,
    encoder: ImageEncoder,
    model: AudioEncoder,
    batches: list[list[int]],
    workers: int,
    spent: Counter[str],
    gradients: bool = True,
    layout: torch.memory_format = torch.contiguous_format,
    bf16: bool = False,
) -> Iterator[float]:
    """The public loop; yields the loss of each step."""
    model.to(memory_format=layout)  # type: ignore[call-overload]
    computing = partial(torch.autocast, "cpu", torch.bfloat16, enabled=bf16)
    optimizer = torch.optim.Adam(model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    model.train()
    data.spent = spent
    loader = iter(DataLoader(data, batch_sampler=batches, num_workers=workers))
    for _ in batches:
        with timed(spent, WAIT) if workers else nullcontext():
            spectrogram, picture = next(loader)
        with timed(spent, FORWARD), torch.set_grad_enabled(gradients), computing():
            z_v = encoder(to_unit(picture)).float()
        with timed(spent, AUDIO):
            # The graph is cut in two here so that its parts can be timed apart; the work is the same.
            cut = z_v.detach().requires_grad_(gradients)
            with computing():
                z_a = model(spectrogram).float()
            distance = torch.cdist(F.normalize(cut), F.normalize(z_a))
            target = torch.arange(len(distance))
            loss = (F.cross_entropy(-distance, target) + F.cross_entropy(-distance.T, target)) / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if gradients:
            with timed(spent, BACKWARD):
                z_v.backward(cut.grad)
        yield loss.item()


def ours(
    config: AlignConfig, pairs: tuple[Tensor, Tensor], model: AudioEncoder, steps: int, bf16: bool
) -> Iterator[float]:
    """Stage align's own task; yields the loss of each step."""
    task = AlignTask(config, model, pairs, pairs, Runtime(torch.device("cpu"), bf16))
    for step in range(steps):
        yield train_step(task, step)["loss"]


def model_of(config: AlignConfig, dim: int) -> AudioEncoder:
    """The same first weights each time."""
    torch.manual_seed(config.seed)
    audio = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    return AudioEncoder(dim, config.width, config.final_relu, audio, config.head)


def run(ways: dict[str, Iterator[float]], steps: int, turns: bool) -> dict[str, tuple[list[float], list[float]]]:
    """Losses and seconds of all steps of each way; in turns, or one way after the other."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ways}
    order = list(ways) * steps if turns else [name for name in ways for _ in range(steps)]
    for name in order:
        started = time.perf_counter()
        found[name][0].append(next(ways[name]))
        found[name][1].append(time.perf_counter() - started)
    return found


def measure(packs: list[Path], encoder_dir: Path, config: AlignConfig, given: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed."""
    steps, spent = given.steps, Counter[str]()
    frozen, traced = load(ImageEncoder, encoder_dir), load(ImageEncoder, encoder_dir).requires_grad_(True)
    audio = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    started = time.perf_counter()
    table = Store(Path("unused"), float("inf")).load(packs, Spectrograms(**audio))
    decoding = time.perf_counter() - started
    started = time.perf_counter()
    pictures, keys, _ = read_images(packs, frozen.image_px)
    pairs = (table.rows, frozen.encode(pictures).clone())
    embedding = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as name:
        files = Path(name)
        if write_files(packs, files) != keys or table.keys != keys:
            raise UserError("the sounds and the pictures of the packs do not belong together")
        batches = [batch_indices(len(keys), config.batch_size, config.seed, step).tolist() for step in range(steps)]

        def public(seconds: Counter[str], gradients: bool = True, **how: Any) -> Iterator[float]:
            data = Literal(files, keys, config, frozen.image_px)
            encoder = traced if gradients else frozen
            model = model_of(config, encoder.dim)
            return literal(config, data, encoder, model, batches, given.workers, seconds, gradients, **how)

        def own(bf16: bool = False) -> Iterator[float]:
            return ours(config, pairs, model_of(config, frozen.dim), steps, bf16)

        ways = {"literal": public(spent), "literal, no_grad": public(Counter(), gradients=False), "s2v": own()}
        found = run(ways, steps, turns=not given.workers)
        keep_freed_memory()
        best = partial(public, Counter(), gradients=False, layout=torch.channels_last)
        ways = {"literal, kept": public(Counter()), "literal at its best": best(), "s2v, kept": own()}
        if given.bf16:
            ways |= {"literal at its best, bf16": best(bf16=True), "s2v, kept, bf16": own(bf16=True)}
        found |= run(ways, steps, turns=not given.workers)
    first, base = found["literal"][0], statistics.median(found["literal"][1])
    rows = []
    for way, (losses, seconds) in found.items():
        step = statistics.median(seconds)
        whole = config.epochs * (len(keys) // config.batch_size or 1)
        before = decoding + embedding if way.startswith("s2v") else 0.0
        rows.append({
            "way": way, "samples/s": len(batches[0]) / step, "of literal": base / step,
            f"of literal, {config.epochs} epochs": whole * base / (whole * step + before),
            "loss apart": max(abs(a - b) for a, b in zip(first, losses, strict=True)),
        })  # fmt: skip
    return {
        "pairs": len(keys), "batch": len(batches[0]), "steps": steps, "threads": given.threads,
        "workers": given.workers, "f_V_px": frozen.image_px, "f_A_width": config.width,
        "window_s": config.audio.window_s, "rows": rows,
        "made before": {"decode the table, s": decoding, "embed the pictures, s": embedding},
        "losses": [first[0], first[-1]],
        "literal": {name: seconds / sum(spent.values()) for name, seconds in spent.most_common()},
    }  # fmt: skip


def markdown(found: dict[str, Any]) -> str:
    """The table and what belongs to it."""
    columns = list(found["rows"][0])
    lines = [
        f"{found['pairs']} pairs, batch {found['batch']}, {found['steps']} steps, {found['threads']} thread(s), "
        f"{found['workers']} worker(s), window {found['window_s']:g} s, f_A of width {found['f_A_width']}, f_V at "
        f"{found['f_V_px']} px; loss {found['losses'][0]:.3f} to {found['losses'][1]:.3f}\n",
        "| " + " | ".join(columns) + " |", "|---" + "|---:" * (len(columns) - 1) + "|",
    ]  # fmt: skip
    for row in found["rows"]:
        way, rate, *ratios, apart = row.values()
        lines.append(f"| {way} | {rate:.1f} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + f" | {apart:.4f} |")
    made = ", ".join(f"{name} {seconds:.1f}" for name, seconds in found["made before"].items())
    shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in found["literal"].items())
    return "\n".join([*lines, f"\nmade before: {made}", f"where the literal loop's time goes: {shares}"])


def main() -> None:
    """Measure, print, compare the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="output folder of a finished run")
    parser.add_argument("--config", nargs="+", default=["config.yaml"], help="sizes of alignment")
    parser.add_argument("--steps", type=int, default=22, help="of each way")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="of the literal loop's DataLoader")
    parser.add_argument("--bf16", action="store_true", help="the best of both once more with bf16 autocast")
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    packs = sorted((given.results / "pack/train").glob("*.tar"))
    try:
        if not packs:
            raise UserError(f"{given.results}: no pack/train/*.tar; finish a run first")
        config = load_config(given.config).align
        if config.loss != "total":
            raise UserError(f"align.loss is {config.loss}; the public loop's is total")
        found = measure(packs, given.results / "encoder", config, given)
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
    print(markdown(found))
    if given.json:
        write_json(given.json, found)
    apart = max(row["loss apart"] for row in found["rows"] if "bf16" not in row["way"])
    if apart > TOLERANCE:
        raise SystemExit(f"error: the loss curves differ by {apart:.4f}, more than {TOLERANCE}")


if __name__ == "__main__":
    main()
