"""Alignment alone against a literal loop in the manner of the public training scripts, at equal data and steps.

    python benchmarks/align.py results [--steps 24] [--threads 1] [--bf16]

The literal loop reads a wav and a picture for each sample of each step, makes the spectrogram with scipy, and runs the
image encoder in every step, its gradients not switched off. Ours reads cached features and a table of spectrograms, as
stage `align` does; how long these take to make is printed beside. Same net, same first weights, same batches: the loss
curves are the same but for rounding. `results` is a finished run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from s2v.config import AlignConfig, RuntimeConfig
from s2v.configfile import load as load_config
from s2v.data.reader import read_images, read_waves
from s2v.data.table import Spectrograms, Store
from s2v.errors import UserError
from s2v.media.picture import to_unit
from s2v.train.align import SAMPLE_RATE_HZ, AudioEncoder, _Align
from s2v.train.batches import batch_indices
from s2v.train.encoder import ImageEncoder
from s2v.train.encoder import load as load_encoder
from s2v.train.runtime import Runtime

TOLERANCE = 0.02
"""Largest difference between the loss curves: ours keeps spectrograms in half precision."""

spent: Counter[str] = Counter()


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Add the seconds to `spent`."""
    started = time.perf_counter()
    yield
    spent[what] += time.perf_counter() - started


class Literal(Dataset[tuple[Tensor, Tensor]]):
    """A wav and a picture of each clip, decoded whenever they are asked for."""

    def __init__(self, folder: Path, keys: list[str], window_s: float, image_px: int) -> None:
        self.folder, self.keys, self.image_px = folder, keys, image_px
        self.samples = round(window_s * SAMPLE_RATE_HZ)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        with timed("read sound, spectrogram"):
            wave, rate = soundfile.read(self.folder / f"{self.keys[i]}.wav", dtype="float32")
            wave = np.clip(np.tile(wave, 10)[: self.samples], -1.0, 1.0)
            _, _, density = scipy.signal.spectrogram(wave, rate, nperseg=512, noverlap=353)
            spectrogram = np.log(density + 1e-7)
            spectrogram = (spectrogram - spectrogram.mean()) / (spectrogram.std() + 1e-9)
        with timed("read picture"):
            picture = np.asarray(Image.open(self.folder / f"{self.keys[i]}.png").convert("RGB"))
        return torch.from_numpy(spectrogram.astype(np.float32)), torch.from_numpy(picture.copy()).permute(2, 0, 1)


def write_files(packs: list[Path], folder: Path, image_px: int) -> list[str]:
    """A wav and a picture of each clip, in the order of the packs.

    The picture has f_V's size already and is stored without loss, so that both ways see the same numbers; that spares
    the literal loop the scaling of full frames.
    """
    waves, keys, _ = read_waves(packs, SAMPLE_RATE_HZ)
    pictures, names, _ = read_images(packs, image_px)
    shown = dict(zip(names, pictures, strict=True))
    for key, wave in zip(keys, waves, strict=True):
        soundfile.write(folder / f"{key}.wav", wave, SAMPLE_RATE_HZ, subtype="PCM_16")
        Image.fromarray(shown[key].permute(1, 2, 0).numpy()).save(folder / f"{key}.png")
    return keys


def seen_by(encoder: ImageEncoder, pictures: Tensor) -> Tensor:
    """Raw features of uint8 pictures [B, 3, px, px] at f_V's own size, with a graph."""
    features: Tensor = encoder(to_unit(pictures))
    return features


