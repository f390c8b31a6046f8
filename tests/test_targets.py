"""What `evidence` and `paper` make: everything that there is of the paper, and what a configuration cannot make."""

from __future__ import annotations

from pathlib import Path

import pytest
from workflow_runs import REPOSITORY, TINY, Checkout

from s2v.config import Config
from s2v.configfile import load
from s2v.report.claim_list import CLAIMS
from s2v.report.targets import MEASURED, files, impossible, sources, unmeasured

# What of the paper follows from the default: table1b takes people, and figures of faces another configuration.
NAMES = ("table1", "table2", "table3", "table_vegas5", "control", "control_ldm", "coverage", "provenance")
TABLES = {f"{name}.csv" for name in NAMES}
FIGURES = {f"fig{n:02d}.png" for n in range(3, 20)} | {"gap.png"}


NOBODY = "nobody was asked: study.answers is null (docs/study.md)"
NO_SPEAKERS = "faces and voices are of the embedded speakers: configs/faces.yaml"
NEVER = {"table1b.csv": NOBODY, "faces.csv": NO_SPEAKERS, "fig20.png": NO_SPEAKERS, "fig21.png": NO_SPEAKERS}
UNMEASURED = {"table1b": NOBODY, "faces": NO_SPEAKERS, "fig21": NO_SPEAKERS}


def _config(*lines: str, tmp_path: Path, base: str = "folder") -> Config:
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("\n".join(lines) + "\n")
    return load(["config.yaml", f"configs/{base}.yaml", overlay])


def test_the_paper_is_all_of_it_and_evidence_a_part() -> None:
    config = load(["config.yaml"])
    assert impossible(config) == NEVER and unmeasured(config) == UNMEASURED
    assert set(files("paper", config)) == TABLES | FIGURES | {"claims.csv"}
    assert set(files("evidence", config)) - {"evidence.csv"} < set(files("paper", config))
    assert {*sources("paper", config), *UNMEASURED} == {claim.source for claim in CLAIMS} == set(MEASURED)
    assert set(sources("evidence", config)) == {"table1", "table2", "gap", "fig03", "fig05"}


@pytest.mark.parametrize("config", [(), TINY], ids=["default", "tiny"])
def test_a_fresh_clone_plans_every_table_and_figure(tmp_path: Path, config: tuple[str, ...]) -> None:
    checkout = Checkout.of_repository(tmp_path / "fresh")
    done = checkout.snakemake("--dry-run", "paper", config=config)
    assert done.returncode == 0, done.stdout[-4000:]
    output = "results/tiny" if config else "results"
    for name in sorted(TABLES | FIGURES | {"claims.csv"}):
        assert f"{output}/{name}" in done.stdout, name
    (claims,) = [job for job in done.stdout.split("\n\n") if "rule claims:" in job]
    for stage in set(MEASURED) - set(UNMEASURED):
        assert f"{output}/claims/{stage}.json" in claims, stage


def test_clips_without_labels_leave_out_what_needs_them(tmp_path: Path) -> None:
    config = _config("data: {folder: {labels: none}}", "evaluate: {evaluator: none}", tmp_path=tmp_path)
    left_out = impossible(config)
    assert left_out["fig08.png"] == left_out["control.csv"] == left_out["fig16.png"] == "the clips have no labels"
    assert {"table1.csv", "table2.csv", "table3.csv", "fig04.png", "fig14.png"} <= set(files("paper", config))
    unlabelled = dict.fromkeys(("fig12", "fig16", "control", "control_ldm"), "the clips have no labels")
    assert unmeasured(config) == {
        **UNMEASURED, "table_vegas5": "fig15.classes names no classes", **unlabelled,
    }  # fmt: skip


def test_without_the_judge_or_numbers_of_classes_the_reason_is_said(tmp_path: Path) -> None:
    config = _config("evaluate: {evaluator: clip_inception}", tmp_path=tmp_path)
    assert impossible(config) == {
        **NEVER,
        "table_vegas5.csv": "fig15.classes names no classes",
        "fig15.png": "fig15.classes names no classes",
        "fig16.png": "scaling.sizes names no numbers of classes",
        "fig17.png": "scaling.sizes names no numbers of classes",
        **dict.fromkeys(
            ("control.csv", "control_ldm.csv"),
            "it is measured with the judge, and evaluate.evaluator is clip_inception",
        ),
        "fig12.png": "Lee et al. learn from sentences and names, and the data have no split `captioned` and `tagged`",
    }


def test_figure_20_is_of_the_embedded_speakers() -> None:
    config = load(["config.yaml", "configs/faces.yaml"])
    assert {"faces.csv", "fig20.png", "fig21.png", "claims.csv"} <= set(files("paper", config))
    assert {"faces", "fig21"} <= set(sources("paper", config))
    real = load(["config.yaml", "configs/celebvhq.yaml"])
    assert "fig20.png" in files("paper", real) and impossible(real)["fig21.png"] == NO_SPEAKERS


def test_every_shipped_configuration_plans_the_paper() -> None:
    for path in sorted((REPOSITORY / "configs").glob("*.yaml")):
        if path.stem not in ("world48", "shipped"):  # these are parts of others
            config = load(["config.yaml", path])
            assert {"table1.csv", "table3.csv", "claims.csv"} <= set(files("paper", config)), path
