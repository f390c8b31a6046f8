"""What is measured of faces from voices: known readings give known numbers, and meshes have the colours of pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from shards import write_tar
from workflow_runs import REPOSITORY

from s2v import speakers
from s2v.config import FaceReaderConfig, RuntimeConfig, SpeakersConfig
from s2v.configfile import load
from s2v.errors import UserError
from s2v.evaluate import faces
from s2v.evaluate.quantities import Quantity
from s2v.media.picture import encode_jpeg
from s2v.models.face_reader import LOOKS, FaceReader, as_numbers, mirrored
from s2v.models.store import load as store_load
from s2v.report.claim_list import CLAIMS
from s2v.report.faces import COLUMNS, described, quantities_of
from s2v.report.findings import decide
from s2v.report.tabular import to_csv
from s2v.speakers.film import photo_of, portrait
from s2v.speakers.mesh import canonical, distance_mm, shape_of
from s2v.speakers.portrait import Pose, on_picture
from s2v.speakers.recipe import SHAPE, Clip, clips, photos, who
from s2v.train.face_reader import run as train_reader

CONFIG = SpeakersConfig(people={"test": 6}, takes={"test": 2})
NAMES = [*LOOKS, *SHAPE]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """The truth of 96 test clips of 48 people."""
    return [row for row in speakers.truth_rows(CONFIG) if row["split"] == "test"]


def verdicts_of(found: list[faces.Agreement]) -> dict[str, str]:
    """Of the claims that rest on what was found."""
    measured = quantities_of(found, "a reader")
    told = {claim.key: claim for claim in CLAIMS if claim.source == "faces"}
    return {
        name: decide(told[name], quantity)
        for name, quantity in measured.items()
        if name in told and isinstance(quantity, Quantity)
    }


def people_of(rows: list[dict[str, Any]]) -> list[str]:
    return [str(row["person"]) for row in rows]


def test_who_reads_the_truth_is_right_and_who_reads_another_is_at_chance(rows: list[dict[str, Any]]) -> None:
    truth = faces.truth_of(rows)
    found = {one.name: one for one in faces.attributes([truth], truth, truth, people_of(rows), 200, 0)}
    assert [found[name].own.value for name in ("sex", "age", "skin")] == pytest.approx([1, 1, 1])
    assert abs(found["sex"].shuffled.value - 0.5) < 0.1 and abs(found["age"].shuffled.value) < 0.15
    verdicts = verdicts_of(list(found.values()))
    assert verdicts["sex"] == verdicts["age"] == "holds"
    # What reads the skin reads what it should not have seen.
    assert verdicts["skin"] == "does not hold"
    nobody = np.random.default_rng(0).standard_normal(truth.shape)
    blind = {one.name: one for one in faces.attributes([nobody], truth, truth, people_of(rows), 200, 0)}
    assert verdicts_of(list(blind.values()))["sex"] == "undecided"
    assert abs(blind["skin"].difference.value) < 0.3
    assert all(one.real == pytest.approx(1) for one in found.values())


def test_an_interval_is_of_people_and_not_of_their_clips(rows: list[dict[str, Any]]) -> None:
    truth = faces.truth_of(rows)
    told = truth.copy()
    told[:, 0] *= np.where(np.random.default_rng(1).random(len(told) // 2) < 0.7, 1, -1).repeat(2)
    few = faces.attributes([told], truth, truth, people_of(rows), 400, 0)[0].own
    alone = [f"{name}-{i}" for i, name in enumerate(people_of(rows))]
    many = faces.attributes([told], truth, truth, alone, 400, 0)[0].own
    assert few.value == many.value and few.high - few.low > 1.2 * (many.high - many.low)


def test_a_person_is_another_one_in_every_shuffle(rows: list[dict[str, Any]]) -> None:
    people = people_of(rows)
    for order in faces.shuffles(people, 3):
        assert all(people[i] != people[j] for i, j in enumerate(order))


def reader() -> FaceReader:
    """One that is not trained; its scale is that of people."""
    torch.manual_seed(0)
    net = FaceReader(NAMES, ["nowhere"], 32, 4, {"label": "untrained"})
    numbers = torch.tensor(faces.truth_of([row for row in speakers.truth_rows(CONFIG) if row["split"] == "test"]))
    net.mean.copy_(numbers.mean(0))
    net.spread.copy_(numbers.std(0).clamp_min(1e-6))
    return net.eval()


def test_the_face_of_the_speaker_is_found_by_who_reads_it_well(
    rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that knows everybody finds them all; one that says the same of all finds hardly any."""
    net, some = reader(), rows[:24]
    told = torch.tensor(faces.truth_of(some)).float()

    def read_well(reader: FaceReader, people: list[Any], rng: Any, px: int) -> torch.Tensor:
        told = [as_numbers({"sex": p.sex, "age": p.age, "skin": p.look.skin, "hair": p.look.hair, "pose": [0.0] * 6,
                            "shape": [p.shape[name] for name in SHAPE]}) for p in people]  # fmt: skip
        return faces.of_person(reader, torch.tensor(told))

    monkeypatch.setattr(faces, "_portraits", read_well)
    found = {one.name: one for one in faces.retrieval(net, [told], told, some, CONFIG, 100, 0)}
    assert found["R@1"].own.value == found["R@1_alike"].own.value == found["R@5"].real == 1
    assert found["R@1"].shuffled.value < 0.2
    # All of them are found among people who are alike, which no voice could do.
    assert verdicts_of(list(found.values())) == {"R@1": "holds", "R@1_alike": "does not hold"}
    same = told.mean(0).expand_as(told)
    blind = {one.name: one for one in faces.retrieval(net, [same], told, some, CONFIG, 100, 0)}
    assert blind["R@5"].own.value < 0.5
    assert verdicts_of(list(blind.values()))["R@1"] == "undecided"


