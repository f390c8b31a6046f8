"""Whether a picture of speech together with another sound shows both (paper 6.2, Fig. 21)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s2v.evaluate.faces import means, people_intervals, shuffles
from s2v.evaluate.interval import Interval
from s2v.models.face_reader import Seen

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """Speech and another sound, pair by pair.

    Attributes:
        people: who speaks.
        women: [N], the sex of who speaks.
        scenes: class of the other sound.
    """

    people: list[str]
    women: Flags
    scenes: list[str]


@dataclass(frozen=True)
class Told:
    """What is named in the pictures of one weight, as shares of the pairs.

    Attributes:
        weight: lambda, of the other sound; 0 is speech alone.
        face: a face is seen.
        sex: a face is seen, and its sex is the speaker's.
        scene: the scene is the other sound's.
        both: sex and scene.
        shuffled: the same of other people's sexes and other pairs' scenes.
        difference: of both.
        pairs: how many.
    """

    weight: float
    face: Interval
    sex: Interval
    scene: Interval
    both: Interval
    shuffled: Interval
    difference: Interval
    pairs: int


def both_named(seen: Seen, pairs: Pairs) -> Flags:
    """[N]: a face of the speaker's sex is seen before the sound's scene."""
    return _sex(seen, pairs.women) & _scene(seen, pairs.scenes)


def _sex(seen: Seen, women: Flags) -> Flags:
    return np.asarray(seen.face.numpy() & ((seen.person[:, 0] > 0).numpy() == women))


def _scene(seen: Seen, scenes: list[str]) -> Flags:
    return np.array([a == b for a, b in zip(seen.scene, scenes, strict=True)])


def measure(seen: Seen, pairs: Pairs, weight: float, bootstrap: int, seed: int) -> Told:
    """Shares with intervals over people; the control takes the words of other pairs, as often as `shuffles` has it."""
    sex, scene = _sex(seen, pairs.women), _scene(seen, pairs.scenes)
    other = np.mean(
        [
            _sex(seen, pairs.women[order]) & _scene(seen, [pairs.scenes[i] for i in order])
            for order in shuffles(pairs.people, seed)
        ],
        0,
    )

    def share(flags: Flags) -> Interval:
        return people_intervals(means(flags.astype(float), other), pairs.people, bootstrap, seed)[0]

    both, shuffled, difference = people_intervals(
        means((sex & scene).astype(float), other), pairs.people, bootstrap, seed
    )
    return Told(
        weight, share(seen.face.numpy()), share(sex), share(scene), both, shuffled, difference, len(pairs.people)
    )


__all__ = ["Pairs", "Told", "both_named", "measure"]
