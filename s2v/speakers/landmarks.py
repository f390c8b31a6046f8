"""A head's shape and pose from points on a picture of a face: those 468 that MediaPipe's face mesh finds.

Which vertex is which point was found once, by painting the mean head and asking MediaPipe (tools/make_landmarks.py).
Nothing here needs it.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from s2v.models.face_reader import LOOKS
from s2v.speakers.head import Floats, head
from s2v.speakers.person import GROUPS
from s2v.speakers.portrait import Pose, on_picture
from s2v.speakers.recipe import SHAPE, Clip, who

POINTS = 468
TRUST = 50.0
"""How much a point counts that is off by the picture's side, beside one spread of the prior: chosen on drawn people."""
SIDE = 1000


@cache
def _vertices() -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Vertex of each point, and whether one lies near enough."""
    told = json.loads((resources.files("s2v") / "shipped" / "landmarks.json").read_text())
    return np.array(told["vertices"]), np.array(told["used"], dtype=bool)


@cache
def _prior() -> tuple[Floats, Floats]:
    """Mean [K] of the embedded speakers' heads over `SHAPE`, and a root [K, K] of the inverse of their covariance."""
    people = [who(Clip("prior", group, number, 0, 0)) for group in GROUPS for number in range(40)]
    shapes = np.array([[one.shape[name] for name in SHAPE] for one in people])
    inverse = np.linalg.inv(np.cov(shapes.T) + 1e-4 * np.eye(len(SHAPE)))
    return shapes.mean(0), np.linalg.cholesky(inverse).T


def fit(points: Floats) -> Floats:
    """The head whose points lie nearest to those of a picture, and are likely among the embedded speakers.

    Args:
        points: [468, 2] in shares of the picture's width and height, from the left and from above.

    Returns:
        [K] as a `FaceReader` tells it, over `LOOKS` and `SHAPE`: pose and shape; not-a-number for the rest.
    """
    from scipy.optimize import least_squares

    mesh, (vertices, used) = head(), _vertices()
    order = [mesh.directions.index(name) for name in SHAPE]
    vertices, wanted = vertices[used], SIDE * points[used]
    base, opening = mesh.mean[vertices], mesh.offsets[mesh.directions.index("mouth-open"), vertices]
    offsets, (mean, root) = mesh.offsets[order][:, vertices], _prior()

    def placed(held: Floats, shape: Floats, open_by: float) -> Floats:
        moved = base + np.tensordot(shape, offsets, 1) + open_by * opening
        _, x, y = on_picture(moved, Pose(*held), SIDE)
        return np.stack([x, y], 1)

    def off(told: Floats) -> Floats:
        held, shape, open_by = told[:6], told[6:-1], told[-1]
        far = (placed(held, shape, open_by) - wanted).ravel() * TRUST / SIDE
        return np.concatenate([far, root @ (shape - mean), [2 * open_by], 2 * held[:3]])

    start = np.array([0.0, 0.0, 0.0, 0.5, 0.5, 1.0])
    first = placed(start, mean, 0.0)
    start[5] = np.ptp(wanted[:, 1]) / np.ptp(first[:, 1])
    start[3:5] += (wanted.mean(0) - placed(start, mean, 0.0).mean(0)) / SIDE
    found = least_squares(off, np.concatenate([start, mean, [0.0]]), max_nfev=60).x
    told = np.full(len(LOOKS) + len(SHAPE), np.nan)
    told[LOOKS.index("yaw") : len(LOOKS)] = found[:6]
    told[len(LOOKS) :] = found[6:-1]
    return told


__all__ = ["POINTS", "fit"]
