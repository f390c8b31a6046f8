"""`s2v evaluate`, `compare`, `leaderboard`: a run's own pictures, and folders of anybody's, awkward ones too."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from shards import RATE
from tiny_run import CLASSES, pack, picture
from typer.testing import CliRunner

from s2v.cli import app
from s2v.config import EvaluateConfig, JudgeConfig, RuntimeConfig
from s2v.data.reader import read_images
from s2v.evaluate.evaluate import run as evaluate_stage
from s2v.evaluate.pictures import write_pictures
from s2v.files import read_parquet, sha256
from s2v.media.picture import encode_png
from s2v.models.localiser import Ear, Localiser
from s2v.models.store import save
from s2v.report.table1 import run as table1
from s2v.report.tables import TableJob
from s2v.tensors import load_tensors, save_tensors
from s2v.train.judge import run as train_judge

CONFIG = EvaluateConfig(inception_splits=2, bootstrap=50)
FAST = ("--inception-splits", "2", "--bootstrap", "50", "--device", "cpu")
RUNTIME = RuntimeConfig(device="cpu")


def s2v(*words: object, fails: bool = False) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert (done.exit_code != 0) == fails, done.output
    return done.output


def made_tar(
    path: Path, run: Path, method: str, right: float, classes: Sequence[str] = tuple(CLASSES), **more: object
) -> None:
    """Pictures as stage `generate` writes them; of a share of clips they are of the clip's class."""
    clips = {key: label for key, label in clips_of(run).items() if label in classes}
    keys, labels = list(clips), list(clips.values())
    rng, names = np.random.default_rng(int(path.stem)), list(CLASSES)
    shown = [label if rng.random() < right else names[rng.integers(3)] for label in labels]
    records = [
        {"clip_id": key, "label": label, "method": method, "seed": int(path.stem), "training": 0, "letter": "B",
         "title": method.title(), "encoder": "A", "generator": "G", "seeded": True, "note": "", "main": True,
         "input": "sound", "database": None, **more}
        for key, label in zip(keys, labels, strict=True)
    ]  # fmt: skip
    images = torch.stack([torch.from_numpy(picture(one, rng, 32)).permute(2, 0, 1) for one in shown])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_pictures(path, images, records)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a finished run has of what is read here: packed test clips, a judge, pictures of two methods, two seeds."""
    root = tmp_path_factory.mktemp("run")
    for split, clips in (("test", 8), ("judge", 20)):
        (root / "pack" / split).mkdir(parents=True)
        pack(root / "pack" / split / "000.tar", clips, seed=len(split))
    judge = JudgeConfig(image_px=16, width=8, dim=16, steps=40, batch_size=32, learning_rate=3e-3)
    packs = [root / "pack/judge/000.tar"]
    train_judge(config=judge, packs=packs, output_dir=root / "judge", runtime=RUNTIME, threads=1)
    for method, right in (("good", 0.95), ("poor", 0.3)):
        for seed in (0, 1):
            made_tar(root / f"generate/{method}/{seed}.tar", root, method, right)
            out = root / f"evaluate/{method}/{seed}.json"
            evaluate_stage(
                config=CONFIG, pictures=[root / f"generate/{method}/{seed}.tar"],
                reference_packs=[root / "pack/test/000.tar"], evaluator_dirs=[root / "judge"], outputs=[out],
                ranks_outputs=[out.with_suffix(".parquet")], tensors_outputs=[out.with_suffix(".safetensors")],
                runtime=RUNTIME, threads=1,
            )  # fmt: skip
    return root


def test_pictures_of_some_classes_get_the_numbers_of_figure_15(run: Path, tmp_path: Path) -> None:
    """As stage `evaluate` takes them for `fig15/`: clips, names and real frames of some classes alone."""
    (tmp_path / "classes.json").write_text('["cow", "owl"]')
    made_tar(tmp_path / "some/0.tar", run, "s2i", 0.7, ("cow", "owl"))
    out = tmp_path / "stage.json"
    evaluate_stage(
        config=CONFIG, pictures=[tmp_path / "some/0.tar"], reference_packs=[run / "pack/test/000.tar"],
        evaluator_dirs=[run / "judge"], classes=tmp_path / "classes.json", outputs=[out],
        ranks_outputs=[out.with_suffix(".parquet")], tensors_outputs=[out.with_suffix(".safetensors")], runtime=RUNTIME,
        threads=1,
    )  # fmt: skip
    words = ("evaluate", tmp_path / "some", "--sounds", run, "-o", tmp_path / "o.json", *FAST)
    s2v(*words, "--classes", tmp_path / "classes.json")
    found, expected = json.loads((tmp_path / "o.json").read_text()), json.loads(out.read_text())
    assert found["draws"] == [expected] and found["said"] == []
    assert expected["classes"] == 2 and found["protocol"]["reference"] == expected["n_reference"] == 16
    s2v(*words)
    assert json.loads((tmp_path / "o.json").read_text())["draws"] != [expected], "without it, of all classes"
    (tmp_path / "classes.json").write_text('["yak"]')
    assert "holds no clip of a class of" in s2v(*words, "--classes", tmp_path / "classes.json", fails=True)


def test_real_frames_of_another_split(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "stage.json"
    evaluate_stage(
        config=CONFIG, pictures=[run / "generate/good/0.tar"], reference_packs=[run / "pack/judge/000.tar"],
        evaluator_dirs=[run / "judge"], outputs=[out], ranks_outputs=[out.with_suffix(".parquet")],
        tensors_outputs=[out.with_suffix(".safetensors")], runtime=RUNTIME, threads=1,
    )  # fmt: skip
    s2v("evaluate", run / "generate/good/0.tar", "--sounds", run, "--reference", run / "pack/judge", "-o",
        tmp_path / "o.json", *FAST)  # fmt: skip
    assert json.loads((tmp_path / "o.json").read_text())["draws"] == [json.loads(out.read_text())]


def clips_of(run: Path) -> dict[str, str]:
    _, keys, labels = read_images([run / "pack/test/000.tar"], 24)
    return {key: label or "" for key, label in zip(keys, labels, strict=True)}


def test_pictures_of_a_run_get_the_runs_own_numbers(run: Path, tmp_path: Path) -> None:
    output = s2v("evaluate", run / "generate/good", "--sounds", run, "-o", tmp_path / "good.json", *FAST)
    found = json.loads((tmp_path / "good.json").read_text())
    assert found["draws"] == [json.loads((run / f"evaluate/good/{seed}.json").read_text()) for seed in (0, 1)]
    assert found["name"] == "Good" and found["about"] == {"by": "s2v, method good"} and found["said"] == []
    (tmp_path / "coverage.csv").write_text("class,split,wanted,got,lost\n")
    job = TableJob(
        tmp_path / "coverage.csv", [], "world", [], 50, tmp_path / "t.csv", tmp_path / "t.md", tmp_path / "q.json"
    )
    table1(results=[run / f"evaluate/good/{seed}.json" for seed in (0, 1)], job=job)
    with open(tmp_path / "t.csv", newline="") as stream:
        (row,) = csv.DictReader(stream)
    for name, scale in (("R@1", 100), ("R@5", 100), ("FID", 1), ("IS", 1)):
        for column, key in ((name, "value"), (f"{name} low", "low"), (f"{name} high", "high")):
            assert f"{scale * found['metrics'][name][key]:.2f}" == row[column], column
    assert f"{100 * found['metrics']['R@1']['value']:.1f} [" in output
    assert found["metrics"]["R@1"]["chance"] == pytest.approx(1 / 3)
    assert found["metrics"]["KID"]["value"] == pytest.approx(np.mean([one["KID"] for one in found["draws"]]))
    assert 0 < found["metrics"]["diversity"]["value"] < 1.2


def test_a_folder_gets_the_same_numbers_as_the_tars_it_was_unpacked_from(run: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        with tarfile.open(run / f"generate/good/{seed}.tar") as tar:
            for member in tar:
                if member.name.endswith(".png"):
                    stream = tar.extractfile(member)
                    assert stream is not None
                    clip = member.name.removesuffix(".png")
                    place = tmp_path / (f"flat/{clip}_{seed}.png")
                    place.parent.mkdir(exist_ok=True)
                    place.write_bytes(stream.read())
                    inside = tmp_path / f"nested/{clip}/any {seed}.png"
                    inside.parent.mkdir(parents=True, exist_ok=True)
                    inside.write_bytes(place.read_bytes())
    with tarfile.open(tmp_path / "packed.tar", "w") as tar:
        tar.add(tmp_path / "flat", ".")
    with open(tmp_path / "names.csv", "w", newline="") as stream:
        rows = [(path.name, path.stem[:-2]) for path in sorted((tmp_path / "flat").iterdir())]
        csv.writer(stream).writerows([("picture", "clip"), *rows])
    s2v("evaluate", run / "generate/good", "--sounds", run / "pack/test", "-o", tmp_path / "0.json", *FAST,
        "--evaluator", run)  # fmt: skip
    expected = json.loads((tmp_path / "0.json").read_text())["metrics"]
    for number, words in enumerate(
        ([tmp_path / "flat"], [tmp_path / "nested"], [tmp_path / "packed.tar"],
         [tmp_path / "flat", "--names", tmp_path / "names.csv"]), 1
    ):  # fmt: skip
        s2v("evaluate", *words, "--sounds", run, "-o", tmp_path / f"{number}.json", *FAST)
        found = json.loads((tmp_path / f"{number}.json").read_text())
        assert found["metrics"] == expected and found["said"] == [], words


def png(path: Path, label: str, seed: int, px: int = 32, mode: str = "RGB", **how: object) -> None:
    image = Image.fromarray(picture(label, np.random.default_rng(seed), px))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.convert(mode).save(path, **how)  # type: ignore[arg-type]


def test_an_awkward_folder_says_in_a_line_each_what_was_done(run: Path, tmp_path: Path) -> None:
    clips, folder = clips_of(run), tmp_path / "pictures of mine"
    for number, (clip, label) in enumerate(clips.items()):
        if number != 5:
            png(folder / f"{clip}.png", label, number)
    names = list(clips)
    png(folder / f"{names[0]}.png", clips[names[0]], 0, mode="L")
    Image.new("RGBA", (32, 32), (200, 60, 40, 128)).save(folder / f"{names[1]}.png")
    png(folder / f"{names[11]}.png", clips[names[11]], 11, mode="RGBA")  # opaque: nothing to say
    png(folder / f"{names[2]}.png", clips[names[2]], 2, mode="P")
    png(folder / f"{names[3]}.png", clips[names[3]], 3, px=48)
    (folder / f"{names[4]}.png").unlink()
    Image.fromarray(np.full((32, 32), 40_000, np.uint16)).save(folder / f"{names[4]}.png")
    png(folder / f"{names[6]}.jpg", clips[names[6]], 6)
    frames = [Image.fromarray(picture("cow", np.random.default_rng(s), 32)) for s in (0, 1)]
    (folder / f"{names[7]}.png").unlink()
    frames[0].save(folder / f"{names[7]}.webp", save_all=True, append_images=frames[1:])
    png(folder / "of nobody\n.png", "cow", 1)
    png(folder / f"{names[8]}_7.png", clips[names[8]], 8)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    (folder / f"{names[9]}.gif").write_bytes(b"GIF89a")
    os.mkfifo(folder / f"{names[10]}_2.png")
    output = s2v("evaluate", folder, "--sounds", run, "-o", tmp_path / "mine.json", *FAST)
    said = json.loads((tmp_path / "mine.json").read_text())["said"]
    expected = [
        rf"{names[0]}\.png and 1 more: each is grey, so its level is that of all three colours",
        rf"{names[1]}\.png is transparent, and laid over black",
        rf"{names[2]}\.png is of a palette, and taken as colours",
        rf"{names[4]}\.png is of 16 bits, of which the upper 8 are taken",
        rf"{names[6]}\.jpg is there a second time or with another ending, and not used \(PNG .* before JPEG\)",
        rf"{names[7]}\.webp is animated, of which the first frame is taken",
        r"of nobody\\n\.png is of no clip that is asked for, and not used",
        r"\.DS_Store is hidden, and not used",
        rf"{names[9]}\.gif and 1 more: each is no picture by its name .*, and not used",
        rf"{names[10]}_2\.png is no plain file, and not used",
        rf"without a picture, and left out: 1 of 24 clips \({names[5]}\)",
        r"beyond the first 1 of a clip, and not used: 1 picture",
        r"of another size or shape, and squashed to 32x32 pixels: 1 picture",
    ]
    for line in expected:
        assert [one for one in said if re.fullmatch(line, one)], "\n".join([line, *said])
    assert len(said) == len(expected) and all(line in output for line in said)
    found = json.loads((tmp_path / "mine.json").read_text())
    assert found["sounds"] == 23 and found["name"] == "pictures of mine"
    assert found["missing"]["diversity"] == "it needs two pictures or more of each sound"


def test_sounds_and_frames_are_scored_where_there_is_something_to_score_with(run: Path, tmp_path: Path) -> None:
    words = ("evaluate", run / "generate/good", "--sounds", run, "-o", tmp_path / "o.json", *FAST)
    s2v(*words)
    found = json.loads((tmp_path / "o.json").read_text())
    assert "/av_judge/model.safetensors` makes one" in found["missing"]["AIS"] and "AIC" in found["missing"]
    assert 0.8 < found["metrics"]["IIS-percentile/judge/frames"]["value"] <= 1
    assert found["metrics"]["IIS-cosine/judge"]["value"] <= 1 and "IIS-zscore/judge/pictures" in found["metrics"]
    for part in ("pack", "judge"):
        (tmp_path / part).symlink_to(run / part)
    torch.manual_seed(0)
    shape = {"width": 4, "dim": 8, "image_px": 16, "ear": asdict(Ear(window_s=0.5))}
    save(tmp_path / "av_judge", Localiser(**shape).state_dict(), shape)
    s2v("evaluate", run / "generate/good", "--sounds", tmp_path, "-o", tmp_path / "o.json", *FAST)
    again = json.loads((tmp_path / "o.json").read_text())
    names = {"AIS-percentile/av_judge/sounds", "AIS-zscore/av_judge/pictures"}
    assert again["metrics"].keys() - found["metrics"].keys() == names
    assert 0.2 < again["metrics"]["AIS-percentile/av_judge/sounds"]["value"] < 0.8, "its weights are random"
    assert all("av_judge: two convolutional nets" in again["networks"][name] for name in names)
    assert again["metrics"]["AIS-percentile/av_judge/sounds"]["chance"] == 0.5
    shutil.copytree(tmp_path / "av_judge", tmp_path / "other/av_judge")
    for part in ("pack", "judge"):
        (tmp_path / "other" / part).symlink_to(run / part)
    save(tmp_path / "other/av_judge", Localiser(**shape).state_dict(), shape)
    s2v("evaluate", run / "generate/poor", "--sounds", tmp_path / "other", "-o", tmp_path / "p.json", *FAST)
    output = s2v("compare", tmp_path / "o.json", tmp_path / "p.json")
    assert "AIS-percentile/av_judge/sounds: not compared, they were measured by different networks" in output
    assert re.search(r"higher IIS-percentile/judge/frames than Poor .* holds", output)
    board = s2v("leaderboard", tmp_path / "o.json", tmp_path / "p.json")
    assert "## Protocol 2" in board, "one column does not hold numbers of two networks"


@pytest.mark.parametrize(
    "record",
    [{"training": "a"}, {"seed": None}, {"title": ["x"]}, {"x": "y" * 2**20}],
)
def test_a_record_that_is_not_believed_is_that_of_pictures_from_elsewhere(
    run: Path, evaluated: Path, tmp_path: Path, record: dict[str, object]
) -> None:
    made_tar(tmp_path / "mine/0.tar", run, "mine", 0.9, **record)
    s2v("evaluate", tmp_path / "mine", "--sounds", run, "-o", tmp_path / "o.json", *FAST)
    found = json.loads((tmp_path / "o.json").read_text())
    assert found["name"] == "mine" and found["about"] == {} and found["draws"][0]["title"] == "mine"
    assert "against Good" in s2v("compare", tmp_path / "o.json", evaluated / "good.json")


def test_a_records_words_are_printable(run: Path, tmp_path: Path) -> None:
    made_tar(tmp_path / "0.tar", run, "mine", 0.9, title="a\n\x1b[1mbSURROG")
    (tmp_path / "0.tar").write_bytes((tmp_path / "0.tar").read_bytes().replace(b"SURROG", rb"\ud800"))
    s2v("evaluate", tmp_path / "0.tar", "--sounds", run, "-o", tmp_path / "o.json", *FAST)
    found = json.loads((tmp_path / "o.json").read_text())
    assert found["name"] == found["draws"][0]["title"] == "a\\n\\x1b[1mb\\ud800"


def test_odd_names_many_twins_and_links(run: Path, tmp_path: Path) -> None:
    clips = clips_of(run)
    with tarfile.open(tmp_path / "p.tar.gz", "w:gz") as tar:
        for number, (clip, label) in enumerate(clips.items()):
            data = encode_png(picture(label, np.random.default_rng(number), 32))
            for name in (f"{clip}.png", f"{clip}.png", f"{clip}.jpg", f"{clip}.JSON", f"{clip}/{'7' * 5000}.png"):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    words = ("--sounds", run, "-o", tmp_path / "o.json", *FAST)
    s2v("evaluate", tmp_path / "p.tar.gz", *words)
    said = json.loads((tmp_path / "o.json").read_text())["said"]
    assert [re.sub(r"^\S+ and", "_ and", line) for line in said] == [
        "_ and 47 more: each is there a second time or with another ending, and not used (PNG goes before WebP before "
        "JPEG)",
    ]
    table = read_parquet(tmp_path / "o.parquet")
    assert table[0]["picture"] == f"p.tar.gz/{table[0]['clip_id']}.png"
    for clip, label in clips.items():
        for ending in ("png", "jpg"):
            png(tmp_path / f"p/{clip}.{ending}", label, len(ending))
    (tmp_path / "p/linked").symlink_to(tmp_path)
    with open(tmp_path / "names.csv", "w", newline="") as stream:
        rows = [(f"{clip}.{ending}", clip) for clip in clips for ending in ("jpg", "png")]
        csv.writer(stream).writerows([("picture", "clip"), *rows])
    output = s2v("evaluate", tmp_path / "p", *words, "--names", tmp_path / "names.csv")
    found = json.loads((tmp_path / "o.json").read_text())
    assert found["pictures"] == 2 and found["said"] == ["linked is a link to a folder, and not followed"], output
    (tmp_path / "sounds/more").mkdir(parents=True)
    (tmp_path / "sounds/linked").symlink_to(run)
    output = s2v("evaluate", tmp_path / "p", "--sounds", tmp_path / "sounds", *words[2:], fails=True)
    assert "holds no sound" in output


def test_a_folder_that_cannot_be_read_is_an_error(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    png(tmp_path / f"p/{next(iter(clips_of(run)))}.png", "cow", 0)
    (tmp_path / "p/closed").mkdir()
    scandir = os.scandir

    def closed(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    output = s2v("evaluate", tmp_path / "p", "--sounds", run, "-o", tmp_path / "o.json", *FAST, fails=True)
    assert "p/closed: permission denied; give this user the right to it" in output and output.count("\n") == 1


def test_oblong_and_odd_pictures_are_said_of_real_ones_and_with_px_too(run: Path, tmp_path: Path) -> None:
    for number, (clip, label) in enumerate(clips_of(run).items()):
        png(tmp_path / f"p/{clip}.png", label, number)
        png(tmp_path / f"real/{number}.png", label, 100 + number)
    Image.new("L", (60, 20)).save(tmp_path / "real/0.png")
    Image.new("RGB", (60, 20)).save(tmp_path / f"p/{clip}.png")
    s2v("evaluate", tmp_path / "p", "--sounds", run, "-o", tmp_path / "o.json", *FAST, "--px", "32", "--reference",
        tmp_path / "real")  # fmt: skip
    assert json.loads((tmp_path / "o.json").read_text())["said"] == [
        "0.png is grey, so its level is that of all three colours",
        "of another size or shape, and squashed to 32x32 pixels: 1 picture",
        "real, of another size or shape, and squashed to 32x32 pixels: 1 picture",
    ]


def test_more_than_the_machine_holds_is_refused_before_it_is_measured(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    words = ("evaluate", run / "generate/good", "--sounds", run, "-o", tmp_path / "o.json", *FAST)
    output = s2v(*words, fails=True)
    assert "2 pictures of 24 sounds beside 24 real ones take about 0 GB" in output and output.count("\n") == 1


def test_threads_are_those_that_were_asked_for(run: Path, tmp_path: Path) -> None:
    words = ("evaluate", run / "generate/good", "--sounds", run, "-o", tmp_path / "o.json", *FAST)
    s2v(*words, "--threads", "2")
    assert torch.get_num_threads() == 2
    s2v(*words)
    assert torch.get_num_threads() == 1


def zip_bomb() -> bytes:
    """A PNG that claims 60,000 x 60,000 pixels."""
    data = bytearray(encode_png(np.zeros((8, 8, 3), np.uint8)))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    return bytes(data)


@pytest.mark.parametrize("broken", [b"", b"not a picture", zip_bomb(), b"\xff\xd8\xff\xe0" + b"\0" * 50])
def test_a_broken_picture_is_an_error_unless_it_may_be_skipped(run: Path, tmp_path: Path, broken: bytes) -> None:
    clips = clips_of(run)
    for number, (clip, label) in enumerate(clips.items()):
        png(tmp_path / f"p/{clip}.png", label, number)
    (tmp_path / f"p/{list(clips)[0]}.png").write_bytes(broken)
    words = ("evaluate", tmp_path / "p", "--sounds", run, "-o", tmp_path / "o.json", *FAST)
    output = s2v(*words, fails=True)
    assert output.count("\n") == 1 and f"{list(clips)[0]}.png: " in output and "--skip-broken" in output
    assert not (tmp_path / "o.json").exists()
    output = s2v(*words, "--skip-broken")
    assert f"{list(clips)[0]}.png is broken, and left out" in output and "and left out: 1 of 24 clips" in output


def test_hostile_tars_are_one_line(run: Path, tmp_path: Path) -> None:
    clip = next(iter(clips_of(run)))
    for name in ("cut", "link"):
        with tarfile.open(tmp_path / f"{name}.tar", "w") as tar:
            member = tarfile.TarInfo(f"../../{clip}.png")
            member.size = 2**20
            tar.addfile(member, io.BytesIO(bytes(2**20)))
            other = tarfile.TarInfo(f"{clip}.png")
            other.type, other.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(other)
    with open(tmp_path / "cut.tar", "r+b") as stream:
        stream.truncate(2**19)
    words = ("--sounds", run, "-o", tmp_path / "o.json", *FAST, "--skip-broken")
    assert "cut.tar: not a readable tar" in s2v("evaluate", tmp_path / "cut.tar", *words, fails=True)
    output = s2v("evaluate", tmp_path / "link.tar", *words, fails=True)
    assert "no picture is called as a clip is" in output and output.count("\n") == 1


def folder_of_sounds(root: Path, names: Sequence[str]) -> Path:
    rng = np.random.default_rng(0)
    for number, name in enumerate(names):
        path = root / "sounds" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal(RATE // 2 + 100 * number), RATE)
    return root / "sounds"


def test_sounds_of_a_folder_with_classes_of_sub_folders_or_a_list(run: Path, tmp_path: Path) -> None:
    names = [f"{label}/{i}" for label in ("cow", "owl") for i in range(3)]
    sounds = folder_of_sounds(tmp_path, [*names, "owl/alone"])
    for number, name in enumerate([*names, "alone"]):
        png(tmp_path / f"p/{name}.png", "owl" if number > 2 else "cow", number)
    for number in range(9):
        png(tmp_path / f"real/{number}.jpg", "cow", 100 + number, px=40)
    words = ("evaluate", tmp_path / "p", "--sounds", sounds, "-o", tmp_path / "o.json", *FAST)
    assert "sounds of no run bring no evaluator" in s2v(*words, fails=True)
    s2v(*words, "--evaluator", run, "--about", "text=no", "--about", "by=us", "--name", "Mine")
    found = json.loads((tmp_path / "o.json").read_text())
    assert found["protocol"]["classes"] == ["cow", "owl"] and found["about"] == {"by": "us", "text": "no"}
    assert found["metrics"]["R@1"]["value"] == 1 and found["sounds"] == 7 and found["name"] == "Mine"
    assert "FID" in found["missing"] and found["protocol"]["reference"] == 0
    (sounds / "owl/alone.wav").rename(tmp_path / "whole.wav")
    (sounds / "owl/alone.wav").write_bytes(b"RIFF")
    (tmp_path / "av").mkdir()
    for part in ("pack", "judge"):
        (tmp_path / "av" / part).symlink_to(run / part)
    shape = {"width": 4, "dim": 8, "image_px": 16, "ear": asdict(Ear(window_s=0.5))}
    save(tmp_path / "av/av_judge", Localiser(**shape).state_dict(), shape)
    (tmp_path / "p/alone.png").unlink()
    s2v(*words, "--evaluator", tmp_path / "av")
    found = json.loads((tmp_path / "o.json").read_text())
    assert "AIS-percentile/av_judge/sounds" in found["metrics"], "a sound without a picture is not read"
    png(tmp_path / "p/alone.png", "owl", 6)
    output = s2v(*words, "--evaluator", tmp_path / "av", fails=True)
    assert "alone.wav: " in output and output.count("\n") == 1
    (tmp_path / "whole.wav").rename(sounds / "owl/alone.wav")
    (tmp_path / "labels.csv").write_text("clip,label\nalone,cow\ncow/0,owl\nnobody,cow\n")
    more = ("--evaluator", run, "--labels", tmp_path / "labels.csv", "--reference", tmp_path / "real")
    output = s2v(*words, *more)
    found = json.loads((tmp_path / "o.json").read_text())
    assert found["metrics"]["R@1"]["value"] == pytest.approx(5 / 7) and found["protocol"]["reference"] == 9
    assert found["metrics"]["FID"]["value"] > 0 and "precision" in found["metrics"]
    assert "nobody is a clip of labels.csv without a sound, and not used" in output
    assert "cow/1 and 4 more: each is not named in labels.csv, so it keeps its class" in output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sounds", "nowhere"], "nowhere: neither the output folder of a run nor a folder of sounds"),
        (["--sounds", "{run}", "--split", "none"], "has no packed split none; --split is one of judge, test"),
        (["--sounds", "{run}/pack/test", "--split", "judge"], "is the split test, and --split says judge"),
        (["--sounds", "{run}", "--names", "absent.csv"], "absent.csv: there is no such file"),
        (["--sounds", "two"], "x.mp3 and x.wav are both the clip x; rename or move one of them"),
        (["--sounds", "odd"], "\\udcff.wav: its name is not UTF-8; rename it"),
        (["--sounds", "{run}", "--evaluator", "clip-inception"], "neither clip_inception nor the folder of a run"),
        (["--sounds", "{run}", "--prompt", "{{}} {{a}}"], "and no other brace"),
        (["--sounds", "{run}", "--names", "bad.csv"], "bad.csv: no column clip in line 1; needed: picture,clip"),
        (["--sounds", "{run}", "--names", "gone.csv"], "gone.csv, line 2: x.png is not among the pictures"),
        (["--sounds", "{run}", "--draws", "3"], "--draws 3: no clip has so many pictures"),
        (["--sounds", "{run}", "--about", "text=perhaps"], "--about text=perhaps: yes or no"),
        (["--sounds", "{run}", "--about", "mood=good"], "keys are by, text, licence, data"),
        (["--sounds", "{run}", "--evaluator", "{run}/pack"], "pack: has no trained judge"),
        (["--sounds", "{run}", "--prompt", "x"], "evaluate.prompt"),
    ],
)
def test_mistakes_are_one_line(
    run: Path, tmp_path: Path, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    png(tmp_path / f"p/{next(iter(clips_of(run)))}.png", "cow", 0)
    (tmp_path / "bad.csv").write_text("picture,name\nx,y\n")
    (tmp_path / "gone.csv").write_text("picture,clip\nx.png,y\n")
    for name in (b"two/x.wav", b"two/x.mp3", b"odd/\xff.wav"):
        Path(os.fsdecode(name)).parent.mkdir(exist_ok=True)
        Path(os.fsdecode(name)).write_bytes(b"x")
    output = s2v("evaluate", "p", *(word.format(run=run) for word in words), "-o", "o.json", *FAST, fails=True)
    assert said in output and output.count("\n") == 1, output


@pytest.fixture(scope="module")
def evaluated(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evaluated")
    for method in ("good", "poor"):
        s2v("evaluate", run / f"generate/{method}", "--sounds", run, "-o", root / f"{method}.json", *FAST,
            "--about", "text=no")  # fmt: skip
    return root


def test_compare_is_paired_and_decides_as_claims_do(evaluated: Path) -> None:
    output = s2v("compare", evaluated / "good.json", evaluated / "poor.json")
    assert "Good against Poor" in output
    assert re.search(
        r"Good has a higher R@1 than Poor +\| +\d+\.\d \[\d+\.\d, \d+\.\d\] +\| .* above 0 \| holds", output
    )
    reverse = s2v("compare", evaluated / "poor.json", evaluated / "good.json")
    assert re.search(r"Poor has a higher R@1 than Good .* does not hold", reverse)
    alike = s2v("compare", evaluated / "good.json", evaluated / "good.json")
    assert re.search(r"R@1 .* 0\.0 \[0\.0, 0\.0\] .* does not hold", alike), "not better than itself"


def test_what_does_not_compare_is_refused_and_stands_in_another_table(
    run: Path, evaluated: Path, tmp_path: Path
) -> None:
    clips = clips_of(run)
    for number, (clip, label) in enumerate(list(clips.items())[:20]):
        png(tmp_path / f"p/{clip}.png", label, number)
    s2v("evaluate", tmp_path / "p", "--sounds", run, "-o", tmp_path / "few.json", *FAST)
    output = s2v("compare", evaluated / "good.json", tmp_path / "few.json", fails=True)
    assert "do not compare: the clips (or their classes) are not alike" in output and output.count("\n") == 1
    board = s2v("leaderboard", evaluated / "good.json", tmp_path / "few.json", evaluated / "poor.json")
    first, second = board.split("## Protocol ")[1:]
    assert "| Good " in first and "| Poor " in first and "| p " not in first and "| p " in second
    assert first.index("| Good ") < first.index("| Poor "), "the best first"
    assert "and left out: 4 of 24 clips" in second


def changed(path: Path, of: Path, **fields: object) -> Path:
    path.write_text(json.dumps(json.loads(of.read_text()) | fields))
    return path


def test_real_pictures_of_two_sizes_do_not_compare(run: Path, evaluated: Path, tmp_path: Path) -> None:
    s2v("evaluate", run / "generate/poor", "--sounds", run, "-o", tmp_path / "poor.json", *FAST, "--px", "48")
    assert "squashed to 48x48 pixels: 48 pictures" in (tmp_path / "poor.json").read_text()
    output = s2v("compare", evaluated / "good.json", tmp_path / "poor.json")
    why = "not compared, real pictures were brought to 32 and 48 px; evaluate both with one --px"
    for name in ("FID", "KID", "recall", "coverage", "IIS-percentile/judge/frames"):
        assert f"{name}: {why}" in output
    assert re.search(r"higher R@1 than Poor .* holds", output) and re.search(r"higher IS than Poor", output)
    board = s2v("leaderboard", evaluated / "good.json", tmp_path / "poor.json")
    assert "## Protocol 2" not in board and re.search(
        r"\*\*FID, .*KID.* do not compare between rows of 32 and 48 px", board
    )
    assert "do not compare" not in s2v("leaderboard", evaluated / "good.json", evaluated / "poor.json")


def test_a_leaderboard_says_the_chance_of_every_rows_metrics(evaluated: Path, tmp_path: Path) -> None:
    metrics = json.loads((evaluated / "poor.json").read_text())["metrics"]
    metrics["AIC/CLIP-L14"] = {"value": 0.5, "low": 0.4, "high": 0.6, "chance": 1 / 3}
    poor = changed(tmp_path / "poor.json", evaluated / "poor.json", metrics=metrics)
    board = s2v("leaderboard", evaluated / "good.json", poor)
    assert "AIC/CLIP-L14 33.3" in board and "R@1 33.3" in board and "50.0 [40.0, 60.0]" in board


def test_files_that_are_no_evaluations_or_were_changed_are_one_line(run: Path, evaluated: Path, tmp_path: Path) -> None:
    stage = run / "evaluate/good/0.json"
    output = s2v("compare", stage, evaluated / "good.json", fails=True)
    assert "no evaluation; s2v evaluate writes them" in output and output.count("\n") == 1
    for ending in ("json", "parquet", "safetensors"):
        (tmp_path / f"other.{ending}").write_bytes((evaluated / f"good.{ending}").read_bytes())
    assert "Good against Poor" in s2v("compare", tmp_path / "other.json", evaluated / "poor.json"), "renamed together"
    for name in ("good.json", "good.parquet"):
        (tmp_path / name).write_bytes((evaluated / name).read_bytes())
    assert "keep the three together" in s2v("compare", tmp_path / "good.json", evaluated / "poor.json", fails=True)
    assert "Good" in s2v("leaderboard", tmp_path / "good.json"), "a leaderboard needs the JSON alone"
    found = json.loads((tmp_path / "good.json").read_text())
    (tmp_path / "bad.json").write_text(json.dumps(found | {"sounds": "many"}))
    assert "no evaluation of this version (sounds: " in s2v("leaderboard", tmp_path / "bad.json", fails=True)
    newer = changed(tmp_path / "newer.json", evaluated / "good.json", format=2, mood="good")
    assert "an evaluation of format 2, and this s2v reads 1" in s2v("leaderboard", newer, fails=True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"draws": []}, "no evaluation of this version (draws: "),
        ({"bootstrap": 0}, "no evaluation of this version (bootstrap: "),
        ({"bootstrap": 10**9}, "no evaluation of this version (bootstrap: "),
        ({"made": []}, "keep the three together"),
        ({"draws": "splits"}, "its draws have not the same metrics"),
        ({"draws": "one"}, "not of 1 pictures of 24 clips"),
        ({"tensors": {"score/AIS-x": torch.zeros(2, 3)}}, "not of 2 pictures of 24 clips"),
        ({"tensors": {"features": torch.zeros(2, 24)}}, "not of 2 pictures of 24 clips"),
        ({"tensors": {"reference": torch.zeros(24, 3)}}, "not such as FID is made of"),
    ],
)
def test_evaluations_of_strangers_are_one_line(
    evaluated: Path, tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    for ending in ("parquet", "safetensors"):
        (tmp_path / f"x.{ending}").write_bytes((evaluated / f"good.{ending}").read_bytes())
    given = json.loads((evaluated / "good.json").read_text())
    if fields.get("draws") == "splits":
        fields = {"draws": [one | {"inception_splits": 0} for one in given["draws"]]}
    elif fields.get("draws") == "one":
        fields = {"draws": given["draws"][:1]}
    elif "tensors" in fields:
        save_tensors(tmp_path / "x.safetensors", load_tensors(tmp_path / "x.safetensors") | fields["tensors"])
        digest = sha256(tmp_path / "x.safetensors")
        fields = {"made": {name: digest if name.endswith("s") else old for name, old in given["made"].items()}}
    output = s2v("compare", changed(tmp_path / "x.json", evaluated / "good.json", **fields), evaluated / "poor.json",
                 fails=True)  # fmt: skip
    assert said in output and output.count("\n") == 1, output


def test_strangers_texts_cannot_forge_a_page(evaluated: Path, tmp_path: Path) -> None:
    odd = changed(
        tmp_path / "odd.json",
        evaluated / "good.json",
        said=["x\n## Protocol 9\n"],
        name="\x1b[2J",
        missing={"a\r": "b\x07"},
    )
    board = s2v("leaderboard", odd)
    assert board.count("\n## Protocol") == 1 and "x\\n## Protocol 9" in board
    assert all(character.isprintable() or character == "\n" for character in board)


def test_nothing_is_written_over_what_is_not_ours(run: Path, tmp_path: Path) -> None:
    (tmp_path / "o.json").write_text("{}")
    words = ("evaluate", run / "generate/good", "--sounds", run, "-o", tmp_path / "o.json", *FAST)
    assert "not written by s2v" in s2v(*words, fails=True)
    (tmp_path / "o.json").unlink()
    s2v(*words)
    board = ("leaderboard", "-o", tmp_path / "LEADERBOARD.md", tmp_path / "o.json")
    (tmp_path / "LEADERBOARD.md").write_text("mine")
    assert "LEADERBOARD.md: is there, and not as s2v wrote it" in s2v(*board, fails=True)
    assert (tmp_path / "LEADERBOARD.md").read_text() == "mine"
    (tmp_path / "LEADERBOARD.md").unlink()
    s2v(*board)
    again = s2v(*board, tmp_path / "LEADERBOARD.json")
    assert "LEADERBOARD.json is what stands beside" in again and "Good" in (tmp_path / "LEADERBOARD.md").read_text()
    assert "o.json: is the input" in s2v(*board[:2], tmp_path / "o.md", tmp_path / "o.json", fails=True)
    assert "o.txt: an evaluation is a JSON file" in s2v(*words[:5], tmp_path / "o.txt", fails=True)
