"""s2v plan: its numbers are those of the list and of Snakemake, and each says how it is known."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import torch
from media_files import make_video
from typer.testing import CliRunner
from workflow_runs import REPOSITORY, TINY, Checkout

from s2v.cli import app
from s2v.config import Config
from s2v.configfile import load
from s2v.planning import clip_cost, plan, step_cost
from s2v.planning.dag import planned
from s2v.planning.nets import nets
from s2v.planning.step_cost import StepCost, Training
from s2v.runtime import Runtime

runner = CliRunner()
BASE, VGGSOUND = REPOSITORY / "config.yaml", REPOSITORY / "configs/vggsound50.yaml"
MADE_UP = clip_cost.ClipCost("a made-up clip", 5.0, 0.0, 36.0, 1, 5_000_000, 1_000_000, 2_000_000)
GROUNDS = ("measured here: ", "published: ", "assumed: ", "not measured: ")


@pytest.fixture(autouse=True)
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snakemake's graph takes seconds, and most tests look at other lines."""
    monkeypatch.setattr(plan, "planned", lambda *_: [Counter()] * 3)


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
    for line in plan.report(config, [BASE], measure=measured):
        if line.startswith("  "):
            what, value, ground = re.split(r" {2,}", line.strip(), maxsplit=2)
            assert ground.startswith(GROUNDS), line
            found[what] = (value, ground)
    return found


def test_jobs_are_those_that_snakemake_would_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = Checkout.of_repository(tmp_path / "checkout")
    monkeypatch.chdir(checkout.root)
    a_list(checkout.root)
    (checkout.root / "moments.json").write_text("{}")
    (checkout.root / "overlay.yaml").write_text(
        "output: results/other\ndata: {shards: 3, videos: {source: tar_urls, tars: [a.tar, b.tar]}, "
        "vggsound: {csv: list.csv, n_classes: null}}\nselect: {mode: published, moments: moments.json}\n"
    )
    overlays = [Path("configs/vggsound50.yaml"), Path("overlay.yaml")]
    runs = [["all"], ["all", "results/other/table2.csv"], ["results/other/table3.csv"]]
    for run, found in zip(runs, planned([BASE, *overlays], *runs), strict=True):
        assert found == checkout.planned("--forceall", *run, config=("--configfile", *map(str, overlays))), run
        assert found["unpack"] == 2 and found["extract"] == 3 and not {"localise", "judge"} & found.keys()


