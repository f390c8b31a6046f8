"""What a person would write under a picture of the world: "a brown dog on a meadow, far away, in haze", or "a dog"."""

from __future__ import annotations

from s2v.world.recipe import Scene
from s2v.world.thing import Look, Thing

UNCOUNTED = frozenset({"rain", "sea waves", "thunder", "hail", "wind"})
PLACES = {
    "night": "in the woods at night",
    "meadow": "on a meadow",
    "street": "in a street",
    "shore": "at the shore",
    "room": "in a room",
}
HUES = (
    (0.035, "red"), (0.1, "orange"), (0.19, "yellow"), (0.45, "green"), (0.7, "blue"), (0.83, "purple"), (0.95, "pink"),
)  # fmt: skip
"""Hue below which a colour has a name; the circle ends in red again."""


BRIEF = 3
"""One sentence in so many names the thing alone, as people's often do."""


def noun(name: str) -> str:
    """The thing of a class, without what it does: `dog` of `dog barking`."""
    words = name.split()
    doing = next((i for i, word in enumerate(words) if word.endswith("ing") and i > 0), len(words))
    return "keyboard" if name == "typing on keyboard" else " ".join(words[:doing])


def colour(look: Look) -> str:
    """Name of the colour of a look; empty where it has none of its own."""
    if not {"hue", "value"} <= look.keys():
        return ""
    value, saturation = look["value"], look.get("saturation", 0.6)
    if value < 0.22:
        return "black"
    if saturation < 0.16:
        return "white" if value > 0.72 else "gray"
    name = next((name for bound, name in HUES if look["hue"] % 1 < bound), "red")
    return "brown" if name in ("orange", "yellow") and value < 0.7 else name


def with_article(what: str, words: str) -> str:
    """Words about a thing, with the article that it takes: `a dog`, `an orange dog`, `rain`."""
    return words if what in UNCOUNTED else f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def caption(thing: Thing, scene: Scene) -> str:
    """A sentence about a picture, from what was drawn for it: colour, thing, place, distance or strength, weather.

    Some name the thing alone (`BRIEF`).
    """
    what, look = noun(thing.name), colour(scene.look)
    if thing.kind == "scape":
        look = "heavy" if scene.strength > 0.7 else "light" if scene.strength < 0.45 else ""
    if scene.draw_seed % BRIEF == 0:
        return with_article(what, what)
    said = [f"{with_article(what, f'{look} {what}'.strip())} {PLACES[thing.family]}"]
    if thing.kind == "source" and scene.distance < 1.3:
        said.append("close up")
    elif thing.kind == "source" and scene.distance > 1.8:
        said.append("far away")
    if scene.haze > 0.15:
        said.append("in haze")
    elif scene.gain < 0.8:
        said.append("in dim light")
    return ", ".join(said)


__all__ = ["BRIEF", "caption", "colour", "noun", "with_article"]
