"""The command line. Commands import what they need when they run, so that `--help` is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from s2v import evaluate_commands, study_commands, weights_commands
from s2v.commands import Device, Force, Run, number, register
from s2v.errors import UserError, without_passwords
from s2v.extras import advice


class _OneLineErrors(TyperGroup):
    """A mistake that the user can act on is one red line and exit code 1, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (UserError, OSError) as error:
            _fail(str(error), error)
        except ModuleNotFoundError as error:
            _fail(advice(error), error)
        except typer.BadParameter as error:
            if type(error) is not typer.BadParameter:  # an argument that is not there: how it is used helps more
                raise
            low, high = getattr(error.param, "min", None), getattr(error.param, "max", None)
            if error.param is None or low is None:
                _fail(error.format_message(), error)
            span = f"from {low:g} on" if high is None else f"from {low:g} to {high:g}"
            _fail(f"{error.param.opts[0]}: give a number {span}", error)


def _fail(message: str, error: Exception) -> NoReturn:
    typer.secho(f"s2v: {' '.join(message.split())}", fg=typer.colors.RED, err=True)
    raise typer.Exit(1) from error


_SETTINGS = {"help_option_names": ["-h", "--help"]}
_STYLE: dict[str, Any] = {"no_args_is_help": True, "rich_markup_mode": None, "context_settings": _SETTINGS}

app = typer.Typer(
    cls=_OneLineErrors,
    add_completion=False,
    pretty_exceptions_enable=False,
    **_STYLE,
    help="Sound in, picture out: an open reproduction of Sound2Vision. The workflow itself is run with "
    "`snakemake --cores all`; these commands look at it and use what it trained.",
)
world = typer.Typer(help="The embedded world, the default data set.", **_STYLE)
config = typer.Typer(help="Configuration files.", **_STYLE)
shards = typer.Typer(help="Packed shards.", **_STYLE)
weights = typer.Typer(help="Published weights: what there is, under which licence; bring it; check it.", **_STYLE)
study = typer.Typer(help="The human study (Table 1 b): make it, show it, score it.", **_STYLE)
register(app)
evaluate_commands.register(app)
study_commands.register(study)
weights_commands.register(weights)
app.add_typer(study, name="study")
app.add_typer(weights, name="weights")
app.add_typer(shards, name="shards")
app.add_typer(world, name="world")
app.add_typer(config, name="config")

ConfigFiles = Annotated[
    list[Path] | None,
    typer.Option("--configfile", help="overlay on ./config.yaml, as for snakemake; several may follow it"),
]
MoreFiles = Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="further overlays, over the first")]


def _files(overlays: list[Path] | None, more: list[Path] | None = None) -> list[Path]:
    """./config.yaml (the one beside the package where there is none), then the overlays."""
    if more and len(overlays or []) != 1:
        raise UserError(f"{more[0]}: several overlays are given as `--configfile A B`, the last on top")
    overlays = [*(overlays or []), *(more or [])]
    from s2v.configfile import DEFAULT_FILE

    base = Path(DEFAULT_FILE)
    if not base.is_file():
        base = Path(__file__).parent.parent / DEFAULT_FILE
    return [base, *(path for path in overlays if path.resolve() != base.resolve())]


@app.command()
def doctor(configfile: ConfigFiles = None, more: MoreFiles = None) -> None:
    """Say what is installed, which device is used, which weights are there, and what the configuration would run."""
    from s2v.configfile import load
    from s2v.doctor import report

    files = _files(configfile, more)
    for line in report(load(files), files):
        typer.echo(line)


@app.command()
def plan(
    configfile: ConfigFiles = None,
    more: MoreFiles = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="also time a few steps of each training at its configured size")
    ] = False,
) -> None:
    """Say what a run would take: clips, jobs, downloads, disk and hours, and how each number is known.

    Lines that begin with `table3` are what the file table3.csv, no part of a plain run, would add.
    """
    from s2v.configfile import load
    from s2v.planning.plan import report

    files = _files(configfile, more)
    for line in report(load(files), files, measure=measure):
        typer.echo(line)


@app.command()
def studio(
    model: Run = None,
    host: Annotated[
        str, typer.Option(help="address to listen on; the default is reached from this machine alone")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, show_default=False, help="by default the first free one from 7860 on"),
    ] = None,
    browser: Annotated[bool, typer.Option(help="open it in the browser")] = False,
    upload_mb: Annotated[int, typer.Option(min=1, max=4096, help="largest file that is taken")] = 50,
    total_mb: Annotated[
        int, typer.Option(min=1, max=2**20, help="of all that is uploaded and made; it is kept for ten minutes")
    ] = 500,
    sound_s: Annotated[float, number(1, 3600, "longest sound that is taken, in seconds")] = 600.0,
    auth: Annotated[
        str | None,
        typer.Option(
            envvar="S2V_STUDIO_AUTH",
            metavar="USER:PASSWORD",
            help="ask for these; better in the variable, since others on this machine can read a command line",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="a further name under which the page is asked for; may be given again")
    ] = None,
    everybody: Annotated[
        bool, typer.Option("--open", help="no password, though --host is reached from other machines")
    ] = False,
    device: Device = "auto",
) -> None:
    """Show a page to play with: record or drop sounds, mix them, blend in a picture, save what comes of it.

    Uploads are read, never run, and removed after ten minutes or when this ends.
    """
    from s2v.studio.painter import Limits
    from s2v.studio.server import serve

    serve(
        model, device=device, host=host, port=port, hosts=allow_host or [], auth=auth, everybody=everybody,
        open_browser=browser, limits=Limits(upload_mb=upload_mb, total_mb=total_mb, sound_s=sound_s), say=typer.echo,
    )  # fmt: skip


