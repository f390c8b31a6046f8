"""The workflow on a cluster: profiles/slurm through a real SLURM of one node, where one can be started."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from slurm_cluster import Cluster, NoCluster, start, stop
from workflow_runs import REPOSITORY, TINY, Checkout

# Another than the profile's 8 threads: they would be in each other's way on a small machine.
SLURM = ("--profile", "profiles/slurm", "--set-threads", "localise=2")
SLURM += ("--slurm-init-seconds-before-status-checks", "10")
PACKS = ("results/tiny/pack/images/000.tar", "results/tiny/pack/images/001.tar")
COVERAGE = "results/tiny/coverage.csv"
MODEL = "results/tiny/localise/model.safetensors"
SMALL = "data: {world: {clips: {images: 1, train: 3, val: 1, test: 1, judge: 1}}}\n"
CONFIG = (*TINY, "small.yaml")
# For memory that is looked at once a second, and for less than the double of what the job asks for.
HUNGRY = """    import time

    held = b"x" * (600 << 20)
    time.sleep(4)
"""


@pytest.fixture(scope="module")
def slurm() -> Iterator[Cluster]:
    """A cluster of one node with GPUs by name."""
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip('snakemake-executor-plugin-slurm is not installed: make slurm, or pip install -e ".[slurm]"')
    try:
        running = start()
    except NoCluster as error:
        pytest.skip(str(error))
    try:
        yield running
    finally:
        stop()


@pytest.fixture(scope="module")
def finished(slurm: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which the stages to packed shards and one training have been run through SLURM."""
    checkout = Checkout.of_repository(tmp_path_factory.mktemp("slurm") / "checkout")
    (checkout.root / "small.yaml").write_text(SMALL)
    done = checkout.snakemake(*PACKS, MODEL, *SLURM, config=CONFIG, timeout_s=240)
    assert done.returncode == 0, done.stdout[-6000:]
    return checkout


def ended(slurm: Cluster, comment: str, before: int = 0) -> list[tuple[str, str]]:
    """State and memory of the jobs with a comment, oldest first, without the first `before`."""
    lines = [line.split("|") for line in slurm.jobs("%k|%T|%m")]
    return [(state, memory) for said, state, memory in lines if said == comment][before:]


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not ready():
        assert process.poll() is None and time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)


def test_small_jobs_share_a_submission_and_a_training_gets_its_gpu(slurm: Cluster, finished: Checkout) -> None:
    jobs = [line.split("|") for line in slurm.jobs("%k|%T|%m|%C|%i")]
    assert sorted(tuple(job[:4]) for job in jobs) == [
        ("rule_localise", "COMPLETED", "4000M", "2"),
        ("rule_manifest", "COMPLETED", "1000M", "1"),
        ("rule_packs_pack", "COMPLETED", "3000M", "2"),
        ("rule_videos_extract_fetch", "COMPLETED", "1500M", "1"),
        ("rule_videos_extract_fetch", "COMPLETED", "1500M", "1"),
    ]
    gpus = {job[0]: re.findall(r"TresPerJob=(\S*gpu\S*)", slurm.details(job[4])) for job in jobs}
    assert len(gpus.pop("rule_localise")) == 1 and not any(gpus.values())
    assert finished.planned(*PACKS, MODEL, config=CONFIG) == {}


def test_what_was_cancelled_or_overran_its_memory_is_made_by_a_plain_rerun(
    slurm: Cluster, finished: Checkout, tmp_path: Path
) -> None:
    checkout = finished.copy(tmp_path / "checkout")
    shutil.rmtree(checkout.results / "pack")
    rest = '        runtime=growing(30),\n    params:\n        code=code_digest("s2v.data.coverage")'
    checkout.edit("rules/report.smk", f"growing(1500),\n{rest}", f"growing(500),\n{rest}")
    checkout.edit("workflow_scripts/coverage.py", "with job(snakemake):\n", f"with job(snakemake):\n{HUNGRY}\n")
    before = len(ended(slurm, "rule_packs_pack"))
    with open(checkout.root / "failed.log", "wb") as log:
        process = subprocess.Popen(
            checkout.command(*PACKS, COVERAGE, *SLURM, "--retries", "0", config=CONFIG),
            cwd=checkout.root, env=checkout.environment(), stdout=log, stderr=log,
        )  # fmt: skip
        try:
            wait_for(lambda: ended(slurm, "rule_packs_pack", before)[:1] == [("RUNNING", "3000M")], process)
            slurm.cancel([line.split("|")[0] for line in slurm.jobs("%i|%k") if "packs" in line][-1])
            assert process.wait(timeout=120) != 0
        finally:
            if process.poll() is None:
                process.kill()
    said = (checkout.root / "failed.log").read_text()
    assert "CANCELLED" in said and "SLURM status is: 'FAILED'" in said
    (killed,) = ended(slurm, "rule_coverage")
    assert killed[0] in ("FAILED", "OUT_OF_MEMORY") and killed[1] == "500M"
    assert not any((checkout.root / path).exists() for path in (*PACKS, COVERAGE))

    done = checkout.snakemake(*PACKS, COVERAGE, *SLURM, config=CONFIG, timeout_s=180)
    assert done.returncode == 0, done.stdout[-6000:]
    assert [state for state, _ in ended(slurm, "rule_packs_pack", before)] == ["CANCELLED", "COMPLETED"]
    assert ended(slurm, "rule_coverage") == [killed, killed, ("COMPLETED", "1000M")]
    for pack in PACKS:
        assert (checkout.root / pack).read_bytes() == (finished.root / pack).read_bytes()


def test_a_second_try_asks_for_twice_the_memory_and_a_third_for_no_more() -> None:
    for attempt, memory in (("1", 1500), ("3", 3000)):
        done = Checkout(REPOSITORY).snakemake("--dry-run", "--forceall", "--attempt", attempt, "coverage")
        assert done.returncode == 0, done.stdout[-4000:]
        assert f"mem_mb={memory}," in done.stdout.split("rule coverage:")[1].split("[")[0]


def test_profile_knows_the_rules_with_a_gpu_and_those_of_trainings() -> None:
    profile = yaml.safe_load((REPOSITORY / "profiles/slurm/config.yaml").read_text())
    texts = {path.stem: path.read_text() for path in (REPOSITORY / "rules").glob("*.smk")}
    assert set(profile["set-resources"]) == {name for name, text in texts.items() if "gpu=" in text}
    assert set(profile["set-threads"]) == {name for name, text in texts.items() if "threads: TRAINING_THREADS" in text}


def test_local_profile_plans_the_whole_chain() -> None:
    planned = Checkout(REPOSITORY).planned("--forceall", "--profile", "profiles/local")
    assert planned["align"] == 1 and planned["pack"] == 2 * 5
