"""s2v plan: its numbers are those of the list and of Snakemake, and each says how it is known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner
from workflow_runs import REPOSITORY, TINY, Checkout

from s2v import measure
from s2v.cli import app
from s2v.config import Config
from s2v.configfile import load
from s2v.measure import StepCost, Training, step_cost
from s2v.plan import jobs, report
from s2v.runtime import Runtime

runner = CliRunner()
BASE, VGGSOUND = REPOSITORY / "config.yaml", REPOSITORY / "configs/vggsound50.yaml"
GROUNDS = ("measured here: ", "published: ", "assumed: ", "not measured: ")


def configuration(folder: Path, text: str, *files: Path) -> Config:
    (folder / "overlay.yaml").write_text(text)
    return load([BASE, *files, folder / "overlay.yaml"])


def a_list(folder: Path) -> Path:
    """Three videos: two clips of a train video, one of another, two of a test video."""
    rows = ["aaaaaaaaaaa,1,cat,train", "aaaaaaaaaaa,30,cat,train", "bbbbbbbbbbb,5,dog,train"]
    rows += ["ccccccccccc,5,dog,test", "ccccccccccc,40,cat,test"]
    (folder / "list.csv").write_text("\n".join(rows) + "\n")
    return folder / "list.csv"


def told(config: Config, measured: bool = False) -> dict[str, tuple[str, str]]:
    """{what: (value, ground)} of all lines; each has its ground."""
    found = {}
    for line in report(config, [BASE], measure=measured):
        if line.startswith("  "):
            what, value, ground = re.split(r" {2,}", line.strip(), maxsplit=2)
            assert ground.startswith(GROUNDS), line
            found[what] = (value, ground)
    return found


def test_jobs_are_those_that_snakemake_counts(tmp_path: Path) -> None:
    checkout = Checkout.of_repository(tmp_path / "checkout")
    tiny = load([BASE, REPOSITORY / TINY[1]])
    assert jobs(tiny) == checkout.planned("--forceall")
    assert jobs(tiny, "table3") == checkout.planned("--forceall", "results/tiny/table3.csv")
    assert jobs(tiny, "table2") == checkout.planned("--forceall", "results/tiny/table2.csv")
    default = load([BASE])
    both = checkout.planned("--forceall", "all", "results/table2.csv", config=())
    assert jobs(default, "all", "table2") == both and both["align"] == 21
    a_list(checkout.root)
    (checkout.root / "moments.json").write_text("{}")
    text = (
        "output: results/other\ndata: {shards: 3, videos: {source: tar_urls, tars: [a.tar, b.tar]}, "
        "vggsound: {csv: list.csv, n_classes: null}}\nselect: {mode: published, moments: moments.json}\n"
    )
    config = configuration(checkout.root, text, VGGSOUND)
    planned = checkout.planned("--forceall", config=("--configfile", "configs/vggsound50.yaml", "overlay.yaml"))
    assert jobs(config) == planned and planned["unpack"] == 2 and "localise" not in planned and "judge" not in planned
    assert "vae" not in planned
    both = checkout.planned(
        "--forceall", "all", "results/other/table3.csv",
        config=("--configfile", "configs/vggsound50.yaml", "overlay.yaml"),
    )  # fmt: skip
    assert jobs(config, "all", "table3") == both and both["encoder"] == both["align"] == 2


def test_published_weights_take_jobs_away(tmp_path: Path) -> None:
    """Nobody reads the pictures of the split `images` then but the latent diffusion model."""
    checkout = Checkout.of_repository(tmp_path / "checkout")
    text = (
        "output: results/other\nencoder: {weights: swav-resnet50}\ngenerator: {weights: icgan-biggan128}\n"
        "align: {weights: sound2scene-audio}\nevaluate: {evaluator: none}\ngenerate: {methods: [upper_bound]}\n"
    )
    config = configuration(checkout.root, text, REPOSITORY / TINY[1])
    planned = checkout.planned("--forceall", config=(*TINY, "overlay.yaml"))
    assert jobs(config) == planned and not {"embed", "judge", "pack_frames"} & planned.keys()
    assert jobs(config, "table3")["pack_frames"] == 2


def test_a_list_is_counted_and_its_download_estimated(tmp_path: Path) -> None:
    text = (
        f"data: {{videos: {{source: youtube, height: 90}}, vggsound: {{csv: {a_list(tmp_path)}, n_classes: null, "
        "val_share: 0.0}}"
    )
    found = told(configuration(tmp_path, text, VGGSOUND))
    assert {name: found[name][0] for name in ("clips, train", "clips, val", "clips, test", "clips", "videos")} == {
        "clips, train": "3", "clips, val": "0", "clips, test": "2", "clips": "5", "videos": "3",
    }  # fmt: skip
    assert found["clips"][1].endswith("list.csv") and found["jobs, extract"][0] == "256"
    assert found["download, time"][0] == "0.01 h (0.0 days)"
    assert "300 videos an hour" in found["download, time"][1] and found["download, time"][1].startswith("published")
    assert found["download, size"][1].startswith("assumed: 4 minutes a video")
    assert found["CPU, extraction"][1].startswith("measured here: a generated clip of 160x90 px and 10 s, ")
    assert float(found["CPU, extraction"][1].split()[-4]) > 0
    assert found["GPU, encoder"] == ("100,000 steps of batch 256", "not measured: give --measure for hours")


def test_disk_grows_with_the_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a clip of made-up cost, the sums are exact."""
    cost = measure.ClipCost("a made-up clip", 5.0, 0.0, 36.0, 1, 5_000_000, 1_000_000, 2_000_000)
    monkeypatch.setattr(measure, "clip_cost", lambda *_: cost)
    text = (
        f"data: {{videos: {{source: youtube}}, vggsound: {{csv: {a_list(tmp_path)}, n_classes: null, val_share: 0.0}}}}"
        "\npack: {keep: {test: all}}"
    )
    found = told(configuration(tmp_path, text, VGGSOUND))
    assert found["disk, extract"][0] == "50.0 MB"  # 5 clips of 10 s, 1 MB a second
    assert found["disk, pack"][0] == "14.0 MB"  # three pairs, two clips of all frames
    assert found["disk, videos"][0] == "3.9 MB"  # 50 s of 628 kbit/s
    assert found["disk, these together"][0] == "67.9 MB"
    assert found["CPU, extraction"][0] == "0.10 h"


