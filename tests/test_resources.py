"""What jobs ask for follows from the configuration, and covers what was measured."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from workflow_runs import REPOSITORY, Checkout

from s2v.config import Config
from s2v.configfile import load
from s2v.data.vggsound_classes import PAPER_50
from s2v.planning import samples
from s2v.planning.resources import LONGEST_MINUTES, memory_mb, minutes
from s2v.stages import MEMORY_MB, MINUTES

FULL = ("vggsound50", "vegas", "vggsound-scaling")
PROFILE = yaml.safe_load((REPOSITORY / "profiles/slurm/config.yaml").read_text())


def configuration(name: str | None = None, **updates: dict[str, Any]) -> Config:
    """A file of configs/ (or the default), with keys of its sections changed."""
    config = load([REPOSITORY / "config.yaml", *([REPOSITORY / f"configs/{name}.yaml"] if name else [])])
    changed = {section: getattr(config, section).model_copy(update=keys) for section, keys in updates.items()}
    return config.model_copy(update=changed)


def test_the_default_asks_for_what_a_laptop_has() -> None:
    config = configuration()
    assert {stage: memory_mb(config, stage) for stage in MEMORY_MB} == MEMORY_MB
    # Stable unCLIP and an Inception of the data's own are no part of the default.
    assert max(amount for stage, amount in MEMORY_MB.items() if stage not in ("embed_unclip", "inception")) <= 4000
    assert {stage: minutes(config, stage) for stage in MINUTES} == MINUTES and MINUTES.keys() == MEMORY_MB.keys()


def test_clips_are_those_of_the_default_s_manifest() -> None:
    from s2v.data.manifest import manifest_rows

    config = configuration()
    assert samples.clips(config) == Counter(row["split"] for row in manifest_rows(config.data))
    assert samples.images(config, "images", "test") == 12 * (16 * 16 + 20)
    assert sum(samples.clips(configuration("celebvhq")).values()) == 35_666


def test_what_was_measured_to_be_too_little_is_asked_for(tmp_path: Path) -> None:
    full = configuration("vggsound50")
    assert memory_mb(full, "select") >= 3230  # a shard at full size, on a CPU
    assert full.data.vggsound is not None
    (tmp_path / "list.csv").write_bytes(b"")
    rows = full.data.vggsound.model_copy(update={"csv": str(tmp_path / "list.csv")})
    listed = configuration("vggsound50", data={"vggsound": rows})
    assert memory_mb(listed, "manifest") == MEMORY_MB["manifest"]
    with open(tmp_path / "list.csv", "r+b") as stream:
        stream.truncate(41 * 1_000_000)  # a million rows of VGGSound's kind
    assert memory_mb(listed, "manifest") >= 1250
    # Nine trainings of seven rows: 63 sets of images, each with 21 FIDs of 2.0 s on a busy core.
    many = configuration("vggsound50", seeds={"table2": list(range(9))})
    assert minutes(many, "table2") > 63 * 21 * 2.0 / 60 > MINUTES["table2"]
    judged = configuration(seeds={"table2": list(range(9))})
    assert minutes(judged, "table2") == MINUTES["table2"]  # the judge's FIDs take milliseconds


def test_a_table_takes_longer_the_more_sets_of_images_it_compares() -> None:
    full = configuration("vggsound50")
    for table, few, many in (
        ("table1", {"seeds": {"table1": [0]}}, {"seeds": {"table1": [*range(40)]}}),
        ("table2", {"seeds": {"table2": [0]}}, {"seeds": {"table2": [*range(40)]}}),
        ("table3", {"seeds": {"table3": [0]}}, {"seeds": {"table3": [*range(40)]}}),
        ("fig16", {"scaling": {"sizes": [5, 10]}}, {"scaling": {"sizes": [*range(5, 50)]}}),
    ):
        assert minutes(configuration("vggsound50", **few), table) <= minutes(full, table)
        assert minutes(full, table) < minutes(configuration("vggsound50", **many), table), table


@pytest.mark.slow
def test_memory_grows_with_net_data_and_processes() -> None:
    full = configuration("vggsound50")
    wider = configuration("vggsound50", diffusion={"channels": [640, 1280, 2560, 2560]})
    more, shared = configuration("vggsound-scaling"), configuration("vggsound50", runtime={"processes": 4})
    # 862 million parameters: weights, gradients, moments, average, of 4 bytes each; twice as wide, four times.
    assert memory_mb(full, "diffusion") > 17_240 and memory_mb(wider, "diffusion") > 3.5 * 17_240
    for stage in ("diffusion", "latents", "generator", "embed", "align", "evaluate_ldm", "table1"):
        assert memory_mb(more, stage) > memory_mb(full, stage), stage
    for stage in ("localise", "encoder", "generator", "vae", "diffusion", "align_ldm"):
        assert memory_mb(shared, stage) > 2 * memory_mb(full, stage), stage
    # Decoded samples above this are mapped from a file.
    kept = configuration("vggsound50", runtime={"memory_gb": 0.0})
    assert memory_mb(kept, "vae") < memory_mb(full, "vae") and memory_mb(kept, "align") < memory_mb(full, "align")


def test_time_grows_with_steps_and_is_no_longer_than_a_partition_s() -> None:
    full, half = configuration("vggsound50"), configuration("vggsound50", diffusion={"steps": 100_000})
    assert MINUTES["diffusion"] < minutes(half, "diffusion") < 0.6 * minutes(full, "diffusion")
    assert minutes(configuration("vggsound50", runtime={"device": "cpu"}), "diffusion") == LONGEST_MINUTES
    # A batch is shared among processes.
    assert minutes(configuration("vggsound50", runtime={"processes": 4}), "diffusion") < 0.3 * minutes(
        full, "diffusion"
    )


@pytest.mark.parametrize("name", FULL)
def test_full_size_configurations_plan_with_what_each_job_needs(name: str, tmp_path: Path) -> None:
    """To table 1 and table 3, with the list or the folder that the configuration names."""
    checkout = Checkout.of_repository(tmp_path / "checkout")
    config = configuration(name)
    if config.data.source == "vggsound":
        names = [*PAPER_50, *(f"class {i}" for i in range(150))]
        rows = [f'_id{i:08d},{i},"{label}",{split}' for i, (label, split) in
                enumerate((label, split) for label in names for split in ("train", "train", "test"))]  # fmt: skip
        (checkout.root / "vggsound.csv").write_text("\n".join(rows) + "\n")
    else:
        for label in ("dog", "baby_cry"):
            folder = checkout.root / "videos/vegas" / label / "videos"
            folder.mkdir(parents=True)
            (folder / "video_00000.mp4").write_bytes(b"")
    # Fewer shards only make the plan shorter; tests/test_scale.py has all.
    (checkout.root / "few.yaml").write_text("data: {shards: 8}\n")
    config = config.model_copy(update={"data": config.data.model_copy(update={"shards": 8})})
    tables = [f"{config.output}/table{n}.csv" for n in (1, 3)]
    done = checkout.snakemake("--dry-run", *tables, config=("--configfile", f"configs/{name}.yaml", "few.yaml"))
    assert done.returncode == 0, done.stdout[-4000:]
    asked = re.findall(r"^rule (\w+):$(?:\n .*)*?\n +resources: (.*)$", done.stdout, re.M)
    table = done.stdout.split("Job stats:")[1].split("\n\n")[0]
    planned = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)}
    assert planned.pop("total") == len(asked) and Counter(rule for rule, _ in asked) == planned
    assert {"table1", "table3", "vae", "latents", "diffusion", "generator", "judge"} - planned.keys() == {"judge"}
    for rule, text in asked:
        found = {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)(?=,|$)", text)}
        assert found["mem_mb"] >= 1000 and found["runtime"] >= 30, (rule, text)
        assert (found.get("gpu", 0) == 1) == (rule in PROFILE["set-resources"]), (rule, text)
    assert all(f"mem_mb={memory_mb(config, 'diffusion')}," in text for rule, text in asked if rule == "diffusion")
    drawn = {text.split("mem_mb=")[1].split(",")[0] for rule, text in asked if rule == "generate"}
    assert drawn == {str(memory_mb(config, stage)) for stage in ("generate", "generate_ldm")}
