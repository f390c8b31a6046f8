"""Stage `heads`: Figure 20 of real people, whose truth nobody knows: heads are those that a program of
the user's finds, or are fitted to its points (heads.csv, heads.md)."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
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
from s2v.report.fig20 import HEAD_PX, YAWS, Views, draw, pixels
from s2v.report.tabular import bullets, page, to_markdown, write_csv
from s2v.speakers.landmarks import POINTS, fit
from s2v.speakers.mesh import canonical, face_mm, plain, shape_of

if TYPE_CHECKING:
    from s2v.config import HeadsConfig

FRAME_PX = 256
ROWS = 5
KINDS = ("original", "generated")
MOST_BYTES = 2**26
"""Of a mesh's file."""


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
    heads = found_by(config, shown)
    both = [
        (i, one, other)
        for i, (one, other) in enumerate(zip(*(heads[kind] for kind in KINDS), strict=True))
        if one is not None and other is not None
    ]
    if len(both) < 2:
        raise UserError(
            f"heads: heads.command finds faces on both pictures of {len(both)} of {len(names)} clips, and it takes two"
        )
    people = [part.video_id if (part := parse(names[i])) else names[i] for i, _, _ in both]
    own, other = torch.stack([one.vertices for _, one, _ in both]), torch.stack([one.vertices for *_, one in both])
    found = _distance(own, other, people, bootstrap, seed)
    seen = [sum(one is not None for one in heads[kind]) for kind in KINDS]
    write_csv(csv, COLUMNS, found)
    write_text(markdown, described(found, config, len(names), seen, len(set(people))))
    rows = both[:ROWS]
    originals, faces = (shown[kind][[i for i, _, _ in rows]] for kind in KINDS)
    views = [one.views(pixels(originals[n])) for n, (_, one, _) in enumerate(rows)]
    views_of_faces = [one.views(pixels(faces[n])) for n, (_, _, one) in enumerate(rows)]
    save(draw([f"clip {n + 1}" for n in range(len(rows))], originals, faces, views, views_of_faces), figure)


@dataclass(frozen=True)
class Found:
    """A head: its vertices [V, 3] in mm, and its views, given the picture [H, W, 3] whose colours it may have."""

    vertices: Tensor
    views: Callable[[NDArray[np.uint8]], Views]


