"""Table 2: rows are variants of alignment, intervals are over trainings and clips, differences are paired."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made_results import made_result

from s2v.config import AblationRow
from s2v.config.repeats import ablation_runs, drawn_again, made_anew
from s2v.configfile import load
from s2v.errors import UserError
from s2v.evaluate.fidelity import FrechetDistances
from s2v.evaluate.interval import Interval
from s2v.evaluate.quantities import Missing, Quantity, read_quantities
from s2v.identity import code_digest
from s2v.planning.needs import of_jobs, weights
from s2v.report import rows
from s2v.report.ablation import Ablation, shown_losses
from s2v.report.comparisons import FID, R1, of_table2
from s2v.report.table2 import load_ablation, run
from s2v.report.tables import TableJob
from s2v.workflow import Plan


def test_a_row_changes_what_it_names_and_nothing_else() -> None:
    config = load(["config.yaml"])
    rows = config.ablation.wanted()
    made = {name: row.of(config.align) for name, row in rows.items()}
    assert made["F"] == config.align and not rows["F"].changes
    assert made["B"] == config.align.model_copy(update={"loss": "nce"})
    assert made["D"].audio.window_s == pytest.approx(0.5) and made["E"].audio.window_s == pytest.approx(2.5)
    assert rows["E"].heard_by(config.generate).window_s == pytest.approx(2.5)
    assert made["C"] == config.align and rows["C"].changes and rows["C"].frame == "mid"
    assert shown_losses(config) == {"nce": "B", "total": "F"}
    assert Ablation.of(rows["A"], config.align, "top1") == Ablation("L2", 1.0, "top1", 5.0)
    runs = ablation_runs(config)
    assert len(runs) == 3 * len(rows) and ("F", 0, "", 0) in runs and ("F", 2, "seeds/2/", 2) in runs
    assert ("B", 1, "seeds/1/ablation/B/", 1) in runs
    assert ("F_closed", 1, "seeds/1/", 1) in runs and rows["F_closed"].method == "sound2vision_closed"


def test_a_row_may_hear_with_a_pretrained_network_whose_weights_are_then_asked_for(tmp_path: Path) -> None:
    (tmp_path / "ear.yaml").write_text(
        "ablation: {rows: {ear: {backbone: aisfx, head: fc2}}}\nalign: {augment: {shift: true}}"
    )
    config = load(["config.yaml", str(tmp_path / "ear.yaml")])
    made = config.ablation.wanted()["ear"].of(config.align)
    assert (made.backbone, made.head, made.augment.shift) == ("aisfx", "fc2", False)
    assert Ablation.of(config.ablation.wanted()["ear"], config.align, "top1").hears == "aisfx"
    planned = of_jobs([("table2", {}), ("align", {"align": "align"})])
    assert weights(config, planned)["aisfx"] == "ablation.rows.ear.backbone"
    assert "aisfx" not in weights(config, of_jobs([("table1", {}), ("align", {"align": "align"})]))
    plan = Plan(config)
    job = SimpleNamespace(align="align", variant="ablation/ear/", again="")
    own = SimpleNamespace(align="align", variant="", again="")
    assert plan.aligned_with(job)["backbone"] == "aisfx" and plan.aligned_with(own)["backbone"] is None
    assert plan.code_of_alignment(job) == code_digest("s2v.train.align_frozen") != plan.code_of_alignment(own)


def test_another_seed_trains_what_it_names_and_what_is_made_from_it() -> None:
    config = load(["config.yaml"])
    assert made_anew(config, "align") and not made_anew(config, "generator")
    assert drawn_again(config, ["icgan", "sound2vision"], [0, 1]) == [
        ("", "icgan"), ("", "sound2vision"), ("seeds/1/", "sound2vision")]  # fmt: skip
    seeds = config.seeds.model_copy(update={"of": ["encoder"]})
    anew = config.model_copy(update={"seeds": seeds})
    assert all(made_anew(anew, stage) for stage in ("embed", "generator", "align", "vae", "latents", "diffusion"))
    assert not made_anew(anew, "encoder_vit") and not made_anew(anew, "align_ldm")


def _runs(folder: Path, hit: float, shift: float, trainings: list[int], clips: int = 80) -> list[Path]:
    """What stage evaluate writes for a row: hits of a share of the clips, features moved away from the real ones."""
    labels, paths = [f"l{i % 3}" for i in range(clips)], []
    for n in trainings:
        hits = np.random.default_rng(100 + n).random(clips) < hit
        ranks: list[int | None] = [1 if right else 2 for right in hits]
        paths.append(
            made_result(folder / f"{n}.json", "sound2vision", ranks, labels, shift, 1.0, training=n, classes=3)
        )
    return paths


def test_the_table_its_twin_and_what_the_claims_take(tmp_path: Path) -> None:
    results = {"A": _runs(tmp_path / "A", 0.3, 2.0, [0, 1, 2]), "F": _runs(tmp_path / "F", 0.9, 0.0, [0, 1, 2])}
    rows = {"A": Ablation("L2", 1.0, "top1", 5.0), "F": Ablation("L_total", 1.0, "top1", 5.0)}
    (tmp_path / "coverage.csv").write_text("class,split,wanted,got,lost\nl0,test,80,80,0\n")
    job = TableJob(
        coverage=tmp_path / "coverage.csv", splits=["test"], dataset="made", deviations=["It is made."], bootstrap=200,
        output=tmp_path / "t.csv", markdown=tmp_path / "t.md", quantities=tmp_path / "t.json",
    )  # fmt: skip
    run(results=results, rows=rows, job=job)
    table = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [row["row"] for row in table] == ["A", "F"] and table[0]["trainings"] == "0 1 2"
    for row in table:
        for metric in ("R@1", "R@5", "FID", "IS"):
            assert float(row[f"{metric} low"]) <= float(row[metric]) <= float(row[f"{metric} high"])
    found = read_quantities(tmp_path / "t.json")
    difference = found["r1_f_minus_a"]
    assert difference.low > 0.4 and len(difference.by_training) == 3 and difference.trainings == [0, 1, 2]
    assert difference.value == pytest.approx(np.mean(difference.by_training))
    assert found["fid_f_minus_a"].high < -5
    assert found["r1_f_minus_b"] == Missing("ablation.rows has no row B")
    text = (tmp_path / "t.md").read_text()
    (line,) = [line for line in text.splitlines() if re.match(r"\| A +\| L2 ", line)]
    assert re.fullmatch(r"\| A \| L2 \| 1 \| top1 \| 5 \| .* \| 18\.21 \| .*", " ".join(line.split()))
    assert "It is made." in text
    assert re.search(r"better than with L2 loss .*; p < 0\.001\.", text)


def test_a_row_of_one_training_is_compared_with_all_of_the_other(tmp_path: Path) -> None:
    results = {"A": _runs(tmp_path / "A", 0.3, 2.0, [0]), "F": _runs(tmp_path / "F", 0.9, 0.0, [0, 1, 2])}
    rows = load_ablation(results, 100)
    for metric in (R1, FID):
        interval, alone = metric.difference(rows["F"], rows["A"], 100)
        assert len(alone) == 3 and interval.value == pytest.approx(np.mean(alone))
    short = load_ablation({"A": _runs(tmp_path / "short", 0.3, 0.0, [0], clips=70)}, 100)["A"]
    with pytest.raises(UserError, match="not of the same clips"):
        R1.difference(rows["F"], short, 100)


def test_rows_that_are_null_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "few.yaml").write_text("ablation: {rows: {A: null, mine: {loss: l2, window: 0.5}}}\n")
    wanted = load(["config.yaml", tmp_path / "few.yaml"]).ablation.wanted()
    assert "A" not in wanted and wanted["mine"] == AblationRow(loss="l2", window=0.5) and "F" in wanted
    (tmp_path / "few.yaml").write_text("ablation: {rows: {A: {los: l2}}}\n")
    with pytest.raises(UserError, match="ablation.rows.A.los: unknown key"):
        load(["config.yaml", tmp_path / "few.yaml"])


def test_a_fid_of_a_run_and_a_resample_is_computed_once_and_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the table and its differences take: with a memory of what is known, and without."""
    shifts = {"A": 1.0, "D": 0.5, "F": 0.0}
    results = {name: _runs(tmp_path / name, 0.5, shift, [0, 1, 2]) for name, shift in shifts.items()}
    calls = []

    class Counted(FrechetDistances):
        def distance(self, index: torch.Tensor) -> float:
            calls.append(len(index))
            return super().distance(index)

    monkeypatch.setattr(rows, "FrechetDistances", Counted)

    def measured() -> tuple[dict[str, Quantity | Missing], list[Interval | None], int]:
        calls.clear()
        found = load_ablation(results, 200)
        return of_table2(found, 200), [row.fid for row in found.values()], len(calls)

    known, intervals, few = measured()
    monkeypatch.setattr(rows.Row, "once", lambda row, metric, run, clips, of: of(torch.from_numpy(clips)))
    again, same, many = measured()
    assert known == again and intervals == same
    # A run has its value, and one of each resample: 9 runs of 20 resamples.
    assert few <= 9 * 21 < many
