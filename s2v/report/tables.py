"""What Tables 1 to 3 share: the facts above them, the columns of R@1, R@5, FID and IS, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s2v.data.coverage import read_shares
from s2v.evaluate.fidelity import IS_SHUFFLE_SEED
from s2v.evaluate.interval import Interval
from s2v.evaluate.quantities import Measured, write_quantities
from s2v.files import write_text
from s2v.report.agreement import agreement, by_evaluator
from s2v.report.diversity import diversity
from s2v.report.findings import what_was_found
from s2v.report.rows import Row
from s2v.report.tabular import Column, T, bullets, page, to_markdown, write_csv

METRICS = ("R@1", "R@5", "FID", "IS")
PaperTable = Mapping[str, Mapping[str, str]]
"""Row -> metric -> the paper's number."""


ONE_TRAINING = (
    " Each is of one training, which says nothing of another: the evidence for and against the paper's claims is made "
    "with several, on a world with more room, by configs/evidence.yaml (docs/evidence.md)."
)


@dataclass(frozen=True)
class TableJob:
    """What the stages of all tables are given alike.

    Attributes:
        coverage: coverage_by_class.csv.
        splits: those of which the twin says how many clips were left out.
        dataset: what the clips are, in words.
        deviations: every difference from the paper, in words, computed from the configuration.
        bootstrap: resamples, of which FID and IS take a tenth, 20 to 200.
        output: CSV.
        markdown: its twin.
        quantities: JSON of `s2v.evaluate.quantities`, for the claims.
        similar: pairs of classes that are easily taken for each other; of Table 1.
    """

    coverage: Path
    splits: list[str]
    dataset: str
    deviations: list[str]
    bootstrap: int
    output: Path
    markdown: Path
    quantities: Path
    similar: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Facts:
    """One line each; an empty one is left out."""

    data: str
    coverage: str
    evaluator: str
    ours: str
    ranking: str
    fidelity: str
    database: str
    paper: str

    def lines(self) -> list[str]:
        """Those that there are, in this order."""
        return [line for line in vars(self).values() if line]


def facts(rows: list[Row], job: TableJob) -> Facts:
    """Of a table's rows."""
    first = rows[0].result
    ranking = fidelity = ""
    if first.classes:
        chance = f"chance {100 / first.classes:.1f} at R@1"
        ranking = f"R@k in percent over {first.classes} class names, {chance}; ties: {first.tie_rule}."
    if first.n_reference:
        fidelity = (
            f"FID against {first.n_reference} real frames at the pictures' own size; it falls with the number of "
            f"pictures, so it compares rows of this table only. IS over {first.inception_splits} parts after a shuffle "
            f"with seed {IS_SHUFFLE_SEED}."
        )
    return Facts(
        data=f"Data set: {job.dataset}; {len(rows[0].clips)} test clips, one picture a clip and seed.",
        coverage=coverage_line(job.coverage, job.splits),
        evaluator=f"Evaluator: {first.evaluator}."
        + (f" R@k is the mean over it and {len(first.further)} more, see below." if first.further else ""),
        ours=f"Ours: mean over generation seeds {rows[0].drawn} [95 % interval over trainings and "
        "classes; of FID and IS over trainings and test clips]."
        + (ONE_TRAINING if max(map(_trainings, rows)) < 2 else ""),
        ranking=ranking,
        fidelity=fidelity,
        database="",
        paper="Paper: VGGSound (50 classes) / VEGAS, CLIP ViT-B/32 and the authors' own Inception. Where data and "
        "networks are not those, its numbers stand beside ours for the order of the rows, not for their level.",
    )


def _trainings(row: Row) -> int:
    return len(set(row.trainings))


def coverage_line(path: Path, splits: list[str]) -> str:
    """How many clips of some splits were wanted, used and left out, in one line.

    Args:
        path: coverage_by_class.csv.
        splits: names; one without clips has none wanted.
    """
    shares = read_shares(path)
    counts = []
    for split in dict.fromkeys(splits):
        own = [share for share in shares if share.split == split]
        wanted, lost = sum(share.wanted for share in own), sum(share.lost for share in own)
        counts.append(f"{split}: {wanted:,} clips wanted, {wanted - lost:,} used, {lost:,} left out")
    return f"Coverage: {'; '.join(counts)}. Why, and which: coverage.md."


def left_out(rows: list[Row]) -> list[str]:
    """Which metrics are left out, and why, a line for each reason."""
    reasons: dict[str, dict[str, None]] = {}
    for row in rows:
        for metric, reason in row.result.missing.items():
            reasons.setdefault(reason, {})[metric] = None
    return [f"Left out: {', '.join(metrics)}, since {reason}." for reason, metrics in reasons.items()]


def metric(row: Row | None, name: str) -> Interval | None:
    """A metric as tables show it: R@k in percent, no FID and IS of real pictures."""
    if row is None:
        return None
    if name in ("R@1", "R@5"):
        share = row.r1 if name == "R@1" else row.r5
        return share and Interval(100 * share.value, 100 * share.low, 100 * share.high)
    return None if row.real else row.fid if name == "FID" else row.inception


