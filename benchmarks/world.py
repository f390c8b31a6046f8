"""How honest the embedded world is: not solvable by trivial cues, solvable by small networks, measured on clips of
the default's kind (docs/world.md explains each line).

    python benchmarks/world.py                      # about two minutes on two idle cores
    python benchmarks/world.py --sheet world.png    # and a contact sheet, at 128 px and as the generator sees it
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor, nn

from s2v.config import WorldConfig
from s2v.files import write_bytes, write_json
from s2v.media.ffmpeg import ffmpeg_path
from s2v.media.picture import encode_png, grid, resize
from s2v.media.spectrogram import fit_window, log_spectrogram, standardise
from s2v.models.resnet import ResNet
from s2v.world import nested
from s2v.world.recipe import Clip, clips, story, truth
from s2v.world.render import paint, picture_and_sound, reel, write
from s2v.world.thing import things

PX = 32
WINDOW = 64000


@dataclass
class Sample:
    """What is kept of a clip: one frame in which the source shows, the middle frame's truth, the sound."""

    label: str
    split: str
    shown: NDArray[np.uint8]
    mid_shows: bool
    wave: NDArray[np.int16]
    cover: float
    out_of_range: bool
    distance: float


def sample_of(clip: Clip, config: WorldConfig) -> Sample:
    """Render a clip and keep what the measures need."""
    row = truth(clip, config)
    frames, wave = picture_and_sound(clip, config)
    assert wave is not None
    on = np.flatnonzero(row["visible"])
    shown = int(on[len(on) // 2])
    return Sample(
        clip.label,
        clip.split,
        frames[shown],
        bool(row["visible"][len(frames) // 2]),
        wave,
        cover_of(clip, config),
        row["out_of_range"],
        row["distance"],
    )


def cover_of(clip: Clip, config: WorldConfig) -> float:
    """Share of the picture that changes when the source is taken away (a scape: from full to weakest)."""
    s, thing = story(clip, config), things()[clip.label]
    scape = thing.kind == "scape"
    full = paint(s.scene, [(thing, s.scene, s.scene.strength if scape else 1.0)], 0.0, config.size_px)
    bare = paint(s.scene, [(thing, s.scene, 0.06)] if scape else [], 0.0, config.size_px)
    return float((np.abs(full.astype(int) - bare).max(-1) > 12).mean())


def nearest(train: NDArray[Any], test: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Index of and Euclidean distance to the nearest row of `train` for every row of `test`."""
    distance = torch.cdist(torch.from_numpy(test).double(), torch.from_numpy(train).double())
    value, index = distance.min(1)
    return index.numpy(), value.numpy()


def sound_cues(sample: Sample) -> list[float]:
    """Mean level in dB and the logarithm of the spectral centroid."""
    x = sample.wave / 32768.0
    power = np.abs(np.fft.rfft(x)) ** 2
    centroid = float((power * np.fft.rfftfreq(len(x), 1 / 16000)).sum() / power.sum())
    return [20 * float(np.log10(np.sqrt(np.mean(x**2)))), 10 * float(np.log(centroid))]


def learn(
    x: Tensor, y: Tensor, *, channels: int, small: bool, steps: int, augment: Callable[[Tensor], Tensor]
) -> nn.Module:
    """A small labelled classifier, trained by Adam with a one-cycle rate."""
    torch.manual_seed(0)
    body = ResNet(10, width=16, in_channels=channels, small_input=small)
    net = nn.Sequential(body, nn.Linear(body.dim, int(y.max()) + 1))
    optimizer = torch.optim.Adam(net.parameters(), 3e-3, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(steps):
        pick = torch.randint(len(x), (48,))
        loss = nn.functional.cross_entropy(net(augment(x[pick])), y[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def guesses(net: nn.Module, x: Tensor) -> NDArray[Any]:
    """Class index of every row."""
    with torch.no_grad():
        return torch.cat([net(part).argmax(1) for part in x.split(64)]).numpy()


def pictures(frames: list[NDArray[np.uint8]]) -> Tensor:
    """Frames as the generator sees them, uint8 [N, 3, 32, 32]."""
    return resize(torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous(), PX, "squash")


def unit(x: Tensor) -> Tensor:
    """uint8 to [-1, 1]."""
    return x.float() / 127.5 - 1


def jitter(x: Tensor) -> Tensor:
    """Mirror half of the pictures and move all by up to 3 px."""
    if torch.rand(()) < 0.5:
        x = x.flip(-1)
    dx, dy = torch.randint(-3, 4, (2,)).tolist()
    return torch.roll(x, (dy, dx), (-2, -1))


def spectrograms(samples: list[Sample]) -> Tensor:
    """[N, 1, 128, T / 4] of the first four seconds, averaged over 2 rows by 4 columns to spare time."""
    waves = torch.stack([fit_window(torch.from_numpy(s.wave), WINDOW) for s in samples])
    spec = torch.cat([standardise(log_spectrogram(part)) for part in waves.split(32)])
    return nn.functional.avg_pool2d(spec[:, None], (2, 4))


def roll_time(x: Tensor) -> Tensor:
    """Start the spectrogram at another moment."""
    return torch.roll(x, int(torch.randint(x.shape[-1], ())), -1)


def sheet(path: Path, columns: int, seed: int, classes: list[str]) -> None:
    """A row a class: photos at 128 px, then the same ones at 32 px, enlarged without smoothing."""
    config = WorldConfig(classes=classes, clips={"images": 1}, photos_per_reel=columns, seed=seed)
    cells: list[Tensor] = []
    for clip in clips(config):
        photos = torch.from_numpy(reel(clip, config)).permute(0, 3, 1, 2).contiguous()
        small = resize(photos, PX, "squash").repeat_interleave(4, 2).repeat_interleave(4, 3)
        cells += [photos, small]
    write_bytes(path, encode_png(grid(torch.cat(cells), columns * 2)))


def render_speed(config: WorldConfig, count: int) -> float:
    """Clips with sound that one core renders and encodes in a minute."""
    chosen = [c for c in clips(config) if c.split == "test"]
    chosen = chosen[:: max(1, len(chosen) // count)][:count]
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        for clip in chosen:
            write(clip, Path(folder) / f"{clip.clip_id}.mp4", config=config, ffmpeg=ffmpeg_path("bundled"))
        return 60 * len(chosen) / (time.perf_counter() - started)


def measure(config: WorldConfig, workers: int, steps: int) -> dict[str, Any]:
    """All measures of the world."""
    with ProcessPoolExecutor(workers) as pool:
        named = clips(config)
        pairs = [c for c in named if c.split in ("train", "test")]
        samples = list(pool.map(sample_of, pairs, [config] * len(pairs), chunksize=8))
        judges = [c for c in named if c.split == "judge"]
        reels = list(pool.map(reel, judges, [config] * len(judges), chunksize=4))
    index = {name: i for i, name in enumerate(config.classes)}
    train, test = ([s for s in samples if s.split == split] for split in ("train", "test"))
    y_train, y_test = (np.array([index[s.label] for s in part]) for part in (train, test))

    def hits(predicted: NDArray[Any]) -> float:
        return float((predicted == y_test).mean())

    colour = [np.stack([s.shown.mean((0, 1)) for s in part]) for part in (train, test)]
    cues = [np.array([sound_cues(s) for s in part]) for part in (train, test)]
    spread = cues[0].std(0)
    seen_train, seen_test = (pictures([s.shown for s in part]) for part in (train, test))
    flat = [x.flatten(1).numpy().astype(float) for x in (seen_train, seen_test)]
    near, distance = nearest(*flat)
    photos = unit(pictures([frame for r in reels for frame in r]))
    labels = torch.tensor([index[c.label] for c in judges for _ in range(config.photos_per_reel)])
    judged = guesses(learn(photos, labels, channels=3, small=True, steps=steps, augment=jitter), unit(seen_test))
    heard = guesses(
        learn(
            spectrograms(train),
            torch.from_numpy(y_train),
            channels=1,
            small=False,
            steps=steps,
            augment=roll_time,
        ),
        spectrograms(test),
    )
    beyond = np.array([s.out_of_range for s in test])
    far = np.array([s.distance > 2.5 for s in test])
    cover = np.array([s.cover for s in samples])
    level = np.array([10 ** (value / 20) for value in np.concatenate(cues)[:, 0]])
    return {
        "clips_train": len(train),
        "clips_test": len(test),
        "mean_colour_nearest_neighbour": hits(y_train[nearest(*colour)[0]]),
        "level_and_centroid_nearest_neighbour": hits(y_train[nearest(cues[0] / spread, cues[1] / spread)[0]]),
        "pixels_nearest_neighbour": hits(y_train[near]),
        "nearest_training_frame_rmse": float(distance.min() / np.sqrt(flat[0].shape[1])),
        "mid_frame_shows_source": float(np.mean([s.mid_shows for s in samples])),
        "judge": hits(judged),
        "judge_out_of_range": float((judged == y_test)[beyond].mean()) if beyond.any() else None,
        "judge_far": float((judged == y_test)[far].mean()) if far.any() else None,
        "judge_by_class": {n: float((judged == y_test)[y_test == i].mean()) for n, i in index.items()},
        "listener": hits(heard),
        "listener_by_class": {n: float((heard == y_test)[y_test == i].mean()) for n, i in index.items()},
        "out_of_range_share": float(beyond.mean()),
        "source_covers_smallest": float(cover.min()),
        "source_covers_median": float(np.median(cover)),
        "distance_median": float(np.median([s.distance for s in samples])),
        "clips_with_samples_at_full_scale": float(
            np.mean([np.abs(s.wave.astype(int)).max() >= 32767 for s in samples])
        ),
        "rms_smallest": float(level.min()),
        "rms_median": float(np.median(level)),
        "rms_largest": float(level.max()),
    }


BARS: list[tuple[str, str, Callable[[float], bool]]] = [
    ("mean_colour_nearest_neighbour", "<= 0.60", lambda v: v <= 0.60),
    ("level_and_centroid_nearest_neighbour", "<= 0.60", lambda v: v <= 0.60),
    ("mid_frame_shows_source", "0.40 to 0.60", lambda v: 0.40 <= v <= 0.60),
    ("judge", ">= 0.95", lambda v: v >= 0.95),
    ("listener", ">= 0.95", lambda v: v >= 0.95),
    ("rms_smallest", "0.01 to 0.02", lambda v: 0.01 <= v <= 0.02),
    ("rms_largest", "0.3 to 0.45", lambda v: 0.3 <= v <= 0.45),
    ("nearest_training_frame_rmse", "> 3", lambda v: v > 3),
]


def main(
    train: Annotated[int, typer.Option(min=2, help="clips of each class to learn from")] = 40,
    test: Annotated[int, typer.Option(min=2, help="clips of each class to test with")] = 20,
    reels: Annotated[int, typer.Option(min=1, help="judge reels of each class, 16 photos each")] = 5,
    steps: Annotated[int, typer.Option(min=1, help="training steps of the judge and of the listener")] = 250,
    seed: Annotated[int, typer.Option(min=0, help="another seed is another world")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="processes that render")] = 2,
    classes: Annotated[int, typer.Option(min=2, help="how many classes, of the fixed order")] = 12,
    sheet_path: Annotated[Path | None, typer.Option("--sheet", help="write a contact sheet here")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="write the measures here as JSON")] = None,
    measures: Annotated[bool, typer.Option(help="--no-measures stops after the sheet")] = True,
) -> None:
    """Print the measures that keep the world honest; exit status 1 if one misses its bar."""
    if sheet_path is not None:
        sheet(sheet_path, 10, seed, nested(classes))
    if not measures:
        return
    config = WorldConfig(classes=nested(classes), clips={"train": train, "test": test, "judge": reels}, seed=seed)
    torch.set_num_threads(workers)
    found = measure(config, workers, steps)
    found["clips_per_minute_and_core"] = render_speed(config, 24)
    bars = {name: (text, holds) for name, text, holds in BARS}
    missed = 0
    for name, value in found.items():
        if isinstance(value, dict):
            typer.echo(f"{name}: " + ", ".join(f"{k} {v:.2f}" for k, v in value.items()))
            continue
        text, holds = bars.get(name, ("", lambda _: True))
        missed += not holds(value)
        verdict = f"   (bar {text}: {'holds' if holds(value) else 'MISSED'})" if text else ""
        typer.echo(f"{name}: {value if value is None or isinstance(value, int) else round(value, 3)}{verdict}")
    if output is not None:
        write_json(output, found)
    raise typer.Exit(1 if missed else 0)


if __name__ == "__main__":
    typer.run(main)
