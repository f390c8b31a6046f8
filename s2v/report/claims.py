"""Stage `claims`: a verdict on every claim of the paper, from measured quantities and a stated test, never by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from s2v.errors import UserError
from s2v.evaluate.quantities import Measured, Quantity, read_quantities
from s2v.files import read_json, write_json, write_text
from s2v.report.claim import Claim
from s2v.report.claim_list import CLAIMS
from s2v.report.findings import RULES, VERDICTS, Finding, corrected, find, written
from s2v.report.tabular import Column, bullets, page, to_markdown, write_csv
from s2v.report.targets import MEASURED, Target


def run(
    *,
    target: Target,
    sources: dict[str, Path],
    unmeasured: dict[str, str],
    history: Path,
    configuration: str,
    dataset: str,
    evaluator: str,
    output: Path,
    markdown: Path,
) -> None:
    """Write the claims as CSV and Markdown, and note the verdicts under `history`.

    Args:
        target: whose claims these are.
        sources: stage -> what it measured (`s2v.evaluate.quantities`).
        unmeasured: stage -> why it cannot measure on this configuration. Claims of all other stages are out of scope.
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
    measured: dict[str, Measured] = {name: read_quantities(path) for name, path in sources.items()}
    findings = corrected([_finding(claim, measured, unmeasured) for claim in CLAIMS])
    trainings = sorted({n for found in findings if found.quantity for n in found.quantity.trainings})
    findings = _with_history(findings, history, configuration)
    noted = {
        found.claim.name: {"verdict": found.verdict, "trainings": found.quantity.trainings}
        for found in findings
        if found.quantity
    }
    name = "-".join(map(str, trainings)) or "none"
    write_json(history / f"{configuration}.{target}.{name}.json", {"claims": noted})
    write_csv(output, _COLUMNS, findings)
    write_text(markdown, _page(findings, target, dataset, evaluator))


def _finding(claim: Claim, measured: dict[str, Measured], unmeasured: dict[str, str]) -> Finding:
    if claim.source in measured:
        return find(claim, measured[claim.source])
    if claim.source in unmeasured:
        return Finding(claim, "not measured", why=unmeasured[claim.source])
    return Finding(claim, "out of scope", why=f"the target `paper` makes {MEASURED[claim.source]}")


def _with_history(findings: list[Finding], history: Path, configuration: str) -> list[Finding]:
    """The findings, with the verdicts that other trainings of the same configuration gave."""
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
        said.append(replace(found, elsewhere="; ".join(dict.fromkeys(lines))))
    return said


def _of(text: Callable[[Finding, Quantity], str | int]) -> Callable[[Finding], str | int]:
    """A cell of what was measured; empty where nothing was."""
    return lambda found: text(found, found.quantity) if found.quantity else ""


def _ours(found: Finding) -> str:
    """The quantity with its interval, and how many of several trainings lie on its side of the claim's number."""
    quantity, than = found.quantity, found.claim.than
    if quantity is None or not quantity.by_training:
        return found.ours
    agree = sum((one > than) == (quantity.value > than) for one in quantity.by_training)
    return f"{found.ours} ({agree} of {len(quantity.by_training)})"


def _verdict(found: Finding) -> str:
    said = f"**{found.verdict}**" if found.quantity else f"{found.verdict}: {found.why}"
    return f"{said}; {found.elsewhere}" if found.elsewhere else said


_COLUMNS: list[Column[Finding]] = [
    Column("claim", lambda found: found.claim.statement, title="Claim"),
    Column("kind", lambda found: "primary" if found.claim.primary else found.claim.kind, only="csv"),
    Column("where", lambda found: found.claim.where, title="Where"),
    Column("Measured", lambda found: f"{found.claim.quantity}; {found.claim.rule}", only="markdown"),
    Column("quantity", lambda found: found.claim.quantity, only="csv"),
    Column("paper", lambda found: found.claim.paper, title="Paper", number=True),
    Column("Ours", _ours, only="markdown", number=True),
    Column("ours", _of(lambda found, quantity: found.number(quantity.value)), only="csv"),
    Column("ours low", _of(lambda found, quantity: found.number(quantity.low)), only="csv"),
    Column("ours high", _of(lambda found, quantity: found.number(quantity.high)), only="csv"),
    Column("p", lambda found: written(found.p).removeprefix("p ").removeprefix("= "), only="markdown", number=True),
    Column("p corrected", lambda found: _corrected(found, 3), only="markdown", number=True),
    Column("Verdict", _verdict, only="markdown"),
    Column("verdict", lambda found: found.verdict, only="csv"),
    Column("p", lambda found: "" if found.p is None else f"{found.p:.6f}", only="csv"),
    Column("corrected p", lambda found: _corrected(found, 6), only="csv"),
    Column("test", lambda found: found.claim.rule, only="csv"),
    Column("clips", _of(lambda found, quantity: quantity.clips), only="csv"),
    Column("classes", _of(lambda found, quantity: quantity.classes or ""), only="csv"),
    Column("evaluators", _of(lambda found, quantity: quantity.evaluators), only="csv"),
    Column("could be seen", _of(lambda found, quantity: found.number(quantity.detectable())), only="csv"),
    Column("trainings", _of(lambda found, quantity: " ".join(map(str, quantity.trainings))), only="csv"),
    Column(
        "each training alone",
        _of(lambda found, quantity: " ".join(found.number(value) for value in quantity.by_training)),
        only="csv",
    ),
    Column("with other trainings", lambda found: found.elsewhere, only="csv"),
    Column("target", lambda found: found.claim.source, only="csv"),
    Column("why not", lambda found: found.why, only="csv"),
    Column("about", _of(lambda found, quantity: quantity.about), only="csv"),
]


