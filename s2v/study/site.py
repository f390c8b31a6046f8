"""A study as a static folder, for any web server, and beside it the key, which stays at home."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from torch import Tensor

from s2v.config.methods import METHODS
from s2v.errors import UserError
from s2v.evaluate.pictures import read_pictures
from s2v.evaluate.sounds import Sounds, of_run
from s2v.files import read_csv, write_bytes, write_json, write_text
from s2v.media.picture import encode_png, resize
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.study.design import REAL, Design, Experiment, Item, Question, draw, draw_names
from s2v.study.files import KEY_FILE, ItemKey, Key, PartKey, PictureKey, QuestionKey

PLUGINS = {
    "jspsych": "index.browser.min.js",
    "@jspsych/plugin-preload": "index.browser.min.js",
    "@jspsych/plugin-instructions": "index.browser.min.js",
    "@jspsych/plugin-browser-check": "index.browser.min.js",
    "@jspsych/plugin-survey-html-form": "index.browser.min.js",
    "@jspsych/plugin-audio-button-response": "index.browser.min.js",
    "@jspsych-contrib/plugin-html-multi-response": "index.browser.min.js",
}
"""Packages of jsPsych 8 (MIT) that the page is made with, and what of each is copied (`make study-deps`)."""
_TONES = (2, 4)
_PAGES = ("index.html", "study.js", "study.css", "texts.js")


@dataclass(frozen=True)
class Asked:
    """What a study is made of.

    Attributes:
        run: output folder of a finished run.
        split: whose clips.
        generation: seed of the pictures, `generate/{method}/{seed}.tar`.
        sets: of items, for each experiment.
        questions: of a set.
        seed: of all draws.
        code: which people are shown at the end, such as Prolific's; None shows none.
        save: address that answers are sent to; None leaves them to the host, or to the people as a file.
    """

    run: Path
    split: str = "test"
    generation: int = 0
    sets: int = 5
    questions: int = 20
    seed: int = 0
    code: str | None = None
    save: str | None = None


def make(asked: Asked, output: Path, packages: Path, dataset: str, ours: str, other: str) -> Path:
    """The study of Table 1 (b): ours against another method.

    Returns:
        The folder to be hosted.

    Raises:
        UserError: the run lacks something, or the folder is there.
    """
    _check(output, packages)
    sounds, pictures, labels = _material(asked, [ours, other])
    design = draw(labels, ours, other, sets=asked.sets, questions=asked.questions, seed=asked.seed)
    return _write(asked, output, packages, dataset, sounds, pictures, design, ours, other, {})


def make_names(
    asked: Asked,
    output: Path,
    packages: Path,
    dataset: str,
    methods: Sequence[str],
    evaluators: Mapping[str, Callable[[Tensor, list[str]], Tensor]],
) -> Path:
    """The study that validates evaluators: people name pictures of several methods.

    Args:
        evaluators: {label: scores [N, C] of pictures against class names}.

    Raises:
        UserError: the run lacks something, or the folder is there.
    """
    _check(output, packages)
    sounds, pictures, labels = _material(asked, methods)
    design = draw_names(labels, methods, sets=asked.sets, questions=asked.questions, seed=asked.seed)
    return _write(asked, output, packages, dataset, sounds, pictures, design, methods[0], None, evaluators)


def dataset_of(run: Path) -> str:
    """What the clips of a run are, as its Table 1 says.

    Raises:
        UserError: it has none.
    """
    file = run / "table1.csv"
    if not file.is_file():
        raise UserError(f"{file}: is not there, so say what the clips are with --dataset")
    return read_csv(file, ["data set"])[0]["data set"]


def _check(output: Path, packages: Path) -> None:
    """See that the folder can be made before anything is read."""
    if os.path.lexists(output):
        raise UserError(f"{output}: is there already; name a new folder")
    _programs(packages)


def _material(
    asked: Asked, methods: Sequence[str]
) -> tuple[Sounds, dict[str, dict[str, Tensor]], dict[str, str | None]]:
    """The sounds, {method: {clip: picture uint8 [3, R, R]}} at one size, and classes of clips that have them all."""
    sounds = of_run(asked.run, asked.split)
    if sounds is None:
        raise UserError(f"{asked.run}: not the output folder of a run; run `snakemake` first")
    read: dict[str, dict[str, Tensor]] = {}
    for method in methods:
        tar = asked.run / "generate" / method / f"{asked.generation}.tar"
        if not tar.is_file():
            raise UserError(f"{tar}: no pictures of {method}; `snakemake {tar}` makes them")
        made, records = read_pictures(tar)
        read[method] = {str(record["clip_id"]): one for record, one in zip(records, made, strict=True)}
    px = max(one.shape[-1] for made in read.values() for one in made.values())
    labels = {clip: label for clip, label in sounds.labels.items() if all(clip in made for made in read.values())}
    sized = {method: {clip: resize(one[None], px)[0] for clip, one in made.items()} for method, made in read.items()}
    frames, clips, _ = sounds.real(px)
    sized[REAL] = dict(zip(clips, frames, strict=True))
    labels = {clip: label for clip, label in labels.items() if clip in sized[REAL]}
    return sounds, sized, labels


class _Names:
    """Names of what lies in the folder: drawn, so that they tell nothing."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"names of files {seed}")
        self.known: dict[Any, str] = {}

    def of(self, thing: Any) -> str:
        if thing not in self.known:
            self.known[thing] = f"{self.rng.getrandbits(48):012x}"
        return self.known[thing]


