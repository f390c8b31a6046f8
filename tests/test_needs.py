"""What a run lacks is said before it begins, with what would do; and where nothing is said, it comes to its end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from media_files import make_video
from typer.testing import CliRunner
from workflow_runs import REPOSITORY, Checkout

from s2v.cli import app
from s2v.config import Config
from s2v.configfile import check as checked
from s2v.configfile import merge, read, with_bases
from s2v.data.vggsound_classes import PAPER_50
from s2v.planning import needs
from s2v.planning.needs import Planned, check, default
from s2v.weights.catalogue import CATALOGUE

runner = CliRunner()
NO_CLASSES = {"data": {"folder": {"labels": "none"}}, "evaluate": {"evaluator": "none"}}


def configuration(name: str, *over: dict[str, Any]) -> Config:
    files = [REPOSITORY / "config.yaml", REPOSITORY / f"configs/{name}.yaml"]
    return checked(merge([*map(read, with_bases(files)), *over]), files)


def folder(root: Path, *names: str, over: dict[str, Any] | None = None) -> Config:
    """The shipped configuration of a folder in which files of some names lie."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return configuration("folder", {"data": {"folder": {"path": str(root)}}}, over or {})


def classes(n: int, files: int) -> list[str]:
    return [f"class {c}/{i}.mp4" for c in range(n) for i in range(files)]


def rows(found: dict[tuple[str, str | None], int]) -> list[dict[str, Any]]:
    return [{"split": split, "label": label} for (split, label), n in found.items() for _ in range(n)]


# Clips.


def test_one_video_lacks_clips_in_every_split_and_a_class(tmp_path: Path) -> None:
    lacking = "\n".join(check(folder(tmp_path, "dog/a.mp4")).lacking)
    assert "split `train`: there are 1, and localise, align, encoder cannot do with fewer than 2" in lacking
    assert "split `val`: there are 0, and align cannot do with fewer than 2; a class of 11 files gives it 2" in lacking
    assert "split `test`: there are 0, and generate, evaluate cannot do with fewer than 1" in lacking
    assert (
        "judge tells classes apart, and the clips have 1: give two or more (in a sub-folder for each class" in lacking
    )


def test_two_videos_of_a_class_lack_the_same_but_for_training(tmp_path: Path) -> None:
    found = check(folder(tmp_path, *classes(1, 2)))
    assert [re.findall("`(.*?)`|judge", line)[0] for line in found.lacking] == ["train", "val", ""]


def test_videos_without_class_folders_are_told_of_both_ways_out(tmp_path: Path) -> None:
    names = [f"{n}.mp4" for n in range(8)]
    (line, classes_line) = check(folder(tmp_path, *names)).lacking
    assert "split `val`" in line and "the clips have 0" in classes_line
    assert "data.folder.labels: none and evaluate.evaluator: none" in classes_line
    assert check(folder(tmp_path, *names, over=NO_CLASSES)).lacking == [line], "that was one of them"
    more = [f"{n}.mp4" for n in range(8, 11)]
    assert "a class of 11 files gives it 2" in line
    assert check(folder(tmp_path, *more[:2], over=NO_CLASSES)).lacking
    assert check(folder(tmp_path, *more, over=NO_CLASSES)).lines() == []


@pytest.mark.parametrize(("n", "files"), [(4, 8), (8, 12), (2, 4)])
def test_a_few_clips_in_each_of_some_classes_lack_nothing(tmp_path: Path, n: int, files: int) -> None:
    assert check(folder(tmp_path, *classes(n, files))).lines() == []


@settings(max_examples=30)
@example(dict.fromkeys("abcdfe", 1))
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 30), min_size=2))
def test_a_class_of_as_many_files_as_there_are_splits_is_in_all_of_them(
    tmp_path_factory: pytest.TempPathFactory, sizes: dict[str, int]
) -> None:
    """24 clips in each of 8 classes once left one of them without a test clip in every other folder."""
    root = tmp_path_factory.mktemp("videos")
    lines = check(folder(root, *(f"{label}/{i}.mp4" for label, n in sizes.items() for i in range(n)))).lines()
    few = sorted(label for label, n in sizes.items() if n < 4)  # messages name the first five
    assert all(any(f"'{label}'" in line for line in lines) for label in few[:5])
    assert bool(few) == bool(lines)


