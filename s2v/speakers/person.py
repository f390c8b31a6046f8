"""People: who they are, how they look and how they speak.

Sex and age decide both; all else of a look is drawn without regard to the voice, so that no voice can tell it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from s2v.speakers.portrait import Look
from s2v.speakers.voice import Voice
from s2v.world.canvas import Color, hsv, mix

Sex = Literal["woman", "man"]

GROUPS: dict[str, tuple[Sex, tuple[int, int]]] = {
    "girl": ("woman", (8, 13)),
    "boy": ("man", (8, 13)),
    "young woman": ("woman", (18, 35)),
    "young man": ("man", (18, 35)),
    "woman in middle age": ("woman", (36, 59)),
    "man in middle age": ("man", (36, 59)),
    "old woman": ("woman", (60, 85)),
    "old man": ("man", (60, 85)),
}
"""Classes: a sex, and the ages of both ends."""
HEARD = ("sex", "child", "sex-child", "old", "sex-old")
"""Directions of a head that follow from sex and age, which a voice carries."""
FREE = (
    "weight", "head-fat", "head-oval", "head-round", "head-rectangular", "head-triangular", "head-diamond", "head-back",
    "forehead-height", "forehead-temple", "brows-height", "brows-angle", "eyes-size", "eyes-apart", "eyes-corner",
    "cheek-bones", "cheek-volume", "nose-width", "nose-length", "nose-depth", "nose-hump", "nose-point", "mouth-width",
    "lip-upper", "lip-lower", "chin-width", "chin-height", "chin-prominent", "ears-size", "ears-wing", "neck-width",
)  # fmt: skip
"""Directions that are drawn without regard to the voice, beside `african` and `asian`."""
SPREAD = 0.3
HAIRS: tuple[Color, ...] = (
    (0.09, 0.07, 0.06),
    (0.24, 0.15, 0.09),
    (0.42, 0.27, 0.14),
    (0.72, 0.55, 0.3),
    (0.5, 0.2, 0.09),
)
GREY: Color = (0.82, 0.82, 0.83)


@dataclass(frozen=True)
class Person:
    """Somebody.

    Attributes:
        group: of `GROUPS`.
        sex: which.
        age: in years.
        shape: {direction: how far} of the head.
        look: colours and hair.
        voice: how they speak.
    """

    group: str
    sex: Sex
    age: int
    shape: dict[str, float]
    look: Look
    voice: Voice


def person(group: str, rng: np.random.Generator) -> Person:
    """Draw somebody of a group."""
    sex, (low, high) = GROUPS[group]
    age = int(rng.integers(low, high + 1))
    return Person(group, sex, age, _shape(sex, age, rng), _look(sex, age, rng), _voice(sex, age, rng))


def _voice(sex: Sex, age: int, rng: np.random.Generator) -> Voice:
    """Pitch and tract from sex and age, with spreads such as those of grown speakers (about 15 % of the pitch), so that
    some women are lower than some men. Boys and girls differ little before their voices break."""
    young = float(np.clip((14 - age) / 6, 0, 1))  # 1 at 8 years, 0 at 14
    pitch = {"man": 117.0, "woman": 202.0}[sex]
    tract = {"man": 17.0, "woman": 14.8}[sex]
    pitch += young * (270.0 - pitch) if age < 14 else 0.0
    tract += (11.4 + 0.35 * (age - 8) - tract) if age < 14 else 0.0
    if age > 55:
        pitch *= 1 + (0.005 if sex == "man" else -0.005) * (age - 55)
    worn = float(np.clip((age - 55) / 30, 0, 1))
    return Voice(
        pitch_hz=pitch * float(np.exp(0.13 * rng.standard_normal())),
        tract_cm=tract * float(np.exp(0.035 * rng.standard_normal())),
        jitter=0.008 + 0.012 * worn * float(rng.uniform(0.5, 1.5)),
        shimmer=0.05 + 0.10 * worn * float(rng.uniform(0.5, 1.5)),
        breath=float(rng.uniform(0.05, 0.25)) + 0.25 * worn,
        rate=float(rng.normal(4.8, 0.5)) - 1.1 * worn,
        tilt=float(rng.uniform(0.2, 0.8)),
    )


def _shape(sex: Sex, age: int, rng: np.random.Generator) -> dict[str, float]:
    side = float(rng.normal(0.9, 0.2)) * (1 if sex == "woman" else -1)
    child = 1.35 * float(np.clip((17 - age) / 9, 0, 1))
    old = float(np.clip((age - 38) / 40, 0, 1.15))
    found = {"sex": side, "child": child, "sex-child": side * child, "old": old, "sex-old": side * old}
    african, asian, _ = rng.dirichlet((0.6, 0.6, 0.6))
    found |= {"african": float(african) - 1 / 3, "asian": float(asian) - 1 / 3}
    return found | {name: SPREAD * float(rng.standard_normal()) for name in FREE}


def _look(sex: Sex, age: int, rng: np.random.Generator) -> Look:
    hair = HAIRS[int(rng.choice(len(HAIRS), p=(0.34, 0.28, 0.2, 0.12, 0.06)))]
    grey = float(np.clip((age - 42) / 25 + 0.2 * rng.standard_normal(), 0, 1)) if age > 35 else 0.0
    if sex == "woman":
        style = str(rng.choice(["long", "medium", "short"], p=(0.5, 0.36, 0.14)))
    else:
        bald = float(np.clip((age - 30) / 90, 0, 0.5))
        style = str(rng.choice(["long", "medium", "short", "bald"], p=(0.05, 0.1, 0.85 - bald, bald)))
    beard = sex == "man" and age >= 20 and rng.random() < 0.4
    top = hsv(float(rng.random()), float(rng.uniform(0.05, 0.35)), float(rng.uniform(0.45, 0.95)))
    return Look(
        skin=float(rng.beta(1.1, 1.1)),
        hair=mix(hair, GREY, grey),
        style=style,
        eyes=hsv(
            float(rng.choice([0.07, 0.09, 0.3, 0.58])), float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.25, 0.6))
        ),
        lips=float(rng.uniform(0.3, 1.0)) if sex == "woman" and age >= 14 else float(rng.uniform(0.1, 0.4)),
        brows=float(rng.uniform(0.036, 0.05)) if sex == "man" else float(rng.uniform(0.022, 0.034)),
        beard=float(rng.uniform(0.4, 1.0)) if beard else 0.0,
        clothes=hsv(float(rng.random()), float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.25, 0.8))),
        back=(top, mix(top, (0.1, 0.1, 0.12), float(rng.uniform(0.2, 0.5)))),
    )


__all__ = ["FREE", "GROUPS", "HEARD", "Person", "Sex", "person"]
