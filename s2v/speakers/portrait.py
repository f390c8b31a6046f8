"""A head painted: its faces lit and drawn from the farthest to the nearest."""

from __future__ import annotations

from dataclasses import dataclass

import aggdraw
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from s2v.speakers.head import Floats, Head, normals
from s2v.world.canvas import Color, mix

CENTRE = np.array([0.0, 7.25, 0.35])
"""About which a head turns, in dm."""
SPAN = 3.6
"""What of the head's plane a picture shows from side to side, in dm."""
FAR = 12.0
"""Of the camera, in dm."""
HAIRLINE = ((1.6, 8.12), (1.25, 8.02), (0.9, 7.72), (0.55, 7.42), (0.2, 7.4), (-0.05, 6.95), (-0.3, 6.6), (-0.9, 6.35))
"""(z, y) in dm: where the hair begins, from the forehead round to the nape."""
LIGHT = np.array([-0.45, 0.55, 0.75]) / np.linalg.norm([-0.45, 0.55, 0.75])


@dataclass(frozen=True)
class Look:
    """What a head wears, and what colours it has.

    Attributes:
        skin: 0 fair to 1 dark.
        hair: colour.
        style: bald, short, medium, long.
        eyes: colour of the iris.
        lips: how red, 0 to 1.
        brows: how wide, in dm.
        beard: 0 to 1.
        clothes: colour.
        back: colours of the place behind, top and bottom.
    """

    skin: float
    hair: Color
    style: str
    eyes: Color
    lips: float
    brows: float
    beard: float
    clothes: Color
    back: tuple[Color, Color]


@dataclass(frozen=True)
class Pose:
    """How a head is held and seen: turns in radians, a place and a size, and the light.

    Attributes:
        yaw: to its left.
        pitch: down.
        roll: to the side.
        x: of the head's middle, a share of the picture.
        y: the same, down.
        size: of the head; 1 fills most of the picture.
        gain: of the light.
        warmth: of the light, -1 blue to 1 yellow.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.5
    y: float = 0.5
    size: float = 1.0
    gain: float = 1.0
    warmth: float = 0.0


SKIN = ((0.97, 0.84, 0.76), (0.87, 0.68, 0.55), (0.66, 0.46, 0.33), (0.36, 0.23, 0.16))


def skin_colour(share: float) -> Color:
    """From fair to dark."""
    at = min(max(share, 0.0), 1.0) * (len(SKIN) - 1)
    low = min(int(at), len(SKIN) - 2)
    return mix(SKIN[low], SKIN[low + 1], at - low)


def paint(
    head: Head, vertices: Floats, look: Look, pose: Pose, px: int, closed: bool = False,
    back: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:  # fmt: skip
    """A picture uint8 [px, px, 3] of a head, at twice the size and then halved; `closed` is the mouth. `back`
    [2 px, 2 px, 3] is what is behind, in the place of the look's own."""
    size = 2 * px
    seen = (vertices - CENTRE) @ turn(pose).T
    flat, smooth = normals(seen, head.faces)
    image = Image.fromarray(_bare(look, size) if back is None else back)
    draw = aggdraw.Draw(image)
    draw.setantialias(False)
    scalp = _is_hair(head)
    _hair_behind(draw, head, seen, scalp, look, pose, size)
    _shoulders(draw, look, pose, size)
    colours = _colours(head, vertices, look)
    hair = scalp & (look.style != "bald")
    thick = {"bald": 0.0, "short": 0.1, "medium": 0.2, "long": 0.16}[look.style]
    rise = np.clip((head.mean[:, 1] - _hairline(head.mean[:, 2])) / 0.35, 0, 1) * _no_ear(head.mean)
    lifted = seen + (thick * rise)[:, None] * smooth
    own = np.where(hair[:, None, None], lifted[head.faces], seen[head.faces])
    facing = np.where(hair, np.maximum(flat[:, 2], 0.02), flat[:, 2])
    lit = _lit(colours, flat, smooth[head.faces].mean(1), head, look, hair, pose)
    centre = own.mean(1)
    # Teeth, and behind closed lips all of the mouth, lie so close to them that single faces would come through.
    visible = (facing > 0) & ~(closed & (head.part >= 3))
    order = np.argsort(centre[:, 2])
    x, y = _projected(own, pose, size)
    fill_faces(draw, x, y, lit, order[visible[order]])
    _collar(draw, look, pose, size)
    draw.flush()
    return np.asarray(image.resize((px, px), Image.Resampling.BOX))


