"""Stage `heads`: Figure 20 of real people, whose truth nobody knows: heads are fitted to points that a program of the
user's finds on their faces (heads.csv, heads.md)."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from s2v.data.ids import parse
from s2v.data.reader import read_images
from s2v.errors import MachineError, UserError
from s2v.evaluate.faces import Agreement, means, people_intervals, shuffles
from s2v.evaluate.pictures import read_pictures
from s2v.files import read_json, write_text
from s2v.media.picture import encode_png
from s2v.progress import track
from s2v.report.canvas import save
from s2v.report.faces import COLUMNS, WARNING
from s2v.report.fig20 import draw
from s2v.report.tabular import bullets, page, to_markdown, write_csv
from s2v.speakers.landmarks import POINTS, fit
from s2v.speakers.mesh import distance_mm, shape_of

if TYPE_CHECKING:
    from s2v.config import HeadsConfig

FRAME_PX = 256
ROWS = 5
KINDS = ("original", "generated")


def run(
    *,
    config: HeadsConfig,
    pictures: Path,
    packs: list[Path],
    bootstrap: int,
    seed: int,
    csv: Path,
    markdown: Path,
    figure: Path,
) -> None:
    """Fit, measure, draw.

    Args:
        config: its slice.
        pictures: tar of stage generate.
        packs: packed test clips.
        bootstrap: resamples, of videos.
        seed: of resampling and shuffling.
        csv: the table.
        markdown: the same for people.
        figure: Figure 20.

    Raises:
        UserError: pictures and clips do not belong together, the command fails, or it finds too few faces.
    """
    painted, records = read_pictures(pictures)
    clips = [str(record["clip_id"]) for record in records]
    frames, keys, _ = read_images(packs, FRAME_PX)
    at = {key: i for i, key in enumerate(keys)}
    if not set(clips) <= set(at):
        raise UserError(f"heads: {pictures} has clips that the packs lack; run stage generate again")
    order = sorted(range(len(clips)), key=lambda i: hashlib.sha1(clips[i].encode()).hexdigest())[: config.clips]
    names = [clips[i] for i in order]
    shown = {"original": frames[[at[name] for name in names]], "generated": painted[order]}
    points = find_points(config, shown)
    both = [i for i in range(len(names)) if all(points[kind][i] is not None for kind in KINDS)]
    if len(both) < 2:
        raise UserError(
            f"heads: heads.command finds faces on both pictures of {len(both)} of {len(names)} clips, and it takes two"
        )
    told = {
        kind: torch.from_numpy(np.stack([fit(points[kind][i]) for i in track(both, description=f"heads, {kind}")]))
        for kind in KINDS
    }
    people = [part.video_id if (part := parse(names[i])) else names[i] for i in both]
    found = _distance(told, people, bootstrap, seed)
    seen = [sum(one is not None for one in points[kind]) for kind in KINDS]
    write_csv(csv, COLUMNS, found)
    write_text(markdown, described(found, config, len(names), seen, len(set(people))))
    rows = list(range(min(ROWS, len(both))))
    save(
        draw(
            [f"clip {i + 1}" for i in rows],
            shown["original"][both][rows], shown["generated"][both][rows],
            told["original"][rows], told["generated"][rows],
        ),
        figure,
    )  # fmt: skip


def find_points(config: HeadsConfig, shown: dict[str, Tensor]) -> dict[str, list[Any]]:
    """Points [468, 2] on pictures uint8 [N, 3, H, W] of some kinds, None where no face is found.

    Raises:
        UserError: the command fails, or writes something else.
        MachineError: it does not end in time.
    """
    assert config.command is not None
    with tempfile.TemporaryDirectory() as name:
        folder, output = Path(name) / "pictures", Path(name) / "points.json"
        folder.mkdir()
        for kind, images in shown.items():
            for i, image in enumerate(images):
                (folder / f"{kind}-{i:06d}.png").write_bytes(encode_png(image.permute(1, 2, 0).numpy()))
        places = {"{pictures}": str(folder), "{output}": str(output)}
        words = [places.get(word, word) for word in shlex.split(config.command)]
        try:
            ended = subprocess.run(words, capture_output=True, text=True, timeout=config.timeout_s, check=False)
        except OSError as error:
            raise UserError(f"heads.command: {words[0]} cannot be run ({error}); see docs/faces.md") from error
        except subprocess.TimeoutExpired as error:
            raise MachineError(f"heads.command: not done within heads.timeout_s, {config.timeout_s:g} s") from error
        if ended.returncode or not output.is_file():
            last = (ended.stderr.strip().splitlines() or ["it says nothing"])[-1][:300]
            raise UserError(f"heads.command: ends with {ended.returncode} and without points: {last}")
        told = read_json(output)
    if not isinstance(told, dict):
        raise UserError("heads.command: writes no JSON object of {file name: points}")
    return {
        kind: [_points(told.get(f"{kind}-{i:06d}.png"), f"{kind}-{i:06d}.png") for i in range(len(images))]
        for kind, images in shown.items()
    }


def _points(told: Any, name: str) -> Any:
    if told is None:
        return None
    try:
        points = np.array(told, dtype=np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.shape != (POINTS, 2) or not np.isfinite(points).all():
        raise UserError(f"heads.command: {name}: give {POINTS} points [x, y] in shares of width and height")
    return points


def _distance(told: dict[str, Tensor], people: list[str], bootstrap: int, seed: int) -> list[Agreement]:
    """How far a generated face's head is from the original's, beside those of other videos."""
    if len(set(people)) < 2:
        raise UserError("heads: faces are found in one video alone, and it takes two to compare")
    own, other = (shape_of(told[kind]) for kind in KINDS)
    mine = distance_mm(own, other).numpy()
    theirs = np.mean([distance_mm(own[at], other).numpy() for at in shuffles(people, seed)], 0)
    about = f"distance in mm of both heads; {mine.mean() / max(theirs.mean(), 1e-9):.2f} of that to those of others"
    intervals = people_intervals(means(mine, theirs), people, bootstrap, seed)
    return [Agreement("mesh", about, *intervals, None, len(people))]


def described(found: list[Agreement], config: HeadsConfig, clips: int, seen: list[int], videos: int) -> str:
    """heads.md."""
    facts = [
        f"{clips} test clips; a face is found on {seen[0]} originals and {seen[1]} generated pictures of method "
        f"`{config.method}`; both of {found[0].clips}, from {videos} videos.",
        f"Points of faces: `{config.command}`. Heads: MakeHuman's, fitted to them; what they are worth on people who "
        "are drawn stands in docs/faces.md.",
        "[95 % bootstrap interval over videos]. Of others: originals of other videos.",
        "The paper shows four examples, with meshes of MICA and textures of FFHQ-UV, and has no numbers.",
        WARNING,
    ]
    return page("# Heads of faces from voices", bullets(facts), to_markdown(COLUMNS, found))


__all__ = ["described", "find_points", "run"]
