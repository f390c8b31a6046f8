"""Two evaluations against each other, paired over clips, by the test that decides claims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s2v.errors import UserError
from s2v.evaluate.quantities import Missing
from s2v.report.claim import Claim
from s2v.report.comparisons import quantity
from s2v.report.evaluation import Evaluation, read, read_row
from s2v.report.findings import Finding, find
from s2v.report.measures import Metric, metrics_of
from s2v.report.rows import Row
from s2v.report.tabular import Column, to_markdown


def versus(paths: Sequence[Path]) -> list[tuple[str, list[Finding]]]:
    """The first evaluation against each other one: a title and a finding for each metric that both have.

    A finding's claim is that the first is better, so `does not hold` says that the other is at least as good.

    Raises:
        UserError: there are fewer than two, or they are of other clips, evaluators, names or real pictures.
    """
    if len(paths) < 2:
        raise UserError("compare: give two evaluations or more")
    evaluations = [read(path) for path in paths]
    for path, other in zip(paths[1:], evaluations[1:], strict=True):
        what = evaluations[0].protocol.differs(other.protocol)
        if what is not None:
            raise UserError(f"{paths[0]} and {path} do not compare: {what} are not alike")
    rows = [read_row(path, one) for path, one in zip(paths, evaluations, strict=True)]
    names = _names(paths, evaluations)
    return [
        (
            f"{names[0]} against {names[i]}",
            _findings(evaluations[0], evaluations[i], rows[0], rows[i], names[0], names[i]),
        )
        for i in range(1, len(rows))
    ]


def _names(paths: Sequence[Path], evaluations: Sequence[Evaluation]) -> list[str]:
    """Names of evaluations; those of their files where they are called alike."""
    names = [one.name for one in evaluations]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _findings(one: Evaluation, other: Evaluation, first: Row, second: Row, name: str, against: str) -> list[Finding]:
    found = []
    for metric in metrics_of(first, second):
        claim = _claim(metric, name, against)
        why = metric.lacks(first) or metric.lacks(second)
        if why is None and one.networks.get(metric.name) != other.networks.get(metric.name):
            why = "they were measured by different networks"
        if why is None and metric.of_real and one.px != other.px:
            why = f"real pictures were brought to {one.px} and {other.px} px; evaluate both with one --px"
        if why is not None:
            found.append(find(claim, {claim.key: Missing(why)}))
            continue
        interval, alone = metric.difference(first, second, max(one.bootstrap, other.bootstrap))
        found.append(find(claim, {claim.key: quantity(interval, first, alone)}))
    return found


def _claim(metric: Metric, name: str, against: str) -> Claim:
    points = " (points)" if metric.percent else ""
    side = {"above": "higher", "below": "lower", None: "higher"}[metric.better]
    return Claim(
        "compare", metric.name, f"{name} has a {side} {metric.name} than {against}", "s2v compare",
        f"{metric.name}, difference{points}", "-", test=metric.better or "above", percent=metric.percent,
        of_pictures=True,
    )  # fmt: skip


def to_text(compared: Sequence[tuple[str, list[Finding]]]) -> str:
    """Tables for people, one for each pair; metrics that one of them lacks stand below with the reason."""
    columns: list[Column[Finding]] = [
        Column("Claim", lambda found: found.claim.statement),
        Column("Difference", lambda found: found.ours, number=True),
        Column("Test", lambda found: found.claim.rule),
        Column("Verdict", lambda found: found.verdict),
    ]
    parts = []
    for title, findings in compared:
        measured = [found for found in findings if found.quantity]
        lacking = [f"{found.claim.key}: not compared, {found.why}" for found in findings if not found.quantity]
        parts += [title, to_markdown(columns, measured), *lacking]
    return "\n\n".join(parts)


__all__ = ["to_text", "versus"]