def test_a_plan_shows_the_jobs_of_a_run_and_what_tables_add(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = [Counter(extract=256, table1=1), Counter(extract=256, align=20, table1=1), Counter(extract=256, table1=1)]
    monkeypatch.setattr(plan, "planned", lambda *_: counts)
    found = told(load([BASE, REPOSITORY / TINY[1]]))
    assert found["jobs, extract"][0] == "256" and found["jobs"][0] == "257"
    assert found["table2, align"][0] == "20 more" and found["jobs, with table2.csv"][0] == "277"
    assert found["jobs, with table3.csv"][0] == "257"


def test_where_snakemake_cannot_plan_one_line_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load([BASE, REPOSITORY / TINY[1]])
    monkeypatch.setattr(plan, "planned", planned)
    monkeypatch.chdir(tmp_path)
    assert f"there is no Snakefile in {tmp_path}" in told(config)["jobs"][1]
    table = 'rule table{n}:\n    input: "absent.txt"\n    output: "results/tiny/table{n}.csv"\n    shell: ""\n'
    (tmp_path / "Snakefile").write_text('rule all:\n    input: "absent.txt"\n' + table.format(n=2) + table.format(n=3))
    value, ground = told(config)["jobs"]
    assert value == "unknown" and ground.startswith("not measured: snakemake says: MissingInputException in rule ")
    assert ground.endswith("affected files: absent.txt")


def test_a_list_is_counted_and_its_download_estimated(tmp_path: Path) -> None:
    text = (
        f"data: {{videos: {{source: youtube, height: 90}}, vggsound: {{csv: {a_list(tmp_path)}, n_classes: null, "
        "val_share: 0.0}}"
    )
    found = told(configuration(tmp_path, text, VGGSOUND))
    assert {name: found[name][0] for name in ("clips, train", "clips, val", "clips, test", "clips", "videos")} == {
        "clips, train": "3", "clips, val": "0", "clips, test": "2", "clips": "5", "videos": "3",
    }  # fmt: skip
    assert found["clips"][1].endswith("list.csv")
    assert found["download, time"][0] == "0.01 h (0.0 days)"
    assert "300 videos an hour" in found["download, time"][1] and found["download, time"][1].startswith("published")
    assert found["download, size"][1].startswith("assumed: 4 minutes a video")
    assert found["CPU, extraction"][1].startswith("measured here: a generated clip of 160x90 px and 10 s, ")
    assert float(found["CPU, extraction"][1].split()[-4]) > 0
    unit = "GPU" if torch.cuda.is_available() else "CPU"
    assert found[f"{unit}, encoder"] == ("100,000 steps of batch 256", "not measured: give --measure for hours")


def test_disk_grows_with_the_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a clip of made-up cost, the sums are exact."""
    monkeypatch.setattr(clip_cost, "clip_cost", lambda *_: MADE_UP)
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


def test_parts_of_a_file_are_clips_of_one_video(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/a.mp4").write_bytes(b"x")
    (tmp_path / "l.csv").write_text("path,label,start,end\na.mp4,dog,0,30\na.mp4,cat,30,60\n")
    section = f"{{path: {tmp_path / 'videos'}, labels: csv, csv: {tmp_path / 'l.csv'}}}"
    found = told(configuration(tmp_path, f"data: {{folder: {section}}}", REPOSITORY / "configs/folder.yaml"))
    assert (found["clips"][0], found["videos"][0], found["classes"][0]) == ("2", "1", "2")
    assert found["length of all clips"] == ("0.0 h", f"measured here: counted in {tmp_path / 'l.csv'}")


@pytest.mark.parametrize(
    ("overlay", "key"),
    [
        ("data: {vggsound: {csv: absent.csv}}", "data.vggsound.csv"),
        ("data: {source: celebvhq, celebvhq: {json_file: absent.csv}}", "data.celebvhq.json_file"),
        ("select: {mode: published, moments: absent.csv}\ndata: {vggsound: {csv: overlay.yaml}}", "select.moments"),
    ],
)
def test_without_the_list_clips_are_as_many_as_were_published_and_a_line_says_where_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overlay: str, key: str
) -> None:
    (tmp_path / "config.yaml").write_text(BASE.read_text())
    (tmp_path / "configs").symlink_to(BASE.parent / "configs")
    (tmp_path / "overlay.yaml").write_text(overlay)
    monkeypatch.chdir(tmp_path)
    done = runner.invoke(app, ["plan", "--configfile", str(VGGSOUND), "--configfile", "overlay.yaml"])
    assert done.exit_code == 0
    (line,) = (
        line for line in done.output.splitlines() if line.startswith(f"lacking: {key}: absent.csv is not there; ")
    )
    assert f"at {tmp_path / 'absent.csv'}" in line
    counted = re.search(
        r"^  clips, train +([\d,]+) +assumed: as many as the data set was published with$", done.output, re.M
    )
    assert counted is not None and counted[1] == ("19,000" if "celebvhq" in key else "28,500")


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
def test_full_size_is_not_tried_on_a_cpu_that_nobody_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_cost, "clip_cost", lambda *_: MADE_UP)
    found = told(load([BASE, VGGSOUND]), measured=True)
    assert found["CPU, encoder"][1].startswith("not measured: no CUDA device, and a step is some ")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_folders_plan_knows_its_clips_and_the_device_and_what_a_pretrained_ear_costs(tmp_path: Path) -> None:
    folder = tmp_path / "videos/dog"
    folder.mkdir(parents=True)
    for i in range(3):
        make_video(folder / f"{i}.mp4", seconds=2.0)
    text = f"data: {{folder: {{path: {tmp_path / 'videos'}}}}}\nalign: {{backbone: aisfx}}"
    config = configuration(tmp_path, text, REPOSITORY / "configs/folder.yaml")
    found = told(config)
    assert found["length of all clips"][1] == "measured here: the mean of 3 of the clips, of 2 s"
    assert found["CPU, extraction"][1].startswith("measured here: the mean of 3 of the clips, of 2 s, ")
    assert "CPU, align at most" in found
    frozen, own = (nets(config.model_copy(update={"align": config.align.model_copy(update={"backbone": name})}))
                   for name in ("aisfx", None))  # fmt: skip
    assert frozen["align"].operations < own["align"].operations / 100
    task = {training.name: training for training in step_cost.trainings(config, 3, [])}["align"]
    heard = task.build(2, Runtime(torch.device("cpu"), bf16=False)).modules["audio"]
    assert heard(torch.zeros(1, 512)).shape[0] == 1  # type: ignore[operator]


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
    monkeypatch.setattr(step_cost.time, "perf_counter", lambda: next(clock))
    training = Training("hungry", 16, [("", 0, 100)], lambda batch, runtime: Hungry(batch))  # type: ignore[arg-type]
    # Three steps of a quarter of the batch took 3 s.
    assert step_cost.step_cost(training, 0, 16, Runtime(torch.device("cpu"), False)) == StepCost(
        seconds=4.0, measured=4
    )


def test_the_papers_set_up_trains_audio_encoders_alone() -> None:
    config = load([BASE, REPOSITORY / "configs/paper.yaml"])
    found = {training.name: training for training in step_cost.trainings(config, 1000, [])}
    assert found.keys() == {"align", "align_unclip"} and found["align_unclip"].target == "table3"
    task = found["align_unclip"].build(2, Runtime(torch.device("cpu"), bf16=False))
    assert task.modules["audio"](torch.zeros(1, 257, 1004)).shape == (1, 1024)  # type: ignore[operator]
