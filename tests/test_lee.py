"""Lee et al. 2022: volume does not reach them, editing has its limits, and what is compared with ours."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny_run import models, pack
from torch import Tensor
from workflow_runs import REPOSITORY

from s2v import configfile
from s2v.config import JointConfig, LeeConfig, RuntimeConfig
from s2v.control.lee import Lee, ramp, styles_of
from s2v.control.lee_parts import Parts, of_publication, of_run
from s2v.errors import UserError
from s2v.evaluate.quantities import Missing, Quantity
from s2v.evaluate.resampling import resamples
from s2v.evaluate.tradeoff import Curve, advantage, advantage_interval, leads, shared_range
from s2v.losses.alignment import info_nce
from s2v.losses.joint import contrast
from s2v.media.mel import mel_picture
from s2v.models.joint import Joint, shape
from s2v.models.judge import Judge
from s2v.models.store import load, save
from s2v.models.stylegan2 import StyleGan2
from s2v.planning import needs
from s2v.planning.enough import too_few
from s2v.report import fig12
from s2v.report.claim_list import CLAIMS
from s2v.report.clips import TestSet
from s2v.report.edits import Edits, Pair, measure, pairs
from s2v.report.fig12 import examples, run
from s2v.report.fig12_deviations import fig12_deviations
from s2v.report.fig12_table import Setting, points_of, quantities_of
from s2v.runtime import Runtime
from s2v.train.joint import JointTask, as_in_sentences
from s2v.train.step import train_step

MEL = {"window_s": 1.0, "n_fft": 1024, "hop": 256, "bands": 32, "columns": 24, "range_db": 80.0}
CONFIG = JointConfig(
    batch_size=4, dim=8, image_px=16, image_width=8, audio_width=8, picture_steps=3, sound_steps=3,
    audio=MEL,
    text={"width": 8, "layers": 1, "heads": 2, "length": 8},
)  # fmt: skip
SETTING = Setting("made up", "a test", "a space", "background")
GAINS_DB = (-60.0, -24.0, -6.0, 20.0)


def sound(seed: int = 0, n: int = 12000) -> Tensor:
    """A chirp in noise [1, n], at half of full scale."""
    time = torch.arange(n) / 16000
    noise = torch.randn(n, generator=torch.Generator().manual_seed(seed))
    return 0.5 * torch.sin(2 * math.pi * (300 + 900 * time) * time)[None] + 0.01 * noise


def joint() -> Joint:
    """Random weights."""
    torch.manual_seed(0)
    return Joint(**shape(CONFIG, ["dog", "rain"])).eval()


@pytest.mark.parametrize("db", GAINS_DB)
def test_the_volume_of_a_sound_reaches_neither_the_spectrogram_nor_the_joint_space(db: float) -> None:
    wave, net = sound(), joint()
    softer = wave * 10 ** (db / 20)
    assert float((mel_picture(softer, **MEL) - mel_picture(wave, **MEL)).abs().max()) < 1e-4
    torch.testing.assert_close(net.encode_audio(softer), net.encode_audio(wave), atol=1e-4, rtol=0)
    assert float((net.encode_audio(sound(1) * torch.rand(1, 12000)) - net.encode_audio(wave)).abs().max()) > 1e-3


def test_levels_are_decibels_below_the_maximum() -> None:
    """A tone, and the same 40 dB below: 1 and 0; silence is -1."""
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(16000) / 16000)
    tone[8000:] *= 0.01
    levels = mel_picture(tone[None], **{**MEL, "bands": 24, "columns": 63})
    assert levels.shape == (1, 24, 63)
    assert float(levels.max()) == 1 and float(levels.min()) >= -1
    assert float(levels[0, :, 40:55].amax(0).mean()) == pytest.approx(0.0, abs=0.02)
    torch.testing.assert_close(mel_picture(torch.zeros(1, 100), **MEL), torch.full((1, 32, 24), -1.0))
    assert torch.equal(mel_picture((wave := (sound() * 32767).short()), **MEL), mel_picture(wave.float(), **MEL))


def _toy(steps: int = 60, **changes: float) -> Lee:
    """A generator that shows its variables, and an eye that looks at them."""
    config = LeeConfig(steps=steps, learning_rate=0.1, multiplier=1.0, **changes)

    def paint(variables: tuple[Tensor, ...]) -> Tensor:
        return torch.cat(variables, 1).view(-1, 3, 2, 2)

    def see(pictures: Tensor) -> Tensor:
        return F.normalize(pictures.flatten(1), dim=1)

    return Lee(paint, see, config, see)


def _start(n: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(n)
    numbers = torch.randn(n, 24, generator=generator)
    return numbers[:, :8], numbers[:, 8:12], F.normalize(numbers[:, 12:], dim=1)


def _shown(lee: Lee, variables: tuple[Tensor, ...], heard: Tensor) -> Tensor:
    return (lee.see(lee.paint(variables)) * heard).sum(1)


def test_at_weight_0_nothing_holds_a_picture_and_at_infinity_it_stays() -> None:
    *start, heard = _start()
    lee = _toy(120)
    free = lee.edit(tuple(start), heard, 0.0)
    assert float(_shown(lee, free, heard).min()) > 0.99, "it ends where the sound is"
    assert all(torch.equal(a, b) for a, b in zip(lee.edit(tuple(start), heard, math.inf), start, strict=True))
    moved = [
        sum(float((a - b).square().sum()) for a, b in zip(lee.edit(tuple(start), heard, w), start, strict=True))
        for w in (0.0, 0.01, 0.1, 1.0, 1e4)
    ]
    assert moved == sorted(moved, reverse=True) and moved[-1] < 1e-2 < moved[0], "the more it holds the less it moves"


def test_a_picture_is_edited_for_itself_and_its_start_is_left_alone() -> None:
    *start, heard = _start(4)
    before = [one.clone() for one in start]
    lee = _toy(20, identity_weight=0.3)
    together = lee.edit(tuple(start), heard, 0.05)
    alone = lee.edit(tuple(one[1:2] for one in start), heard[1:2], 0.05)
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a[1:2], b)
    assert all(torch.equal(a, b) for a, b in zip(start, before, strict=True))


def test_the_identity_term_keeps_what_is_recognised() -> None:
    *start, heard = _start()
    found = []
    for weight in (0.0, 5.0):
        lee = _toy(100, identity_weight=weight)
        found.append(_shown(lee, lee.edit(tuple(start), heard, 0.0), lee.see(lee.paint(tuple(start)))).mean())
    assert float(found[1]) > float(found[0]) + 0.1


def test_stylegan2_is_edited_in_the_styles_of_its_layers() -> None:
    """At a small size; 14 x 512 numbers at the published one."""
    torch.manual_seed(0)
    g = StyleGan2(32, 8, 2, [8, 8, 6, 4]).eval().requires_grad_(False)
    with torch.device("meta"):
        assert (StyleGan2().styles, StyleGan2().dim) == (14, 512)
    given = g(g.style(torch.randn(2, 8))[:, None].expand(-1, g.styles, -1)).clamp(-1, 1)
    far = []
    for steps in (1, 60):
        (w,) = styles_of(g, given, steps, 0.1)
        far.append(float((g(w) - given).abs().mean()))
    assert w.shape == (2, 8, 8) and far[1] < 0.6 * far[0]
    see = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 6))
    lee = Lee(lambda w: g(w[0]), lambda x: F.normalize(see(x), dim=1), LeeConfig(steps=40, multiplier=1.0))
    heard = F.normalize(torch.randn(2, 6), dim=1)
    (moved,) = lee.edit((w,), heard, 0.0)
    assert moved.shape == w.shape
    before, after = (_shown(lee, (one,), heard).detach() for one in (w, moved))
    assert float((after - before).min()) > 0.05


def test_what_they_published_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path))
    config = LeeConfig(generator="lee-stylegan2")
    with pytest.raises(UserError, match="s2v weights fetch clip-vit-b32"):
        of_publication(config, torch.device("cpu"))
    whole = configfile.load([REPOSITORY / "config.yaml"]).model_copy(update={"lee": config})
    wanted = needs.weights(whole, needs.of_jobs([("fig12", {})]))
    assert set(wanted) == {"lee-stylegan2", "lee-audio", "clip-vit-b32"}


def test_the_rate_rises_and_falls() -> None:
    assert ramp(0.0, 0.05, 0.25) == 0 and ramp(0.025, 0.05, 0.25) == pytest.approx(0.5)
    assert ramp(0.5, 0.05, 0.25) == 1 and ramp(0.875, 0.05, 0.25) == pytest.approx(0.5)
    assert ramp(1.0, 0.05, 0.25) == pytest.approx(0) and ramp(0.0, 0.0, 0.0) == 1


def test_texts_that_are_shared_are_no_negatives() -> None:
    a, b = (F.normalize(torch.randn(6, 4, generator=torch.Generator().manual_seed(n)), dim=1) for n in (0, 1))
    torch.testing.assert_close(contrast(a, b, 5.0), info_nce(5.0 * a @ b.T))
    torch.testing.assert_close(contrast(a, b, 5.0, torch.arange(6)), info_nce(5.0 * a @ b.T))
    same = a[:1].expand(4, -1)
    assert float(contrast(same, same, 50.0, torch.zeros(4, dtype=torch.long))) == pytest.approx(math.log(4))
    apart = torch.eye(2).repeat(2, 1)
    assert float(contrast(apart, apart, 50.0, torch.tensor([0, 1, 0, 1]))) == pytest.approx(math.log(2))


def test_names_keep_the_words_that_sentences_have() -> None:
    sentences = ["a brown dog on a meadow, far away", "a church bell in a street"]
    assert as_in_sentences(["dog barking", "church bell ringing", "helicopter"], sentences) == [
        "dog", "church bell", "helicopter",
    ]  # fmt: skip


def _task() -> JointTask:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (8, 3, 32, 32), dtype=torch.uint8, generator=generator)
    levels = torch.rand(8, 32, 24, generator=generator).half()
    return JointTask(
        CONFIG, joint(), (images, [f"a dog {i % 3}" for i in range(8)]), (levels, ["dog", "rain"] * 4),
        Runtime(torch.device("cpu"), bf16=False),
    )  # fmt: skip


def test_sounds_are_brought_to_a_space_that_stands_still() -> None:
    task = _task()
    heard = ("audio_stem", "sound", "audio_head")
    for step in range(6):
        before = {name: value.clone() for name, value in task.joint.named_parameters()}
        torch.manual_seed(step)
        train_step(task, step)
        moved = {name.split(".")[0] for name, value in task.joint.named_parameters() if not value.equal(before[name])}
        assert moved == (set(heard) if step >= 3 else {"image", "image_head", "text", "text_head"})


def test_masks_hide_no_more_than_they_may() -> None:
    task = _task()
    levels = torch.rand(50, 40, 60, generator=torch.Generator().manual_seed(1))
    masked = task._masked(levels, torch.rand(50, 4, generator=torch.Generator().manual_seed(2)))
    hidden = masked != levels
    bands, times = hidden.all(2).float().mean(1), hidden.all(1).float().mean(1)
    assert 0.1 < float(bands.max()) <= 0.15 + 1 / 40 and 0.2 < float(times.max()) <= 0.30 + 1 / 60
    assert torch.equal(hidden, hidden.all(2)[:, :, None] | hidden.all(1)[:, None])


def _curve(insertion: list[float], kept: list[float], n: int = 40, seed: int = 0) -> tuple[Curve, np.ndarray]:
    rng = np.random.default_rng(seed)
    named = np.array([rng.permutation(np.arange(n) < share * n) for share in insertion], float)
    apart = np.array([np.full(n, 1 - share) for share in kept])
    return Curve(named, np.zeros_like(named), apart), np.ones(n)


def test_methods_are_compared_where_they_keep_as_much() -> None:
    first, alone = _curve([0.0, 0.5, 1.0], [1.0, 0.5, 0.0])
    second, _ = _curve([0.0, 0.25], [1.0, 0.5], seed=1)
    whole = np.arange(40)
    assert shared_range(first, second, alone, whole) == (0.5, 1.0)
    assert advantage(first, second, alone, whole) == pytest.approx(0.125)
    interval = advantage_interval(first, second, alone, 200)
    assert interval is not None and interval.low < 0.125 < interval.high
    assert advantage(first, first, alone, whole) == 0
    led = leads(first, second, alone, 50)
    assert led[1] is not None and led[1].value == pytest.approx(0.25)
    nowhere, _ = _curve([0.0, 0.1], [-0.5, -0.1])
    assert math.isnan(advantage(first, nowhere, alone, whole)), "no background that both keep"
    assert advantage_interval(first, nowhere, alone, 50) is None and leads(first, nowhere, alone, 50) == [None, None]


def test_an_interval_is_of_all_resamples_or_there_is_none() -> None:
    """Where some resamples have no background that both keep, those that have one would speak for all."""
    first, alone = _curve([0.0, 1.0], [1.0, 0.5])
    apart = np.array([np.zeros(40), np.repeat([0.2, 0.85], 20)])  # 0.525 in the mean
    second = Curve(first.named, first.mixed, 1 - apart)
    index = resamples(40, 200)
    reached = [not math.isnan(advantage(first, second, alone, one)) for one in index]
    assert 100 < sum(reached) < 200 and not math.isnan(advantage(first, second, alone, np.arange(40)))
    assert advantage_interval(first, second, alone, 200) is None


class _Names:
    """An evaluator that names the class whose place a picture's first value is."""

    def rank(self, images: Tensor, names: list[str]) -> Tensor:
        return F.one_hot(images[:, 0, 0, 0].long(), len(names)).float()