def fill_faces(draw: aggdraw.Draw, x: Floats, y: Floats, colours: NDArray[np.uint8], order: NDArray[np.int64]) -> None:
    """Draw some of the faces in an order: corners at `x` and `y` [F, 4] in pixels, `colours` [F, 3]."""
    # All numbers become Python's at once: of thousands of faces, one by one they take longer than the drawing.
    outlines = np.stack([x[order], y[order]], -1).reshape(len(order), -1).tolist()
    for outline, (red, green, blue) in zip(outlines, colours[order].tolist(), strict=True):
        rgb = (red, green, blue)
        draw.polygon(outline, aggdraw.Pen(rgb, 1.0), aggdraw.Brush(rgb))


def _bare(look: Look, size: int) -> NDArray[np.uint8]:
    top, bottom = (np.array(colour) for colour in look.back)
    share = np.linspace(0, 1, size)[:, None, None]
    back = np.broadcast_to((1 - share) * top + share * bottom, (size, size, 3))
    return (255 * np.clip(back, 0, 1)).astype(np.uint8)


def on_picture(vertices: Floats, pose: Pose, size: int) -> tuple[Floats, Floats, Floats]:
    """Vertices [V, 3] as they are held, and where [V] each lies on a picture of `size`: from the left, and down."""
    seen = (vertices - CENTRE) @ turn(pose).T
    return seen, *_projected(seen, pose, size)


def _projected(seen: Floats, pose: Pose, size: int) -> tuple[Floats, Floats]:
    scale = size * pose.size / SPAN
    corner = FAR / (FAR - seen[..., 2])
    return size * pose.x + scale * seen[..., 0] * corner, size * pose.y - scale * seen[..., 1] * corner


def turn(pose: Pose) -> Floats:
    """The rotation [3, 3] of a head."""
    a, b, c = pose.yaw, pose.pitch, pose.roll
    yaw = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    roll = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(roll @ pitch @ yaw)


def _hairline(z: Floats) -> Floats:
    points = sorted(HAIRLINE)
    return np.interp(z, [one[0] for one in points], [one[1] for one in points])


def _no_ear(vertices: Floats) -> Floats:
    """0 at the ears, which stand out of the hair."""
    ear = (np.abs(vertices[:, 0]) > 0.72) & (vertices[:, 1] > 6.85) & (vertices[:, 1] < 7.55) & (vertices[:, 2] < 0.6)
    return np.where(ear, 0.0, 1.0)


def _is_hair(head: Head) -> NDArray[np.bool_]:
    above = (head.mean[:, 1] > _hairline(head.mean[:, 2])) & (_no_ear(head.mean) > 0)
    return np.asarray(above[head.faces].all(1) & (head.part == 0))


def _colours(head: Head, vertices: Floats, look: Look) -> Floats:
    """Of faces [F, 3], before the light."""
    skin = np.array(skin_colour(look.skin))
    lip = np.array(mix(tuple(skin * np.array([0.86, 0.62, 0.6])), (0.72, 0.22, 0.24), 0.55 * look.lips))
    of_vertex = np.broadcast_to(skin, (len(vertices), 3)).copy()
    x, y, z = np.abs(head.mean[:, 0]), head.mean[:, 1], head.mean[:, 2]
    red = np.exp(-(((x - 0.42) / 0.25) ** 2) - (((y - 6.98) / 0.22) ** 2)) * (z > 0.8)
    of_vertex *= 1 - 0.10 * red[:, None] * np.array([0, 1, 1])
    beard = look.beard * np.clip((6.86 - y) / 0.15, 0, 1) * (z > 0.5) * (y > 6.05) * (head.lips < 0.2)
    of_vertex += beard[:, None] * 0.75 * (np.array(look.hair) - of_vertex)
    lips = np.clip((head.lips - 0.25) / 0.3, 0, 1)[:, None]
    of_vertex = (1 - lips) * of_vertex + lips * lip
    arc = 7.5 + 0.07 * (1 - ((x - 0.36) / 0.26) ** 2)
    brow = np.clip(1.6 - np.abs(y - arc) / look.brows, 0, 1) * (x > 0.13) * (x < 0.62) * (z > 0.9)
    colour = np.array(mix(look.hair, (0.1, 0.07, 0.05), 0.35))
    of_vertex += (0.85 * brow)[:, None] * (colour - of_vertex)
    found = of_vertex[head.faces].mean(1)
    found[head.part == 3] = (0.8, 0.77, 0.71)
    found[head.part == 4] = (0.22, 0.06, 0.07)
    for part in (1, 2):
        own = np.flatnonzero(head.part == part)
        centres = vertices[head.faces[own]].mean(1)
        middle = centres.mean(0)
        front = centres - middle
        angle = np.arccos(np.clip(front[:, 2] / np.maximum(np.linalg.norm(front, axis=1), 1e-9), -1, 1))
        found[own] = (0.95, 0.95, 0.94)
        found[own[angle < 0.62]] = look.eyes
        found[own[angle < 0.3]] = (0.05, 0.05, 0.06)
    return found


