"""Fig. 3: how often moments are right, which clips it shows, and that it can be read."""

from __future__ import annotations

import csv
import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from scipy.stats import t as student
from shards import blinking_clip, flac, write_tar

from s2v.data.select import SELECTION
from s2v.errors import UserError
from s2v.evaluate.quantities import Missing, read_quantities
from s2v.evaluate.selection import loudest_frame, showing
from s2v.files import write_parquet
from s2v.media.picture import encode_jpeg
from s2v.report import fig03
from s2v.world.recipe import TRUTH

# Moments of three clips: where the source is seen and heard, the best three of the scores, the middle one.
CLIPS: dict[str, tuple[str, list[int], list[int], int]] = {
    "c0": ("cow", [1, 1, 0, 0], [0, 1, 2], 2),  # top-1 right, 2 of 3, middle wrong
    "c1": ("cow", [0, 0, 1, 0], [2, 3, 1], 2),  # right, 1 of 3, right
    "c2": ("rain, $heavy$", [0, 1, 1, 1], [0, 1, 3], 2),  # wrong, 2 of 3, right
}


def _row(clip: str, n: int, top: list[int], mid: int, split: str = "train") -> dict[str, Any]:
    scores = [0.1 * t / n for t in range(n)]
    for place, t in enumerate(top):
        scores[t] = 0.9 - 0.1 * place
    return {
        "clip_id": clip, "split": split, "n_frames": n, "scores": scores if top else [], "top": top, "mid": mid,
        "chosen": top[0] if top else mid,
    }  # fmt: skip


def _truth(clip: str, label: str, right: list[int]) -> dict[str, Any]:
    seen = [bool(ok) for ok in right]
    return dict.fromkeys(TRUTH.names) | {
        "clip_id": clip, "split": "train", "class": label, "seed": "0", "visible": seen, "sounding": seen,
    }  # fmt: skip


def _sample(clip: str, label: str | None, n: int, seed: int) -> dict[str, bytes]:
    frames = [encode_jpeg(frame, 95) for frame in blinking_clip(seed)[0]]
    record = {"clip_id": clip, "split": "train", "fps": 10, "n_frames": n, "label": label}
    return {
        f"{clip}.jpg": frames[1], f"{clip}.mid.jpg": frames[0], f"{clip}.top1.jpg": frames[1],
        f"{clip}.json": json.dumps(record).encode(),
    }  # fmt: skip