def test_a_class_that_the_evaluator_never_sees_is_named(tmp_path: Path) -> None:
    names = [*classes(3, 12), "rare/a.mp4", "rare/b.mp4", "rarer/a.mp4"]
    found = check(folder(tmp_path, *names))
    (line,) = found.lacking
    assert line.startswith(
        "class 'rare': no clip in the split `judge`, of which the evaluator learns its classes; a class"
    )
    assert "of 4 files or more has one in each of judge, test, train, val, or set evaluate.evaluator" in line
    (note,) = found.notes
    assert note.startswith("class 'rarer': no clip in the split `test`, so left out of the table")


def test_splits_that_a_list_gives_are_looked_at_too(tmp_path: Path) -> None:
    config = folder(tmp_path, "a.mp4", over={"data": {"folder": {"labels": "csv", "csv": str(tmp_path / "l.csv")}}})
    cells = [f"{label}{n}.mp4,{label},{split}" for label in "ab" for n, split in enumerate(["train", "val", "judge"])]
    (tmp_path / "l.csv").write_text("\n".join(["path,label,split", *cells]))
    found = check(config)
    assert [line.split(":")[0] for line in found.lacking] == ["clips in the split `test`"]
    assert found.notes[0].startswith("2 classes ('a', 'b'): no clip in the split `test`")


@pytest.mark.parametrize("stage", ["localise", "align", "encoder", "vae"])
def test_processes_that_share_a_batch_need_a_clip_each(stage: str) -> None:
    config = configuration("folder", {"runtime": {"processes": 4}})
    clips = rows({("train", "a"): 3, ("val", "a"): 2})
    (line,) = check(config, Planned(frozenset([stage]), frozenset()), clips).lacking
    assert f"there are 3, and {stage} cannot do with fewer than 4" in line


def test_figures_that_compare_classes_need_them_in_the_test_split() -> None:
    clips = rows({("train", "a"): 2, ("train", "b"): 2, ("val", "a"): 2, ("test", "a"): 2})
    config = configuration("folder", {"scaling": {"sizes": [2, 3]}})
    planned = Planned(frozenset(["control", "fig16", "classes"]), frozenset())
    assert [line.split(";")[0] for line in check(config, planned, clips).lacking] == [
        "scaling.sizes: 3 classes are asked for, and the data have 2",
        "control: 1 of 2 classes have a clip in the split `test`",
        "fig16: 1 of 2 classes have a clip in the split `test`",
    ]


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest").mkdir()
    (tmp_path / "manifest/000.parquet").write_bytes(b"PAR1 half")
    config = configuration("folder", {"output": str(tmp_path)})
    (line,) = check(config, Planned(frozenset(["align"]), frozenset())).lacking
    assert "manifest/000.parquet: not readable (" in line and line.endswith("remove it and run again")


def test_a_manifest_that_lies_elsewhere_is_not_one_without_clips(tmp_path: Path) -> None:
    config = configuration("tiny", {"output": str(tmp_path / "results")})
    found = check(config, Planned(default(config).stages - {"manifest"}, frozenset(["icgan"])))
    assert not found.lacking and found.clips is not None


def test_stages_that_are_not_planned_lack_nothing(tmp_path: Path) -> None:
    jobs = [("manifest", {}), ("fetch", {"shard": "000"}), ("extract", {"shard": "000"}), ("coverage", {})]
    assert check(folder(tmp_path, "dog/a.mp4"), needs.of_jobs(jobs)).lines() == []


def test_a_job_of_a_variant_is_that_of_its_stage() -> None:
    jobs = [("align", {"align": "align_ldm", "variant": ""}), ("generate", {"method": "ldm"}), ("manifest", {})]
    assert needs.of_jobs(jobs) == Planned(frozenset(["align_ldm", "generate", "manifest"]), frozenset(["ldm"]))


def test_the_default_target_has_the_stages_of_its_methods() -> None:
    base = {"manifest", "fetch", "generate", "evaluate", "localise", "judge"}
    gan, ldm = (
        {"embed", "encoder", "generator", "align"},
        {"embed_vit", "encoder_vit", "latents", "diffusion", "align_ldm"},
    )
    assert default(configuration("folder")).stages == base | gan
    second = configuration("folder", {"generate": {"methods": ["sound2vision_ldm"]}})
    assert default(second).stages == base | ldm | {"vae", "encoder"}, "f_V is in the autoencoder's loss"


# Weights, packages, folders.


