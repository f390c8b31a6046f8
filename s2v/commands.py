"""Commands that steer pictures by sound. They import what they need when they run, so that `--help` is instant."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from s2v.control.limits import GAINS_DB
from s2v.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from s2v.model import Model


def number(low: float, high: float, help: str, *names: str) -> Any:
    """An option that is a number from `low` to `high`. With both bounds nan and infinities are refused, too."""
    return typer.Option(*names, min=low, max=high, help=help)


Output = Annotated[
    Path, typer.Option("-o", "--output", help=".png (a sheet), .gif or .mp4 (a film); a .json beside it says how")
]
Run = Annotated[
    str | None,
    typer.Option(
        "--model",
        show_default=False,
        help="output folder of a finished run, or an exported model; or published weights by name: paper, paper-ldm, "
        "imagebind-ldm (`s2v weights fetch paper`); by default results/, and where no run is finished there the model "
        "that comes with s2v",
    ),
]
Generator = Annotated[
    Literal["gan", "ldm", "unclip"] | None,
    typer.Option(
        show_default=False,
        help="which generator, by default the GAN, or that of a published model; ldm needs the models of table3.csv, "
        "unclip the stage align_unclip and published weights",
    ),
]
Method = Annotated[
    str | None,
    typer.Option(
        show_default=False,
        help="in place of --generator: a method that hears, of whose parts the run has all, such as retrieval, "
        "linear_retrieval, sound2vision_snapped (docs/folder.md says when which)",
    ),
]
Device = Annotated[str, typer.Option(help="auto (CUDA where it is there), cpu, cuda, cuda:1, ...")]
Seed = Annotated[int, typer.Option(min=0, help="the same seed gives the same noise, one for the whole sweep")]
Px = Annotated[int | None, typer.Option(min=16, max=4096, help="enlarge each picture to this side")]
Steps = Annotated[int, typer.Option(min=2, max=200, help="pictures of the sweep")]
Count = Annotated[int, typer.Option("--n", min=1, max=400, help="how many pictures, each from its own noise")]
Picture = Annotated[Path | None, typer.Option(help="a picture to blend in (paper 5.2)")]
Weight = Annotated[float, number(0, 1, "of that picture; 1 is the picture alone, 0 the sound alone", "--lambda")]
Force = Annotated[bool, typer.Option("--force", help="write over files that s2v did not write; never over an input")]
Sound = Annotated[Path, typer.Argument(help="any audio or video file that ffmpeg reads")]


def _model(
    run: str | None,
    generator: str | None,
    output: Path,
    inputs: Sequence[Path],
    force: bool,
    count: int = 1,
    px: int | None = None,
    method: str | None = None,
    **settings: Any,
) -> Model:
    """The model, where `count` pictures can be written under `output`: that is told before anything is computed."""
    from s2v.control import outputs
    from s2v.control.sheets import check
    from s2v.model import Model
    from s2v.model_source import GENERATORS

    if method and generator:
        raise UserError(f"--method {method} and --generator {generator}: give one of them")
    check(output, count, px)
    outputs.check([output], inputs, force)
    return Model(run, GENERATORS[generator] if generator else method, **settings)


def _best(run: str | None) -> str | None:
    """The method of a run with few clips, which is said; None is the generator."""
    from s2v.model_source import FEW_PAIRS, ModelSource

    method = ModelSource.of(run).best
    if method:
        typer.echo(
            f"fewer than {FEW_PAIRS} clips were learned from, so a frame of theirs is shown (method {method}); "
            "--generator gan paints one",
            err=True,
        )
    return method


def _done(
    model: Model, output: Path, pictures: Tensor, px: int | None, facts: dict[str, Any], columns: int | None = None
) -> None:
    from s2v.control.sheets import write

    write(pictures, output, px, columns)
    _say(model, output, facts)


def _say(model: Model, output: Path, facts: dict[str, Any]) -> None:
    """The recipe beside what was made, which model made it, and where it is."""
    from s2v.control.sheets import write_recipe

    write_recipe(output, ["s2v", *sys.argv[1:]], model, {"method": model.method.entry.name, **facts})
    typer.echo(model.about, err=True)
    typer.echo(f"method: {model.method.entry.name}", err=True)
    typer.echo(str(output))


def _heard(model: Model, *sounds: tuple[str, Tensor], mixed: Tensor | None = None) -> dict[str, list[str]]:
    """Say what the sounds are like, and which are silent or unlike all that was learned; for the recipe too."""
    from s2v.control.heard import heard

    said = heard(model, sounds, None if mixed is None else ("the mix", mixed))
    for line in [line for lines in said.values() for line in lines]:
        typer.echo(line, err=True)
    return said


def _blend(model: Model, wave: Tensor, picture: Path | None, weight: float) -> Tensor:
    """Feature [1, D] of a sound, or between it and a picture."""
    return model.encode_audio(wave) if picture is None else model.interpolate(picture, wave, [weight])


def _blended(picture: Path | None, weight: float) -> dict[str, Any]:
    return {} if picture is None else {"picture": str(picture), "lambda": weight}


def _given(*files: Path | None) -> list[Path]:
    return [file for file in files if file is not None]


def _evenly(low: float, high: float, steps: int) -> list[float]:
    return [low + (high - low) * i / (steps - 1) for i in range(steps)]


def generate(
    sound: Sound,
    output: Output,
    n: Count = 1,
    seed: Seed = 0,
    model: Run = None,
    generator: Generator = None,
    method: Method = None,
    device: Device = "auto",
    start: Annotated[float, number(0, 360_000, "second of the sound at which to begin")] = 0.0,
    window: Annotated[float | None, number(0.1, 60, "seconds that are heard; by default as in training")] = None,
    px: Px = None,
    truncation: Annotated[float, number(0, 10, "truncate the noise: less variety; 0 is off")] = 0.0,
    gain: Annotated[float, number(*GAINS_DB, "dB by which the sound is made louder")] = 0.0,
    picture: Picture = None,
    weight: Weight = 0.5,
    ffmpeg: Annotated[str, typer.Option(help="bundled, system, or a path")] = "bundled",
    force: Force = False,
) -> None:
    """Make pictures of a sound.

    A sound shorter than the window is repeated, of a longer one the first seconds after --start are heard. Where a run
    of one's own folder has few clips, it shows the training frame that fits best; --generator gan paints all the same.
    """
    loaded = _model(
        model, generator, output, _given(sound, picture), force, n, px,
        method=method or (None if generator else _best(model)),
        window_s=window, truncation=truncation, ffmpeg=ffmpeg, device=device,
    )  # fmt: skip
    given = loaded.sound(sound, start)
    (wave,) = loaded.volumes(given, [gain])
    z = _blend(loaded, wave, picture, weight)
    facts = {
        "sound": str(sound), "start_s": start, "window_s": loaded.window_s, "gain_db": gain, "truncation": truncation,
        "seed": seed, **_blended(picture, weight), **_heard(loaded, (sound.name, given)),
    }  # fmt: skip
    _done(loaded, output, loaded.generate(z.expand(n, -1), seed, range(n)), px, facts)


def mix(
    sounds: Annotated[list[Path], typer.Argument(help="two or more sounds, of any format and length")],
    output: Output,
    gain: Annotated[list[float] | None, number(*GAINS_DB, "dB of each sound, in order; give it once a sound")] = None,
    offset: Annotated[list[float] | None, number(0, 60, "seconds before each begins, likewise")] = None,
    picture: Picture = None,
    weight: Weight = 0.5,
    n: Count = 1,
    seed: Seed = 0,
    model: Run = None,
    generator: Generator = None,
    device: Device = "auto",
    px: Px = None,
    force: Force = False,
) -> None:
    """Make pictures of several sounds at once.

    No level is normalised: what is louder in the mix weighs more.
    """
    if len(sounds) < 2:
        raise UserError("mix: give two or more sounds")
    loaded = _model(model, generator, output, _given(*sounds, picture), force, n, px, device=device)
    late = [second for second in offset or [] if second >= loaded.window_s]
    if late:
        raise UserError(f"mix: --offset {late[0]:g}: only the first {loaded.window_s:g} s are heard")
    waves = [loaded.sound(path) for path in sounds]
    mixed = loaded.mix(waves, gain or None, offset or None)
    z = _blend(loaded, mixed, picture, weight)
    said = _heard(loaded, *((path.name, wave) for path, wave in zip(sounds, waves, strict=True)), mixed=mixed)
    facts = {
        "sounds": [str(path) for path in sounds], "gains_db": gain, "offsets_s": offset, "seed": seed,
        **_blended(picture, weight), **said,
    }  # fmt: skip
    _done(loaded, output, loaded.generate(z.expand(n, -1), seed, range(n)), px, facts)


def volume(
    sound: Sound,
    output: Output,
    low: Annotated[float, number(*GAINS_DB, "dB of the first picture", "--from")] = -30.0,
    high: Annotated[float, number(*GAINS_DB, "dB of the last", "--to")] = 10.0,
    steps: Steps = 7,
    seed: Seed = 0,
    model: Run = None,
    generator: Generator = None,
    device: Device = "auto",
    px: Px = None,
    force: Force = False,
) -> None:
    """Make a sound louder step by step, and see what becomes of the picture (paper 5.1, Fig. 8)."""
    loaded, gains = (
        _model(model, generator, output, [sound], force, steps, px, device=device),
        _evenly(low, high, steps),
    )
    wave = loaded.sound(sound)
    z = loaded.encode_audio(list(loaded.volumes(wave, gains)))
    facts = {"sound": str(sound), "gains_db": gains, "seed": seed, **_heard(loaded, (sound.name, wave))}
    _done(loaded, output, loaded.generate(z, seed), px, facts, columns=steps)


def interpolate(
    picture: Annotated[Path, typer.Argument(help="a picture file")],
    sound: Sound,
    output: Output,
    steps: Steps = 7,
    low: Annotated[float, number(0, 1, "lambda of the first picture; 1 is the picture alone", "--from")] = 1.0,
    high: Annotated[float, number(0, 1, "of the last; 0 is the sound alone", "--to")] = 0.0,
    seed: Seed = 0,
    model: Run = None,
    generator: Generator = None,
    device: Device = "auto",
    how: Annotated[
        Literal["features", "compose", "noise"],
        typer.Option(
            help="features: mean of both features (paper); with ldm or unclip also compose: both as conditions at "
            "once (paper 6.1), and noise: the picture noised and drawn anew (the authors' code)"
        ),
    ] = "features",
    px: Px = None,
    force: Force = False,
) -> None:
    """Go from a picture to a sound through the space that they share (paper 5.2, Fig. 11 and 19)."""
    loaded = _model(model, generator, output, [picture, sound], force, steps, px, device=device)
    weights, wave = _evenly(low, high, steps), loaded.sound(sound)
    if how == "features":
        made = loaded.generate(loaded.interpolate(picture, wave, weights), seed)
    elif how == "compose":
        made = loaded.compose(picture, wave, weights, seed)
    else:
        made = loaded.renoise(picture, wave, [1 - weight for weight in weights], seed)
    facts = {
        "picture": str(picture), "sound": str(sound), "lambda": weights, "how": how, "seed": seed,
        **_heard(loaded, (sound.name, wave)),
    }  # fmt: skip
    _done(loaded, output, made, px, facts, columns=steps)


def edit(
    picture: Annotated[Path, typer.Argument(help="a picture file")],
    sound: Sound,
    output: Output,
    steps: Steps = 5,
    low: Annotated[float, number(-10, 10, "lambda of the first picture; 0 leaves it as it is", "--from")] = -1.0,
    high: Annotated[float, number(-10, 10, "of the last; above 0 is louder", "--to")] = 2.0,
    soft: Annotated[float, number(*GAINS_DB, "dB of the soft version of the sound")] = -24.0,
    loud: Annotated[float, number(*GAINS_DB, "dB of the loud one")] = 0.0,
    model: Run = None,
    generator: Generator = None,
    device: Device = "auto",
    px: Px = None,
    force: Force = False,
) -> None:
    """Edit a picture by the volume of a sound (paper 5.2, Fig. 13).

    The picture is brought into the generator's terms first (its noise and feature are searched, some seconds), then
    moved along the direction from the soft to the loud version of the sound.
    """
    loaded = _model(model, generator, output, [picture, sound], force, steps, px, device=device)
    weights, wave = _evenly(low, high, steps), loaded.sound(sound)  # a wrong file is told before the search
    said, found = _heard(loaded, (sound.name, wave)), loaded.invert(picture)
    facts = {
        "picture": str(picture), "sound": str(sound), "lambda": weights, "soft_db": soft, "loud_db": loud,
        "reconstruction_error": found.error, "reconstruction_error_at_start": found.start_error, **said,
    }  # fmt: skip
    _done(loaded, output, loaded.edit(found, wave, weights, soft, loud), px, facts, columns=steps)


def explain(
    sound: Sound,
    output: Annotated[Path, typer.Option("-o", "--output", help="PNG to write")],
    seed: Seed = 0,
    model: Run = None,
    device: Device = "auto",
    force: Force = False,
) -> None:
    """Show what of a sound its picture comes from: Grad-CAM over the spectrogram (paper 4.2, Fig. 5)."""
    if output.suffix.lower() != ".png":
        raise UserError(f"{output}: the figure is a PNG; give a name that ends in .png")
    loaded = _model(model, "gan", output, [sound], force, device=device)
    from s2v.report.canvas import save
    from s2v.report.fig05 import draw, explain

    wave = loaded.sound(sound)
    save(draw([(sound.stem, explain(loaded, wave, seed))], loaded.window_s), output)
    _say(loaded, output, {"sound": str(sound), "seed": seed, **_heard(loaded, (sound.name, wave))})


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


__all__ = ["Force", "Run", "number", "register"]
