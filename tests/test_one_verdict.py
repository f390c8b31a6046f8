"""One verdict: whatever was measured, no two files of a run say different things of a claim."""

from __future__ import annotations

import ast
import csv
import re
import tempfile
from pathlib import Path
from typing import get_args

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from made_results import made_result

import s2v
from s2v.evaluate.quantities import Measured, Missing, Quantity, read_quantities, write_quantities
from s2v.report import table1, table3
from s2v.report.claim_list import CLAIMS
from s2v.report.claims import run as claims
from s2v.report.findings import Decision, what_was_found
from s2v.report.tables import TableJob
from s2v.report.targets import MEASURED

VERDICT = re.compile(rf"\*\*({'|'.join(get_args(Decision))}|one training)\*\*")


def disagreements(folder: Path, pages: dict[str, str]) -> list[str]:
    """Claims of which a page (of the source that it names) has other numbers than claims.csv or a verdict of its own,
    or of which claims.md has another verdict."""
    rows = list(csv.DictReader((folder / "claims.csv").read_text().splitlines()))
    wrong = [f"{source}: {found[0]}" for source, text in pages.items() if (found := VERDICT.search(text))]
    for source, text in pages.items():
        for row in (row for row in rows if row["target"] == source and row["ours"]):
            numbers = f"{row['ours']} [{row['ours low']}, {row['ours high']}]"
            line = f"{row['claim']} ({row['where']}). {row['quantity']}: {numbers};"
            wrong += [] if line in text else [f"{source}: {line}"]
    in_page = [verdict for _, verdict in re.findall(r"(\|) \*\*(.+?)\*\*", (folder / "claims.md").read_text())]
    kinds = [row for kind in ("primary", "claim", "check") for row in rows if row["kind"] == kind]
    in_csv = [row["verdict"] for row in kinds if row["ours"]]
    return wrong + ([] if in_page == in_csv else [f"claims.md: {in_page} {in_csv}"])


def claim(folder: Path, sources: list[str]) -> None:
    """Make claims.csv and claims.md from the quantities of some stages."""
    claims(
        target="paper", sources={name: folder / f"{name}.json" for name in sources}, unmeasured={},
        history=folder / "verdicts", configuration="c", dataset="d", evaluator="judge",
        output=folder / "claims.csv", markdown=folder / "claims.md",
    )  # fmt: skip


numbers = st.floats(-2, 2)
quantities = st.one_of(
    st.builds(Missing, st.sampled_from(["no labels", "a | in it"])),
    st.builds(lambda ends, where: Quantity(ends[0] + where * (ends[1] - ends[0]), *ends, 10),
              st.tuples(numbers, numbers).map(sorted), st.floats(0, 1)),
)  # fmt: skip


@given(st.fixed_dictionaries({one.name: quantities for one in CLAIMS}))
def test_what_pages_quote_is_what_the_claims_measured(drawn: dict[str, Quantity | Missing]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, pages = Path(name), {}
        for source in MEASURED:
            measured: Measured = {one.key: drawn[one.name] for one in CLAIMS if one.source == source}
            write_quantities(folder / f"{source}.json", measured)
            pages[source] = what_was_found(source, measured)
            assert read_quantities(folder / f"{source}.json") == measured, "nothing is lost on the way"
        claim(folder, list(MEASURED))
        assert disagreements(folder, pages) == []


def shares(name: str) -> st.SearchStrategy[tuple[str, list[float]]]:
    return st.tuples(st.just(name), st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.52, 0.9, 1.0]), min_size=1, max_size=3))


METHODS = {"icgan": "A", "sound2vision": "B", "retrieval": "C", "upper_bound": "D", "sound2vision_ldm": "B",
           "icgan_top1": "A", "sound2vision_shuffled": "B", "sound2vision_scrambled": "B"}  # fmt: skip


@settings(max_examples=15)
@given(st.tuples(*map(shares, METHODS)), st.sampled_from([0.0, 0.02, 2.0]))
def test_tables_and_claims_of_the_same_rows_agree(drawn: tuple[tuple[str, list[float]], ...], shift: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results: dict[str, list[Path]] = {}
        for i, (method, hits) in enumerate(drawn):
            for seed, share in enumerate(hits):
                ranks: list[int | None] = [1 if x < share else 7 for x in np.random.default_rng([i, seed]).random(40)]
                path, letter = folder / method / f"{seed}.json", METHODS[method]
                main = method in ("icgan", "sound2vision", "retrieval", "upper_bound")
                made_result(path, method, ranks, shift=i * shift, noise=0.3, letter=letter, main=main)
                results.setdefault(method, []).append(path)
        (folder / "coverage.csv").write_text("class,split,wanted,got,lost\nx,test,40,40,0\n")

        def job(name: str) -> TableJob:
            csv, markdown, quantities = (folder / f"{name}.{end}" for end in ("csv", "md", "json"))
            return TableJob(folder / "coverage.csv", ["test"], "d", [], 40, csv, markdown, quantities)

        rows = [path for method, paths in results.items() if method != "sound2vision_ldm" for path in paths]
        table1.run(results=rows, job=job("table1"))
        methods = {"A": "sound2vision", "B": "sound2vision_ldm"}
        rows = [path for method in methods.values() for path in results[method]]
        table3.run(results=rows, methods=methods, job=job("table3"))
        claim(folder, ["table1", "table3"])
        pages = {name: (folder / f"{name}.md").read_text() for name in ("table1", "table3")}
        assert all("## What was found of the claims" in text for text in pages.values())
        assert disagreements(folder, pages) == []


def test_nothing_but_findings_has_the_words_of_a_verdict() -> None:
    """A page that decided by itself would need them."""
    for path in Path(s2v.__file__).parent.rglob("*.py"):
        if path.name == "findings.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                said = node.value.strip(" *.:;").lower()
                assert said not in get_args(Decision), f"{path.name}: {node.value!r}"
                assert "**holds" not in node.value and "**does not" not in node.value, f"{path.name}: {node.value!r}"


def test_a_number_without_an_interval_is_no_quantity() -> None:
    for low, high in ((1.0, 0.0), (float("nan"), 1.0), (0.0, float("nan"))):
        try:
            Quantity(0.5, low, high, 10)
        except ValueError as error:
            assert "without an interval" in str(error)
        else:
            raise AssertionError(f"{low} to {high} was taken")
