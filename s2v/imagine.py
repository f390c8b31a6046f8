"""From any sound file to pictures, with the models of a finished run (the way of a sound through row B)."""

from __future__ import annotations

from pathlib import Path

import torch

from s2v.errors import UserError
from s2v.files import read_json, write_bytes
from s2v.media.decode import decode_audio
from s2v.media.diagnosis import ClipError
from s2v.media.ffmpeg import ffmpeg_path
from s2v.media.picture import encode_png, from_unit, grid, resize
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.methods import Sources, clip_seed, load_method

MODELS = ("encoder", "generator", "align")
LONGEST_S = 3600.0


def imagine(
    *, sound: Path, output: Path, n: int = 1, seed: int = 0, run: Path = Path("results"), start_s: float = 0.0,
    window_s: float | None = None, px: int | None = None, truncation: float = 0.0, ffmpeg: str = "bundled",
) -> None:
    """Write `n` pictures of one sound to `output` as PNG, several of them on one sheet.

    Args:
        sound: any file with a sound that ffmpeg reads.
        output: PNG to write.
        n: how many pictures, each from its own noise.
        seed: the same seed and sound give the same pictures.
        run: output folder of a finished run.
        start_s: second of the sound at which to begin.
        window_s: seconds that are heard; None takes what the audio encoder learned with. Shorter sounds are repeated.
        px: side that each picture is enlarged to; None leaves it as the generator makes it.
        truncation: truncated noise; 0 is off.
        ffmpeg: bundled, system, or a path.

    Raises:
        UserError: there is no trained model, or the file has no sound that can be read.
    """
    for name in MODELS:
        if not (run / name / "model.safetensors").is_file():
            raise UserError(f"{run}: no finished run (no {name}/model.safetensors); `snakemake --cores all` makes one")
    if output.suffix.lower() != ".png":
        raise UserError(f"{output}: pictures are written as PNG; give a name that ends in .png")
    heard_s = window_s or float(read_json(run / "align" / "config.json")["audio"]["window_s"])
    limit_s = min(LONGEST_S, start_s + heard_s + 1)
    try:
        wave = decode_audio(sound, ffmpeg=ffmpeg_path(ffmpeg), sample_rate_hz=SAMPLE_RATE_HZ, max_duration_s=limit_s)
    except ClipError as error:
        raise UserError(f"{sound}: {error.detail or error.reason.help}") from error
    wave = wave[round(start_s * SAMPLE_RATE_HZ) :]
    if len(wave) == 0:
        raise UserError(f"{sound}: ends before second {start_s:g}")
    sources = Sources(run / "encoder", run / "generator", run / "align", window_s=heard_s, truncation=truncation)
    method = load_method("sound2vision", sources)
    z = method.encode_audio(torch.from_numpy(wave.copy())[None].float() / 32768)
    seeds = [clip_seed(seed, str(i)) for i in range(n)]
    images = from_unit(method.decode(z.expand(n, -1), seeds))
    if px is not None:
        images = resize(images, px)
    picture = images[0].permute(1, 2, 0).numpy() if n == 1 else grid(images)
    write_bytes(output, encode_png(picture))


__all__ = ["imagine"]
