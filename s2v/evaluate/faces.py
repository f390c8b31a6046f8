"""What a face that was painted from a voice has in common with its speaker, against those of other speakers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from s2v.evaluate.interval import LEVEL, Interval
from s2v.models.face_reader import LOOKS, FaceReader, as_numbers, similarity
from s2v.speakers.film import portrait
from s2v.speakers.mesh import distance_mm, shape_of
from s2v.speakers.person import GROUPS, Person
from s2v.speakers.recipe import SHAPE, Clip, pose, who

if TYPE_CHECKING:
    from s2v.config import SpeakersConfig

Numbers = NDArray[np.float64]
GALLERY = 50
"""Faces among which a speaker's is looked for."""
SHUFFLES = 20
FREE_SHAPES = ("african", "asian")


@dataclass(frozen=True)
class Agreement:
    """One quantity.

    Attributes:
        name: of it, in the CSV and among the claims.
        about: what it is, with its unit.
        own: of faces and their own speakers; of `vintage`, of pictures of the sounds as they are.
        shuffled: of faces and other speakers; of `vintage`, of pictures of the same sounds through an old record.
        difference: of both.
        real: of the clips' own frames in the place of painted faces; None where that says nothing.
        clips: of how many clips it is.
    """

    name: str
    about: str
    own: Interval
    shuffled: Interval
    difference: Interval
    real: float | None
    clips: int


def balanced_accuracy(told: Numbers, truth: Numbers) -> float:
    """Mean over both sexes of the share that is told right."""
    return float(np.mean([((told > 0) == (truth > 0))[truth * side > 0].mean() for side in (-1, 1)]))


def rank_correlation(told: Numbers, truth: Numbers) -> float:
    """Spearman's; 0 where one of both is the same for all."""
    a, b = rankdata(told), rankdata(truth)
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread else 0.0


def attributes(
    told: Sequence[Numbers], real: Numbers, truth: Numbers, people: list[str], bootstrap: int, seed: int
) -> list[Agreement]:
    """Sex and age, which a voice carries, and skin, hair and the two axes, which none does.

    Args:
        told: what a reader tells of painted faces, [N, K] for each generation seed.
        real: the same of the clips' frames [N, K].
        truth: the same of the speakers [N, K].
        people: who speaks in each clip.
        bootstrap: resamples, of people.
        seed: of resampling and shuffling.
    """
    columns = {name: i for i, name in enumerate(LOOKS)} | {name: len(LOOKS) + SHAPE.index(name) for name in FREE_SHAPES}
    # Old hair is grey, and age is heard: among those below 36 years it is free.
    young = truth[:, columns["age"]] < 36
    everyone = np.ones(len(truth), dtype=bool)
    wanted: list[tuple[str, str, Callable[[Numbers, Numbers], float], NDArray[np.bool_]]] = [
        ("sex", "balanced accuracy of the sex", balanced_accuracy, everyone),
        ("age", "rank correlation of the age", rank_correlation, everyone),
        ("skin", "rank correlation of the skin", rank_correlation, everyone),
        ("hair", "rank correlation of the hair, under 36 years", rank_correlation, young),
        *((f, f"rank correlation of the axis `{f}`", rank_correlation, everyone) for f in FREE_SHAPES),
    ]
    found = []
    for name, about, statistic, among in wanted:
        at = columns[name]
        kept = np.flatnonzero(among)
        measure = partial(_agreement, statistic, truth[kept, at], [people[i] for i in kept], bootstrap, seed)
        intervals = measure([one[kept, at] for one in told])
        found.append(Agreement(name, about, *intervals, statistic(real[kept, at], truth[kept, at]), len(kept)))
    return found


def _agreement(
    statistic: Callable[[Numbers, Numbers], float], truth: Numbers, people: list[str], bootstrap: int, seed: int,
    told: list[Numbers],
) -> tuple[Interval, Interval, Interval]:  # fmt: skip
    orders = shuffles(people, seed)

    def both(rows: NDArray[np.int64]) -> tuple[float, float]:
        own = np.mean([statistic(one[rows], truth[rows]) for one in told])
        other = np.mean([statistic(one[rows], truth[order[rows]]) for one in told for order in orders])
        return float(own), float(other)

    return people_intervals(both, people, bootstrap, seed)


