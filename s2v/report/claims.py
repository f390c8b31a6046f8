"""Stage `claims`: a verdict on every claim of the paper, from measured quantities and a stated test, never by hand."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s2v.errors import UserError
from s2v.evaluate.quantities import Quantity, read_quantities
from s2v.files import read_json, write_json, write_text
from s2v.report.claim_list import BUILT, CLAIMS, Claim
from s2v.report.table1 import bullets

TARGETS = {name: f"{name}.png" if name.startswith("fig") else f"{name}.csv" for name in BUILT}
"""File that a user asks for, of each source."""

Verdict = Literal["holds", "does not hold", "undecided", "not measured"]


@dataclass(frozen=True)
class Finding:
    """A claim and what was found of it."""

    claim: Claim
    verdict: Verdict
    quantity: Quantity | None = None
    why: str = ""
    """Where it was not measured."""
    elsewhere: str = ""
    """What other seeds said."""


def decide(claim: Claim, quantity: Quantity) -> Verdict:
    """The verdict of the claim's test.

    `above` 0: holds where the whole interval is above 0, does not hold where the whole is at or below 0, and is
    undecided where 0 lies inside; `below` likewise. `near` 0: holds where the whole interval is within the margin, does
    not hold where the whole lies outside.
    """
    low, high = quantity.low, quantity.high
    if claim.test == "near":
        if -claim.margin <= low and high <= claim.margin:
            return "holds"
        return "does not hold" if low > claim.margin or high < -claim.margin else "undecided"
    if claim.test == "below":
        low, high = -high, -low
    return "holds" if low > 0 else "does not hold" if high <= 0 else "undecided"


def run(
    *,
    sources: dict[str, Path],
    history: Path,
    configuration: str,
    dataset: str,
    evaluator: str,
    output: Path,
    markdown: Path,
) -> None:
    """Write claims.csv and claims.md, and note the verdicts under `history`.

    Args:
        sources: stage -> what it measured (`s2v.evaluate.quantities`); claims of other stages are not measured.
        history: folder of the verdicts of earlier runs, one file for each choice of trainings. Where another choice of
            the same configuration gave another verdict, both files say so.
        configuration: digest of the configuration without its seeds.
        dataset: what the clips are, in words.
        evaluator: who judged the pictures.
        output: CSV.
        markdown: its twin.

    Raises:
        UserError: a source is no file of quantities.
    """
    measured = {name: read_quantities(path) for name, path in sources.items()}
    findings = [_finding(claim, measured) for claim in CLAIMS]
    mine = _trainings(findings)
    findings = _with_history(findings, history, configuration)
    noted = {
        found.claim.name: {"verdict": found.verdict, "trainings": found.quantity.trainings}
        for found in findings
        if found.quantity
    }
    name = "-".join(map(str, mine)) or "none"
    write_json(history / f"{configuration}.{name}.json", {"claims": noted})
    write_text(output, to_csv(findings))
    write_text(markdown, to_markdown(findings, dataset, evaluator))


def _finding(claim: Claim, measured: dict[str, dict[str, Quantity]]) -> Finding:
    if claim.source not in measured:
        why = f"{TARGETS[claim.source]} was not made; make it, then claims.csv again"
        return Finding(claim, "not measured", why=why)
    quantity = measured[claim.source].get(claim.key)
    if quantity is None:
        return Finding(claim, "not measured", why=f"{claim.source} cannot measure it on this data or configuration")
    return Finding(claim, decide(claim, quantity), quantity)


def _trainings(findings: list[Finding]) -> list[int]:
    return sorted({n for found in findings if found.quantity for n in found.quantity.trainings})


def _with_history(findings: list[Finding], history: Path, configuration: str) -> list[Finding]:
    records = []
    for path in sorted(history.glob(f"{configuration}.*.json")):
        record = read_json(path)
        if not isinstance(record, dict) or not isinstance(record.get("claims"), dict):
            raise UserError(f"{path}: no record of verdicts; remove it")
        records.append(record["claims"])
    said = []
    for found in findings:
        others = [record[found.claim.name] for record in records if found.quantity and found.claim.name in record]
        # What was measured on the same trainings cannot differ.
        lines = [
            f"{'same' if other['verdict'] == found.verdict else other['verdict']} with "
            f"{', '.join(map(str, other['trainings']))}"
            for other in others
            if found.quantity and other["trainings"] != found.quantity.trainings
        ]
        said.append(Finding(found.claim, found.verdict, found.quantity, found.why, "; ".join(dict.fromkeys(lines))))
    return said


def to_csv(findings: list[Finding]) -> str:
    """A line for each claim."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([
        "claim", "where", "quantity", "paper", "ours", "low", "high", "verdict", "test", "clips", "trainings",
        "each training alone", "with other trainings", "target", "why not", "about",
    ])  # fmt: skip
    for found in findings:
        claim, quantity = found.claim, found.quantity
        shown = [""] * 3
        clips: object = ""
        trainings = alone = about = ""
        if quantity:
            shown = [_number(claim, quantity, value) for value in (quantity.value, quantity.low, quantity.high)]
            clips, about = quantity.clips, quantity.about
            trainings = " ".join(map(str, quantity.trainings))
            alone = " ".join(_number(claim, quantity, value) for value in quantity.by_training)
        writer.writerow([
            claim.statement, claim.where, claim.quantity, claim.paper, *shown, found.verdict, claim.rule, clips,
            trainings, alone, found.elsewhere, claim.source, found.why, about,
        ])  # fmt: skip
    return buffer.getvalue()


