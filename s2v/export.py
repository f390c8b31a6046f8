"""A trained model as a folder of its own, which `--model` and `s2v.load` take, and as programs for other code."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2v.config.methods import METHODS
from s2v.control.familiarity import FOLDER as KNOWN
from s2v.control.training_frames import Frames
from s2v.errors import UserError
from s2v.files import read_csv, write_json, write_text
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.model import Model
from s2v.models.audio_encoder import AudioEncoder
from s2v.provenance import revision, versions
from s2v.tensors import load_tensors, save_tensors

FILES = ("model.safetensors", "config.json", "README.md")
PROGRAMS = {"audio_encoder.pt2": "waveform [B, N] -> feature [B, D]", "generator.pt2": "noise, feature -> picture"}
TOLERANCE = 1e-4
"""Largest difference of a program's numbers to the model's own: of a feature, and of a picture in [-1, 1]."""


class Hears(nn.Module):
    """f_A as one program: a waveform float [B, window] at 16 kHz -> feature [B, D] of unit norm."""

    def __init__(self, f_a: AudioEncoder) -> None:
        super().__init__()
        self.f_a = f_a

    def forward(self, wave: Tensor) -> Tensor:
        """[B, N] -> [B, D]."""
        return F.normalize(self.f_a(self.f_a.spectrogram(wave)), dim=1)


def export(run: Path, output: Path, programs: bool = False, frames: int = 0, half: bool = False) -> list[Path]:
    """Write the GAN's model of a finished run to a folder of its own.

    Args:
        run: output folder of the run.
        output: folder that is not there yet.
        programs: also the audio encoder and the generator as torch.export programs (`PROGRAMS`), for any batch; they
            are compared with the model and refused where they differ by more than `TOLERANCE`.
        frames: how many of the training frames to put in, so that the studio can show the nearest. They are other
            people's pictures, so none go in unless it is said.
        half: matrices and kernels in half precision, which halves the folder; pictures then differ by a few of 255.

    Returns:
        The files.

    Raises:
        UserError: the run is not finished, the folder is there, or a program is not the model.
    """
    if os.path.lexists(output):
        raise UserError(f"{output}: is there already; name a new folder")
    model = Model(run)
    folder = output.with_name(f".{output.name}.part")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for part in METHODS["sound2vision"].parts.values():
            (folder / part).mkdir(parents=True)
            for name in FILES:
                if (run / part / name).is_file():
                    shutil.copyfile(run / part / name, folder / part / name)
            if half:
                _halve(folder / part / "model.safetensors")
        if model.known is not None:
            model.known.write(folder / KNOWN / "align.safetensors")
        classes = model.classes
        write_json(folder / "s2v.json", {
            "method": "sound2vision", "dim": model.dim, "resolution": model.resolution, "window_s": model.window_s,
            "sample_rate_hz": SAMPLE_RATE_HZ, "classes": classes, "code": revision(), "versions": versions("torch"),
        })  # fmt: skip
        write_text(folder / "README.md", _card(model, classes, _measured(run, half)))
        if frames:
            known = Frames.of(run)
            if known is None or not known.keys:
                raise UserError(f"{run}: has no embedded training frames (embed/train, pack/train) to put in")
            known.choose(frames, model.resolution).write(folder)
        if programs:
            _programs(model, folder)
        folder.rename(output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return sorted(path for path in output.rglob("*") if path.is_file())


def _halve(path: Path) -> None:
    """Vectors stay as they are: they are small, and statistics of a norm may lie below what half precision can say."""
    tensors = load_tensors(path)
    save_tensors(path, {name: t.half() if t.ndim > 1 and t.is_floating_point() else t for name, t in tensors.items()})


def _measured(run: Path, half: bool) -> str:
    """What Table 1 says of the model, in a sentence; nothing where the run has no table."""
    if not (run / "table1.csv").is_file():
        return ""
    metrics, facts = ("R@1", "R@5", "FID", "IS"), ("row", "n clips", "data set", "seeds", "evaluator")
    row = next((row for row in read_csv(run / "table1.csv", (*metrics, *facts)) if row["row"] == "B"), None)
    if row is None:
        return ""
    numbers = ", ".join(f"{name} {row[name]}" for name in metrics if row[name])
    return (
        f"On {row['n clips']} test clips of {row['data set']}, generation seeds {row['seeds']}: {numbers}. "
        f"Evaluator: {row['evaluator']}.{' Measured before the weights were halved.' if half else ''}\n"
    )


def _card(model: Model, classes: list[str], measured: str) -> str:
    learned = f" It learned from {len(classes)} classes: {', '.join(classes)}.\n" if classes else "\n"
    parts = [
        "# A Sound2Vision model\n",
        f"Hears {model.window_s:g} s at {SAMPLE_RATE_HZ} Hz, paints {model.resolution} px. Weights are safetensors; "
        "each folder has its own card.\n",
        '    import s2v\n    model = s2v.load("this folder")\n'
        '    pictures = model.generate(model.encode_audio("dog.wav"))\n',
        "Or `s2v generate dog.wav -o dog.png --model <this folder>`.\n",
        f"It makes one of what it learned from, whatever it hears.{learned}",
        *([measured] if measured else []),
    ]
    return "\n".join(parts)


def _programs(model: Model, folder: Path) -> None:
    f_a, painter = model.f_a, model.method.renderer.gan()
    samples = round(float(f_a.audio["window_s"]) * SAMPLE_RATE_HZ)
    g = torch.Generator().manual_seed(0)
    wave, other = 0.1 * torch.randn(2, samples, generator=g), 0.1 * torch.randn(3, samples, generator=g)
    batch = torch.export.Dim("batch", min=1, max=1024)
    hears = Hears(f_a).eval()
    noise = torch.randn(3, painter.dim_z, generator=g)
    with torch.no_grad():
        z = hears(other)
        heard = torch.export.export(hears, (wave,), dynamic_shapes=({0: batch},))
        painted = torch.export.export(painter, (noise[:2], z[:2]), dynamic_shapes=({0: batch}, {0: batch}))
        apart = {
            "audio_encoder.pt2": float((heard.module()(other) - z).abs().max()),
            "generator.pt2": float((painted.module()(noise, z) - painter(noise, z)).abs().max()),
        }
    for name, difference in apart.items():
        if difference > TOLERANCE:
            raise UserError(f"export: {name} differs from the model by {difference:.2g}, more than {TOLERANCE:g}")
    torch.export.save(heard, folder / "audio_encoder.pt2")
    torch.export.save(painted, folder / "generator.pt2")


__all__ = ["PROGRAMS", "TOLERANCE", "export"]
