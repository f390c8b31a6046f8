"""Heads as meshes: how far two are apart, and one with the colours of a picture, seen from where one likes."""

from __future__ import annotations

import aggdraw
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from s2v.models.face_reader import LOOKS
from s2v.speakers.head import Floats, head, normals
from s2v.speakers.portrait import CENTRE, LIGHT, Pose, fill_faces, on_picture
from s2v.speakers.recipe import SHAPE

FACE_FROM_DM = 6.3
"""Height above which a vertex is of the face and not of the neck."""
GREY = 0.72
TALL_DM = 3.0
"""Of a head that comes from elsewhere, as it is drawn."""


def shape_of(told: Tensor) -> Floats:
    """Coefficients [N, K] over `recipe.SHAPE`, of what was read of faces."""
    return told[:, len(LOOKS) :].double().numpy()


def vertices_of(coefficients: Floats) -> Floats:
    """Vertices [N, V, 3] of heads given over `recipe.SHAPE`, in dm."""
    mesh = head()
    order = [SHAPE.index(name) for name in mesh.shapes]
    return mesh.many(coefficients[:, order])


def face_mm(coefficients: Floats) -> Tensor:
    """Vertices [N, V', 3] of faces in mm, of heads given as coefficients [N, K]."""
    face = head().mean[:, 1] > FACE_FROM_DM
    return torch.from_numpy(100 * vertices_of(coefficients)[:, face])


def distance_mm(one: Floats, other: Floats) -> Tensor:
    """Mean distance of the vertices of faces, [N], of heads given as coefficients [N, K]."""
    return (face_mm(one) - face_mm(other)).norm(dim=2).mean(1)


def canonical(picture: NDArray[np.uint8], told: Tensor, px: int, yaws: tuple[float, ...]) -> list[NDArray[np.uint8]]:
    """The head of a face, seen from several sides, with the colours that its picture has there.

    Args:
        picture: [H, W, 3].
        told: what was read of it [K]; its pose says where on the picture a vertex lies.
        px: side of the results.
        yaws: from which sides, in radians.

    Returns:
        Pictures [px, px, 3] on white. What the picture does not show has the median colour of the skin that is seen.
    """
    mesh = head()
    vertices = vertices_of(shape_of(told[None]))[0]
    held = Pose(*(float(one) for one in told[4:10]))
    colours = _colours(picture, vertices, held)
    return [_draw(vertices, colours, Pose(yaw=yaw), px, mesh.faces) for yaw in yaws]


def plain(vertices: Floats, faces: NDArray[np.int64], px: int, yaws: tuple[float, ...]) -> list[NDArray[np.uint8]]:
    """Any head [V, 3] of triangles [F, 3], y up and z to its front, in grey: pictures [px, px, 3] on white."""
    low, high = vertices.min(0), vertices.max(0)
    moved = TALL_DM * (vertices - (low + high) / 2) / (high - low).max() + CENTRE
    corners = np.concatenate([faces, faces[:, 2:]], 1)
    return [_draw(moved, np.full((len(faces), 3), GREY), Pose(yaw=yaw), px, corners) for yaw in yaws]


def _colours(picture: NDArray[np.uint8], vertices: Floats, held: Pose) -> Floats:
    """Of faces [F, 3] in 0 to 1: read where they are seen, the skin's elsewhere."""
    mesh, size = head(), picture.shape[0]
    seen, x, y = on_picture(vertices, held, size)
    flat, _ = normals(seen, mesh.faces)
    middle = np.stack([x[mesh.faces].mean(1), y[mesh.faces].mean(1)], 1)
    at = np.clip(np.floor(middle), 0, size - 1).astype(int)
    inside = ((middle >= 0) & (middle < size)).all(1)
    shown = inside & (flat[:, 2] > 0.15)
    found = picture[at[:, 1], at[:, 0]].astype(np.float64) / 255
    skin = np.median(found[shown & (mesh.part == 0)], 0) if (shown & (mesh.part == 0)).any() else np.full(3, GREY)
    found[~shown] = skin
    return np.asarray(found)


def _draw(vertices: Floats, colours: Floats, pose: Pose, px: int, faces: NDArray[np.int64]) -> NDArray[np.uint8]:
    size = 2 * px
    seen, x, y = on_picture(vertices, pose, size)
    flat, smooth = normals(seen, faces)
    light = 0.72 + 0.32 * np.clip(smooth[faces].mean(1) @ LIGHT, 0, 1)
    lit = (255 * np.clip(colours * light[:, None], 0, 1)).astype(np.uint8)
    image = Image.new("RGB", (size, size), (255, 255, 255))
    draw = aggdraw.Draw(image)
    draw.setantialias(False)
    order = np.argsort(seen[faces].mean(1)[:, 2])
    fill_faces(draw, x[faces], y[faces], lit, order[flat[order, 2] > 0])
    draw.flush()
    return np.asarray(image.resize((px, px), Image.Resampling.BOX))


__all__ = ["canonical", "distance_mm", "face_mm", "plain", "shape_of", "vertices_of"]