def _write(
    asked: Asked,
    output: Path,
    packages: Path,
    dataset: str,
    sounds: Sounds,
    pictures: dict[str, dict[str, Tensor]],
    design: Design,
    ours: str,
    other: str | None,
    evaluators: Mapping[str, Callable[[Tensor, list[str]], Tensor]],
) -> Path:
    programs = _programs(packages)
    names = _Names(asked.seed)
    items = {experiment: [[*part] for part in parts] for experiment, parts in design.sets.items()}
    every = [item for parts in items.values() for part in parts for item in part] + list(design.practice.values())
    real = {one.real for parts in design.lists for part in parts for one in part.questions if one.real is not None}
    every += sorted(real, key=lambda item: item.clip)
    shown = sorted({(one.method, one.clip) for item in every for one in item.pictures})
    heard = {
        item.clip for experiment, parts in items.items() if experiment != "name" for part in parts for item in part
    }
    heard |= {item.clip for experiment, item in design.practice.items() if experiment != "name"}
    heard |= {item.clip for item in real}
    random.Random(f"files {asked.seed}").shuffle(shown)  # so that names, drawn in this order, tell nothing
    folder = output.with_name(f".{output.name}.part")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        media = folder / "site" / "media"
        media.mkdir(parents=True)
        for method, clip in shown:
            picture = pictures[method][clip].permute(1, 2, 0).numpy()
            write_bytes(media / f"{names.of((method, clip))}.png", encode_png(picture))
        found = set()
        for clip, wave in sounds.waves(heard):
            soundfile.write(media / f"{names.of(clip)}.mp3", wave.numpy(), SAMPLE_RATE_HZ, format="MP3")
            found.add(clip)
        if heard - found:
            raise UserError(
                f"{asked.run}: the sound of {min(heard - found)} is not among the packed clips; run stage pack"
            )
        tones = random.Random(f"tones {asked.seed}").randint(*_TONES)
        soundfile.write(media / "tones.mp3", _tones(tones), SAMPLE_RATE_HZ, format="MP3")
        classes = sorted({label for label in sounds.labels.values() if label}) if other is None else []
        named = _named(evaluators, pictures, shown, classes, names)
        key = _key(design, sounds, names, dataset, ours, other, named, classes, asked.seed)
        write_json(folder / KEY_FILE, json.loads(key.model_dump_json()))
        practice = {
            name: _question(name, "practice", item, _practice(design, name), names)
            for name, item in design.practice.items()
        }
        page = _page(key, practice, tones, asked)
        write_text(folder / "site" / "design.js", f"window.STUDY = {json.dumps(page, sort_keys=True)};\n")
        for name in _PAGES:
            write_bytes(folder / "site" / name, _shipped(name))
        (folder / "site" / "jspsych").mkdir()
        for name, data in programs.items():
            write_bytes(folder / "site" / "jspsych" / name, data)
        write_bytes(folder / "README.md", _shipped("README.md"))
        folder.rename(output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return output / "site"


def _shipped(name: str) -> bytes:
    return (resources.files("s2v") / "shipped" / "study" / name).read_bytes()


def _programs(packages: Path) -> dict[str, bytes]:
    """What the page loads, {name: bytes}, each with the licence of its package."""
    pinned = json.loads(_shipped("package.json"))["dependencies"]
    found = {}
    for package, file in PLUGINS.items():
        folder = packages / package
        try:
            version = json.loads((folder / "package.json").read_bytes())["version"]
            name = package.rpartition("/")[2]
            found[f"{name}.js"] = (folder / "dist" / file).read_bytes()
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{folder}: no {package} of jsPsych; `make study-deps` brings what the page needs"
            ) from error
        if version != pinned[package]:
            raise UserError(f"{folder}: is version {version}, and {pinned[package]} is wanted; run `make study-deps`")
    found["jspsych.css"] = (packages / "jspsych" / "css" / "jspsych.css").read_bytes()
    return found | {"LICENSE.txt": _shipped("LICENSE-jspsych.txt")}


