"""More classes (Fig. 16): nested sets, what alignment and evaluation take of them, numbers, verdicts, figures."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_results import made_result
from PIL import Image
from tiny_run import CLASSES, models, pack

from s2v.config import AudioConfig, EvaluateConfig, GenerateConfig, RuntimeConfig
from s2v.configfile import load
from s2v.data.reader import read_images
from s2v.data.subset import known_order, nested
from s2v.data.vggsound_classes import PAPER_50
from s2v.errors import UserError
from s2v.evaluate.evaluate import run as evaluate
from s2v.evaluate.generate import run as generate
from s2v.evaluate.pictures import read_pictures, write_pictures
from s2v.evaluate.quantities import Measured, Missing, Quantity, read_quantities
from s2v.files import read_json, write_json
from s2v.report.claim_list import CLAIMS
from s2v.report.fig14 import run as fig14
from s2v.report.fig16 import run as fig16
from s2v.report.findings import decide
from s2v.world.order import DEFAULT

RUNTIME = RuntimeConfig(device="cpu")


@given(st.lists(st.sampled_from([*"abcdefgh", None])), st.lists(st.sampled_from("cdxa"), unique=True))
def test_a_larger_set_holds_every_smaller_one(labels: list[str | None], first: list[str]) -> None:
    there = {label for label in labels if label}
    sets = [nested(labels, first, size) for size in range(1, len(there) + 1)]
    assert all(large[: len(small)] == small for small, large in zip(sets, sets[1:], strict=False))
    assert all(len(set(names)) == len(names) == size for size, names in enumerate(sets, 1))
    assert not sets or set(sets[-1]) == there
    with pytest.raises(UserError, match="classes are asked for, and the data have"):
        nested(labels, first, len(there) + 1)


def test_known_classes_come_first_then_the_most_frequent() -> None:
    assert nested(["b", "a", "b", "z", "c", None], ["z", "y"], 4) == ["z", "b", "a", "c"]


def test_the_order_is_the_worlds_and_the_papers() -> None:
    world = load(["config.yaml", "configs/world48.yaml"])
    assert known_order(world.data)[:12] == list(DEFAULT) == known_order(load(["config.yaml"]).data)
    assert world.scaling.sizes[-1] == len(known_order(world.data)) == 48
    assert known_order(load(["config.yaml", "configs/vggsound-scaling.yaml"]).data) == list(PAPER_50)


def test_a_wrong_scaling_is_one_line(tmp_path: Path) -> None:
    for text, message in [
        ("{sizes: [12, 6], world: null}", "scaling.sizes: give growing numbers, two or more, or none"),
        ("{sizes: [6], world: null}", "scaling.sizes: give growing numbers, two or more, or none"),
        ("{sizes: [6, 13], world: null}", "scaling.sizes: 13, and data.world.classes has 12"),
        ("{world: nowhere.yaml}", "scaling.world: nowhere.yaml is not there"),
    ]:
        file = tmp_path / "mine.yaml"
        file.write_text(f"scaling: {text}\n")
        with pytest.raises(UserError, match=message):
            load(["config.yaml", file])


def test_pictures_and_candidates_are_those_of_the_set(tmp_path: Path) -> None:
    m, test = models(tmp_path), pack(tmp_path / "test.tar", 4)
    names = sorted(CLASSES)[:2]
    write_json(tmp_path / "classes.json", names)
    tars = []
    for classes in (tmp_path / "classes.json", None):
        tars.append(tmp_path / f"{classes is None}.tar")
        generate(
            config=GenerateConfig(window_s=1.0),
            method="sound2vision",
            seeds=[0],
            packs=[test],
            train_packs=[test],
            parts={"encoder": m.encoder, "generator": m.generator, "align": m.align},
            classes=classes,
            outputs=tars[-1:],
            runtime=RUNTIME,
            threads=1,
        )
    (few, records), (every, all_records) = map(read_pictures, tars)
    assert {record["label"] for record in records} == set(names) and len(records) == 8 < len(all_records)
    at = [i for i, record in enumerate(all_records) if record["label"] in names]
    assert (few.int() - every[at].int()).abs().max() <= 1, "a clip's picture does not depend on the set"
    evaluate(
        config=EvaluateConfig(evaluator="none"),
        pictures=[tars[0]],
        reference_packs=[test],
        evaluator_dirs=[],
        classes=tmp_path / "classes.json",
        outputs=[tmp_path / "r.json"],
        ranks_outputs=[tmp_path / "r.parquet"],
        tensors_outputs=[tmp_path / "r.safetensors"],
        runtime=RUNTIME,
        threads=1,
    )
    assert read_json(tmp_path / "r.json")["n"] == 8


def _result(path: Path, method: str, labels: dict[str, str], hit: float, seed: int) -> Path:
    """What stage evaluate writes: rank 1 for a share of the clips and 9 for the others."""
    rng = np.random.default_rng(seed)
    ranks: list[int | None] = [1 if rng.random() < hit else 9 for _ in labels]
    names = list(labels.values())
    return made_result(
        path,
        method,
        ranks,
        names,
        classes=len(set(names)),
        evaluator="judge: a test",
        fid=None,
        inception=None,
        kid=None,
    )


def _figure(tmp_path: Path, gan: float, ldm: float, missing: int = 0) -> dict[str, Any]:
    """Arguments of the figure: 10 and 20 classes, `missing` of the 10 without a clip."""
    labels = {f"c{i:03d}": f"class {i // 10:02d}" for i in range(200)}
    results: dict[int, dict[str, list[Path]]] = {}
    ceiling: dict[int, list[Path]] = {}
    for size, shares in ((10, {"GAN": 0.95, "LDM": 0.95, "real": 1.0}), (20, {"GAN": gan, "LDM": ldm, "real": 1.0})):
        own = {clip: label for clip, label in labels.items() if int(label[-2:]) < size - missing * (size == 10)}
        for name, hit in shares.items():
            folder = tmp_path / str(size) / name
            folder.mkdir(parents=True)
            paths = [_result(folder / f"{seed}.json", name, own, hit, seed) for seed in (0, 1)]
            if name == "real":
                ceiling[size] = paths
            else:
                results.setdefault(size, {})[name] = paths
    pictures = {}
    for name in ("GAN", "LDM"):
        records = [{"clip_id": clip, "label": label} for clip, label in labels.items()]
        pictures[name] = [tmp_path / f"{name}.tar"]
        write_pictures(pictures[name][0], torch.randint(0, 255, (200, 3, 16, 16), dtype=torch.uint8), records)
    return {
        "results": results,
        "ceiling": ceiling,
        "pictures": pictures,
        "families": {"people": ["class 0*", "no such *"]},
        "bootstrap": 200,
        "output": tmp_path / "fig16.png",
        "table": tmp_path / "fig16.csv",
        "markdown": tmp_path / "fig16.md",
        "quantities": tmp_path / "fig16.json",
    }


def test_the_figure_and_its_numbers(tmp_path: Path) -> None:
    parts = _figure(tmp_path, gan=0.5, ldm=0.9)
    fig16(**parts)
    rows = list(csv.DictReader((tmp_path / "fig16.csv").open()))
    assert [(row["classes"], row["generator"]) for row in rows] == [
        ("10", "GAN"),
        ("10", "LDM"),
        ("20", "GAN"),
        ("20", "LDM"),
        ("10", "real frames"),
        ("20", "real frames"),
    ]
    for row in rows:
        assert float(row["R@5 low"]) <= float(row["R@5"]) <= float(row["R@5 high"])
    assert abs(float(rows[2]["R@5"]) - 50) < 8 and float(rows[-1]["R@5"]) == 100
    text = (tmp_path / "fig16.md").read_text()
    assert "What was found of the claims" in text and "judge: a test" in text
    found = read_quantities(tmp_path / "fig16.json")
    assert decided(found) == {
        name: "holds" for name in ("fall_gan_minus_ldm", "r5_ldm_minus_gan", "r5_ldm_minus_gan_people")
    }
    assert found["r5_ldm_minus_gan_people"].clips == 100 and "People: " in text
    assert found["r5_ldm_minus_gan_animals"] == Missing("scaling.families names no class as one of animals")
    assert 0.3 < found["r5_ldm_minus_gan"].low < found["r5_ldm_minus_gan"].value < 0.5
    # Of the clips of the smaller set the GAN loses about 0.45, the LDM about 0.05.
    assert found["fall_gan_minus_ldm"].clips == 100 and found["fall_gan_minus_ldm"].value > 0.2
    image = np.asarray(Image.open(tmp_path / "fig16.png").convert("RGB"))
    assert image.shape[1] > 1200 and image.std() > 20


def test_a_generator_that_falls_as_much_does_not_win(tmp_path: Path) -> None:
    fig16(**_figure(tmp_path, gan=0.7, ldm=0.7))
    assert set(decided(read_quantities(tmp_path / "fig16.json")).values()) == {"equivalent"}, "the same hits"


def decided(found: Measured) -> dict[str, str]:
    """Verdicts of the figure's claims, each alone."""
    claims = {claim.key: claim for claim in CLAIMS if claim.source == "fig16"}
    return {name: decide(claims[name], one) for name, one in found.items() if isinstance(one, Quantity)}


def test_classes_without_a_clip_are_not_counted_silently(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="9 of 10 classes have a clip for test"):
        fig16(**_figure(tmp_path, gan=0.7, ldm=0.7, missing=1))


def test_generators_side_by_side_show_the_same_sounds(tmp_path: Path) -> None:
    shard = pack(tmp_path / "test.tar", 4)
    images, keys, labels = read_images([shard], 32)
    records = [{"clip_id": key, "label": label} for key, label in zip(keys, labels, strict=True)]
    tars = {name: tmp_path / f"{name}.tar" for name in ("GAN", "LDM")}
    for name, tar in tars.items():
        write_pictures(tar, images if name == "GAN" else 255 - images, records)
    fig14(pictures=tars, packs=[shard], audio=AudioConfig(window_s=1.0), output=tmp_path / "fig14.png", dpi=80)
    assert np.asarray(Image.open(tmp_path / "fig14.png")).std() > 20
    write_pictures(tars["LDM"], images[:-1], records[:-1])
    with pytest.raises(UserError, match="show different clips"):
        fig14(pictures=tars, packs=[shard], audio=AudioConfig(window_s=1.0), output=tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()