def _number(claim: Claim, quantity: Quantity, value: float) -> str:
    """With as many digits as the quantity's other numbers have."""
    if claim.percent:
        return f"{100 * value:.1f}"
    return f"{value:.2f}" if abs(quantity.value) >= 1 else f"{value:.3f}"


def to_markdown(findings: list[Finding], dataset: str, evaluator: str) -> str:
    """The readable twin: a summary, then each claim."""
    counts = Counter(found.verdict for found in findings)
    order: list[Verdict] = ["holds", "does not hold", "undecided", "not measured"]
    parts = [
        "# The paper's claims, and what holds here",
        bullets([
            f"{len(findings)} claims: {', '.join(f'{counts[verdict]} {verdict}' for verdict in order)}.",
            f"Data set: {dataset}. Evaluator: {evaluator}.",
            "The test is in the table and the same for all: the 95 % interval of the measured quantity lies on the "
            "claim's side (holds), on the other side (does not hold), or on both (undecided: too few clips or "
            "trainings to tell). Intervals are over test clips and, where there are several trainings, over these too.",
            "In brackets after ours: how many of the trainings, each alone, lie on the side of the whole.",
        ]),
    ]  # fmt: skip
    lines = ["| Claim | Where | Measured | Paper | Ours | Verdict |", "|---|---|---|---:|---:|---|"]
    for found in findings:
        claim = found.claim
        verdict = f"**{found.verdict}**" if found.quantity else f"not measured: {found.why}"
        if found.elsewhere:
            verdict += f"; {found.elsewhere}"
        lines.append(
            f"| {claim.statement} | {claim.where} | {claim.quantity}; {claim.rule} | {claim.paper} | {_ours(found)} | "
            f"{verdict} |"
        )
    parts.append("\n".join(lines))
    abouts = dict.fromkeys(
        f"{found.claim.source}: {found.quantity.about}" for found in findings if found.quantity and found.quantity.about
    )
    if abouts:
        parts += ["## How it was measured", bullets(list(abouts))]
    return "\n\n".join(parts) + "\n"


def _ours(found: Finding) -> str:
    claim, quantity = found.claim, found.quantity
    if quantity is None:
        return "-"
    value, low, high = (_number(claim, quantity, number) for number in (quantity.value, quantity.low, quantity.high))
    text = f"{value} [{low}, {high}]"
    if len(quantity.by_training) > 1:
        agree = sum((one > 0) == (quantity.value > 0) for one in quantity.by_training)
        text += f" ({agree} of {len(quantity.by_training)})"
    return text


__all__ = ["Finding", "decide", "run", "to_csv", "to_markdown"]