def test_each_method_has_the_sounds_of_the_other_pairs_as_its_control() -> None:
    """Three classes, a picture and a sound of each two. Edits that paint what is heard are above their control; those
    that paint any other class than the picture's, whatever is heard, are not; those that change nothing are at 0."""
    labels = ["cow", "owl", "rain"]
    mask = torch.ones(8, 8, dtype=torch.bool)
    chosen = [Pair(a, b, mask) for a in range(3) for b in range(3) if a != b]
    clips = TestSet(labels, labels, [], torch.zeros(3, 3, 8, 8, dtype=torch.uint8))
    heard, shown = ([getattr(pair, side) for pair in chosen] for side in ("sound", "picture"))
    deaf = [(place + 1) % 3 for place in shown]
    rows = torch.tensor([shown, deaf, heard], dtype=torch.uint8)[..., None, None, None].expand(-1, -1, 3, 8, 8)
    curve = measure(Edits("", False, "", [0.0, 0.5, 1.0], rows), clips, chosen, _Names())  # type: ignore[arg-type]
    assert curve.named.mean(1).tolist() == [0, 0.5, 1]
    assert curve.mixed.mean(1).tolist() == [0, 0.5, 0.5]
    given = [Edits(name, False, "share", [0.0, 0.5, 1.0], rows) for name in "abc"], [curve] * 3, np.ones(6)
    found = quantities_of(*given, 3, 50, SETTING)["insertion_lee_minus_shuffled"]
    assert isinstance(found, Quantity) and (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    assert found.about.startswith("c, share 1: 100.0 % less 50.0 %, ")
    with_two = quantities_of(*given, 2, 50, SETTING)
    assert all(isinstance(one, Missing) for key, one in with_two.items() if "shuffled" in key)


def test_a_claim_says_over_what_it_is_and_how_many_weights_there_are() -> None:
    first, alone = _curve([0.0, 0.5, 1.0], [1.0, 0.5, 0.0])
    second, _ = _curve([0.0, 0.25], [1.0, 0.5], seed=1)
    rows = torch.zeros(1)
    made = [Edits("", False, "", [0.0, 0.5, 1.0], rows)] * 2 + [Edits("", True, "", [math.inf, 1.0], rows)]
    found = quantities_of(made, [first, first, second], alone, 12, 50, replace(SETTING, kept="whole picture"))
    ours, moved = (found[f"insertion_{key}_minus_lee"] for key in ("ours", "moved"))
    assert isinstance(ours, Quantity) and isinstance(moved, Quantity)
    for wanted in ("whole picture kept from 50 to 100 %", "3 weights of ours and 2 of theirs", "evaluator a test"):
        assert wanted in ours.about, wanted
    assert "where the paper mixes f_V's own" in ours.about and "the paper" not in moved.about


def test_generators_of_their_own_show_where_each_begins() -> None:
    mask, rows = torch.ones(8, 8, dtype=torch.bool), torch.zeros(3, 1, 3, 8, 8, dtype=torch.uint8)
    clips = TestSet(["a", "b"], ["cow", "owl"], [], torch.zeros(2, 3, 8, 8, dtype=torch.uint8))
    made = [Edits(name, False, "", [0.0, 0.5, 1.0], rows + place) for place, name in enumerate(fig12.COLOURS)]
    (one,), (two,) = (examples(clips, [Pair(0, 1, mask)], made, own) for own in (False, True))
    assert [(name, int(picture.max())) for name, picture in one.starts] == [("inverted", 2)]
    assert [(name, int(picture.max())) for name, picture in two.starts] == [("inverted, Lee", 2), ("inverted, ours", 0)]
    points = points_of(made, [_curve([0, 0.5, 1], [1, 0.5, 0])[0]] * 3, np.ones(40), 9)
    for row, tiles in ((one, 6), (two, 7)):
        axes = fig12.draw([row], points, "whole picture").axes
        assert len(axes) == tiles + 1 and axes[-1].get_xlabel() == "whole picture kept (%)"


def test_published_parts_are_edited_two_at_a_time(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient through StyleGAN2 at 256 px takes 0.7 GB for each picture."""
    sizes: list[int] = []

    def few(*given: Any) -> Parts:
        parts = of_run(*given)

        def start(pictures: Tensor, found: Any) -> Any:
            sizes.append(len(pictures))
            return parts.start(pictures, found)

        return replace(parts, start=start, most=2)

    monkeypatch.setattr(fig12, "of_run", few)
    (made / "few").mkdir(exist_ok=True)
    _run(made, made / "few", made / "test.tar")
    assert sizes == [2, 2, 1]
    few_rows, rows = (list(csv.DictReader((made / folder / "fig12.csv").open())) for folder in ("few", "."))
    assert [row["insertion"] for row in few_rows] == [row["insertion"] for row in rows]


def test_pairs_are_of_two_classes_and_follow_from_the_seed(tmp_path: Path) -> None:
    clips = TestSet.read([pack(tmp_path / "test.tar", 4)], 24)
    found = pairs(clips, None, "test", 32, 9, 0)
    assert len({pair.picture for pair in found}) == 9
    assert all(clips.labels[pair.picture] != clips.labels[pair.sound] for pair in found)
    assert all(pair.mask.all() and pair.mask.shape == (32, 32) for pair in found)
    again, other = pairs(clips, None, "test", 32, 9, 0), pairs(clips, None, "test", 32, 9, 1)
    assert [pair.sound for pair in again] == [pair.sound for pair in found] != [pair.sound for pair in other]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """fig12 of random nets."""
    root = tmp_path_factory.mktemp("fig12")
    models(root)
    net = joint()
    save(root / "joint", net.state_dict(), shape(CONFIG, ["dog", "rain"]))
    judge = {"class_names": ["cow", "owl"], "image_px": 16, "width": 4, "dim": 8, "about": {"label": "a test"}}
    save(root / "judge", Judge(**judge).state_dict(), judge)
    _run(root, root, pack(root / "test.tar", 3))
    return root


def _run(root: Path, output: Path, shard: Path, evaluator: str = "judge") -> None:
    run(
        config=LeeConfig(
            inversion_steps=3, steps=3, similarity_weights=[0.1, 0.0], ours_weights=[0.0, 0.5, 1.0],
            moved_weights=[0.0, 2.0], pairs=5, batch_size=3, identity_weight=0.1,
        ),
        run_dir=root, joint_dir=root / "joint", packs=[shard], evaluator=evaluator, judge_dir=root / "judge",
        prompt="{}", world=None, split="test", window_s=1.0, bootstrap=20, output=output / "fig12.png",
        csv=output / "fig12.csv", markdown=output / "fig12.md", dataset="made up", deviations=["It is made up."],
        quantities=output / "fig12.json", runtime=RuntimeConfig(device="cpu"), threads=1,
    )  # fmt: skip


def test_the_table_has_every_method_and_weight_and_all_begin_at_one_picture(made: Path) -> None:
    with open(made / "fig12.csv") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["method"], row["uses text"], row["value"]) for row in rows] == [
        *(("Ours", "no", value) for value in ("0", "0.5", "1")),
        *(("Ours, along volume", "no", value) for value in ("0", "2")),
        *(("Lee et al.", "yes", value) for value in ("inf", "0.1", "0")),
    ]
    first = [row for row in rows if row["value"] in ("inf",) or row["weight"] != "lambda_sim" and row["value"] == "0"]
    # Nothing is known of these clips' sources.
    kept = [row["whole picture kept"] for row in rows]
    assert len({row["whole picture kept"] for row in first}) == 1 == len({row["insertion"] for row in first})
    assert float(kept[2]) == 0, "the sound's own picture is what the background is compared with"
    assert {row["data set"] for row in rows} == {"made up"} and {row["evaluator"] for row in rows} == {"a test"}
    assert [row["edited with"].split()[-1] for row in rows] == ["space"] * 8
    assert (made / "fig12.png").stat().st_size > 20_000


def test_the_claims_have_their_quantities(made: Path) -> None:
    found = json.loads((made / "fig12.json").read_text())
    assert set(found) == {claim.key for claim in CLAIMS if claim.source == "fig12"} and len(found) == 6
    text = (made / "fig12.md").read_text()
    for wanted in (
        "5 pairs",
        "Evaluator: a test.",
        "nobody knows its source",
        "- It is made up.",
        "## What was found of the claims",
    ):
        assert wanted in text, wanted
    assert abs(found["volume_lee"]["value"]) < 1e-5 and "of ours it is" in found["volume_lee"]["about"]


def test_the_same_run_gives_the_same_table(made: Path, tmp_path: Path) -> None:
    _run(made, tmp_path, made / "test.tar")
    assert (tmp_path / "fig12.csv").read_bytes() == (made / "fig12.csv").read_bytes()


def test_what_is_lacking_is_one_line(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs an evaluator"):
        _run(made, tmp_path, made / "test.tar", evaluator="none")
    config = json.loads((made / "joint/config.json").read_text())
    (tmp_path / "joint").mkdir()
    for name, changed in (("window_s", 0.01), ("columns", 0), ("n_fft", "many")):
        (tmp_path / "joint/config.json").write_text(json.dumps({**config, "audio": {**config["audio"], name: changed}}))
        (tmp_path / "joint/model.safetensors").write_bytes((made / "joint/model.safetensors").read_bytes())
        with pytest.raises(UserError, match="not a trained Joint") as error:
            load(Joint, tmp_path / "joint")
        assert "\n" not in str(error.value)


def test_deviations_say_what_differs_from_what_they_published() -> None:
    config = configfile.load([REPOSITORY / "config.yaml"])
    text = "\n".join(fig12_deviations(config))
    for wanted in ("150 steps of Adam (300)", "f_V's feature where theirs is a face", "words that the sentences have",
                   "(exp(0.07) = 1.07)", "not inverted", "ResNet-18 of width 16 (64) on 5 s (10)"):  # fmt: skip
        assert wanted in text, wanted
    assert "Row " not in text and "published weights" not in text
    theirs = config.model_copy(update={"lee": LeeConfig(generator="lee-stylegan2")})
    assert "CLIP ViT-B/32 (published weights)" in "\n".join(fig12_deviations(theirs))


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("ours_weights: [0.2, 0.5, 1.0]", "lee.ours_weights: allowed: numbers that grow"),
        ("ours_weights: [0.0, 1.0]", "at least 3"),
        ("moved_weights: [0.0, 2.0, 1.0]", "lee.moved_weights: allowed: numbers that grow"),
    ],
)
def test_weights_begin_at_the_picture(said: str, wrong: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"lee: {{{said}}}\n")
    with pytest.raises(UserError, match=wrong):
        configfile.load([REPOSITORY / "config.yaml", tmp_path / "mine.yaml"])


def test_fig12_asks_for_an_evaluator_without_stage_evaluate() -> None:
    planned = needs.of_jobs([("fig12", {})])
    for evaluator, wanted in (("clip_inception", {"clip-vit-b32", "inception-v3"}), ("judge", set())):
        config = configfile.load([REPOSITORY / "config.yaml"])
        config = config.model_copy(update={"evaluate": config.evaluate.model_copy(update={"evaluator": evaluator})})
        assert set(needs.weights(config, planned)) == wanted
    config = config.model_copy(update={"evaluate": config.evaluate.model_copy(update={"evaluator": "none"})})
    clips = Counter({("test", "cow"): 2, ("test", "owl"): 2})
    assert any("evaluate.evaluator is none" in line for line in too_few(config, planned.stages, clips))