@pytest.mark.parametrize(
    ("overlay", "key"),
    [
        ("data: {vggsound: {csv: absent.csv}}", "data.vggsound.csv"),
        ("data: {source: celebvhq, celebvhq: {json_file: absent.csv}}", "data.celebvhq.json_file"),
        ("select: {mode: published, moments: absent.csv}\ndata: {vggsound: {csv: overlay.yaml}}", "select.moments"),
    ],
)
def test_a_missing_list_is_one_line_that_says_where_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overlay: str, key: str
) -> None:
    (tmp_path / "config.yaml").write_text(BASE.read_text())
    (tmp_path / "configs").symlink_to(BASE.parent / "configs")
    (tmp_path / "overlay.yaml").write_text(overlay)
    monkeypatch.chdir(tmp_path)
    done = runner.invoke(app, ["plan", "--configfile", str(VGGSOUND), "--configfile", "overlay.yaml"])
    assert done.exit_code == 1 and done.output.count("\n") == 1
    assert f"{key}: absent.csv is not there; put " in done.output and f"at {tmp_path / 'absent.csv'}" in done.output


def test_trainings_are_timed_at_their_size_when_asked() -> None:
    config = load([BASE, REPOSITORY / TINY[1]])
    config = config.model_copy(update={"runtime": config.runtime.model_copy(update={"device": "cpu"})})
    found = told(config, measured=True)
    names = ("localise", "encoder", "generator", "generator warm-up", "align at most", "judge", "encoder_vit", "vae",
             "diffusion", "align_ldm at most")  # fmt: skip
    assert {f"CPU, {name}" for name in (*names, "all trainings", "with table3.csv")} <= found.keys()
    for name in names:
        value, ground = found[f"CPU, {name}"]
        assert re.fullmatch(r"[\d.]+ h, [\d,]+ steps of batch \d+", value)
        assert re.fullmatch(r"measured here: [\de.-]+ s a step on the CPU", ground)
    assert found["CPU, rendering"][1].startswith("measured here: a clip of the world of 64 px")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_full_size_is_not_tried_on_a_cpu_that_nobody_asked_for() -> None:
    found = told(load([BASE, REPOSITORY / TINY[1]]), measured=True)
    assert "no CUDA device" in found["GPU, generator"][1]


class Hungry:
    """A task that has memory for four."""

    runtime = ema = None

    def __init__(self, batch: int) -> None:
        self.batch = batch

    def updates(self, step: int) -> list[object]:
        if self.batch > 4:
            raise torch.OutOfMemoryError
        return []


def test_what_does_not_fit_is_measured_smaller_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 13.0])
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(clock))
    training = Training("hungry", 16, [("", 0, 100)], lambda batch, runtime: Hungry(batch))  # type: ignore[arg-type]
    # Three steps of a quarter of the batch took 3 s.
    assert step_cost(training, 0, Runtime(torch.device("cpu"), False)) == StepCost(seconds=4.0, measured=4)