def _seen_at(tests: int) -> Callable[[Finding], str | int]:
    """The effect that could have been seen; where nothing varied at all, nobody knows."""

    def text(found: Finding, quantity: Quantity) -> str:
        effect = quantity.detectable(tests)
        return found.number(effect) if effect else "-"

    return _of(text)


_PRIMARY = sum(claim.primary for claim in CLAIMS)
_POWER: list[Column[Finding]] = [
    Column("claim", lambda found: found.claim.statement, title="Claim"),
    Column("quantity", lambda found: found.claim.quantity, title="Quantity"),
    Column("paper", lambda found: found.claim.paper, title="Paper", number=True),
    Column("ours", lambda found: found.ours, title="Seen", number=True),
    Column("alone", _seen_at(1), title="Could be seen", number=True),
    Column("first", _seen_at(_PRIMARY), title=f"... as the first of {_PRIMARY}", number=True),
    Column("margin", lambda found: found.number(found.claim.margin), title="Margin", number=True),
    Column("trainings", _of(lambda found, quantity: len(quantity.trainings)), title="Trainings", number=True),
    Column("clips", _of(lambda found, quantity: quantity.clips), title="Clips", number=True),
    Column("classes", _of(lambda found, quantity: quantity.classes or "-"), title="Classes", number=True),
    Column("evaluators", _of(lambda found, quantity: quantity.evaluators), title="Evaluators", number=True),
    Column("verdict", lambda found: found.verdict, title="Verdict"),
]  # fmt: skip


def _power(primary: list[Finding]) -> list[str]:
    measured = [found for found in primary if found.quantity]
    return [
        "## What could have been seen",
        "The effect that would have been told from none with a power of 0.8, by the standard errors that were "
        f"measured: by a claim alone, and by the surest of {_PRIMARY}, whose level Holm divides by {_PRIMARY}. A "
        "smaller one may be there unseen. Where classes are the units, their number is said; evaluators are a sample "
        "where there are several.",
        to_markdown(_POWER, measured),
    ] if measured else []  # fmt: skip


def _corrected(found: Finding, digits: int) -> str:
    return "" if found.corrected is None else f"{found.corrected:.{digits}f}"


def _page(findings: list[Finding], target: Target, dataset: str, evaluator: str) -> str:
    """The readable twin: a summary, then each claim."""
    primary = [found for found in findings if found.claim.primary]
    others = [found for found in findings if found.claim.kind == "claim" and not found.claim.primary]
    checks = [found for found in findings if found.claim.kind == "check"]
    abouts = dict.fromkeys(
        f"{found.claim.source}: {found.quantity.about}" for found in findings if found.quantity and found.quantity.about
    )
    return page(
        "# The paper's claims, and what holds here",
        bullets([
            _count("primary claims", primary),
            _count("exploratory claims", others),
            _count("checks of what is measured here", checks),
            f"Target: `{target}`. Data set: {dataset}. Evaluator: {evaluator}.",
            *RULES,
            "In brackets after ours: how many of the trainings, each alone, lie on the side of the whole.",
        ]),
        "## Primary claims",
        "Named before anything was measured.",
        to_markdown(_COLUMNS, primary),
        *_power(primary),
        "## Exploratory claims",
        to_markdown(_COLUMNS, others),
        "## Checks",
        "Not of the paper: whether evaluator, rows and controls are what the claims take them for.",
        to_markdown(_COLUMNS, checks),
        *(["## How it was measured", bullets(abouts)] if abouts else []),
    )  # fmt: skip


def _count(what: str, findings: list[Finding]) -> str:
    counts = Counter(found.verdict for found in findings)
    return f"{len(findings)} {what}: {', '.join(f'{counts[verdict]} {verdict}' for verdict in VERDICTS)}."


__all__ = ["run"]