def test_heads_are_nearer_to_themselves(rows: list[dict[str, Any]]) -> None:
    told = torch.tensor(faces.truth_of(rows))
    mesh, alike = faces.meshes([told], told, rows, 100, 0)
    assert mesh.own.value == 0 and verdicts_of([mesh, alike]) == {"mesh": "holds"}
    assert mesh.shuffled.value > alike.shuffled.value > 0.5, "mm; people of one group are less far apart"
    shifted = told.clone()
    shifted[:, len(LOOKS) + SHAPE.index("nose-length")] += 1
    assert 0.05 < distance_mm(shape_of(told), shape_of(shifted)).max() < 5


def test_colour_that_goes_is_seen() -> None:
    images = torch.randint(256, (12, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    grey = images.float().mean(1, keepdim=True).expand_as(images).to(torch.uint8)
    one = faces.fading(images, grey, [f"p{i // 2}" for i in range(12)], 100, 0)
    assert one.shuffled.value == 0 and one.difference.value == one.own.value > 0.3
    assert verdicts_of([one]) == {"vintage": "holds"}


def test_a_canonical_head_has_the_colours_of_its_picture(rows: list[dict[str, Any]]) -> None:
    """From where the picture was taken it looks like it; from the side it is another picture of the same colours."""
    person = who(Clip("test", "young man", 0, 0, 0))
    held = Pose(yaw=0.3, size=1.1)
    picture = portrait(person, held, 0.0, 96)
    told = torch.tensor(
        as_numbers({"sex": "man", "age": person.age, "skin": person.look.skin, "hair": person.look.hair,
                    "pose": [held.yaw, held.pitch, held.roll, held.x, held.y, held.size],
                    "shape": [person.shape[name] for name in SHAPE]})
    )  # fmt: skip
    front, side = canonical(picture, told, 96, (0.0, 0.65))
    assert front.shape == side.shape == (96, 96, 3) and not np.array_equal(front, side)
    face = front[40:60, 40:56].reshape(-1, 3).mean(0)
    real = picture[40:60, 40:56].reshape(-1, 3).mean(0)
    assert np.abs(face - real).max() < 45
    assert front[0, 0].tolist() == [255, 255, 255]


def test_a_mirror_image_is_held_the_other_way_round() -> None:
    """What the reader is told of a mirrored picture is where the mirrored head lies."""
    told = torch.tensor([[1.0, 40, 0.5, 0.2, 0.3, -0.1, 0.05, 0.56, 0.48, 1.1]])
    other = mirrored(told)
    corners = np.random.default_rng(0).normal(size=(50, 3)) * [0.8, 1, 0.8] + [0, 7, 0]
    _, x, y = on_picture(corners, Pose(*told[0, 4:10].tolist()), 1)
    _, x_other, y_other = on_picture(corners * [-1, 1, 1], Pose(*other[0, 4:10].tolist()), 1)
    assert np.allclose(x_other, 1 - x, atol=1e-6) and np.allclose(y_other, y, atol=1e-6)
    assert torch.equal(other[:, :4], told[:, :4])


def test_the_table_says_what_is_what(rows: list[dict[str, Any]]) -> None:
    truth = faces.truth_of(rows)
    found = faces.attributes([truth], truth, truth, people_of(rows), 50, 0)
    text = described(found, quantities_of(found, "a reader"), 48, 3, "face reader: of this test")
    assert "Speech tells the face's sex (6.2, Fig. 20). balanced accuracy of the sex (points), own minus" in text
    assert "96 test clips of 48 people" in text and "face reader: of this test" in text and "does not identify" in text
    assert to_csv(COLUMNS, found).splitlines()[1].startswith("sex,balanced accuracy of the sex,1.000,1.000,1.000,0.")


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("extract: {crop: face}", "names no boxes of faces"),
        ("align: {backbone: tagger}\ntagger: {split: nobody}", "no split of the data"),
        (
            "align: {backbone: wespeaker, weights: sound2scene-audio}\nencoder: {weights: swav-resnet50}",
            "of another kind of audio encoder",
        ),
        ("align: {backbone: somebody}", "tagger"),
        ("align: {backbone: tagger, final_relu: true}", "no ReLU follows the head"),
    ],
)
def test_settings_that_cannot_be_are_one_line(tmp_path: Path, overlay: str, message: str) -> None:
    (tmp_path / "mine.yaml").write_text(overlay)
    with pytest.raises(UserError, match=message):
        load([REPOSITORY / "config.yaml", REPOSITORY / "configs/faces.yaml", tmp_path / "mine.yaml"])