@app.command()
def coverage(
    results: Annotated[Path, typer.Argument(help="output folder of a run")] = Path("results"),
) -> None:
    """Say what became of every clip of a run: how many were used, which were left out, and why."""
    summary = results / "coverage.md"
    if not summary.is_file():
        raise UserError(f"{summary}: not there yet; run `snakemake --cores all {results / 'coverage.csv'}` first")
    typer.echo(summary.read_text(encoding="utf-8"))


@app.command()
def join(
    tables: Annotated[list[Path], typer.Argument(help="table1.csv, or table3.csv, of two or more runs")],
    output: Annotated[Path, typer.Option("-o", "--output", help=".md or .csv to write")] = Path("joined.md"),
    force: Force = False,
) -> None:
    """Set the same table of several data sets side by side, as the paper prints VGGSound / VEGAS."""
    from s2v.control import outputs
    from s2v.report.joined import write_joined

    if len(tables) < 2:
        raise UserError("join: give two tables or more")
    outputs.check([output], tables, force)
    write_joined(tables, output)
    outputs.write_recipe([output], ["s2v", *sys.argv[1:]], {})
    typer.echo(str(output))


@shards.command("check")
def shards_check(
    results: Annotated[Path, typer.Argument(help="output folder of a run")] = Path("results"),
    remove: Annotated[bool, typer.Option(help="remove damaged ones, so that the next run makes them again")] = False,
) -> None:
    """Name the packed shards that are not what their index says, a line each; exit code 1 where there are any."""
    from s2v.data.pack import damaged

    found = damaged(results / "pack")
    for index, what in found:
        typer.echo(" ".join(what.split()))
        if remove:
            index.with_suffix(".tar").unlink(missing_ok=True)
            index.unlink(missing_ok=True)
    if found:
        raise typer.Exit(1)


@world.command("classes")
def world_classes() -> None:
    """Name the classes that data.world.classes may hold; the default's stand first."""
    from s2v.world import class_names

    for name in class_names():
        typer.echo(name)


@world.command("preview")
def world_preview(
    output: Annotated[Path, typer.Option("-o", "--output", help="PNG to write")] = Path("world.png"),
    columns: Annotated[int, typer.Option(min=1, max=24, help="pictures of each class")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="another seed is another world")] = 0,
    px: Annotated[int, typer.Option(min=16, max=512, help="side of a picture")] = 128,
    classes: Annotated[int, typer.Option(min=1, help="how many; the default's 12 stand first, 48 is all")] = 12,
    force: Force = False,
) -> None:
    """Draw a sheet of the world: a row a class, in the order of `s2v world classes`. A .json beside it says how."""
    from s2v.control import outputs
    from s2v.report.world import preview

    if output.suffix.lower() != ".png":
        raise UserError(f"{output}: the sheet is a PNG; give a name that ends in .png")
    outputs.check([output], force=force)
    try:
        preview(output=output, columns=columns, seed=seed, px=px, classes=classes)
    except ValueError as error:
        raise UserError(f"--classes: {error}") from error
    outputs.write_recipe([output], ["s2v", *sys.argv[1:]], {})
    typer.echo(str(output))


@world.command("sample")
def world_sample(
    name: Annotated[str, typer.Argument(help="class, or a part of its name that no other has")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="name without suffix; by default that of the class")
    ] = None,
    scene: Annotated[int, typer.Option("--number", min=0, help="which scene of the class")] = 0,
    px: Annotated[int, typer.Option(min=16, max=1024, help="side of the picture")] = 256,
    force: Force = False,
) -> None:
    """Write the sound (.wav) and the picture (.png) of a scene that no training has seen: something to try.

    A .json beside them says how they were made.
    """
    from s2v.control import outputs
    from s2v.world.sample import find, write_sample

    label, stem = find(name), output or Path(name.lower().replace(" ", "-"))
    if not stem.name:
        raise UserError(f"{stem}: a folder; give the name of what is written there, without suffix")
    outputs.check([stem.with_name(stem.name + suffix) for suffix in (".wav", ".png")], force=force)
    written = write_sample(stem, label, scene, px)
    outputs.write_recipe(written, ["s2v", *sys.argv[1:]], {"class": label})
    for path in written:
        typer.echo(str(path))


@config.command("check")
def config_check(
    files: Annotated[list[Path] | None, typer.Argument(help="overlays on ./config.yaml")] = None,
) -> None:
    """Say whether configuration files are right together; if not, which key of which file, and what is allowed.

    Then what a run of them lacks: data, weights, clips enough for every stage. Exit code 1 where it lacks anything.
    """
    from s2v.configfile import load
    from s2v.planning.needs import check

    found = _files(files)
    checked = load(found)
    typer.echo(f"{' + '.join(str(path) for path in found)}: right; {checked.name!r} writes to {checked.output}/")
    needed = check(checked)
    for line in needed.lines():
        typer.echo(f"  {line}")
    if needed.lacking:
        raise typer.Exit(1)


@config.command("schema")
def config_schema() -> None:
    """Print the JSON schema of a configuration (config.schema.json)."""
    import json

    from s2v.config import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False))


@config.command("show")
def config_show(configfile: ConfigFiles = None, more: MoreFiles = None) -> None:
    """Print the whole configuration that a run would use, overlays and defaults included."""
    import yaml

    from s2v.configfile import load

    values = without_passwords(load(_files(configfile, more)).model_dump(mode="json"))
    typer.echo(yaml.safe_dump(values, sort_keys=False, allow_unicode=True).rstrip())


if __name__ == "__main__":
    app()
