"""Commands of the human study (docs/study.md). They import what they need when they run: `--help` is instant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from torch import Tensor

Study = Annotated[Path, typer.Argument(metavar="STUDY", help="folder of `s2v study make`", show_default=False)]
Power = Annotated[float, typer.Option(min=0.01, max=0.99)]


def make(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="output folder of a finished run", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="new folder: site/ to host, key.json to keep")],
    ours: Annotated[str, typer.Option(help="method that people judge")] = "sound2vision",
    other: Annotated[str, typer.Option("--against", help="method that it is compared with")] = "icgan",
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--evaluator",
            show_default=False,
            help="make the other study, in which people name pictures and evaluators are judged by them: judge (the "
            "run's), clip_inception; may be given again",
        ),
    ] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option("--method", show_default=False, help="whose pictures people name; by default both above"),
    ] = None,
    sets: Annotated[int, typer.Option(min=1, max=100, help="of items; people get them in turns")] = 5,
    questions: Annotated[int, typer.Option(min=4, max=200, help="of an experiment")] = 20,
    split: Annotated[str, typer.Option(help="whose clips")] = "test",
    generation: Annotated[int, typer.Option(min=0, help="seed of the pictures: generate/METHOD/SEED.tar")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="of all draws")] = 0,
    code: Annotated[str | None, typer.Option(help="shown at the end, such as Prolific's completion code")] = None,
    save: Annotated[
        str,
        typer.Option(
            help="where answers go: serve (s2v study serve), host (JATOS, Pavlovia, Cognition.run; else people save a "
            "file), or an https address that takes a POST of JSON"
        ),
    ] = "serve",
    dataset: Annotated[
        str | None, typer.Option(show_default="that of RUN/table1.csv", help="what the clips are")
    ] = None,
    packages: Annotated[Path, typer.Option(help="of jsPsych, which `make study-deps` brings")] = Path(
        ".study/node_modules"
    ),
) -> None:
    """Make the study of Table 1 (b) as a folder that any web server shows."""
    from s2v.errors import UserError
    from s2v.study.site import Asked, dataset_of, make, make_names

    if save not in ("serve", "host") and not save.startswith("https://"):
        raise UserError(f"--save {save}: serve, host, or an address that begins with https://")
    asked = Asked(run, split, generation, sets, questions, seed, code, None if save == "host" else save)
    told = dataset or dataset_of(run)
    if names:
        site = make_names(asked, output, packages, told, methods or [ours, other], _evaluators(run, names))
    else:
        site = make(asked, output, packages, told, ours, other)
    typer.echo(f"{site}: to be hosted; fill in what stands in [brackets] in {site / 'texts.js'}")
    typer.echo(f"{output / 'key.json'}: to be kept, never hosted; {output / 'README.md'} says how to go on")


def _evaluators(run: Path, names: list[str]) -> dict[str, Any]:
    from s2v.errors import UserError
    from s2v.evaluate.evaluators import load_evaluator

    found = {}
    for name in names:
        evaluator = load_evaluator(name, folder=run / "judge")
        if evaluator is None:
            raise UserError(f"--evaluator {name}: judge, clip_inception")

        def rank(pictures: Tensor, classes: list[str], own: Any = evaluator) -> Tensor:
            scores: Tensor = own.rank(pictures, classes)
            return scores

        found[evaluator.label] = rank
    return found


def serve(
    study: Study,
    answers: Annotated[Path | None, typer.Option(help="folder of the answers", show_default="STUDY/answers")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7870,
) -> None:
    """Show the study on this machine, and keep one file a person, whole after every answer."""
    from s2v.study.serve import serve

    serve(study, folder=answers, port=port, say=lambda line: typer.echo(line, err=True))


def score(
    study: Study,
    answers: Annotated[
        list[Path],
        typer.Argument(help="people's answers: folders, .json, JATOS's .txt, a host's .csv with a column record"),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder of the table", show_default="STUDY")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="write over a table that is there")] = False,
) -> None:
    """Write table1b.csv and .md of people's answers; evaluators.csv where they named pictures."""
    from s2v.errors import UserError
    from s2v.study import naming, score
    from s2v.study.files import read_key, read_records

    key, records, folder = read_key(study), read_records(answers), output or (study if study.is_dir() else study.parent)
    for name in ("table1b", "evaluators", "simulated"):
        if (folder / f"{name}.csv").exists() and not force:
            raise UserError(
                f"{folder / name}.csv: is there already; name another folder, or write over it with --force"
            )
    if key.other is None:
        rows, lines = naming.agreements(key, records)
        written = naming.write(rows, lines, key, folder, simulated=any(record.simulated for record in records))
    else:
        written = score.write(score.score(key, records), key, folder)
    typer.echo(written[1].read_text(), nl=False)
    for path in written:
        typer.echo(str(path), err=True)


def power(
    people: Annotated[int, typer.Option(min=2, max=2000, help="who are asked")] = 70,
    precision: Annotated[float, typer.Option(min=0.01, max=0.99, help="that is expected in (ii)")] = 0.5,
    questions: Annotated[int, typer.Option(min=4, max=200)] = 20,
    sets: Annotated[int, typer.Option(min=1, max=100)] = 5,
    person_sd: Annotated[float, typer.Option(min=0, max=5, help="of people, on the logit")] = 0.5,
    item_sd: Annotated[float, typer.Option(min=0, max=5, help="of sounds, on the logit")] = 1.0,
    studies: Annotated[int, typer.Option(min=10, max=5000, help="that are simulated")] = 200,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """How likely a study of so many people shows that (ii) is above chance, and how wide its interval is."""
    from s2v.study.statistics import power

    spread = {"person_sd": person_sd, "item_sd": item_sd}
    found = power(people, precision, questions=questions, sets=sets, studies=studies, seed=seed, **spread)
    typer.echo(
        f"{people} people, {questions} questions, {sets} sets: at a precision of {100 * precision:g} % the interval is "
        f"above chance (25 %) in {100 * found.above:.0f} % of {studies} simulated studies, and is "
        f"{100 * found.width:.1f} points wide"
    )


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (make, serve, score, power):
        app.command()(command)


__all__ = ["register"]