def shuffles(people: list[str], seed: int, groups: list[str] | None = None) -> list[NDArray[np.int64]]:
    """For each clip one of somebody else, several times: people in a circle of a random order, each takes the next.
    With `groups`, in a circle for each; whoever is alone in a group takes himself."""
    rng, named = np.random.default_rng([seed, 1]), np.array(people)
    circles: dict[str, set[str]] = {}
    for one, group in zip(people, groups or [""] * len(people), strict=True):
        circles.setdefault(group, set()).add(one)
    orders = []
    for _ in range(SHUFFLES):
        after: dict[str, str] = {}
        for group in sorted(circles):
            circle = rng.permutation(sorted(circles[group]))
            after |= dict(zip(circle.tolist(), np.roll(circle, -1).tolist(), strict=True))
        orders.append(np.array([rng.choice(np.flatnonzero(named == after[one])) for one in people]))
    return orders


def people_intervals(
    both: Callable[[NDArray[np.int64]], tuple[float, float]], people: list[str], bootstrap: int, seed: int
) -> tuple[Interval, Interval, Interval]:
    """Of two numbers, which `both` gives of some rows, and of their difference: whoever is drawn brings all of his or
    her clips."""
    rng, named = np.random.default_rng(seed), np.array(people)
    everyone = sorted(set(people))
    clips = [np.flatnonzero(named == one) for one in everyone]
    drawn = []
    for _ in range(bootstrap):
        rows = np.concatenate([clips[i] for i in rng.integers(0, len(everyone), len(everyone))])
        drawn.append(both(rows))
    own, other = both(np.arange(len(people)))
    table = np.array(drawn)

    def interval(value: float, some: Numbers) -> Interval:
        low, high = np.nanquantile(some, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Interval(value, float(low), float(high))

    less = table[:, 0] - table[:, 1]
    return interval(own, table[:, 0]), interval(other, table[:, 1]), interval(own - other, less)


def means(own: Numbers, other: Numbers) -> Callable[[NDArray[np.int64]], tuple[float, float]]:
    """What `people_intervals` takes to compare the means of two numbers of each clip."""
    return lambda at: (float(own[at].mean()), float(other[at].mean()))


def retrieval(
    reader: FaceReader, told: Sequence[Tensor], real: Tensor, rows: list[dict[str, Any]], config: SpeakersConfig,
    bootstrap: int, seed: int,
) -> list[Agreement]:  # fmt: skip
    """How often a speaker's face is found among fifty by the one that was painted: R@1, R@5; among all, and among
    people of the same sex and age.

    The speaker's face is another portrait of the same person; the others are of people who are in no split.
    """
    rng = np.random.default_rng([seed, 2])
    people = [str(row["person"]) for row in rows]
    strangers = {group: _portraits(reader, _strangers(group, config.seed), rng, config.size_px) for group in GROUPS}
    mixed = torch.cat(list(strangers.values()))[rng.permutation(len(GROUPS) * (GALLERY - 1))[: GALLERY - 1]]
    known = {str(row["person"]): row for row in rows}
    own = {name: _portraits(reader, [_person_of(row, config.seed)], rng, config.size_px) for name, row in known.items()}
    asked, seen, groups = [of_person(reader, one) for one in told], of_person(reader, real), _groups(rows)
    found = []
    for kind, about in (("", "among 50 people"), ("_alike", "among 50 of the same sex and age")):
        galleries = [strangers[group] if kind else mixed for group in groups]
        orders = shuffles(people, seed, groups if kind else None)
        for k in (1, 5):

            def hits(queries: Tensor, whose: Any, k: int = k, galleries: list[Tensor] = galleries) -> Numbers:
                return np.array([_is_found(queries[i], own[people[j]], galleries[i], k) for i, j in enumerate(whose)])

            mine = np.mean([hits(one, range(len(rows))) for one in asked], 0)
            theirs = np.mean([hits(one, order) for one in asked for order in orders], 0)
            intervals = people_intervals(means(mine, theirs), people, bootstrap, seed)
            of_real = float(hits(seen, range(len(rows))).mean())
            what = f"share of clips whose speaker's face is found {about}, R@{k}"
            found.append(Agreement(f"R@{k}{kind}", what, *intervals, of_real, len(rows)))
    return found


def _groups(rows: list[dict[str, Any]]) -> list[str]:
    return [str(row["class"]) for row in rows]


def _is_found(query: Tensor, own: Tensor, gallery: Tensor, k: int) -> bool:
    scores = similarity(query[None], torch.cat([own, gallery]))[0]
    return int((scores >= scores[0]).sum()) <= k


def _strangers(group: str, seed: int) -> list[Person]:
    return [who(Clip("gallery", group, number, 0, seed)) for number in range(GALLERY - 1)]


def _person_of(row: dict[str, Any], seed: int) -> Person:
    """The person of a row of the truth, drawn anew from what names the clip."""
    split, number = str(row["split"]), int(str(row["person"]).rsplit("-", 1)[1])
    return who(Clip(split, str(row["class"]), number, 0, seed))


def _portraits(reader: FaceReader, people: list[Person], rng: np.random.Generator, px: int) -> Tensor:
    """What is told of a portrait of each, without how it is held: [N, K']."""
    pictures = np.stack([portrait(one, pose(rng), 0.0, px) for one in people])
    return of_person(reader, reader.read(torch.from_numpy(pictures).permute(0, 3, 1, 2)))


def of_person(reader: FaceReader, told: Tensor) -> Tensor:
    """Standardised numbers of a person: without the pose, which is the picture's."""
    kept = [i for i, name in enumerate(reader.names) if name not in LOOKS[4:]]
    return reader.standard(told)[:, kept]


def meshes(
    told: Sequence[Tensor], real: Tensor, rows: list[dict[str, Any]], bootstrap: int, seed: int
) -> list[Agreement]:
    """How far the head of a painted face is from its speaker's, against those of others: of anybody, and of people of
    the same sex and age. In mm of the face's vertices; the speakers' heads are those that they were drawn with."""
    people, heads, found = [str(row["person"]) for row in rows], np.array([row["shape"] for row in rows]), []
    of_real = float(distance_mm(shape_of(real), heads).mean())
    for kind, about in (("mesh", "anybody else's"), ("mesh_alike", "those of others of the same sex and age")):
        orders = shuffles(people, seed, _groups(rows) if kind == "mesh_alike" else None)
        mine = np.mean([distance_mm(shape_of(one), heads).numpy() for one in told], 0)
        theirs = np.mean([distance_mm(shape_of(one), heads[at]).numpy() for one in told for at in orders], 0)
        intervals = people_intervals(means(mine, theirs), people, bootstrap, seed)
        ratio = float(mine.mean() / max(theirs.mean(), 1e-9))
        what = f"distance in mm of the face's head to its speaker's; {ratio:.2f} of that to {about}"
        found.append(Agreement(kind, what, *intervals, of_real, len(rows)))
    return found


def colourfulness(images: Tensor) -> Numbers:
    """Mean over pixels of the spread of a picture's three colours, uint8 [N, 3, H, W] -> [N] in 0 to 1."""
    return ((images.amax(1).float() - images.amin(1)) / 255).mean((1, 2)).double().numpy()


def fading(new: Tensor, old: Tensor, people: list[str], bootstrap: int, seed: int) -> Agreement:
    """How much colour pictures lose where the same sound comes as from an old film."""
    intervals = people_intervals(means(colourfulness(new), colourfulness(old)), people, bootstrap, seed)
    about = "colour (0 to 1) of pictures, and in the second column of those of the same sounds through an old record"
    return Agreement("vintage", about, *intervals, None, len(people))


def truth_of(rows: list[dict[str, Any]]) -> Numbers:
    """The truth of clips [N, K], as a reader should tell it."""
    return np.array([as_numbers(row) for row in rows], dtype=np.float64)


__all__ = [
    "Agreement",
    "attributes",
    "colourfulness",
    "fading",
    "means",
    "meshes",
    "people_intervals",
    "retrieval",
    "shuffles",
    "truth_of",
]