class World:
    """Files of a small world, and what the stage makes of them."""

    def __init__(
        self, folder: Path, rows: list[dict[str, Any]], truth: list[dict[str, Any]] | None, labels: dict[str, Any]
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        half = len(rows) // 2
        self.selection = [folder / "0.parquet", folder / "1.parquet"]
        for path, part in zip(self.selection, (rows[:half], rows[half:]), strict=True):
            write_parquet(path, part, SELECTION)
        lengths = {row["clip_id"]: row["n_frames"] for row in rows}
        members = [_sample(clip, label, lengths[clip], i) for i, (clip, label) in enumerate(labels.items())]
        self.packs = [
            write_tar(folder / f"{i}.tar", {name: data for one in members[i::2] for name, data in one.items()})
            for i in range(2)
        ]
        self.truth = None if truth is None else folder / "truth.parquet"
        if self.truth is not None:
            write_parquet(self.truth, truth, TRUTH)

    def run(self, turned: bool = False) -> bytes:
        """The PNG."""
        order = slice(None, None, -1 if turned else 1)
        fig03.run(
            selection=self.selection[order], packs=self.packs[order], split="train", truth=self.truth,
            output=self.folder / "f.png", table=self.folder / "f.csv", quantities=self.folder / "f.json",
        )  # fmt: skip
        return (self.folder / "f.png").read_bytes()

    @property
    def table(self) -> dict[str, dict[str, str]]:
        """Lines of the CSV by class."""
        return {row["class"]: row for row in csv.DictReader((self.folder / "f.csv").read_text().splitlines())}


def _three(folder: Path, **more: Any) -> World:
    rows = [_row(clip, len(right), top, mid) for clip, (_, right, top, mid) in CLIPS.items()]
    truth = [_truth(clip, label, right) for clip, (label, right, _, _) in CLIPS.items()]
    labels = {clip: label for clip, (label, *_) in CLIPS.items()}
    return World(folder, rows + more.get("rows", []), truth + more.get("truth", []), labels)


def test_clips_whose_selected_moment_shows_the_source_are_known(tmp_path: Path) -> None:
    world = _three(tmp_path / "w")
    assert world.truth is not None
    assert showing(world.selection, world.truth) == {"c0", "c1"}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures that were saved."""
    kept: list[Figure] = []
    save = fig03.save

    def keep(figure: Figure, output: Path, dpi: int = 200) -> None:
        kept.append(figure)
        save(figure, output, 60)

    monkeypatch.setattr(fig03, "save", keep)
    return kept


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_precision_is_the_share_of_right_moments(tmp_path: Path, drawn: list[Figure]) -> None:
    world = _three(tmp_path / "w")
    world.run()
    every, cow = world.table["all"], world.table["cow"]
    assert list(world.table) == ["all", "cow", "rain, $heavy$"] and (every["clips"], cow["clips"]) == ("3", "2")
    expected = {"top1": 2 / 3, "top3": 5 / 9, "mid": 2 / 3, "random": (2 / 4 + 1 / 4 + 3 / 4) / 3}
    for name, value in expected.items():
        assert float(every[name]) == pytest.approx(value, abs=1e-4)
        assert float(every[f"{name} low"]) <= value + 1e-4 and float(every[f"{name} high"]) >= value - 1e-4
    assert (float(cow["top1"]), float(cow["top1 low"]), float(cow["mid"])) == (1.0, 1.0, 0.5)
    found = read_quantities(tmp_path / "w/f.json")
    assert found["top1"].value == pytest.approx(2 / 3) and found["top1"].clips == 3
    assert found["top1_minus_mid"].value == pytest.approx(0.0)
    assert found["top3_minus_mid"].value == pytest.approx(5 / 9 - 2 / 3)
    assert found["top1_minus_random"].value == pytest.approx(2 / 3 - 0.5)
    # Paired: c1 has the same in both, so only c0 (+1) and c2 (-1) move it.
    half = student.ppf(0.975, 2) / np.sqrt(3)
    assert (found["top1_minus_mid"].low, found["top1_minus_mid"].high) == pytest.approx((-half, half))
    assert found["top1_minus_loudest"] == Missing("the clips' sounds are not packed") and every["loudest"] == ""


def test_the_loudest_second_is_where_the_sound_is() -> None:
    wave = np.zeros(4 * 1000, np.int16)
    wave[2500:3000] = 9000
    assert loudest_frame(wave, 1000, 10, 40) in range(25, 31), "a second around it, with frames of a tenth"
    assert loudest_frame(wave[:300], 1000, 10, 3) == 1, "shorter than a second: its middle"
    wave[:500] = 9001
    assert loudest_frame(wave, 1000, 10, 40) in (4, 5), "in the middle of the first second"


def test_the_loudest_second_counts_where_sounds_are_packed(tmp_path: Path, drawn: list[Figure]) -> None:
    world = _three(tmp_path / "w")
    wave = np.full(6400, 9000, np.int16)  # 4 frames at 10 a second: all in one second
    for pack in world.packs:
        members = {}
        with tarfile.open(pack) as tar:
            members = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
        sounds = {f"{name.partition('.')[0]}.flac": flac(wave) for name in members if name.endswith(".json")}
        merged = members | sounds
        write_tar(pack, {name: merged[name] for name in sorted(merged)})
    world.run()
    first = loudest_frame(wave, 16000, 10, 4)
    right = np.mean([CLIPS[clip][1][first] for clip in CLIPS])
    assert float(world.table["all"]["loudest"]) == pytest.approx(right, abs=1e-4)
    assert read_quantities(tmp_path / "w/f.json")["top1_minus_loudest"].value == pytest.approx(2 / 3 - right)


def test_clips_in_which_nothing_can_be_right_do_not_count(tmp_path: Path, drawn: list[Figure]) -> None:
    rows = [
        _row("never", 4, [0, 1, 2], 2),
        _row("silent", 4, [], 2),
        _row("other", 4, [0, 1, 2], 2, split="test"),
    ]
    world = _three(tmp_path / "w", rows=rows, truth=[_truth("never", "cow", [0, 0, 0, 0])])
    world.run()
    assert world.table["all"]["clips"] == "3" and world.table["cow"]["clips"] == "2"


@pytest.mark.parametrize(("frames", "right"), [(5, "1.0000"), (3, "0.0000")])
def test_a_frame_more_or_less_than_the_truth(tmp_path: Path, drawn: list[Figure], frames: int, right: str) -> None:
    # The encoder's rounding: the last frame is as the last one that the truth knows; of too many the end is cut.
    rows = [_row("a", frames, [frames - 1], 0)]
    world = World(tmp_path / "w", rows, [_truth("a", "cow", [1, 0, 0, 1])], {"a": "cow"})
    world.run()
    assert world.table["all"]["top1"] == right


def test_examples_are_of_different_classes_in_the_order_of_their_hash(tmp_path: Path, drawn: list[Figure]) -> None:
    labels = {f"clip-{i:02d}": f"class {i % 7}" for i in range(21)}
    rows = [_row(clip, 4, [1, 0, 2], 2) for clip in labels]
    world = World(tmp_path / "w", rows, [_truth(clip, label, [1, 1, 0, 0]) for clip, label in labels.items()], labels)
    first = world.run()
    assert world.run(turned=True) == first, "shards in another order give the same figure"
    expected: list[str] = []
    for clip in sorted(labels, key=lambda clip: hashlib.sha1(clip.encode()).hexdigest()):
        if labels[clip] not in expected:
            expected.append(labels[clip])
    assert [text for text in _texts(drawn[0]) if text.startswith("class")] == expected[:6]
    texts = " ".join(_texts(drawn[0]))
    assert texts.count("top-1: \N{CHECK MARK}") == 6 and texts.count("middle: \N{MULTIPLICATION X}") == 6


def test_it_can_be_read(tmp_path: Path, drawn: list[Figure]) -> None:
    labels = {f"clip-{i:02d}": f"a class with a rather long name, number {i}" for i in range(6)}
    rows = [_row(clip, 40, [1, 0, 2], 20) for clip in labels]
    truth = [_truth(clip, label, [1] * 10 + [0] * 30) for clip, label in labels.items()]
    World(tmp_path / "w", rows, truth, labels).run()
    (figure,) = drawn
    assert figure.get_figwidth() == 7.2
    renderer = FigureCanvasAgg(figure).get_renderer()
    shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible() and text.axes]
    shown = [text for text in shown if text.axes.axison or text in text.axes.texts]
    boxes = {}
    for text in shown:
        assert text.get_fontsize() >= 6, text.get_text()
        box = text.get_window_extent(renderer)
        low, high = figure.bbox.corners()[0], figure.bbox.corners()[-1]
        assert (box.min >= low - 1).all() and (box.max <= high + 1).all(), f"{text.get_text()!r} leaves the figure"
        boxes[text] = box.padded(-0.5)
    for i, first in enumerate(shown):
        for second in shown[i + 1 :]:
            assert not boxes[first].overlaps(boxes[second]), (first.get_text(), second.get_text())


def test_without_truth_there_are_examples_alone(tmp_path: Path, drawn: list[Figure]) -> None:
    labels: dict[str, Any] = {"a": "cow $x$", "b": None, "c": "cow $x$"}
    world = World(tmp_path / "w", [_row(clip, 6, [1, 0, 2], 3) for clip in labels], None, labels)
    world.run()
    assert (tmp_path / "w/f.csv").read_text().count("\n") == 1
    found = read_quantities(tmp_path / "w/f.json")
    assert found["top1_minus_mid"] == Missing("nobody knows when the source of a clip is seen and heard")
    texts = " ".join(_texts(drawn[0]))
    assert "top-1" in texts and "\N{CHECK MARK}" not in texts and "(%)" not in texts and "sounds" not in texts
    assert {"b", r"cow \$x\$"} <= set(_texts(drawn[0])), "a clip without a class has its own name"
    image = np.asarray(Image.open(tmp_path / "w/f.png").convert("RGB")).astype(int)
    assert (np.abs(image - (0xD9, 0xD9, 0xD9)).sum(-1) == 0).mean() < 0.001, "nothing is shaded"


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    world = _three(tmp_path / "w", rows=[_row("stranger", 4, [0, 1, 2], 2)])
    with pytest.raises(UserError, match="no clip stranger"):
        world.run()
    empty = World(tmp_path / "e", [_row("a", 4, [], 2)], None, {"a": "cow"})
    with pytest.raises(UserError, match="no clip with sound"):
        empty.run()