@pytest.fixture
def vggsound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The full-size configuration with its list and its folder of videos."""
    write_vggsound(tmp_path)
    monkeypatch.delenv("S2V_WEIGHTS", raising=False)
    over = {"vggsound": {"csv": str(tmp_path / "vggsound.csv")}, "videos": {"path": str(tmp_path)}}
    return configuration("vggsound50", {"data": over})


def write_vggsound(root: Path) -> None:
    lines = [f'_id{i:08d},{i},"{name}",{"test" if i < 50 else "train"}' for i, name in enumerate(PAPER_50 * 40)]
    (root / "vggsound.csv").write_text("\n".join(lines))


def put(root: Path, *names: str) -> None:
    for path in (file.path for name in names for file in CATALOGUE[name].files):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def test_weights_that_are_not_there_are_named_with_what_brings_them(
    vggsound: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (line,) = check(vggsound).lacking
    assert line.startswith("S2V_WEIGHTS is not set, and this takes clip-vit-b32 (clip/ViT-B-32.safetensors; evaluate.")
    assert line.endswith("`export S2V_WEIGHTS=~/weights`, then `s2v weights fetch clip-vit-b32 inception-v3`")
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path / "w"))
    put(tmp_path / "w", "clip-vit-b32")
    (line,) = check(vggsound).lacking
    assert line.startswith(f"$S2V_WEIGHTS, {tmp_path / 'w'}, lacks inception-v3 (inception/weights")
    assert line.endswith("`s2v weights fetch inception-v3`")
    put(tmp_path / "w", "inception-v3")
    assert check(vggsound).lines() == []


def test_weights_are_asked_for_by_the_stages_that_take_them(
    vggsound: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path))
    pictures = Planned(frozenset(["encoder", "generate"]), frozenset(["sound2vision"]))
    assert check(vggsound, pictures, needs.listed(vggsound)).lacking == []
    stages = {"encoder": {"weights": "swav-resnet50"}, "generator": {"weights": "icgan-biggan128"},
              "align": {"weights": "sound2scene-audio"}}  # fmt: skip
    published = configuration("tiny", stages)
    named = {
        "swav-resnet50": "encoder.weights",
        "icgan-biggan128": "generator.weights",
        "sound2scene-audio": "align.weights",
    }
    assert needs.weights(published, default(published)) == named
    assert "encoder.weights" not in str(check(published, Planned(frozenset(["align"]), frozenset())).lacking)


def test_stable_unclip_may_be_there_in_either_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path))
    config = configuration("tiny", {"generate": {"methods": ["sound2vision_unclip"]}})
    assert "lacks stable-unclip (stable-unclip/model_index.json and 17 more; Stable unCLIP)" in check(config).lacking[0]
    put(tmp_path, "stable-unclip")
    assert check(config).lines() == []
    for path in tmp_path.rglob("*.fp16.safetensors"):
        path.rename(path.with_name(path.name.replace(".fp16", "")))
    assert check(config).lines() == []
    (tmp_path / "stable-unclip/vae/config.json").unlink()
    assert "stable-unclip/vae/config.json; " in check(config).lacking[0]


def test_packages_and_folders_that_a_run_takes_later_are_missed_at_once(
    vggsound: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path))
    put(tmp_path, "clip-vit-b32", "inception-v3")

    def lacking(**videos: Any) -> list[str]:
        section = vggsound.data.videos.model_copy(update=videos)
        data = vggsound.data.model_copy(update={"videos": section})
        return check(vggsound.model_copy(update={"data": data})).lacking

    assert lacking(path=str(tmp_path / "none"))[0].startswith("data.videos.path: '/")
    assert lacking(source="tar_urls", tars=["http://127.0.0.1/a.tar", "b.tar"]) == [
        "data.videos.tars: b.tar is not there"
    ]
    assert lacking(source="tar_urls") == ["data.videos.tars: (none is named) is not there"]
    monkeypatch.setattr(needs, "find_spec", lambda name: None)
    assert [re.findall("package (.*?) is not installed", line)[0] for line in lacking(source="youtube")] == [
        "yt_dlp", "open_clip", "torch_fidelity",
    ]  # fmt: skip


# Where it is said.


@pytest.mark.parametrize(
    ("name", "missing"), [("folder", "data.folder.path: 'videos' is no folder"), ("vggsound50", "data.vggsound.csv: ")]
)
def test_a_missing_folder_or_list_is_said_in_place_of_a_plan(tmp_path: Path, name: str, missing: str) -> None:
    checkout = Checkout.of_repository(tmp_path / "checkout")
    done = checkout.snakemake("--dry-run", config=("--configfile", f"configs/{name}.yaml"))
    assert done.returncode == 1 and f"s2v: lacking: {missing}" in done.stdout
    assert "Job stats" not in done.stdout and "Traceback" not in done.stdout


def test_a_dry_run_says_what_is_lacking_and_a_run_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the full-size configuration too, whose evaluator would be missed after days."""
    monkeypatch.delenv("S2V_WEIGHTS", raising=False)
    checkout = Checkout.of_repository(tmp_path / "checkout")
    (checkout.root / "videos/vggsound").mkdir(parents=True)
    write_vggsound(checkout.root)
    config, weights = ("--configfile", "configs/vggsound50.yaml"), "s2v weights fetch clip-vit-b32 inception-v3"
    planned = checkout.snakemake("--dry-run", config=config)
    assert planned.returncode == 0 and planned.stdout.count(weights) == 2, "before its jobs, and after them"
    assert weights in checkout.snakemake("--dry-run", "-q", config=config).stdout
    done = checkout.snakemake("--cores", "1", config=config)
    assert done.returncode == 1 and weights in done.stdout and done.stdout.rstrip().endswith("s2v: nothing is started")
    assert not (checkout.root / "results").exists()
    early = checkout.snakemake("--dry-run", "results/vggsound50/coverage.csv", config=config)
    assert "lacking" not in early.stdout, "what is wanted takes no weights"
    put(checkout.root / "weights", "clip-vit-b32", "inception-v3")
    assert "lacking" not in checkout.snakemake("--dry-run", config=config, S2V_WEIGHTS="weights").stdout


