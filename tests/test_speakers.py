"""The embedded speakers: voices that are what they are said to be, heads that follow sex and age, and what no voice
can tell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from workflow_runs import REPOSITORY

from s2v import speakers
from s2v.config import SpeakersConfig
from s2v.configfile import load
from s2v.data.manifest import manifest_rows
from s2v.media.ffmpeg import ffmpeg_path
from s2v.planning.samples import clips as planned
from s2v.speakers.film import film, picture_and_sound, portrait, soundtrack, spoken
from s2v.speakers.head import head
from s2v.speakers.person import FREE, GROUPS, HEARD, Person, person
from s2v.speakers.portrait import Pose
from s2v.speakers.recipe import SHAPE, clips, of_row, story, truths, who
from s2v.speakers.voice import VOWELS, Voice, _glottis, _tract, formants, old_record, pitch_of, speak
from s2v.world.sound import RATE

CONFIG = SpeakersConfig(people={"train": 3, "test": 2, "images": 1}, takes={"train": 2}, size_px=48, photos_per_reel=3)


def _people(n: int, group: str) -> list[Person]:
    return [person(group, np.random.default_rng([n, i])) for i in range(n)]


@pytest.mark.parametrize("seed", range(6))
def test_the_pitch_of_a_voice_is_what_was_meant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    voice = Voice(float(rng.uniform(85, 320)), float(rng.uniform(11, 18)))
    speech = speak(voice, 4.0, rng)
    meant = float(np.median(speech.pitch_hz[speech.opening > 0.1]))
    found = pitch_of(speech.wave)
    assert found is not None and found == pytest.approx(meant, rel=0.02)


def test_formants_lie_where_the_tract_puts_them() -> None:
    """The spectrum of a vowel has its peaks there, and a tract of half the length twice as high."""
    assert formants("a", 17.0) == VOWELS["a"] and formants("a", 8.5) == tuple(2 * one for one in VOWELS["a"])
    impulse = np.zeros(RATE)
    impulse[0] = 1
    for tract in (17.0, 14.0, 12.0):
        spectrum = np.abs(np.fft.rfft(_tract(impulse, formants("e", tract))))
        first, second = formants("e", tract)[:2]
        between = int((first + second) / 2)
        assert abs(int(np.argmax(spectrum[:between])) - first) < 0.03 * first
        assert abs(int(np.argmax(spectrum[between : int(1.2 * second)])) + between - second) < 0.03 * second


def test_pulses_come_at_the_pitch_with_jitter_and_shimmer() -> None:
    even, uneven = (
        _glottis(Voice(100, 17, jitter=j, shimmer=0.0), np.full(RATE, 100.0), np.random.default_rng(0))
        for j in (0.0, 0.05)
    )
    lag = RATE // 100
    alike = [float(np.corrcoef(wave[:-lag], wave[lag:])[0, 1]) for wave in (even, uneven)]
    assert alike[0] > 0.99 > 0.9 > alike[1]


def test_an_old_record_has_the_band_of_a_telephone() -> None:
    rng = np.random.default_rng(0)
    white = rng.standard_normal(RATE)
    power = np.abs(np.fft.rfft(old_record(white, rng))) ** 2
    inside, outside = power[500:3000].mean(), np.concatenate([power[20:150], power[5500:7500]]).mean()
    assert outside < 0.1 * inside


def test_the_same_seed_speaks_the_same() -> None:
    voice = Voice(120, 17)
    a, b = (speak(voice, 2.0, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(a.wave, b.wave) and np.array_equal(a.opening, b.opening)


def test_voices_tell_sex_with_overlap_and_the_rest_of_a_look_nothing() -> None:
    women, men = (_people(300, f"young {sex}") for sex in ("woman", "man"))
    pitches = [np.array([one.voice.pitch_hz for one in group]) for group in (women, men)]
    middle = np.exp(np.mean([np.log(group).mean() for group in pitches]))
    wrong = (np.mean(pitches[0] < middle) + np.mean(pitches[1] > middle)) / 2
    assert 0.005 < wrong < 0.08, "some women speak lower than some men"
    assert 110 < np.median(pitches[1]) < 125 and 190 < np.median(pitches[0]) < 215
    for group in (women, men):
        heard = np.array([[np.log(one.voice.pitch_hz), one.voice.tract_cm, one.voice.breath] for one in group])
        free = np.array([[one.look.skin, *(one.shape[name] for name in ("african", "asian", *FREE))] for one in group])
        r = np.corrcoef(heard.T, free.T)[:3, 3:]
        assert np.abs(r).max() < 0.24, "0.06 is one standard deviation of chance, of a hundred"
    children = [one.voice for group in ("girl", "boy") for one in _people(100, group)]
    assert np.median([one.tract_cm for one in children]) < 14 < np.median([one.voice.tract_cm for one in women])


def test_heads_follow_sex_and_age() -> None:
    mesh = head()
    assert set(SHAPE) == set(mesh.shapes) == {*HEARD, "african", "asian", *FREE}
    assert mesh.faces.max() < len(mesh.mean) and set(np.unique(mesh.part)) == set(range(5))
    assert (REPOSITORY / "s2v/shipped/heads.safetensors").stat().st_size < 1_000_000
    child, grown = (mesh.vertices({"child": value}) for value in (1.0, 0.0))
    assert np.ptp(child[:, 1]) < 0.97 * np.ptp(grown[:, 1])
    many = mesh.many(np.eye(len(mesh.shapes))[:3])
    for i, name in enumerate(mesh.shapes[:3]):
        np.testing.assert_allclose(many[i], mesh.vertices({name: 1.0}))


def test_a_picture_shows_a_face_on_its_background() -> None:
    one = _people(1, "young woman")[0]
    shut, wide, away = (
        portrait(one, Pose(yaw=yaw), opening, 64).astype(int) for yaw, opening in ((0, 0.0), (0, 0.6), (1.6, 0.0))
    )
    assert shut.shape == (64, 64, 3) and np.abs(shut[2, 2] - 255 * np.array(one.look.back[0])).max() < 12
    changed = np.abs(shut - wide).sum(2) > 60
    rows, columns = np.nonzero(changed)
    assert 3 < changed.sum() < 500 and 30 < np.median(rows) < 52 and 24 < np.median(columns) < 40, (
        "the mouth alone opens"
    )
    assert np.abs(shut - away).mean() > 8


def test_no_one_is_in_two_splits_and_takes_are_of_one_person() -> None:
    found = clips(CONFIG)
    assert len({clip.clip_id for clip in found}) == len(found) == 8 * (3 * 2 + 2 + 1)
    people = {}
    for clip in (clip for clip in found if clip.split != "images"):
        people.setdefault(clip.person_id, []).append(who(clip))
    voices = [one.voice for group in people.values() for one in group[:1]]
    assert len(set(voices)) == len(people) == 8 * 5
    assert all(one == group[0] for group in people.values() for one in group)
    a, b = (story(clip, CONFIG) for clip in [clip for clip in found if clip.split == "train"][:2])
    assert a.person == b.person and a.pose != b.pose and a.sound_seed != b.sound_seed


def test_the_mouth_is_open_when_there_is_a_voice() -> None:
    for clip in [clip for clip in clips(CONFIG) if clip.split == "train"]:
        told = story(clip, CONFIG)
        if told.turned or told.vintage:
            continue
        said = spoken(told)
        frames, wave = film(told, CONFIG, said), soundtrack(told, said).astype(float)
        assert len(frames) == round(told.duration_s * CONFIG.fps) and len(wave) == round(told.duration_s * RATE)
        (start, speech), *_ = said
        loud = np.sqrt(np.mean(wave[start : start + len(speech.wave)] ** 2)) / 32767
        assert 0.5 * told.loud < loud < 2 * told.loud
        return
    raise AssertionError("none of them is plain")


def test_the_truth_says_what_is_drawn() -> None:
    for clip in clips(CONFIG):
        (row,) = truths(clip, CONFIG)
        assert set(row) == set(speakers.TRUTH.names)
        if clip.split == "images":
            assert row["sex"] is None and row["shape"] is None
            assert clip.label.replace(" ", "-") not in clip.clip_id, "no name tells the group"
            continue
        sex, (low, high) = GROUPS[clip.label]
        assert row["sex"] == sex and low <= row["age"] <= high and len(row["shape"]) == len(SHAPE)
        told = story(clip, CONFIG)
        assert len(row["visible"]) == round(told.duration_s * CONFIG.fps)
        assert any(row["sounding"]) and any(row["visible"])


def test_old_film_is_grey() -> None:
    config = CONFIG.model_copy(update={"vintage": 1.0})
    frames, wave = picture_and_sound(clips(config)[-1], config)
    assert np.array_equal(frames[..., 0], frames[..., 1]) and wave is not None


def test_a_row_names_its_clip_and_nothing_of_the_truth() -> None:
    rows = speakers.manifest_rows(CONFIG)
    assert len(rows) == len(clips(CONFIG)) == len(speakers.truth_rows(CONFIG))
    assert {row["label"] for row in rows if row["split"] == "images"} == {None}
    assert {row["label"] for row in rows if row["split"] == "train"} == set(speakers.class_names())
    assert all(set(json.loads(row["extra"])) == {"group", "number", "take", "seed"} for row in rows)
    assert [of_row(row) for row in rows] == clips(CONFIG)


def test_it_is_a_source_like_the_others(tmp_path: Path) -> None:
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(
        "data: {source: speakers, speakers: {people: {train: 3, val: 1, test: 2, images: 1, judge: 1}, takes: "
        "{train: 2}}}\n"
        "scaling: {world: null, sizes: []}\nfig15: {classes: []}\n"
    )
    config = load([REPOSITORY / "config.yaml", overlay])
    rows = manifest_rows(config.data)
    counts = planned(config)
    assert len(rows) == sum(counts.values()) == 8 * (3 * 2 + 1 + 2 + 1 + 1)
    assert {row["label"] for row in rows if row["split"] == "images"} == {None}
    assert all(set(json.loads(row["extra"])) == {"group", "number", "take", "seed"} for row in rows)
    row = next(row for row in rows if row["split"] == "train")
    assert json.loads(row["extra"])["group"] == row["label"]
    section = config.data.speakers
    assert section is not None
    made = []
    for name in ("a.mp4", "b.mp4"):
        speakers.render(row, tmp_path / name, config=section, ffmpeg=ffmpeg_path("bundled"))
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1], "the same row gives the same bytes"
