"""Evaluation and Table 1 on a tiny run: metrics, intervals, verdicts, and what is left out and why."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from made_results import made_result, some_right
from tiny_run import models, pack

from s2v.config import Config, EvaluateConfig, GenerateConfig, JudgeConfig, RuntimeConfig
from s2v.errors import UserError
from s2v.evaluate.evaluate import run as evaluate
from s2v.evaluate.generate import run as generate
from s2v.evaluate.quantities import Missing
from s2v.files import read_json, read_parquet, write_json
from s2v.report.agreement import agreement
from s2v.report.claim_list import CLAIMS
from s2v.report.comparisons import of_table1
from s2v.report.deviations import deviations
from s2v.report.findings import Finding, find
from s2v.report.rows import load_rows
from s2v.report.table1 import run as table
from s2v.report.tables import TableJob
from s2v.tensors import load_tensors
from s2v.train.judge import run as train_judge

RUNTIME = RuntimeConfig(device="cpu")
METHODS = [
    "icgan",
    "sound2vision",
    "retrieval",
    "upper_bound",
    "sound2vision_shuffled",
    "sound2vision_scrambled",
]


def _chain(root: Path, labelled: bool, evaluator: str, methods: list[str]) -> list[Path]:
    """Generate and evaluate; the JSON files."""
    m = models(root)
    test, train = pack(root / "test.tar", 8, labelled=labelled), pack(root / "train.tar", 4, seed=1)
    if evaluator == "judge":
        config = JudgeConfig(image_px=16, width=8, dim=8, steps=50, batch_size=32, learning_rate=3e-3)
        judge = [pack(root / "judge.tar", 40, seed=2)]
        train_judge(config=config, packs=judge, output_dir=root / "judge", runtime=RUNTIME, threads=1)
    results = []
    for method in methods:
        for seed in (0, 1):
            stem = root / "evaluate" / method / str(seed)
            generate(
                config=GenerateConfig(window_s=1.0), method=method, seeds=[seed], packs=[test],
                train_packs=[train], parts={"encoder": m.encoder, "generator": m.generator, "align": m.align},
                outputs=[root / "generate" / method / f"{seed}.tar"], runtime=RUNTIME, threads=1,
            )  # fmt: skip
            evaluate(
                config=EvaluateConfig(evaluator=evaluator, bootstrap=100),  # type: ignore[arg-type]
                pictures=[root / "generate" / method / f"{seed}.tar"], reference_packs=[test],
                evaluator_dirs=[root / "judge"], outputs=[stem.with_suffix(".json")],
                ranks_outputs=[stem.with_suffix(".parquet")], tensors_outputs=[stem.with_suffix(".safetensors")],
                runtime=RUNTIME, threads=1,
            )  # fmt: skip
            results.append(stem.with_suffix(".json"))
    return results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return _chain(tmp_path_factory.mktemp("chain"), True, "judge", METHODS)


def _table(results: list[Path], folder: Path) -> tuple[list[dict[str, str]], str]:
    coverage = folder / "coverage_by_class.csv"
    folder.mkdir(parents=True, exist_ok=True)
    coverage.write_text(
        "class,split,wanted,got,lost,removed,silent\nred,test,1030,1000,30,20,10\nblue,test,4,4,0,0,0\n"
        "red,train,7,0,7,7,0\nred,val,9,9,0,0,0\n"
    )
    job = TableJob(
        coverage=coverage, splits=["test", "train"], dataset="three colours", deviations=["It is tiny."], bootstrap=100,
        output=folder / "table1.csv", markdown=folder / "table1.md", quantities=folder / "table1.json",
    )  # fmt: skip
    table(results=results, job=job)
    with open(folder / "table1.csv", newline="") as stream:
        return list(csv.DictReader(stream)), (folder / "table1.md").read_text()


def test_evaluation_of_real_frames(results: list[Path]) -> None:
    path = next(p for p in results if p.parent.name == "upper_bound")
    value, ranks = read_json(path), read_parquet(path.with_suffix(".parquet"))
    assert value["n"] == 24 and value["classes"] == 3 and value["missing"] == {}
    assert value["R@1"] > 0.9 and value["R@5"] == 1.0
    assert value["R@1"] == np.mean([row["rank"] == 1 for row in ranks])
    assert value["FID"] < 1e-3 and value["IS"] > 1
    tensors = load_tensors(path.with_suffix(".safetensors"))
    assert tensors["features"].shape == (24, 8) and tensors["probabilities"].shape == (24, 3)
    assert value["evaluator"].startswith("judge: ")


def test_fid_and_is_of_every_evaluator(results: list[Path], tmp_path: Path) -> None:
    root = results[0].parents[2]
    other = JudgeConfig(image_px=16, width=8, dim=8, steps=30, batch_size=32, learning_rate=3e-3, seed=1)
    train_judge(config=other, packs=[root / "judge.tar"], output_dir=tmp_path / "j", runtime=RUNTIME, threads=1)

    def judged(pictures: Path, stem: Path, *judges: Path) -> Path:
        evaluate(
            config=EvaluateConfig(evaluator="judge"), pictures=[pictures], reference_packs=[root / "test.tar"],
            evaluator_dirs=judges, outputs=[stem.with_suffix(".json")], ranks_outputs=[stem.with_suffix(".parquet")],
            tensors_outputs=[stem.with_suffix(".safetensors")], runtime=RUNTIME, threads=1,
        )  # fmt: skip
        return stem.with_suffix(".json")

    both = [
        judged(root / f"generate/{name}/0.tar", tmp_path / f"both/{name}", root / "judge", tmp_path / "j")
        for name in METHODS
    ]
    first, alone = (
        [read_json(judged(root / "generate/icgan/0.tar", tmp_path / f"{i}", judge))[name] for name in ("FID", "IS")]
        for i, judge in enumerate((root / "judge", tmp_path / "j"))
    )
    found = read_json(both[METHODS.index("icgan")])
    assert found["fid_by_evaluator"] == [first[0], alone[0]] and found["is_by_evaluator"] == [first[1], alone[1]]
    assert found["FID"] == first[0] != alone[0]
    _, text = _table(both, tmp_path / "table")
    assert f"{first[0]:.1f}, {alone[0]:.1f}" in text
    text = agreement(list(load_rows(both, 20).items()))
    assert "FID of the rows, by evaluator 1 and by another: rank correlation 0." in text


def test_table_has_the_papers_layout(results: list[Path], tmp_path: Path) -> None:
    rows, text = _table(results, tmp_path)
    assert [row["row"] for row in rows] == ["A", "B", "C", "D"]
    assert [(row["encoder"], row["generator"]) for row in rows] == [
        ("V", "G"),
        ("A", "G"),
        ("A", "R"),
        ("-", "-"),
    ]
    for row in rows:
        assert 0 <= float(row["R@1 low"]) <= float(row["R@1"]) <= float(row["R@1 high"]) <= 100
        assert (row["FID"] == "") == (row["IS"] == "") == (row["row"] in "CD"), "as in the paper"
        assert row["n clips"] == "24" and row["seeds"] == "0 1" and row["data set"] == "three colours"
        assert row["evaluator"].startswith("judge: ")
    assert float(rows[3]["R@1"]) > 90
    assert float(rows[1]["FID low"]) < float(rows[1]["FID"]) < float(rows[1]["FID high"])
    for wanted in (
        "40.71 / 57.44",
        "17.97",
        "sound2vision_scrambled",
        "permuted between clips",
        "- It is tiny.",
        "judge: ",
        "What was found of the claims",
        "Controls",
        "chance 33.3",
        "ties: ",
        "- Coverage: test: 1,034 clips wanted, 1,004 used, 30 left out; train: 7 clips wanted, 0 used, 7 left out. ",
    ):
        assert wanted in text, wanted
    before = (tmp_path / "table1.md").read_bytes()
    _table(list(reversed(results)), tmp_path)
    assert (tmp_path / "table1.md").read_bytes() == before, "the order of results does not matter"


def test_without_labels_fid_stays_and_retrieval_is_left_out(tmp_path: Path) -> None:
    rows, text = _table(_chain(tmp_path, False, "judge", ["icgan", "upper_bound"]), tmp_path)
    assert [row["R@1"] for row in rows] == ["", ""] and rows[0]["FID"] != ""
    assert "Left out: R@1, R@5, since the clips have no labels." in text
    assert "What was found of the claims" not in text


def test_without_an_evaluator_everything_is_left_out(tmp_path: Path) -> None:
    rows, text = _table(_chain(tmp_path, True, "none", ["icgan", "upper_bound"]), tmp_path)
    assert {row[m] for row in rows for m in ("R@1", "R@5", "FID", "IS")} == {""}
    assert "no evaluator is configured" in text and rows[0]["evaluator"] == "none"


def _result(folder: Path, method: str, letter: str, share: float, shift: float = 0.0, seed: int = 0) -> Path:
    main = "_" not in method or method == "upper_bound"
    path = folder / method / f"{seed}.json"
    return made_result(path, method, some_right(share, seed=seed), shift=shift, letter=letter, main=main)


def _findings(folder: Path, made: dict[str, tuple[str, float, float]]) -> dict[str, Finding]:
    paths = [_result(folder, name, row, share, shift) for name, (row, share, shift) in made.items()]
    measured = of_table1(load_rows(paths, 200), 200)
    return {claim.key: find(claim, measured) for claim in CLAIMS if claim.source == "table1"}


def test_ours_is_held_against_frames_that_show_the_source_where_that_is_known(tmp_path: Path) -> None:
    made = {"icgan_top1": ("A", 0.4), "sound2vision": ("B", 0.7)}
    rows = load_rows([_result(tmp_path, name, row, share) for name, (row, share) in made.items()], 200)
    key, clips = "r1_b_minus_a_top1", rows["sound2vision"].clips
    hits = {name: dict(zip(row.clips, row.hits[0, 0], strict=True)) for name, row in rows.items()}
    assert of_table1(rows, 200)[key].clips == len(clips)
    shown = frozenset(clips[::3])
    found = of_table1(rows, 200, shown)[key]
    one, other = (np.mean([hits[name][clip] for clip in shown]) for name in ("sound2vision", "icgan_top1"))
    assert found.value == pytest.approx(one - other) and found.clips == len(shown) and found.low < found.value
    assert found.about.endswith("clips whose selected frame shows the source, by the world's truth")
    assert of_table1(rows, 200, frozenset(["another"]))[key] == Missing("no clip shows its source")
    lacking = of_table1({"sound2vision": rows["sound2vision"]}, 200, shown)[key]
    assert lacking == Missing("generate.methods does not name icgan_top1")


def test_checks_follow_the_numbers(tmp_path: Path) -> None:
    made = {
        "icgan": ("A", 0.4, 0.0), "icgan_top1": ("A", 0.4, 0.0), "sound2vision": ("B", 0.7, 0.1),
        "retrieval": ("C", 0.8, 0.0), "upper_bound": ("D", 0.96, 0.0), "sound2vision_shuffled": ("B", 0.1, 0.1),
        "sound2vision_scrambled": ("B", 0.1, 2.0),
    }  # fmt: skip
    found = _findings(tmp_path / "good", made)
    checks = [one for one in found.values() if one.claim.kind == "check"]
    known = {one.claim.key: one.verdict for one in checks if one.quantity}
    assert len(known) == 5 and set(known.values()) == {"holds"}, checks
    assert found["diversity_b_over_d"].why == "it takes two generation seeds, classes and an evaluator"
    worse = {**made, "icgan_top1": ("A", 0.72, 0.0), "upper_bound": ("D", 0.8, 0.0), "sound2vision": ("B", 0.45, 0.1),
             "sound2vision_shuffled": ("B", 0.5, 0.1), "sound2vision_scrambled": ("B", 0.1, 0.1)}  # fmt: skip
    found = _findings(tmp_path / "bad", worse)
    failed = {one.claim.key for one in found.values() if one.claim.kind == "check" and one.verdict == "does not hold"}
    assert failed == {"r1_d", "r1_b", "r1_b_minus_shuffled", "r1_shuffled_minus_chance", "fid_scrambled_minus_b"}


def test_a_row_that_is_not_there_gives_no_verdict_and_says_so(tmp_path: Path) -> None:
    found = _findings(tmp_path, {"icgan": ("A", 0.4, 0.0)})
    assert {one.verdict for one in found.values()} == {"not measured"}
    assert found["r1_b_minus_a"].why == "generate.methods does not name sound2vision"
    assert found["r1_c_minus_b"].why == "generate.methods does not name retrieval and sound2vision"


def test_intervals_average_seeds_and_span_clips(tmp_path: Path) -> None:
    paths = [_result(tmp_path, "icgan", "A", 0.5, seed=s) for s in (0, 1)]
    row = load_rows(paths, 500)["icgan"]
    assert row.r1 is not None and row.r1.value == pytest.approx(0.5) and row.seeds == [0, 1]
    assert row.r5 == row.r1
    assert 0.05 < row.r1.high - row.r1.low < 0.14
    assert row.fid is not None and row.fid.value == pytest.approx(0, abs=1e-6)


def test_results_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no results"):
        load_rows([], 100)
    a, b = (made_result(tmp_path / f"{n}.json", "icgan", some_right(0.5, n)) for n in (10, 11))
    with pytest.raises(UserError, match="different clips"):
        load_rows([a, b], 100)
    with pytest.raises(UserError, match="only controls"):
        _table([_result(tmp_path, "sound2vision_shuffled", "B", 0.1)], tmp_path)
    write_json(b, {**read_json(b), "evaluator": "another"})
    with pytest.raises(UserError, match="different evaluators"):
        load_rows([a, b], 100)
    write_json(b, {"method": "icgan", "odd": 1})
    with pytest.raises(UserError, match="11.json: no result of stage evaluate"):
        load_rows([b], 100)


def test_deviations_are_computed_from_the_configuration() -> None:
    full = {
        "name": "full", "output": "results", "data": {"source": "folder", "folder": {}},
        "encoder": {"splits": ["train"], "weights": "swav-resnet50"}, "generator": {"weights": "icgan-biggan128"},
        "evaluate": {"evaluator": "clip_inception"},
    }  # fmt: skip
    text = "\n".join(deviations(Config.model_validate(full)))
    assert "`encoder` beside" not in text and "`generator` beside" not in text and "(there " not in text, text
    assert "ImageNet" in text and "embedded world" not in text
    small = {**full, "generator": {"resolution": 32, "warmup_steps": 300}, "align": {"loss": "nce"},
             "evaluate": {"evaluator": "judge"}, "select": {"mode": "mid"}}  # fmt: skip
    text = "\n".join(deviations(Config.model_validate(small)))
    for wanted in (
        "resolution 32 (there 128)",
        "300 steps of reconstruction",
        "loss 'nce' (there 'total')",
        "Moments: the middle frame of each clip",
        "judge, trained with labels",
    ):
        assert wanted in text, wanted