def found_by(config: HeadsConfig, shown: dict[str, Tensor]) -> dict[str, list[Found | None]]:
    """Heads on pictures uint8 [N, 3, H, W] of some kinds, None where none is found.

    Raises:
        UserError: the command fails, or writes something else.
        MachineError: it does not end in time.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, output = Path(name) / "pictures", Path(name) / "found"
        folder.mkdir()
        for kind, images in shown.items():
            for i, image in enumerate(images):
                (folder / f"{kind}-{i:06d}.png").write_bytes(encode_png(pixels(image)))
        _execute(config, folder, output)
        one = _fitted(output) if config.gives == "points" else _read(output)
        return {
            kind: [one(f"{kind}-{i:06d}") for i in track(range(len(images)), description=f"heads, {kind}")]
            for kind, images in shown.items()
        }


def _execute(config: HeadsConfig, pictures: Path, output: Path) -> None:
    assert config.command is not None
    places = (("{pictures}", str(pictures)), ("{output}", str(output)))
    words = shlex.split(config.command)
    for place, path in places:
        words = [word.replace(place, path) for word in words]
    try:
        ended = subprocess.run(words, capture_output=True, text=True, timeout=config.timeout_s, check=False)
    except OSError as error:
        raise UserError(f"heads.command: {words[0]} cannot be run ({error}); see docs/faces.md") from error
    except subprocess.TimeoutExpired as error:
        raise MachineError(f"heads.command: not done within heads.timeout_s, {config.timeout_s:g} s") from error
    if ended.returncode or not output.exists():
        last = (ended.stderr.strip().splitlines() or ["it says nothing"])[-1][:300]
        raise UserError(f"heads.command: ends with {ended.returncode} and writes nothing: {last}")


def _fitted(output: Path) -> Callable[[str], Found | None]:
    """Heads that are fitted to the points of a JSON file of {picture: points}."""
    told = read_json(output)
    if not isinstance(told, dict):
        raise UserError("heads.command: writes no JSON object of {file name: points}")

    def one(name: str) -> Found | None:
        if (listed := told.get(f"{name}.png")) is None:
            return None
        try:
            points = np.array(listed, dtype=np.float64)
        except (TypeError, ValueError):
            points = np.empty(0)
        if points.shape != (POINTS, 2) or not np.isfinite(points).all():
            raise UserError(f"heads.command: {name}: give {POINTS} points [x, y] in shares of width and height")
        fitted = torch.from_numpy(fit(points))
        return Found(face_mm(shape_of(fitted[None]))[0], lambda picture: canonical(picture, fitted, HEAD_PX, YAWS))

    return one


def _read(output: Path) -> Callable[[str], Found | None]:
    """Meshes of a folder, all of one topology."""
    known: list[int] = []

    def one(name: str) -> Found | None:
        path = output / name / "mesh.obj"
        if not path.is_file():
            return None
        vertices, faces = read_obj(path)
        known.append(len(vertices))
        if known[-1] != known[0]:
            raise UserError(f"heads.command: {name}: has {known[-1]} vertices, and others have {known[0]}")
        return Found(torch.from_numpy(vertices), lambda _: plain(vertices, faces, HEAD_PX, YAWS))

    return one


def read_obj(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices [V, 3] and triangles [F, 3] of a Wavefront OBJ file.

    Raises:
        UserError: it is too large, or has something else.
    """
    if path.stat().st_size > MOST_BYTES:
        raise UserError(f"{path.parent.name}/{path.name}: has more than {MOST_BYTES} bytes")
    lines = [line.split() for line in path.read_text(errors="replace").splitlines()]
    try:
        vertices = np.array([line[1:4] for line in lines if line[:1] == ["v"]], dtype=np.float64)
        corners = [[part.partition("/")[0] for part in line[1:]] for line in lines if line[:1] == ["f"]]
        faces = np.array(corners, dtype=np.int64) - 1
    except ValueError:
        vertices, faces = np.empty((0, 3)), np.empty((0, 3), np.int64)
    fits = vertices.ndim == faces.ndim == 2 and vertices.shape[1] == faces.shape[1] == 3 and len(vertices) > 2
    if not (fits and np.isfinite(vertices).all() and faces.min() >= 0 and faces.max() < len(vertices)):
        raise UserError(f"heads.command: {path.parent.name}/{path.name}: is no mesh of triangles")
    return vertices, faces


def _distance(own: Tensor, other: Tensor, people: list[str], bootstrap: int, seed: int) -> list[Agreement]:
    """How far a generated face's head is from the original's, beside those of other videos."""
    if len(set(people)) < 2:
        raise UserError("heads: faces are found in one video alone, and it takes two to compare")

    def apart(order: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray((own[order] - other).norm(dim=2).mean(1).numpy())

    mine = apart(np.arange(len(people)))
    theirs = np.mean([apart(order) for order in shuffles(people, seed)], 0)
    about = f"distance in mm of both heads; {mine.mean() / max(theirs.mean(), 1e-9):.2f} of that to those of others"
    intervals = people_intervals(means(mine, theirs), people, bootstrap, seed)
    return [Agreement("mesh", about, *intervals, None, len(people))]


def described(found: list[Agreement], config: HeadsConfig, clips: int, seen: list[int], videos: int) -> str:
    """heads.md."""
    facts = [
        f"{clips} test clips; a face is found on {seen[0]} originals and {seen[1]} generated pictures of method "
        f"`{config.method}`; both of {found[0].clips}, from {videos} videos.",
        f"Heads: `{config.command}`"
        + (
            ", and MakeHuman's head fitted to its points; what that is worth on people who are drawn stands in "
            "docs/faces.md."
            if config.gives == "points"
            else ", as it gives them."
        ),
        "[95 % bootstrap interval over videos]. Of others: originals of other videos.",
        "The paper shows four examples, with meshes of MICA and textures of FFHQ-UV, and has no numbers.",
        WARNING,
    ]
    return page("# Heads of faces from voices", bullets(facts), to_markdown(COLUMNS, found))


__all__ = ["described", "found_by", "read_obj", "run"]
