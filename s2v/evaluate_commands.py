"""Commands that measure pictures of any system, and put them beside each other (docs/evaluate.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from s2v.errors import UserError

Json = Annotated[list[Path], typer.Argument(help="JSON files of `s2v evaluate`", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="write over files that s2v did not write; never over an input")]


def evaluate(
    pictures: Annotated[
        list[Path],
        typer.Argument(
            help="folders and tars of PNG, WebP or JPEG, any number of pictures a sound, named by clip: {clip}.png, "
            "{clip}_{n}.png, {clip}/{anything}.png; a folder of tars, such as results/generate/METHOD, is all of these"
        ),
    ],
    sounds: Annotated[
        Path,
        typer.Option(
            help="the sounds they were made of: output folder of a run (its packed test split, whose frames are the "
            "real pictures too), or a folder of sound files (class: sub-folder)"
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="JSON to write; .safetensors and .parquet go beside it")
    ],
    labels: Annotated[Path | None, typer.Option(help="CSV clip,label: classes of clips")] = None,
    names: Annotated[Path | None, typer.Option(help="CSV picture,clip, for pictures that are called otherwise")] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="real pictures for FID: folder, tar, or another split of a run (results/pack/val); by default the "
            "frames of the run's --split"
        ),
    ] = None,
    evaluator: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help="clip_inception (weights in $S2V_WEIGHTS: s2v weights list), or a run's folder, whose judge it is, or "
            "whose Inception goes with CLIP; by default that of the run that --sounds names",
        ),
    ] = None,
    split: Annotated[str | None, typer.Option(show_default="test", help="of the run")] = None,
    classes: Annotated[
        Path | None,
        typer.Option(
            help="JSON list of the classes whose clips, names and real frames are taken, such as "
            "results/fig15/classes.json for results/fig15/generate/METHOD; by default all"
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="of the row; by default that of the files")] = None,
    about: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="what made them, for the leaderboard: by, text (yes or no: was it taught with text or names), "
            "licence, data; may be given again",
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(min=1, show_default=False, help="pictures of each sound; by default as many as every sound has"),
    ] = None,
    px: Annotated[
        int | None, typer.Option(min=8, max=4096, show_default=False, help="bring all pictures to this side")
    ] = None,
    skip_broken: Annotated[bool, typer.Option("--skip-broken", help="leave unreadable pictures out")] = False,
    prompt: Annotated[str, typer.Option(help="template around a class name")] = "{}",
    inception_splits: Annotated[int, typer.Option(min=1, help="parts of IS")] = 10,
    bootstrap: Annotated[
        int,
        typer.Option(
            min=2,
            max=10**6,
            help="resamples of the made pictures for the 95 % intervals of means; FID, IS, KID, recall, coverage and "
            "diversity take a tenth, 20 to 200, and FID of Inception 20",
        ),
    ] = 1000,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="where to compute")] = "auto",
    threads: Annotated[
        int, typer.Option(min=1, help="of the CPU; with more than the 1 of a run's stage, last digits may differ")
    ] = 1,
    force: Force = False,
) -> None:
    """Measure pictures of any system: R@k, FID, IS, KID, precision, recall, density, coverage, diversity, AIS, IIS.

    What is odd about files and names is said in a line of each kind. On pictures that a run made (--sounds RUN) this
    gives the run's own numbers.
    """
    from s2v.config import EvaluateConfig, RuntimeConfig
    from s2v.report.evaluation import Asked, told
    from s2v.report.evaluation import evaluate as measure
    from s2v.report.leaderboard import columns_of
    from s2v.report.tabular import to_markdown

    asked = Asked(
        pictures=pictures, sounds=sounds, labels=labels, names=names, reference=reference, evaluator=evaluator,
        split=split, classes=classes, name=name, about=told(about or []), draws=draws, px=px, skip_broken=skip_broken,
        threads=threads,
    )  # fmt: skip
    config = EvaluateConfig(prompt=prompt, inception_splits=inception_splits, bootstrap=bootstrap)
    found, _ = measure(asked, config, RuntimeConfig(device=device), output, ["s2v", *sys.argv[1:]], force)
    for line in found.said:
        typer.echo(line, err=True)
    for metric, why in found.missing.items():
        typer.echo(f"{metric}: left out, since {why}", err=True)
    typer.echo(f"evaluator: {found.protocol.evaluator}", err=True)
    typer.echo(to_markdown(columns_of([found]), [found]))
    typer.echo(str(output))


def compare(evaluations: Json) -> None:
    """Say which of two evaluations is better, in each metric, paired over the same clips.

    The first is compared with each other one. holds: the 95 % interval of the difference lies on its side; does not
    hold: on the other; undecided: on both.
    """
    from s2v.report.versus import to_text, versus

    typer.echo(to_text(versus(evaluations)))


def leaderboard(
    evaluations: Json,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Markdown to write; by default it is shown")
    ] = None,
    force: Force = False,
) -> None:
    """Join evaluations into one page of Markdown, a table for each protocol."""
    from s2v.control import outputs
    from s2v.files import read_json, write_text
    from s2v.report.leaderboard import leaderboard as join

    if output is None:
        typer.echo(join(evaluations))
        return
    if output.suffix.lower() != ".md":
        raise UserError(f"{output}: the leaderboard is Markdown; give a name that ends in .md")
    recipe = output.with_suffix(".json")
    for path in [path for path in evaluations if path.resolve() == recipe.resolve()]:
        if "protocol" not in read_json(path):
            typer.echo(f"{path} is what stands beside {output}, and left out", err=True)
            evaluations.remove(path)
    outputs.check([output], evaluations, force)
    write_text(output, join(evaluations))
    outputs.write_recipe([output], ["s2v", *sys.argv[1:]], {})
    typer.echo(str(output))


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (evaluate, compare, leaderboard):
        app.command()(command)


__all__ = ["register"]
