"""A head's shape: a mesh, and directions in which it changes (MakeHuman's, CC0; tools/make_heads.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

Floats = NDArray[np.float64]
DOES = ("mouth-open", "smile", "eyes-closed")
"""Directions that are no shape of a head but what its face does."""


@dataclass(frozen=True)
class Head:
    """The mesh.

    Attributes:
        mean: vertices [V, 3] in dm: x to the head's left, y up, z to its front.
        faces: quads [F, 4] of vertices.
        part: [F] 0 skin, 1 left eye, 2 right eye, 3 teeth, 4 inside of the mouth.
        offsets: [K, V, 3] of the directions.
        directions: their names.
        lips: [V] 0 to 1, how much a vertex is of the lips.
    """

    mean: Floats
    faces: NDArray[np.int64]
    part: NDArray[np.int8]
    offsets: Floats
    directions: tuple[str, ...]
    lips: Floats

    @property
    def shapes(self) -> tuple[str, ...]:
        """Directions of a head's shape."""
        return tuple(name for name in self.directions if name not in DOES)

    def vertices(self, coefficients: Mapping[str, float]) -> Floats:
        """The vertices [V, 3] of a head, from how far it goes in some directions; the mean has none."""
        places = {name: i for i, name in enumerate(self.directions)}
        moved = self.mean.copy()
        for name, value in coefficients.items():
            moved += value * self.offsets[places[name]]
        return moved

    def many(self, coefficients: Floats) -> Floats:
        """Vertices [N, V, 3] of heads given as [N, K] over `shapes`."""
        places = [self.directions.index(name) for name in self.shapes]
        return np.asarray(self.mean + np.einsum("nk,kvc->nvc", coefficients, self.offsets[places]))


@cache
def head() -> Head:
    """The one that is shipped."""
    file = resources.files("s2v") / "shipped" / "heads.safetensors"
    data = file.read_bytes()
    tensors = load(data)
    about = _metadata(data)
    offsets = tensors["offsets"].astype(np.float64) * tensors["scale"][:, None, None]
    return Head(
        tensors["mean"].astype(np.float64),
        tensors["faces"].astype(np.int64),
        tensors["part"],
        offsets,
        tuple(about["directions"].split()),
        tensors["lips"] / 255.0,
    )


def _metadata(data: bytes) -> dict[str, Any]:
    import json

    length = int.from_bytes(data[:8], "little")
    found: dict[str, Any] = json.loads(data[8 : 8 + length])["__metadata__"]
    return found


def normals(vertices: Floats, faces: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Unit normals of faces [F, 3] and of vertices [V, 3]."""
    a, b = vertices[faces[:, 2]] - vertices[faces[:, 0]], vertices[faces[:, 3]] - vertices[faces[:, 1]]
    of_face = np.cross(a, b)
    of_vertex = np.zeros_like(vertices)
    for corner in range(4):
        np.add.at(of_vertex, faces[:, corner], of_face)
    return _unit(of_face), _unit(of_vertex)


def _unit(x: Floats) -> Floats:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12))


__all__ = ["DOES", "Floats", "Head", "head", "normals"]
