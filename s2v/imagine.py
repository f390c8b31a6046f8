"""From any sound file to pictures, with the models of a finished run (the way of a sound through row B)."""

from __future__ import annotations

from pathlib import Path

from s2v.control.sheets import write
from s2v.errors import UserError
from s2v.model import Model


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
    if output.suffix.lower() != ".png":
        raise UserError(f"{output}: pictures are written as PNG; give a name that ends in .png")
    model = Model(run, window_s=window_s, truncation=truncation, ffmpeg=ffmpeg)
    z = model.encode_audio(model.sound(sound, start_s))
    write(model.generate(z.expand(n, -1), seed, range(n)), output, px)


__all__ = ["imagine"]
