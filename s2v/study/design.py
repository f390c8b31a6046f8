"""Who is asked what in which order: items of pictures and a sound, sets of items, lists for people.

All of it is drawn here, by one seed, so that a page draws nothing and every answer can be told from its list.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from s2v.errors import UserError

Experiment: TypeAlias = Literal["fit", "match", "name"]
"""fit: which of four pictures fit the sound, two of them made of it, by two methods. match: which of four pictures of
one method is of the sound. name: what a picture shows (asks for no sound)."""

CHOICES = 4
"""Pictures of a question (paper 4.3)."""
CHECKS = 2
"""Questions of each experiment that only ask for a place."""
REAL = "real"
"""In the place of a method: frames of the clips themselves."""


@dataclass(frozen=True)
class Shown:
    """A picture.

    Attributes:
        clip: of the sound that it was made of.
        method: that made it.
    """

    clip: str
    method: str


@dataclass(frozen=True)
class Item:
    """A question's content.

    Attributes:
        clip: whose sound is heard; of `name`, of which the picture is.
        pictures: of `fit` ours and the other method's of the clip first; of `match` the clip's first; of `name` one.
    """

    clip: str
    pictures: tuple[Shown, ...]


@dataclass(frozen=True)
class Question:
    """An item as one person sees it.

    Attributes:
        item: its place in the set.
        order: the item's pictures by place on the page.
        wanted: of a question that only asks for a place: that place; the item's pictures stand beside it.
        real: of a question that looks like the others and whose pictures are real frames, one of them of the sound:
            its own content. Who listens and looks finds it.
    """

    item: int
    order: tuple[int, ...]
    wanted: int | None = None
    real: Item | None = None


@dataclass(frozen=True)
class Part:
    """One experiment of a list.

    Attributes:
        experiment: which.
        set: number of its set of items.
        practice: of the practice items.
        questions: in order.
    """

    experiment: Experiment
    set: int
    practice: Question
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Design:
    """The whole.

    Attributes:
        sets: {experiment: sets of items}.
        practice: {experiment: an item that is not scored}.
        lists: what one person after the other is asked.
    """

    sets: dict[Experiment, list[list[Item]]]
    practice: dict[Experiment, Item]
    lists: list[list[Part]]


def draw(labels: Mapping[str, str | None], ours: str, other: str, *, sets: int, questions: int, seed: int) -> Design:
    """The study of Table 1 (b): experiments `fit` and `match`.

    Sets are balanced over classes, and no clip is heard in two of them. List n has set n of `fit` and another of
    `match`, so that each set is seen equally often and each pair of experiments in both orders (a Latin square); within
    four lists a right answer stands once at each place.

    Args:
        labels: clip -> class; None where it has none, then each clip is a class of its own.
        ours: method of both experiments.
        other: method that it is compared with.
        sets: of items, for each experiment.
        questions: of a set.
        seed: of all draws.

    Raises:
        UserError: there are too few clips or classes.
    """
    rng = random.Random(f"study {seed}")
    classes = {clip: clip if label is None else f"class {label}" for clip, label in labels.items()}
    what = f"{sets} sets of {questions} questions, twice, two for practice and two that show who listens"
    _enough(classes, 2 * sets * questions + 4, what)
    parts = balanced(classes, 2 * sets, questions, rng)
    left = sorted(set(classes).difference(*parts))
    first, second, *checks = rng.sample(left, 4)

    def fit(clip: str) -> Item:
        methods = [rng.choice((ours, other)) for _ in range(2)]
        far = _others(clip, classes, 2, rng)
        distractors = [Shown(one, method) for one, method in zip(far, methods, strict=True)]
        return Item(clip, (Shown(clip, ours), Shown(clip, other), *distractors))

    def match(clip: str) -> Item:
        return Item(clip, tuple(Shown(one, ours) for one in (clip, *_others(clip, classes, CHOICES - 1, rng))))

    items: dict[Experiment, list[list[Item]]] = {
        "fit": [[fit(clip) for clip in part] for part in parts[:sets]],
        "match": [[match(clip) for clip in part] for part in parts[sets:]],
    }
    practice: dict[Experiment, Item] = {"fit": fit(first), "match": match(second)}
    real = [
        Item(clip, tuple(Shown(one, REAL) for one in (clip, *_others(clip, classes, CHOICES - 1, rng))))
        for clip in checks
    ]
    lists = []
    for n in range(2 * CHOICES * sets):
        shift = n // sets
        both = [
            _part("fit", n % sets, questions, shift, rng, real=real[0]),
            _part("match", (n + shift) % sets, questions, shift, rng, real=real[1]),
        ]
        lists.append(both if shift % 2 == 0 else both[::-1])
    return Design(items, practice, lists)


def draw_names(
    labels: Mapping[str, str | None], methods: Sequence[str], *, sets: int, questions: int, seed: int
) -> Design:
    """The study that asks people to name pictures, the same number of each method: experiment `name`.

    Raises:
        UserError: there are too few clips, or clips without a class.
    """
    rng = random.Random(f"names {seed}")
    known = {clip: f"class {label}" for clip, label in labels.items() if label is not None}
    _enough(known, sets * questions + 1, f"{sets} sets of {questions} questions and one for practice", least=2)
    parts = balanced(known, sets, questions, rng)
    turns = [rng.sample(list(methods), len(methods)) for _ in parts]
    made = [
        [Item(clip, (Shown(clip, turn[i % len(turn)]),)) for i, clip in enumerate(part)]
        for part, turn in zip(parts, turns, strict=True)
    ]
    left = rng.choice(sorted(set(known).difference(*parts)))
    lists = [[_part("name", n % sets, questions, n // sets, rng, places=1)] for n in range(CHOICES * sets)]
    return Design({"name": made}, {"name": Item(left, (Shown(left, methods[0]),))}, lists)


def _enough(classes: Mapping[str, str], wanted: int, what: str, least: int = CHOICES) -> None:
    if len(classes) < wanted:
        raise UserError(f"study: {what} take {wanted} clips, and there are {len(classes)}; lower --sets or --questions")
    if len(set(classes.values())) < least:
        raise UserError(f"study: a question takes {least} classes, and there are {len(set(classes.values()))}")


def balanced(classes: Mapping[str, str], sets: int, size: int, rng: random.Random) -> list[list[str]]:
    """Sets of clips without a clip in two, each with as equal numbers of the classes as what is left allows."""
    left: dict[str, list[str]] = {}
    for clip in sorted(classes):
        left.setdefault(classes[clip], []).append(clip)
    for clips in left.values():
        rng.shuffle(clips)
    parts = []
    for _ in range(sets):
        taken: Counter[str] = Counter()
        part: list[str] = []
        while len(part) < size:
            open_ = [name for name in sorted(left) if left[name]]
            name = min(open_, key=lambda one: (taken[one], -len(left[one]), rng.random()))
            part.append(left[name].pop())
            taken[name] += 1
        rng.shuffle(part)
        parts.append(part)
    return parts


def _others(clip: str, classes: Mapping[str, str], n: int, rng: random.Random) -> list[str]:
    """Clips of n further classes."""
    names = rng.sample(sorted(set(classes.values()) - {classes[clip]}), n)
    return [rng.choice(sorted(one for one, name in classes.items() if name == chosen)) for chosen in names]


def _part(
    experiment: Experiment, number: int, questions: int, shift: int, rng: random.Random, places: int = CHOICES,
    real: Item | None = None,
) -> Part:  # fmt: skip
    """Questions in an order of their own, some that only ask for a place and one of real frames, none of them first or
    last."""
    asked = [Question(i, _order(places, i + shift, rng)) for i in range(questions)]
    rng.shuffle(asked)
    if places > 1:
        for place in sorted(rng.sample(range(1, len(asked)), min(CHECKS, len(asked) - 1)), reverse=True):
            near = asked[place]
            asked.insert(place, Question(near.item, _order(places, 0, rng), rng.randrange(places)))
    if real is not None:
        order = _order(places, rng.randrange(places), rng)
        asked.insert(rng.randrange(1, len(asked)), Question(0, order, real=real))
    return Part(experiment, number, Question(0, _order(places, rng.randrange(places), rng)), tuple(asked))


def _order(places: int, first: int, rng: random.Random) -> tuple[int, ...]:
    """The item's pictures by place: the first of them at a known one, the rest anywhere."""
    rest = rng.sample(range(1, places), places - 1)
    rest.insert(first % places, 0)
    return tuple(rest)


__all__ = [
    "CHECKS", "CHOICES", "REAL", "Design", "Experiment", "Item", "Part", "Question", "Shown", "balanced", "draw",
    "draw_names",
]  # fmt: skip
