"""Commands that steer pictures by sound. They import what they need when they run, so that `--help` is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from s2v.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from s2v.model import Model

Output = Annotated[
    Path, typer.Option("-o", "--output", help=".png (a sheet), .gif or .mp4 (a film); a .json beside it says how")
]
Run = Annotated[
    Path | None,
    typer.Option(
        "--model",
        show_default=False,
        help="output folder of a finished run, or an exported model; by default results/, and where no run is finished "
        "there the model that comes with s2v",
    ),
]
Generator = Annotated[Literal["gan", "ldm"], typer.Option(help="which generator; ldm needs the models of table3.csv")]
Seed = Annotated[int, typer.Option(min=0, help="the same seed gives the same noise, one for the whole sweep")]
Px = Annotated[int | None, typer.Option(min=16, max=4096, help="enlarge each picture to this side")]
Steps = Annotated[int, typer.Option(min=2, max=200, help="pictures of the sweep")]
Count = Annotated[int, typer.Option("--n", min=1, max=400, help="how many pictures, each from its own noise")]
Picture = Annotated[Path | None, typer.Option(help="a picture to blend in (paper 5.2)")]
Weight = Annotated[float, typer.Option("--lambda", help="of that picture; 1 is the picture alone, 0 the sound alone")]
Sound = Annotated[Path, typer.Argument(help="any audio or video file that ffmpeg reads")]


def _model(run: Path | None, generator: str, output: Path, **settings: Any) -> Model:
    """The model, where something can be written under `output`: that is told before anything is computed."""
    from s2v.control.sheets import check
    from s2v.model import Model

    check(output)
    return Model(run, "sound2vision" if generator == "gan" else "sound2vision_ldm", **settings)


def _done(
    model: Model, output: Path, pictures: Tensor, px: int | None, facts: dict[str, Any], columns: int | None = None
) -> None:
    from s2v.control.sheets import write

    write(pictures, output, px, columns)
    _say(model, output, facts)


def _say(model: Model, output: Path, facts: dict[str, Any]) -> None:
    """The recipe beside what was made, which model made it, and where it is."""
    from s2v.control.sheets import write_recipe

    write_recipe(output, ["s2v", *sys.argv[1:]], model, facts)
    typer.echo(model.about, err=True)
    typer.echo(str(output))


def _blend(model: Model, wave: Tensor, picture: Path | None, weight: float) -> Tensor:
    """Feature [1, D] of a sound, or between it and a picture."""
    return model.encode_audio(wave) if picture is None else model.interpolate(picture, wave, [weight])


def _blended(picture: Path | None, weight: float) -> dict[str, Any]:
    return {} if picture is None else {"picture": str(picture), "lambda": weight}


def _evenly(low: float, high: float, steps: int) -> list[float]:
    return [low + (high - low) * i / (steps - 1) for i in range(steps)]


def generate(
    sound: Sound,
    output: Output,
    n: Count = 1,
    seed: Seed = 0,
    model: Run = None,
    generator: Generator = "gan",
    start: Annotated[float, typer.Option(min=0.0, help="second of the sound at which to begin")] = 0.0,
    window: Annotated[
        float | None, typer.Option(min=0.1, max=60.0, help="seconds that are heard; by default as in training")
    ] = None,
    px: Px = None,
    truncation: Annotated[float, typer.Option(min=0.0, help="truncate the noise: less variety; 0 is off")] = 0.0,
    gain: Annotated[float, typer.Option(help="dB by which the sound is made louder")] = 0.0,
    picture: Picture = None,
    weight: Weight = 0.5,
    ffmpeg: Annotated[str, typer.Option(help="bundled, system, or a path")] = "bundled",
) -> None:
    """Make pictures of a sound.

    A sound shorter than the window is repeated, of a longer one the first seconds after --start are heard.
    """
    loaded = _model(model, generator, output, window_s=window, truncation=truncation, ffmpeg=ffmpeg)
    (wave,) = loaded.volumes(loaded.sound(sound, start), [gain])
    z = _blend(loaded, wave, picture, weight)
    facts = {
        "sound": str(sound), "start_s": start, "window_s": loaded.window_s, "gain_db": gain, "truncation": truncation,
        "seed": seed, **_blended(picture, weight),
    }  # fmt: skip
    _done(loaded, output, loaded.generate(z.expand(n, -1), seed, range(n)), px, facts)


def mix(
    sounds: Annotated[list[Path], typer.Argument(help="two or more sounds, of any format and length")],
    output: Output,
    gain: Annotated[list[float] | None, typer.Option(help="dB of each sound, in order; give it once a sound")] = None,
    offset: Annotated[list[float] | None, typer.Option(help="seconds before each begins, likewise")] = None,
    picture: Picture = None,
    weight: Weight = 0.5,
    n: Count = 1,
    seed: Seed = 0,
    model: Run = None,
    generator: Generator = "gan",
    px: Px = None,
) -> None:
    """Make pictures of several sounds at once.

    No level is normalised: what is louder in the mix weighs more.
    """
    if len(sounds) < 2:
        raise UserError("mix: give two or more sounds")
    loaded = _model(model, generator, output)
    z = _blend(loaded, loaded.mix(list(sounds), gain or None, offset or None), picture, weight)
    facts = {
        "sounds": [str(path) for path in sounds], "gains_db": gain, "offsets_s": offset, "seed": seed,
        **_blended(picture, weight),
    }  # fmt: skip
    _done(loaded, output, loaded.generate(z.expand(n, -1), seed, range(n)), px, facts)


def volume(
    sound: Sound,
    output: Output,
    low: Annotated[float, typer.Option("--from", help="dB of the first picture")] = -30.0,
    high: Annotated[float, typer.Option("--to", help="dB of the last")] = 10.0,
    steps: Steps = 7,
    seed: Seed = 0,
    model: Run = None,
    generator: Generator = "gan",
    px: Px = None,
) -> None:
    """Make a sound louder step by step, and see what becomes of the picture (paper 5.1, Fig. 8)."""
    loaded, gains = _model(model, generator, output), _evenly(low, high, steps)
    z = loaded.encode_audio(list(loaded.volumes(sound, gains)))
    facts = {"sound": str(sound), "gains_db": gains, "seed": seed}
    _done(loaded, output, loaded.generate(z, seed), px, facts, columns=steps)


def interpolate(
    picture: Annotated[Path, typer.Argument(help="a picture file")],
    sound: Sound,
    output: Output,
    steps: Steps = 7,
    low: Annotated[float, typer.Option("--from", help="lambda of the first picture; 1 is the picture alone")] = 1.0,
    high: Annotated[float, typer.Option("--to", help="of the last; 0 is the sound alone")] = 0.0,
    seed: Seed = 0,
    model: Run = None,
    generator: Generator = "gan",
    how: Annotated[
        Literal["features", "compose", "noise"],
        typer.Option(
            help="features: mean of both features (paper); with --generator ldm also compose: both as conditions at "
            "once (paper 6.1), and noise: the picture noised and drawn anew (the authors' code)"
        ),
    ] = "features",
    px: Px = None,
) -> None:
    """Go from a picture to a sound through the space that they share (paper 5.2, Fig. 11 and 19)."""
    loaded, weights = _model(model, generator, output), _evenly(low, high, steps)
    if how == "features":
        made = loaded.generate(loaded.interpolate(picture, sound, weights), seed)
    elif how == "compose":
        made = loaded.compose(picture, sound, weights, seed)
    else:
        made = loaded.renoise(picture, sound, [1 - weight for weight in weights], seed)
    facts = {"picture": str(picture), "sound": str(sound), "lambda": weights, "how": how, "seed": seed}
    _done(loaded, output, made, px, facts, columns=steps)


def edit(
    picture: Annotated[Path, typer.Argument(help="a picture file")],
    sound: Sound,
    output: Output,
    steps: Steps = 5,
    low: Annotated[float, typer.Option("--from", help="lambda of the first picture; 0 leaves it as it is")] = -1.0,
    high: Annotated[float, typer.Option("--to", help="of the last; above 0 is louder")] = 2.0,
    soft: Annotated[float, typer.Option(help="dB of the soft version of the sound")] = -24.0,
    loud: Annotated[float, typer.Option(help="dB of the loud one")] = 0.0,
    model: Run = None,
    generator: Generator = "gan",
    px: Px = None,
) -> None:
    """Edit a picture by the volume of a sound (paper 5.2, Fig. 13).

    The picture is brought into the generator's terms first (its noise and feature are searched, some seconds), then
    moved along the direction from the soft to the loud version of the sound.
    """
    loaded, weights = _model(model, generator, output), _evenly(low, high, steps)
    loaded.sound(sound)  # a wrong file is told before the search
    found = loaded.invert(picture)
    facts = {
        "picture": str(picture), "sound": str(sound), "lambda": weights, "soft_db": soft, "loud_db": loud,
        "reconstruction_error": found.error, "reconstruction_error_at_start": found.start_error,
    }  # fmt: skip
    _done(loaded, output, loaded.edit(found, sound, weights, soft, loud), px, facts, columns=steps)


def explain(
    sound: Sound,
    output: Annotated[Path, typer.Option("-o", "--output", help="PNG to write")],
    seed: Seed = 0,
    model: Run = None,
) -> None:
    """Show what of a sound its picture comes from: Grad-CAM over the spectrogram (paper 4.2, Fig. 5)."""
    if output.suffix.lower() != ".png":
        raise UserError(f"{output}: the figure is a PNG; give a name that ends in .png")
    loaded = _model(model, "gan", output)
    from s2v.report.canvas import save
    from s2v.report.fig05 import draw, explain

    save(draw([(sound.stem, explain(loaded, loaded.sound(sound), seed))], loaded.window_s), output)
    _say(loaded, output, {"sound": str(sound), "seed": seed})


def export(
    run: Annotated[Path, typer.Argument(help="output folder of a finished run")],
    output: Annotated[Path, typer.Option("-o", "--output", help="folder to make")],
    programs: Annotated[bool, typer.Option(help="also torch.export programs of encoder and generator")] = False,
    frames: Annotated[
        int, typer.Option(min=0, help="training frames to put in, so that the studio can show the nearest")
    ] = 0,
    half: Annotated[bool, typer.Option(help="half precision: half the size, nearly the same pictures")] = False,
) -> None:
    """Put the GAN's model of a run into a folder of its own, which --model and s2v.load take."""
    from s2v.export import export as write

    for path in write(run, output, programs, frames, half):
        typer.echo(str(path))


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (generate, mix, volume, interpolate, edit, explain, export):
        app.command()(command)


__all__ = ["register"]