def test_plan_doctor_and_config_check_say_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Checkout.of_repository(tmp_path / "checkout")
    monkeypatch.chdir(tmp_path / "checkout")
    monkeypatch.setattr("s2v.planning.plan._jobs", lambda *_: iter([]))
    folder(Path("videos"), "dog/a.mp4")
    said = check(configuration("folder")).lines()
    assert len(said) == 5
    for command in (["plan", "--configfile"], ["doctor", "--configfile"], ["config", "check"]):
        done = runner.invoke(app, [*command, "configs/folder.yaml"])
        assert all(f"{line}\n" in done.output for line in said), command
        assert done.exit_code == (command[0] == "config"), "the others tell more than that"
    done = runner.invoke(app, ["config", "check", "configs/vggsound50.yaml"])
    assert done.exit_code == 1 and "data.vggsound.csv: vggsound.csv is not there" in done.output
    assert "s2v weights fetch clip-vit-b32 inception-v3" in done.output
    done = runner.invoke(app, ["doctor", "--configfile", "configs/vggsound50.yaml"])
    assert done.exit_code == 0 and "lacking: data.vggsound.csv" in done.output
    folder(Path("videos"), *classes(2, 4))
    done = runner.invoke(app, ["config", "check", "configs/folder.yaml"])
    assert "class 'dog'" in done.output and done.exit_code == 0, "a class that will be missing is no reason to stop"


@pytest.mark.slow
def test_the_smallest_folder_that_lacks_nothing_comes_to_its_table(tmp_path: Path) -> None:
    """Two classes of four videos, the default target at tiny sizes. What else is there is said once, not by jobs."""
    checkout = Checkout.of_repository(tmp_path / "checkout")
    for n, name in enumerate(classes(2, 4)):
        make_video(
            checkout.root / "videos" / name, seconds=1.2, sound=f"sine=frequency={300 + 100 * n}:sample_rate=16000",
            picture=f"mandelbrot=size=96x64:rate=10:start_scale={1 + n}:end_scale=0.5",
        )  # fmt: skip
    (checkout.root / "videos" / "cover.jpg").touch()
    methods = "[icgan, sound2vision, retrieval, upper_bound, linear_snapped]"
    short = f"data: {{shards: 1}}\nalign: {{min_steps: 0}}\ngenerate: {{methods: {methods}}}\n"
    (checkout.root / "one.yaml").write_text(short)
    config = ("--configfile", "configs/tiny.yaml", "configs/folder.yaml", "one.yaml")
    done = checkout.snakemake("--cores", "2", config=config)
    assert done.returncode == 0, done.stdout[-4000:]
    assert done.stdout.count("1 files of other kinds (.jpg 1) are not videos") == 1 and "lacking" not in done.stdout
    table = (checkout.root / "results/folder/table1.md").read_text()
    assert "Coverage: test: 2 clips wanted, 2 used, 0 left out; train: 2 clips wanted" in table
    # Once it is made, nothing is asked of the folder by what is done with it.
    (checkout.root / "more.yaml").write_text("generate: {seeds: [0, 1]}\nevaluate: {bootstrap: 40}\n")
    again = checkout.snakemake("--dry-run", config=(*config, "more.yaml"))
    assert again.returncode == 0 and "lacking" not in again.stdout
