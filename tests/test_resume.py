"""kill -9 of everything, at the worst moments, then a plain rerun: nothing is lost but the work since the last
checkpoint, and the table is the one of an undisturbed run."""

from __future__ import annotations

import re
import shutil

from workflow_runs import Checkout


def forget(checkout: Checkout, *stages: str) -> None:
    """Remove results, so that the next run has them to make."""
    for stage in stages:
        shutil.rmtree(checkout.results / stage)


def test_killed_three_times_and_the_table_is_the_same(tiny_checkout: Checkout, checkout: Checkout) -> None:
    results = checkout.results
    forget(
        checkout,
        "extract",
        "localise",
        "select",
        "pack",
        "encoder",
        "embed",
        "generator",
        "align",
        "judge",
        "generate",
        "evaluate",
    )
    for name in ("table1.csv", "table1.md", "fig04.png"):
        (results / name).unlink()

    def finished() -> int:
        """Clips whose record stands under its final name; a leading dot marks one that was being written."""
        return len(list((results / "extract").glob(".*.spool/[!.]*.json")))

    checkout.kill_when(lambda: finished() >= 3, "--cores", "2")
    before_kill = finished()
    assert before_kill >= 3

    checkout.kill_when(lambda: any((results / "generator/checkpoints").glob("[0-9]*.json")), "--cores", "2")
    extracted = [(results / "logs" / "extract" / f"{shard}.log").read_text() for shard in ("000", "001")]
    fresh = sum(int(re.findall(r"\d+ of (\d+)", text)[-1]) for text in extracted if " of " in text)
    assert fresh <= 72 - before_kill, "clips that were done before the kill were decoded again"

    # It trains beside the generator, and may have been done when that was killed.
    if (results / "align/model.safetensors").exists():
        shutil.rmtree(results / "align")
    checkout.kill_when(lambda: any((results / "align/checkpoints").glob("[0-9]*.json")), "--cores", "2")
    done = checkout.snakemake("--cores", "2")
    assert done.returncode == 0, done.stdout[-6000:]
    # Of the run that ended it: the generator may have been killed a second time, before it wrote a line.
    for stage in ("generator", "align"):
        assert "goes on at step" in (results / f"logs/{stage}.log").read_text(), stage

    for name in ("table1.csv", "table1.md"):
        assert (results / name).read_bytes() == (tiny_checkout.results / name).read_bytes(), name
    for name in (
        "extract/000.tar",
        "extract/001.tar",
        "generator/model.safetensors",
        "align/model.safetensors",
        "generator/train.jsonl",
        "align/train.jsonl",
        "generate/sound2vision/0.tar",
        "pack/train/000.tar",
    ):
        assert (results / name).read_bytes() == (tiny_checkout.results / name).read_bytes(), name
    assert not list(results.rglob("*.part*")) or all(p.name.startswith(".") for p in results.rglob("*.part*"))
    assert checkout.planned() == {}