def literal(config: AlignConfig, folder: Path, keys: list[str], encoder: ImageEncoder, model: AudioEncoder,
            batches: list[list[int]]) -> list[float]:
    """Losses of the public loop."""
    encoder.requires_grad_(True)  # frozen by not being among the optimiser's parameters, as published
    data = Literal(folder, keys, config.audio.window_s, encoder.image_px)
    optimizer = torch.optim.Adam(model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    losses = []
    model.train()
    for spectrogram, picture in DataLoader(data, batch_sampler=batches):
        with timed("image encoder"):
            z_v = seen_by(encoder, picture)
        with timed("audio encoder, loss, step"):
            z_a = model(spectrogram)
            distance = torch.cdist(nn.functional.normalize(z_v), nn.functional.normalize(z_a))
            target = torch.arange(len(distance))
            both = (nn.functional.cross_entropy(-d, target) for d in (distance, distance.T))
            loss = sum(both, torch.zeros(())) / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    return losses


def ours(config: AlignConfig, packs: list[Path], encoder: ImageEncoder, model: AudioEncoder, steps: int,
         runtime: Runtime) -> tuple[list[float], float, float]:
    """Losses of stage align's own task, seconds of the steps, and of what they read being made."""
    encoder.requires_grad_(False)
    started = time.perf_counter()
    audio = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    table = Store(Path("unused"), float("inf")).load(packs, Spectrograms(**audio))
    pictures, _, _ = read_images(packs, encoder.image_px)
    z_v = encoder.encode(pictures)
    made = time.perf_counter() - started
    pair = (table.rows, z_v)
    task = _Align(config, model, pair, pair, runtime)
    started = time.perf_counter()
    losses = [task.step(step)["loss"] for step in range(steps)]
    return losses, time.perf_counter() - started, made


def model_of(config: AlignConfig, dim: int) -> AudioEncoder:
    """The same first weights each time."""
    torch.manual_seed(config.seed)
    audio = {**config.audio.model_dump(), "sample_rate_hz": SAMPLE_RATE_HZ}
    return AudioEncoder(dim, config.width, config.final_relu, audio, config.head)


def main() -> None:
    """Measure, compare the curves, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="output folder of a finished run")
    parser.add_argument("--config", nargs="+", default=["config.yaml"], help="sizes of alignment")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="ours once more with bf16 autocast")
    given = parser.parse_args()
    packs = sorted((given.results / "pack/train").glob("*.tar"))
    if not packs:
        raise SystemExit(f"error: {given.results}: no pack/train/*.tar; finish a run first")
    config = load_config(given.config)
    align = config.align
    torch.set_num_threads(given.threads)
    encoder = load_encoder(given.results / "encoder")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = write_files(packs, folder, encoder.image_px)
        batches = [batch_indices(len(keys), align.batch_size, align.seed, step).tolist() for step in range(given.steps)]
        started = time.perf_counter()
        theirs = literal(align, folder, keys, encoder, model_of(align, encoder.dim), batches)
        seconds = time.perf_counter() - started
    rows: list[tuple[str, float, list[float], float]] = [("literal loop", seconds, theirs, 0.0)]
    for what, precision in (("s2v", "fp32"), ("s2v, bf16", "bf16"))[: 1 + given.bf16]:
        place = Runtime.from_config(RuntimeConfig(device="cpu", precision=precision), given.threads)
        losses, own, made = ours(align, packs, encoder, model_of(align, encoder.dim), given.steps, place)
        rows.append((what, own, losses, made))
    samples = given.steps * align.batch_size
    apart = max(abs(a - b) for a, b in zip(theirs, rows[1][2], strict=True))
    print(f"{len(keys)} pairs, batch {align.batch_size}, {given.steps} steps, {given.threads} thread(s), window "
          f"{align.audio.window_s:g} s, width {align.width}, f_V at {encoder.image_px} px")
    print(f"largest difference of the loss curves: {apart:.4f} of {theirs[0]:.3f} to {theirs[-1]:.3f}")
    print(f"{'way':14}{'samples/s':>11}{'ratio':>8}{'made before, s':>17}{'ratio over 20 epochs':>23}")
    long = align.epochs * len(keys)
    for what, own, _, made in rows:
        whole = long * own / samples + made
        print(f"{what:14}{samples / own:11.1f}{seconds / own:8.2f}{made:17.1f}{long * seconds / samples / whole:23.2f}")
    print("where the literal loop's time goes: " + ", ".join(
        f"{name} {100 * value / seconds:.0f} %" for name, value in spent.most_common()))  # fmt: skip
    if apart > TOLERANCE:
        raise SystemExit(f"error: the loss curves differ by {apart:.4f}, more than {TOLERANCE}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
