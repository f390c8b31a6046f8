"""A run to make studies of, and programs that answer them: what they know and how often they are right is told."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import torch
from shards import flac, write_tar

from s2v.evaluate.pictures import write_pictures
from s2v.media.picture import encode_jpeg
from s2v.study.files import Answer, Key, Record

CLASSES = ("cow mooing", "dog barking", "owl hooting", "rain falling", "sea waves")


def run_of(root: Path, clips: int = 4) -> Path:
    """Output folder of a run: sounds of five classes, and pictures of two methods, of 24 and of 32 px."""
    rng, members, names = np.random.default_rng(0), {}, []
    for i in range(clips * len(CLASSES)):
        label = CLASSES[i % len(CLASSES)]
        names.append(f"test-{label.replace(' ', '-')}-{i:04d}")
        wave = (9000 * np.sin(np.arange(8000) * (0.05 + 0.02 * (i % 5)))).astype(np.int16)
        members[f"{names[-1]}.flac"] = flac(wave)
        members[f"{names[-1]}.jpg"] = encode_jpeg(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
        members[f"{names[-1]}.json"] = json.dumps({"clip_id": names[-1], "label": label}).encode()
    write_tar(root / "pack/test/000.tar", members)
    for method, px in (("sound2vision", 32), ("icgan", 24)):
        pictures = torch.from_numpy(rng.integers(0, 256, (len(names), 3, px, px), dtype=np.uint8))
        (root / "generate" / method).mkdir(parents=True)
        write_pictures(root / "generate" / method / "0.tar", pictures, [{"clip_id": name} for name in names])
    return root


def answered(
    key: Key, n: int, *, right: float, ours: float, other: float, seed: int = 0, simulated: bool = True
) -> list[Record]:
    """Records of n people, one list after the other.

    Args:
        key: of the study.
        n: how many.
        right: how likely they find the picture of a sound among four.
        ours: how likely they choose our picture as one that fits.
        other: the same of the other method's.
        seed: of what they choose.
        simulated: whether their answers say that no person gave them.
    """
    rng = random.Random(seed)
    items = {item.name: item for sets in key.items.values() for part in sets for item in part}
    records = []
    for person in range(n):
        number, answers = person % len(key.lists), []
        for part in key.lists[number]:
            for question in part.questions:
                if question.wanted is not None:
                    chosen = [question.wanted]
                elif part.experiment == "fit":
                    pictures = items[question.name].pictures
                    chosen = [one.name for one, p in zip(pictures[:2], (ours, other), strict=True) if rng.random() < p]
                    chosen = chosen or [pictures[2].name]
                elif part.experiment == "match":
                    pictures = items[question.name].pictures
                    place = 0 if rng.random() < right else rng.randrange(1, len(pictures))
                    chosen = [pictures[place].name]
                else:
                    label = str(items[question.name].label)
                    wrong = [name for name in key.classes if name != label]
                    chosen = [label if rng.random() < right else rng.choice(wrong)]
                answers.append(
                    Answer(question=question.name, chosen=chosen, rt_ms=rng.randrange(2000, 9000), replays=1)
                )
        told = {"started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:20:00Z", "sound_check": 1}
        known = {"study": key.study, "listed": number, "person": f"p{person:03d}"}
        records.append(Record(**known, **told, answers=answers, simulated=True if simulated else None))
    return records