def metric_columns(row_of: Callable[[T], Row | None], names: tuple[str, ...] = METRICS) -> list[Column[T]]:
    """A column for each metric."""
    return [
        Column(
            name,
            lambda given, name=name: metric(row_of(given), name),  # type: ignore[misc]
            shown=1 if name in ("R@1", "R@5") else 2,
            title=f"{name} (lower is better)" if name == "FID" else name,
            interval=True,
        )
        for name in names
    ]


def beside_paper(
    row_of: Callable[[T], Row | None],
    letter: Callable[[T], str],
    paper: PaperTable,
    names: tuple[str, ...] = METRICS,
) -> list[Column[T]]:
    """The same, each with the paper's number beside it in Markdown."""
    columns: list[Column[T]] = []
    for column in metric_columns(row_of, names):
        columns += [
            column,
            Column(
                f"{column.name} paper",
                lambda given, name=column.name: paper.get(letter(given), {}).get(name, "-"),  # type: ignore[misc]
                title="paper",
                only="markdown",
                number=True,
            ),
        ]
    return columns


def made_by(row_of: Callable[[T], Row], dataset: str, trainings: bool = False) -> list[Column[T]]:
    """What the numbers rest on, for CSV."""
    seeds: list[Column[T]] = [Column("seeds", lambda given: row_of(given).drawn.replace(",", ""), only="csv")]
    if trainings:
        seeds = [
            Column("trainings", lambda given: " ".join(map(str, row_of(given).trainings)), only="csv"),
            Column("seeds", lambda given: " ".join(map(str, row_of(given).seeds)), only="csv"),
        ]
    return [
        Column("n clips", lambda given: len(row_of(given).clips), only="csv"),
        *seeds,
        Column("evaluator", lambda given: row_of(given).result.evaluator, only="csv"),
        Column("further evaluators", lambda given: "; ".join(row_of(given).result.further), only="csv"),
        Column(
            "R@1 by evaluator",
            lambda given: " ".join(f"{100 * value:.2f}" for value in by_evaluator(row_of(given))),
            only="csv",
        ),
        Column("data set", lambda given: dataset, only="csv"),
    ]


def controls_section(
    main: list[Row], controls: list[Row], name: Callable[[Row], str], metrics: tuple[str, ...] = METRICS
) -> str:
    """The section of the controls, beside the rows that they control; empty where there are none.

    Args:
        main: rows of the table.
        controls: the others.
        name: what a row of the table is called here.
        metrics: those that the table has.
    """
    if not controls:
        return ""
    columns: list[Column[Row]] = [
        Column("Row", lambda row: name(row) if row in main else f"`{row.result.method}`"),
        Column("Input", lambda row: row.result.input),
        *metric_columns(_itself, metrics),
        Column("KID", lambda row: None if row.real or row.kid is None else f"{row.kid:.4g}", number=True),
    ]
    return page(
        "## Controls",
        "Not rows of the paper's table; the same clips, seeds and evaluator.",
        to_markdown(columns, [*main, *controls]),
        bullets(f"`{row.result.method}`: {row.result.note or row.result.title}." for row in controls),
    ).rstrip()


def _itself(row: Row) -> Row:
    return row


def write_table(
    job: TableJob,
    title: str,
    source: str,
    columns: Sequence[Column[T]],
    rows: Sequence[T],
    said: Facts,
    metrics: list[Row],
    measured: Measured,
    *,
    more: Sequence[T] = (),
    before: str = "",
    after: str = "",
    notes: Sequence[str] = (),
) -> None:
    """Write a table's three files.

    Args:
        job: where they go.
        title: of the twin.
        source: name of the stage.
        columns: of both tables.
        rows: of both tables.
        said: how the numbers were made.
        metrics: of each of `rows`.
        measured: what the claims take; what they decide is quoted.
        more: rows of the twin alone.
        before: section of the twin before what was found.
        after: section after it.
        notes: lines after the deviations.
    """
    write_quantities(job.quantities, measured)
    write_csv(job.output, columns, rows)
    named = [(columns[0].markdown(one), row) for one, row in zip(rows, metrics, strict=True)]
    text = page(
        f"# {title}",
        bullets(said.lines()),
        to_markdown(columns, [*rows, *more]),
        bullets(left_out(metrics)),
        agreement(named),
        diversity(named),
        before,
        what_was_found(source, measured),
        after,
        "## What this is and is not",
        bullets([*job.deviations, *notes] or ["No deviation from the paper is configured."]),
    )
    write_text(job.markdown, text)


__all__ = [
    "METRICS",
    "Facts",
    "PaperTable",
    "TableJob",
    "beside_paper",
    "controls_section",
    "coverage_line",
    "facts",
    "left_out",
    "made_by",
    "metric",
    "metric_columns",
    "write_table",
]
