"""Evaluations as one Markdown table for each protocol, so that rows that do not compare never stand in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s2v.errors import UserError
from s2v.evaluate.interval import Interval
from s2v.report.evaluation import Evaluation, read
from s2v.report.measures import FIXED, metric_of
from s2v.report.tabular import Column, bullets, page, to_markdown


def groups(paths: Sequence[Path]) -> list[list[Evaluation]]:
    """The evaluations that compare, the best R@1 first, the largest group first.

    Raises:
        UserError: there is none, or a file is no evaluation.
    """
    if not paths:
        raise UserError("leaderboard: give the JSON files of evaluations")
    found: list[list[Evaluation]] = []
    for path in dict.fromkeys(paths):
        row = read(path)
        own = next((group for group in found if all(_alike(row, one) for one in group)), None)
        found.append([row]) if own is None else own.append(row)
    for group in found:
        group.sort(key=_rank)
    return sorted(found, key=len, reverse=True)


def _alike(one: Evaluation, other: Evaluation) -> bool:
    """Whether the metrics that both have compare."""
    shared = one.networks.keys() & other.networks.keys()
    alike = all(one.networks[name] == other.networks[name] for name in shared)
    return alike and one.protocol.differs(other.protocol) is None


def _rank(one: Evaluation) -> tuple[float, float, str]:
    recall, fid = one.metrics.get("R@1"), one.metrics.get("FID")
    return (-recall.value if recall else 0.0, fid.value if fid else 0.0, one.name)


def columns_of(evaluations: Sequence[Evaluation]) -> list[Column[Evaluation]]:
    """What made each, then every metric that any of them has."""
    told: list[Column[Evaluation]] = [
        Column("Name", lambda one: one.name),
        Column("Made by", lambda one: one.about.get("by", "")),
        Column("Uses text", lambda one: one.about.get("text", "")),
        Column("Trained on", lambda one: one.about.get("data", "")),
        Column("Licence", lambda one: one.about.get("licence", "")),
        Column("Pictures", lambda one: f"{one.sounds} x {one.pictures}, {one.px} px"),
    ]
    kept = [column for column in told if any(column.of(one) for one in evaluations)]
    names = dict.fromkeys([*(metric.name for metric in FIXED), *(name for one in evaluations for name in one.metrics)])
    return [*kept, *(_column(name) for name in names if any(name in one.metrics for one in evaluations))]


def _column(name: str) -> Column[Evaluation]:
    metric = metric_of(name)
    scale = 100 if metric.percent else 1
    side = {"above": "", "below": " (lower is better)", None: ""}[metric.better]

    def cell(one: Evaluation) -> Interval | None:
        value = one.metrics.get(name)
        return Interval(scale * value.value, scale * value.low, scale * value.high) if value else None

    return Column(
        name,
        cell,
        digits=1 if metric.percent else 3 if name in ("KID", "diversity") else 2,
        title=name + side,
        interval=True,
    )


def leaderboard(paths: Sequence[Path]) -> str:
    """All of them as a page of Markdown."""
    found = groups(paths)
    head = ["# Leaderboard", bullets([
        "Made by `s2v leaderboard` from the JSON files of `s2v evaluate`; best R@1 first. In brackets: 95 % intervals.",
        "Rows stand in one table only where clips, candidate names, networks and real pictures are the same. "
        "`s2v compare` says which of two is better.",
        "What made a row is what its maker said; a blank cell is what nobody said.",
    ])]  # fmt: skip
    for number, group in enumerate(found, 1):
        head += [f"## Protocol {number}", bullets(_facts(group)), to_markdown(columns_of(group), group)]
        odd = [f"{one.name}: {line}" for one in group for line in one.said]
        head += ["Odd about the files:", bullets(odd)] if odd else []
    return page(*head)


def _facts(group: Sequence[Evaluation]) -> list[str]:
    protocol = group[0].protocol
    shown = ", ".join(protocol.classes[:12]) + (" ..." if len(protocol.classes) > 12 else "")
    networks: dict[str, dict[str, None]] = {}
    for one in group:
        for name, what in one.networks.items():
            networks.setdefault(what, {})[name] = None
    return [
        f"{protocol.clips} clips (digest `{protocol.clips_digest}`), {len(protocol.classes)} candidate names: {shown}.",
        f"Evaluator: {protocol.evaluator}{_digest(protocol.evaluator_weights)}; prompt `{protocol.prompt}`.",
        f"Real pictures: {protocol.reference}{_digest(protocol.reference_digest)}; IS over "
        f"{protocol.inception_splits} parts; ties: {protocol.tie_rule}.",
        *_sizes(group),
        f"Chance: {', '.join(_chances(group)) or 'not known'}.",
        *(f"{', '.join(names)}: by {what}." for what, names in networks.items()),
    ]


def _sizes(group: Sequence[Evaluation]) -> list[str]:
    """What does not compare between rows of several sizes, where there are such."""
    sizes = sorted({one.px for one in group})
    names = dict.fromkeys(name for one in group for name in one.metrics if metric_of(name).of_real)
    if len(sizes) == 1 or not names or not group[0].protocol.reference:
        return []
    return [
        f"**{', '.join(names)} do not compare between rows of {' and '.join(map(str, sizes))} px**: real pictures are "
        "brought to the made ones' size. Evaluate all with one --px."
    ]


def _chances(group: Sequence[Evaluation]) -> list[str]:
    known = {name: value.chance for one in group for name, value in one.metrics.items() if value.chance is not None}
    return [f"{name} {100 * at:.1f}" if metric_of(name).percent else f"{name} {at:g}" for name, at in known.items()]


def _digest(digest: str) -> str:
    return f" (digest `{digest}`)" if digest else ""


__all__ = ["columns_of", "groups", "leaderboard"]
