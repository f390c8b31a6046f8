"""Moments that others have published take the place of our scores."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from shards import blinking_clip, clip_members, write_tar

from s2v.config import SelectConfig
from s2v.data.published import read_published, run
from s2v.errors import UserError
from s2v.files import read_parquet, write_parquet

IDS = ("-aAbBcCdD_1", "bbbbbbbbbbb", "ccccccccccc", "ddddddddddd")


def _select(folder: Path, moments: object, fps: int = 10, **values: object) -> tuple[list, dict]:
    members: dict[str, bytes] = {}
    rows = []
    for n, video in enumerate(IDS):
        split = "test" if n == 3 else "train"
        frames, wave, _ = blinking_clip(n)
        members |= clip_members(f"clip-{n}", frames, wave, split, fps)
        rows.append({"clip_id": f"clip-{n}", "start_s": 30.0 + n, "extra": json.dumps({"video_id": video})})
    schema = pa.schema([("clip_id", pa.string()), ("start_s", pa.float64()), ("extra", pa.string())])
    write_parquet(folder / "manifest.parquet", rows, schema)
    tar = write_tar(folder / "000.tar", members)
    (folder / "moments.json").write_text(json.dumps(moments))
    config = SelectConfig(mode="published", moments=str(folder / "moments.json"), **values)
    output, status = folder / "000.parquet", folder / "000.status.parquet"
    run(config=config, manifest=folder / "manifest.parquet", tar=tar, output=output, status=status)
    return read_parquet(output), {row["clip_id"]: row for row in read_parquet(status)}


def test_the_best_published_frame_is_chosen_and_clips_without_one_are_named(tmp_path: Path) -> None:
    moments = {f"{IDS[0]}_30000_40000": [4, 99, 1], f"{IDS[1]}_31000_41000": [50, 60], f"{IDS[2]}_99000_109000": [1]}
    rows, states = _select(tmp_path, moments)
    assert [(row["clip_id"], row["top"], row["chosen"]) for row in rows] == [("clip-0", [3, 0], 3), ("clip-3", [], 6)]
    reasons = {clip: (state["reason"], state["detail"]) for clip, state in states.items()}
    assert reasons["clip-0"] == reasons["clip-3"] == (None, None)
    assert reasons["clip-1"] == ("no_moment", "no published frame lies in the clip")
    assert reasons["clip-2"] == ("no_moment", "the published file has no such clip")


def test_the_file_may_be_a_list_of_boxes_and_moments(tmp_path: Path) -> None:
    boxes = {f"{IDS[0]}_30000_40000": [[0, 0, 9, 9]]}
    rows, _ = _select(tmp_path, [boxes, {f"{IDS[0]}_30000_40000": [4, 99, 1]}])
    assert rows[0]["top"] == [3, 0]


def test_frames_may_be_counted_from_0(tmp_path: Path) -> None:
    rows, _ = _select(tmp_path, {f"{IDS[0]}_30000_40000": [4, 0]}, moments_first=0)
    assert rows[0]["top"] == [4, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "no object"), ("{}", "no object"), ("{", "cannot be read as JSON"), ('{"a/../b_1_2": [1]}', "form"),
        ('{"aaaaaaaaaaa_1_2": [true]}', "frame numbers"), ('{"aaaaaaaaaaa_1_2": []}', "frame numbers"),
        ('{"aaaaaaaaaaa_1_2": [-1]}', "frame numbers"), ('{"aaaaaaaaaaa_1_2": "12"}', "frame numbers"),
        ("[" * 100000, "cannot be read as JSON"),
    ],
)  # fmt: skip
def test_a_file_of_another_form_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        read_published(tmp_path / "m.json")
    assert "\n" not in str(caught.value)


def test_another_frame_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="fps: 10"):
        _select(tmp_path, {f"{IDS[0]}_30000_40000": [4]}, fps=5)