def _tones(n: int) -> Any:
    """Short tones, float [N] at 16 kHz."""
    time = np.arange(int(0.25 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tone = 0.3 * np.sin(2 * np.pi * 660 * time) * np.minimum(1, 20 * np.minimum(time, time[::-1]))
    return np.concatenate([part for _ in range(n) for part in (np.zeros(int(0.35 * SAMPLE_RATE_HZ)), tone)])


def _named(
    evaluators: Mapping[str, Callable[[Tensor, list[str]], Tensor]],
    pictures: dict[str, dict[str, Tensor]],
    shown: list[tuple[str, str]],
    classes: list[str],
    names: _Names,
) -> dict[str, dict[str, str]]:
    """{evaluator: {picture: the class that it names}}."""
    if not evaluators:
        return {}
    import torch

    stack = torch.stack([pictures[method][clip] for method, clip in shown])
    found = {}
    for label, rank in evaluators.items():
        best = rank(stack, classes).argmax(1).tolist()
        found[label] = {names.of(one): classes[i] for one, i in zip(shown, best, strict=True)}
    return found


def _key(
    design: Design,
    sounds: Sounds,
    names: _Names,
    dataset: str,
    ours: str,
    other: str | None,
    named: dict[str, dict[str, str]],
    classes: list[str],
    seed: int,
) -> Key:
    items = {
        experiment: [
            [_item(f"{experiment}-{s}-{i}", experiment, item, sounds, names) for i, item in enumerate(part)]
            for s, part in enumerate(parts)
        ]
        for experiment, parts in design.sets.items()
    }
    lists = [
        [
            PartKey(
                experiment=part.experiment,
                set=part.set,
                questions=[
                    _asked(part.experiment, part.set, n, one, design.sets[part.experiment][part.set][one.item], names)
                    for n, one in enumerate(part.questions)
                ],
            )
            for part in one
        ]
        for one in design.lists
    ]
    methods = sorted(
        {one.method for parts in design.sets.values() for part in parts for item in part for one in item.pictures}
    )
    return Key(
        study=f"{random.Random(f'study {seed} {dataset}').getrandbits(48):012x}",
        titles={method: METHODS[method].title if method in METHODS else method for method in methods},
        ours=ours,
        other=other,
        dataset=dataset,
        items=items,
        lists=lists,
        named=named,
        classes=classes,
    )


def _item(name: str, experiment: Experiment, item: Item, sounds: Sounds, names: _Names) -> ItemKey:
    return ItemKey(
        name=name,
        clip=item.clip,
        label=sounds.labels[item.clip],
        sound=None if experiment == "name" else names.of(item.clip),
        pictures=[
            PictureKey(name=names.of((one.method, one.clip)), clip=one.clip, method=one.method) for one in item.pictures
        ],
    )


def _asked(experiment: Experiment, part: int, n: int, question: Question, item: Item, names: _Names) -> QuestionKey:
    """A question of a list; those that show who attends have names of their own."""
    item = question.real or item
    pictures = [names.of((item.pictures[i].method, item.pictures[i].clip)) for i in question.order]
    if question.real is not None:
        right = pictures[question.order.index(0)]
        return QuestionKey(
            name=f"{experiment}-{part}-check-{n}", pictures=pictures, wanted=right, sound=names.of(item.clip)
        )
    if question.wanted is None:
        return QuestionKey(name=f"{experiment}-{part}-{question.item}", pictures=pictures)
    return QuestionKey(name=f"{experiment}-{part}-check-{n}", pictures=pictures, wanted=pictures[question.wanted])


def _practice(design: Design, experiment: Experiment) -> Question:
    return next(part.practice for one in design.lists for part in one if part.experiment == experiment)


def _question(experiment: Experiment, name: str, item: Item, question: Question, names: _Names) -> dict[str, Any]:
    return {
        "name": f"{experiment}-{name}",
        "sound": None if experiment == "name" else names.of(item.clip),
        "pictures": [names.of((item.pictures[i].method, item.pictures[i].clip)) for i in question.order],
    }


def _page(key: Key, practice: dict[Experiment, dict[str, Any]], tones: int, asked: Asked) -> dict[str, Any]:
    """What the page is told: nothing of methods, classes of sounds or clips."""
    sound = {item.name: item.sound for parts in key.items.values() for part in parts for item in part}
    lists = [
        [
            {
                "experiment": part.experiment,
                "questions": [
                    {
                        "name": one.name,
                        "sound": one.sound or (None if one.wanted else sound[one.name]),
                        "pictures": one.pictures,
                        "wanted": one.pictures.index(one.wanted) + 1 if one.wanted and not one.sound else None,
                    }
                    for one in part.questions
                ],
            }
            for part in parts
        ]
        for parts in key.lists
    ]
    return {
        "study": key.study, "lists": lists, "practice": practice, "tones": tones, "classes": key.classes,
        "code": asked.code, "save": asked.save,
    }  # fmt: skip


__all__ = ["PLUGINS", "Asked", "dataset_of", "make", "make_names"]
