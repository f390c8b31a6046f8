"""Fig. 4: which clips it shows, and that it is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image
from tiny_run import CLASSES, pack

from s2v.config import AudioConfig
from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.evaluate.pictures import write_pictures
from s2v.report.fig04 import draw, run
from s2v.report.panels import plan

AUDIO = AudioConfig(window_s=1.0)


def _pictures(folder: Path, shard: Path, seeds: int) -> list[Path]:
    images, keys, labels = read_images([shard], 32)
    records = [{"clip_id": key, "label": label} for key, label in zip(keys, labels, strict=True)]
    paths = [folder / f"{seed}.tar" for seed in range(seeds)]
    for seed, path in enumerate(paths):
        write_pictures(path, (images.int() + 20 * seed).clamp(0, 255).to(torch.uint8), records)
    return paths


def test_a_row_is_a_class_and_its_pictures_come_from_different_sounds() -> None:
    labels: dict[str, str | None] = {f"c{i}": name for i, name in enumerate(["dog", "owl"] * 6)}
    strips = plan(labels, seeds=3, examples=5)
    assert [strip.name for strip in strips] == ["dog", "owl"]
    for strip in strips:
        clips = [clip for clip, _ in strip.pictures]
        assert len(set(clips)) == 5 and clips[0] == strip.sound
        assert {seed for _, seed in strip.pictures} == {0, 1, 2}
        assert all(labels[clip] == strip.name for clip in clips)
    assert plan(dict(reversed(labels.items())), 3, 5) == strips, "the choice does not depend on order"


def test_few_sounds_are_shown_under_several_seeds() -> None:
    (strip,) = plan({"a": "dog", "b": "dog"}, seeds=3, examples=5)
    assert len(strip.pictures) == len(set(strip.pictures)) == 5


def test_without_labels_a_row_is_a_clip() -> None:
    strips = plan({f"c{i}": None for i in range(60)}, seeds=3, examples=5)
    assert len(strips) == 50 and all(len(strip.pictures) == 3 for strip in strips)
    assert strips[0].pictures == [(strips[0].sound, s) for s in range(3)]


@pytest.mark.parametrize("labelled", [True, False])
def test_it_is_drawn_and_the_same_every_time(tmp_path: Path, labelled: bool) -> None:
    shard = pack(tmp_path / "test.tar", 4, labelled=labelled)
    pictures = _pictures(tmp_path, shard, 3)
    written = []
    for name in ("a.png", "b.png"):
        run(pictures=pictures, packs=[shard], audio=AUDIO, output=tmp_path / name, dpi=60)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    image = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    assert image.shape[0] > 100 and image.shape[1] > 200
    if labelled:
        # Each class's colour covers a part of the figure: the pictures are in it.
        for colour in CLASSES.values():
            near = np.abs(image.astype(int) - colour).sum(-1) < 60
            assert near.mean() > 0.01


def test_pictures_and_sounds_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    shard, other = pack(tmp_path / "test.tar", 2), pack(tmp_path / "other.tar", 2)
    pictures = _pictures(tmp_path, shard, 1)
    with pytest.raises(UserError, match="lack the sound"):
        run(pictures=pictures, packs=[other], audio=AUDIO, output=tmp_path / "f.png")
    more = _pictures(tmp_path / "more", other, 1)
    with pytest.raises(UserError, match="same clips"):
        run(pictures=[*pictures, *more], packs=[shard], audio=AUDIO, output=tmp_path / "f.png")


@pytest.mark.parametrize("columns", [2, 3, 6])
def test_the_header_is_whole_over_any_number_of_pictures(columns: int) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    header = "pictures from this and other sounds of its class, each with its own noise"
    figure = draw([("dog", np.zeros((9, 9), np.float32), [picture] * columns)], 2.0, header)
    (title,) = figure.findobj(lambda one: isinstance(one, Text) and one.get_text().startswith("pictures"))
    assert isinstance(title, Text) and title.get_text().split() == header.split()
    canvas = FigureCanvasAgg(figure)
    extent = title.get_window_extent(canvas.get_renderer())
    assert extent.x0 >= 0 and extent.x1 <= figure.bbox.width and extent.y1 <= figure.bbox.height
