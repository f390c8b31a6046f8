"""Commands of published weights (docs/weights.md). They import what they need when they run: `--help` is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from s2v.errors import UserError

WeightsFolder = Annotated[Path | None, typer.Option("--folder", help="where they lie; by default $S2V_WEIGHTS")]


def listed(folder: WeightsFolder = None) -> None:
    """Say which published weights s2v knows, which are there, how large they are, and under which licence."""
    from rich.console import Console
    from rich.table import Table

    from s2v.weights.catalogue import CATALOGUE, WEIGHTS_VARIABLE, weights_folder
    from s2v.weights.checksums import there

    try:
        place: Path | None = weights_folder(folder)
    except UserError:
        place = None
    table = Table("name", "there", "MB", "what", "licence", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for entry in CATALOGUE.values():
        found = place is not None and there(place, entry)
        size = "?" if entry.size_mb is None else str(entry.size_mb)
        table.add_row(entry.name, "yes" if found else "no", size, entry.what, entry.terms())
    # Off a terminal (a pipe, a file) lines are as long as they need be.
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    typer.echo(f"folder: {place or f'none; set {WEIGHTS_VARIABLE} or give --folder'}")


def fetch(
    names: Annotated[
        list[str], typer.Argument(help="names of `s2v weights list`, or of models: paper, paper-ldm, imagebind-ldm")
    ],
    folder: WeightsFolder = None,
    url: Annotated[
        str | None, typer.Option(help="another address of the file, or of the folder where there are several")
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(help="address of a copy of a weights folder, from which all of them come")
    ] = None,
    proxy: Annotated[str | None, typer.Option(help="e.g. socks5://127.0.0.1:1080")] = None,
) -> None:
    """Bring published weights, whole and checked; a broken download goes on where it was.

    Each has its own licence, which is said first; several forbid commercial use.
    """
    from s2v.config import DownloadConfig
    from s2v.weights import fetch as fetching
    from s2v.weights.catalogue import WEIGHTS_VARIABLE, entry, weights_folder
    from s2v.weights.published import PUBLISHED_MODELS, made

    models = [PUBLISHED_MODELS[name] for name in dict.fromkeys(names) if name in PUBLISHED_MODELS]
    wanted = {one.name: one for model in models for one in model.weights}
    wanted |= {name: entry(name) for name in names if name not in PUBLISHED_MODELS}
    if url is not None and (len(wanted) > 1 or mirror is not None):
        raise UserError("--url is the address of one of them; give one name, or a --mirror of them all")
    place = weights_folder(folder)
    known = [one.size_mb for one in wanted.values() if one.size_mb is not None]
    if len(wanted) > 1:
        more = f", and {len(wanted) - len(known)} of unknown size" if len(known) < len(wanted) else ""
        typer.echo(f"{len(wanted)} weights, about {sum(known):,} MB{more}, into {place}")
    for one in wanted.values():
        fetching.fetch(one, place, url=url, mirror=mirror, download=DownloadConfig(proxy=proxy), say=typer.echo)
    for model in models:
        made(model, place)
        where = "" if folder is None else f" (with {WEIGHTS_VARIABLE}={place})"
        typer.echo(f"{model.name} is ready{where}: s2v generate dog.wav -o dog.png --model {model.name}")


def check(folder: WeightsFolder = None) -> None:
    """Compare the weights that are there with their checksums; exit code 1 where one is wrong."""
    from s2v.weights.catalogue import CATALOGUE, weights_folder
    from s2v.weights.checksums import states

    place = weights_folder(folder)
    wrong = False
    for entry in CATALOGUE.values():
        found = states(place, entry)
        for file, said, bad in found:
            wrong |= bad
            typer.echo(f"{entry.name}: {file.path}: {said}")
        if len(found) < len(entry.files):
            count = f"{len(found)} of {len(entry.files)} files there" if found else "not there"
            typer.echo(f"{entry.name}: {count}")
    if wrong:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("list")(listed)
    for command in (fetch, check):
        app.command()(command)


__all__ = ["register"]