def _lit(
    colours: Floats, flat: Floats, smooth: Floats, head: Head, look: Look, hair: NDArray[np.bool_], pose: Pose
) -> NDArray[np.uint8]:
    colours = np.where(hair[:, None], np.array(look.hair), colours)
    normal = np.where((head.part == 0)[:, None], 0.75 * smooth + 0.25 * flat, flat)
    direct = np.clip(normal @ LIGHT, 0, 1)
    light = 0.4 + 0.56 * direct
    shine = np.clip(normal @ _half(), 0, 1) ** 18 * np.where(
        hair, 0.12, np.where(head.part == 0, 0.10, np.where(head.part == 4, 0.0, 0.3))
    )
    tint = np.array([1 + 0.04 * pose.warmth, 1.0, 1 - 0.05 * pose.warmth])
    found = pose.gain * tint * (colours * light[:, None] + shine[:, None])
    return (255 * np.clip(found, 0, 1)).astype(np.uint8)


def _half() -> Floats:
    half = LIGHT + np.array([0, 0, 1.0])
    return np.asarray(half / np.linalg.norm(half))


def _at(point: tuple[float, float], pose: Pose, size: int) -> tuple[float, float]:
    scale = size * pose.size / SPAN
    return size * pose.x + scale * point[0], size * pose.y - scale * point[1]


def _fill(draw: aggdraw.Draw, points: list[tuple[float, float]], colour: Color) -> None:
    rgb = tuple(round(255 * min(1.0, max(0.0, one))) for one in colour)
    draw.polygon([one for point in points for one in point], aggdraw.Brush(rgb))


def _shoulders(draw: aggdraw.Draw, look: Look, pose: Pose, size: int) -> None:
    half = [(0.5, -1.2), (0.62, -1.42), (1.1, -1.6), (1.75, -1.85), (2.1, -2.3), (2.2, -3.6)]
    outline = [(-x, y) for x, y in half[::-1]] + half
    _fill(draw, [_at((x, y), pose, size) for x, y in outline], mix(look.clothes, (0, 0, 0), 0.1))


def _collar(draw: aggdraw.Draw, look: Look, pose: Pose, size: int) -> None:
    """In front of the mesh's lower edge, which is no smooth line."""
    half = [(0.0, -1.42), (0.34, -1.32), (0.62, -1.08), (0.84, -1.0), (0.94, -1.25), (1.1, -1.6), (1.1, -3.6)]
    _fill(draw, [_at((x, y), pose, size) for x, y in [(-x, y) for x, y in half[:0:-1]] + half], look.clothes)


def _hair_behind(
    draw: aggdraw.Draw, head: Head, seen: Floats, scalp: NDArray[np.bool_], look: Look, pose: Pose, size: int
) -> None:
    """What of long hair hangs down behind: as wide as the scalp above, and below as wide as its lower part."""
    if look.style not in ("long", "medium"):
        return
    hair = np.unique(head.faces[scalp])
    nape = hair[head.mean[hair, 1] < 7.45]
    (wide_low, wide_high), (low, high) = ((seen[i, 0].min(), seen[i, 0].max()) for i in (hair, nape))
    bottom = -2.0 if look.style == "long" else -0.9
    left = [(wide_low * 0.6, 1.0), (wide_low - 0.05, 0.6), (low - 0.15, 0.0), (low - 0.2, 0.5 * bottom)]
    right = [(wide_high * 0.6, 1.0), (wide_high + 0.05, 0.6), (high + 0.15, 0.0), (high + 0.2, 0.5 * bottom)]
    under = [(low - 0.1, 0.92 * bottom), (0.6 * low + 0.4 * high, bottom), (0.4 * low + 0.6 * high, bottom)]
    outline = [*left, *under, (high + 0.1, 0.92 * bottom), *right[::-1]]
    _fill(draw, [_at(point, pose, size) for point in outline], mix(look.hair, (0, 0, 0), 0.3))


__all__ = ["CENTRE", "LIGHT", "Look", "Pose", "fill_faces", "on_picture", "paint", "skin_colour", "turn"]