@pytest.mark.slow
def test_a_reader_that_learned_a_little_beats_the_mean_head(tmp_path: Path) -> None:
    """From packed portraits and their truth: on people it never saw, the head is nearer than the mean one."""
    config = SpeakersConfig(people={"judge": 10}, photos_per_reel=8, size_px=48)
    members: dict[str, bytes] = {}
    for clip in clips(config):
        for i, photo in enumerate(photos(clip, config)):
            key = f"{clip.clip_id}-{i:03d}"
            members[f"{key}.jpg"] = encode_jpeg(photo_of(photo, 48))
            members[f"{key}.json"] = json.dumps({"clip_id": clip.clip_id, "label": clip.label}).encode()
    write_tar(tmp_path / "judge.tar", members)
    table = pa.Table.from_pylist(speakers.truth_rows(config), speakers.TRUTH)
    pq.write_table(table, tmp_path / "truth.parquet")
    train_reader(
        config=FaceReaderConfig(batch_size=32, steps=300, image_px=48, width=8, learning_rate=3e-3),
        packs=[tmp_path / "judge.tar"], truth=tmp_path / "truth.parquet", output_dir=tmp_path / "reader",
        runtime=RuntimeConfig(device="cpu"), threads=1,
    )  # fmt: skip
    told = store_load(FaceReader, tmp_path / "reader").about["validation"]
    assert isinstance(told, dict) and told["val_mesh_mm"] < told["val_mean_head_mm"] and told["val_sex"] > 0.6
