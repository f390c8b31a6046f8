"""What a program gives the model: every usual layout and type of a sound or a picture is the same feature, and what can
be read in two ways is one line."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile
import torch
import torchaudio
from PIL import Image
from tiny_run import models
from torch import Tensor

import s2v
from s2v.errors import UserError
from s2v.media import arrays
from s2v.media.picture import decode_image
from s2v.model import Model

RATE = 16000
N = 2 * RATE
TONE = (0.3 * np.sin(np.arange(N) * 0.2) * np.linspace(0.2, 1, N)).astype(np.float32)
OTHER = (0.2 * np.sin(np.arange(N) * 0.37)).astype(np.float32)
STEREO = np.stack([TONE, OTHER])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    root = tmp_path_factory.mktemp("run")
    models(root)
    return Model(root)


def same(a: Tensor, b: Tensor, least: float = 0.999) -> None:
    assert a.shape == b.shape
    assert float((a * b).sum(-1).min()) > least


def line(act: Callable[[], Any]) -> str:
    with pytest.raises(UserError) as error:
        act()
    assert "\n" not in str(error.value)
    return str(error.value)


SAME_SOUND: dict[str, Any] = {
    "array at 16 kHz": TONE,
    "tensor at 16 kHz": torch.from_numpy(TONE),
    "(array, rate) as soundfile and librosa give it": (TONE, RATE),
    "(rate, array) as scipy and Gradio give it": (RATE, TONE),
    "[1, N]": (TONE[None], RATE),
    "[N, 1]": (TONE[:, None], RATE),
    "[1, N] without a rate": torch.from_numpy(TONE)[None],
    "float16": (TONE.astype(np.float16), RATE),
    "float64": (TONE.astype(np.float64), RATE),
    "bfloat16": (torch.from_numpy(TONE).bfloat16(), RATE),
    "big-endian float": (TONE.astype(">f4"), RATE),
    "big-endian int16": ((TONE * 32767).astype(">i2"), RATE),
    "int16": ((TONE * 32767).astype(np.int16), RATE),
    "int16 tensor": (torch.from_numpy((TONE * 32767).astype(np.int16)), RATE),
    "int16 without a rate": (TONE * 32767).astype(np.int16),
    "int32": ((TONE.astype(np.float64) * (2**31 - 1)).astype(np.int32), RATE),
    "24 bits in int32": (((TONE.astype(np.float64) * (2**23 - 1)).astype(np.int32)) << 8, RATE),
    "16 bits in the upper half of int32": ((TONE * 32767).astype(np.int32) << 16, RATE),
    "backwards": (TONE[::-1].copy()[::-1], RATE),
    "every second": (np.repeat(TONE, 2)[::2], RATE),
    "read-only": (np.frombuffer(TONE.tobytes(), np.float32), RATE),
    "a list of numbers": (TONE.tolist(), RATE),
    "with a gradient": torch.from_numpy(TONE.copy()).requires_grad_(),
    "rate as float": (TONE, 16000.0),
    "rate as numpy's int": (TONE, np.int64(RATE)),
    "rate as a tensor": (TONE, torch.tensor(RATE)),
    "the same on two channels": (np.stack([TONE, TONE]), RATE),
    "opposed channels": (np.stack([TONE, -TONE], 1), RATE),
}


@pytest.mark.parametrize("name", SAME_SOUND)
def test_a_sound_of_any_usual_layout_and_type_is_the_same(name: str, model: Model) -> None:
    expected = model.encode_audio(torch.from_numpy(TONE))
    same(model.encode_audio(SAME_SOUND[name]), expected, 0.99 if "float16" in name else 0.999)


def test_eight_bits_are_scaled_by_their_own_full_scale() -> None:
    """Features of so few bits hear the rounding: the waveforms are compared."""
    for wave in (((TONE * 127) + 128).round().astype(np.uint8), (TONE * 127).round().astype(np.int8)):
        heard = arrays.waveform(wave, RATE)
        assert float((heard - torch.from_numpy(TONE)).abs().max()) < 0.01


@pytest.mark.parametrize("channels", [2, 3, 6, 8])
def test_channels_may_be_first_or_last(channels: int, model: Model) -> None:
    """Right features of stereo in soundfile's layout had a cosine of 0.04 with what was given."""
    several = np.stack([TONE * (i + 1) / channels + OTHER / (i + 1) for i in range(channels)])
    expected = model.encode_audio(torch.from_numpy(several.mean(0)))
    for wave in (several, several.T, np.asfortranarray(several.T), torch.from_numpy(several.T)):
        same(model.encode_audio((wave, RATE)), expected)
        same(model.encode_audio((RATE, wave)), expected)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "PCM_U8", "FLOAT"])
def test_what_soundfile_and_scipy_read_of_a_file_is_the_file(
    rate: int, subtype: str, tmp_path: Path, model: Model
) -> None:
    n = 2 * rate
    time = np.arange(n) / rate
    stereo = np.stack([0.3 * np.sin(2000 * time) + 0.05 * np.sin(9000 * time), 0.2 * np.sin(5000 * time)], 1)
    path = tmp_path / "a.wav"
    soundfile.write(path, stereo, rate, subtype=subtype)
    expected = model.sound(path)
    # soundfile does not scale floats that it is asked for as integers.
    kinds = ("float32", "float64") if subtype == "FLOAT" else ("int16", "int32", "float32", "float64")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.io.wavfile.WavFileWarning)
        read = [*(soundfile.read(path, dtype=kind) for kind in kinds), scipy.io.wavfile.read(path)]
    for given in read:
        heard = model.sound(given)
        assert abs(len(heard) - len(expected)) <= 32
        inner = slice(500, min(len(heard), len(expected)) - 500)
        assert float((heard[inner] - expected[inner]).abs().max()) < 0.02


def test_several_sounds_are_a_list_a_tuple_an_iterator_or_a_batch(model: Model) -> None:
    one, other = torch.from_numpy(TONE), torch.from_numpy(OTHER)
    expected = torch.cat([model.encode_audio(one), model.encode_audio(other)])
    iterators = iter([one, (OTHER, RATE)]), (x for x in (one, other))
    for several in ([one, other], (one, other), *iterators, torch.stack([one, other]), STEREO, [(RATE, TONE), OTHER]):
        same(model.encode_audio(several), expected, 0.9999)
    volumes = model.volumes(one, [-20, 0, 30])
    same(model.encode_audio(volumes), model.encode_audio(list(volumes)), 0.9999)
    assert model.encode_audio(volumes).shape == (3, model.dim) and float(volumes.abs().max()) <= 1
    assert torch.allclose(model.mix(volumes[:2]), model.mix(list(volumes[:2])))
    assert float(model.mix([one, other], [40, 40]).abs().max()) <= 1


def test_nan_is_silence_and_an_overshoot_is_clipped(model: Model) -> None:
    wave = TONE.copy()
    wave[100:200] = np.nan
    heard = model.sound((wave, RATE))
    assert not heard[100:200].any() and torch.equal(heard[200:], torch.from_numpy(TONE[200:]))
    assert float(model.sound(4 * TONE).max()) == 1.0
    both = np.stack([TONE, np.full_like(TONE, np.nan)])
    assert torch.equal(model.sound((both, RATE)), torch.from_numpy(TONE / 2))


@pytest.mark.parametrize("rate", [1000, 7919, 44101, 44056, 999_983, 1_000_000])
def test_odd_rates_take_little_and_keep_the_pitch(rate: int) -> None:
    hertz = 300
    wave = (0.5 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype(np.float32)
    heard = arrays.waveform(wave, rate)
    assert abs(len(heard) - RATE) <= 2
    peak = int(torch.fft.rfft(heard[: RATE - 2]).abs().argmax())
    assert abs(peak - hertz) <= 1
    if rate == 44056:
        assert torch.equal(heard, torchaudio.functional.resample(torch.from_numpy(wave), rate, RATE))


REFUSED_SOUNDS: dict[str, tuple[Any, str]] = {
    "empty": (np.zeros(0, np.float32), "no samples"),
    "empty channels": ((np.zeros((2, 0), np.float32), RATE), "no samples"),
    "no axis": ((np.float32(1.0), np.float32(2.0)), "shape []"),
    "float32 [N, 2] without a rate": (STEREO.T, "with their rate"),
    "three axes": ((np.zeros((1, 2, 900), np.float32), RATE), "channels"),
    "two short axes": ((np.zeros((2, 3), np.float32), RATE), "cannot tell"),
    "two long axes": ((np.zeros((90, 900), np.float32), RATE), "cannot tell"),
    "floats of 16 bits": ((TONE * 32768, RATE), "divide by the full scale (32768"),
    "quiet floats of 16 bits": ((TONE * 100, RATE), "divide by the full scale"),
    "16 bits in int32": (((TONE * 32767).astype(np.int32), RATE), "int16"),
    "24 bits low in int32": (((TONE.astype(float) * 2**23).astype(np.int32), RATE), "int16"),
    "int64": (((TONE * 32767).astype(np.int64), RATE), "int64"),
    "uint16": (((TONE * 32767 + 32768).astype(np.uint16), RATE), "uint16"),
    "bool": ((TONE > 0, RATE), "bool"),
    "complex": ((TONE.astype(complex), RATE), "complex"),
    "complex tensor": ((torch.zeros(900, dtype=torch.complex64), RATE), "complex"),
    "objects": ((np.array([1.0, "a", None] * 300, dtype=object), RATE), "object"),
    "words": ((np.array(["a"] * 900), RATE), "plain numbers"),
    "ragged": (([[1.0, 2.0], [3.0]], RATE), "no array"),
    "nothing but NaN": (np.full(900, np.nan, np.float32), "without a finite number"),
    "meta tensor": (torch.empty(900, device="meta"), "no array"),
    "rate 0": ((TONE, 0), "rate of 0"),
    "negative rate": ((TONE, -16000), "rate of -16000"),
    "rate that is not a number": ((TONE, math.nan), "rate of nan"),
    "infinite rate": ((TONE, math.inf), "rate of inf"),
    "broken rate": ((TONE, 44100.5), "44100.5"),
    "absurd rate": ((TONE, 10**9), "10"),
    "beyond absurd": ((TONE, 10**400), "rate of 1"),
    "rate in kHz": ((TONE, 16), "rate of 16"),
    "rate True": ((TONE, True), "rate of True"),
    "rate in words": ((TONE, "16000"), "16000"),
    "no rate": ((TONE, None), "NoneType is no sound"),
    "None": (None, "NoneType is no sound"),
    "a number": (5, "int is no sound"),
    "bytes": (b"RIFF", "bytes is no sound"),
    "a dict": ({"a": 1}, "dict is no sound"),
    "no file": ("nowhere.wav", "nowhere.wav: there is no such file"),
    "a name with a NUL": ("a\0.wav", "there is no such file"),
    "a long name": ("a" * 5000, "cannot be read as a sound"),
    "a folder": (Path("."), "no such file"),
    "nothing": ([], "no sound is given"),
    "an empty batch": (torch.zeros(0, 900), "no sound is given"),
    "a list of numbers": ([0.1, 0.2], "float is no sound"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_SOUNDS)
def test_a_sound_that_cannot_be_told_is_one_line(name: str, model: Model) -> None:
    given, said = REFUSED_SOUNDS[name]
    assert said in line(lambda: model.encode_audio(given))


PICTURE = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
GREY = PICTURE[..., 0]
RGBA = np.dstack([PICTURE, np.random.default_rng(1).integers(0, 256, (40, 30)).astype(np.uint8)])
FADED = np.rint(PICTURE * (RGBA[..., 3:] / 255)).astype(np.uint8)
UNIT = torch.from_numpy(PICTURE).permute(2, 0, 1)


def grey(levels: np.ndarray) -> np.ndarray:
    return np.repeat(levels[..., None], 3, 2)


SAME_PICTURE: dict[str, tuple[Any, np.ndarray]] = {
    "array": (PICTURE, PICTURE),
    "tensor": (UNIT, PICTURE),
    "floats in an array": (PICTURE / 255, PICTURE),
    "floats in a tensor": (UNIT / 255, PICTURE),
    "float16": ((PICTURE / 255).astype(np.float16), PICTURE),
    "floats that overshoot": (np.where(PICTURE == 255, 1.01, PICTURE / 255), PICTURE),
    "grey [H, W]": (GREY, grey(GREY)),
    "grey [H, W, 1]": (GREY[..., None], grey(GREY)),
    "grey tensor [H, W]": (torch.from_numpy(GREY.copy()), grey(GREY)),
    "grey tensor [1, H, W]": (torch.from_numpy(GREY.copy())[None], grey(GREY)),
    "alpha [H, W, 4]": (RGBA, FADED),
    "alpha [4, H, W]": (torch.from_numpy(RGBA).permute(2, 0, 1), FADED),
    "alpha in floats": (RGBA / 255, FADED),
    "black and white": (GREY > 127, grey(np.where(GREY > 127, 255, 0).astype(np.uint8))),
    "16 bits": (GREY.astype(np.uint16) * 257, grey(GREY)),
    "big-endian 16 bits": ((GREY.astype(np.uint16) * 257).astype(">u2"), grey(GREY)),
    "mirrored": (PICTURE[:, ::-1], PICTURE[:, ::-1]),
    "one row": (PICTURE[:1], PICTURE[:1]),
    "PIL RGB": (Image.fromarray(PICTURE), PICTURE),
    "PIL L": (Image.fromarray(GREY), grey(GREY)),
    "PIL RGBA": (Image.fromarray(RGBA), FADED),
    "PIL LA": (Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(RGBA[..., 3])]),
               grey(np.rint(GREY * (RGBA[..., 3] / 255)).astype(np.uint8))),
    "PIL 1": (Image.fromarray(GREY > 127), grey(np.where(GREY > 127, 255, 0).astype(np.uint8))),
    "PIL I;16": (Image.fromarray(GREY.astype(np.uint16) * 257), grey(GREY)),
    "PIL I;16, dark": (Image.fromarray(GREY.astype(np.uint16)), grey(GREY * 0)),
    "PIL I": (Image.fromarray(GREY.astype(np.int32) * 257), grey(GREY)),
    "PIL F": (Image.fromarray((GREY / 255).astype(np.float32)), grey(GREY)),
    "PIL CMYK": (Image.fromarray(PICTURE).convert("CMYK"), PICTURE),
    "PIL HSV": (Image.new("HSV", (30, 40), (0, 255, 255)), np.full((40, 30, 3), (255, 0, 0), np.uint8)),
    "PIL P": (Image.fromarray(PICTURE).quantize(8),
              np.array(Image.fromarray(PICTURE).quantize(8).convert("RGB"))),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME_PICTURE)
def test_a_picture_of_any_usual_layout_and_type_is_the_same(name: str, model: Model) -> None:
    given, expected = SAME_PICTURE[name]
    seen = model._seen(given)[0].permute(1, 2, 0).numpy()
    assert seen.dtype == np.uint8 and int(np.abs(seen.astype(int) - expected.astype(int)).max()) <= 1
    assert model.encode_image(given).shape == (1, model.dim)


def test_an_opened_picture_is_what_its_file_is(tmp_path: Path, model: Model) -> None:
    """Whatever is done about EXIF's orientation in the one place, is done in the other."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PICTURE).save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(GREY).save(tmp_path / "grey.png")
    for name in ("turned.jpg", "grey.png"):
        opened = model._seen(Image.open(tmp_path / name))
        assert torch.equal(opened, model._seen(tmp_path / name)) and torch.equal(
            opened, model._seen(str(tmp_path / name))
        )


def test_several_pictures_are_a_list_an_iterator_or_a_batch(model: Model) -> None:
    two = np.stack([PICTURE, PICTURE[::-1]])
    expected = model.encode_image(list(two))
    for several in (
        two,
        tuple(two),
        iter(two),
        torch.from_numpy(two).permute(0, 3, 1, 2),
        [Image.fromarray(x) for x in two],
    ):
        assert torch.equal(model.encode_image(several), expected)
    made = model.generate(model.encode_audio(STEREO))
    assert model.encode_image(made).shape == (2, model.dim)


def broken() -> Image.Image:
    data = io.BytesIO()
    Image.fromarray(PICTURE).save(data, "PNG")
    return Image.open(io.BytesIO(data.getvalue()[:-900]))


REFUSED_PICTURES: dict[str, tuple[Any, str]] = {
    "floats to 255": (PICTURE.astype(np.float32), "divide by 255"),
    "floats from -1": (PICTURE / 127.5 - 1, "[0, 1]"),
    "NaN": (np.full((4, 4, 3), np.nan), "[0, 1]"),
    "int64": (PICTURE.astype(np.int64), "give uint8"),
    "8 bits in uint16": (PICTURE.astype(np.uint16), "give uint8"),
    "an array with channels first": (PICTURE.transpose(2, 0, 1), "an array is [H, W, 3]"),
    "a tensor with channels last": (torch.from_numpy(PICTURE), "a tensor is [3, H, W]"),
    "two channels": (PICTURE[..., :2], "shape [40, 30, 2]"),
    "one axis": (np.zeros(9, np.uint8), "shape [9]"),
    "five axes": (np.zeros((1, 1, 4, 4, 3), np.uint8), "shape"),
    "no pixel": (np.zeros((0, 4, 3), np.uint8), "pixels"),
    "objects": (np.full((4, 4), None), "object"),
    "a number": (5, "int is no picture"),
    "None": (None, "NoneType is no picture"),
    "bytes": (b"\x89PNG", "bytes is no picture"),
    "no file": ("nowhere.png", "nowhere.png: not readable"),
    "a folder": (Path("."), "not readable"),
    "a long name": ("a" * 5000, "not readable"),
    "nothing": ([], "no picture is given"),
    "PIL F beyond 1": (Image.fromarray(GREY.astype(np.float32)), "[0, 1]"),
    "PIL I beyond 16 bits": (Image.fromarray(GREY.astype(np.int32) * 70000), "8 or 16 bits"),
    "a PIL image that is cut off": (broken(), "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_PICTURES)
def test_a_picture_that_cannot_be_told_is_one_line(name: str, model: Model) -> None:
    given, said = REFUSED_PICTURES[name]
    assert said in line(lambda: model.encode_image(given))


def test_a_picture_of_too_many_pixels_is_one_line(model: Model) -> None:
    thin = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (1, 60_000_000, 3))
    assert "60000000x1 pixels" in line(lambda: model.encode_image(thin))


MISTAKES: dict[str, tuple[Callable[[Model], Any], str]] = {
    "unknown method": (lambda m: s2v.load(None, "nonsense"), "'nonsense' is not one of"),
    "a method that hears nothing": (lambda m: s2v.load(None, "icgan"), "'icgan' does not hear"),
    "no folder": (lambda m: s2v.load("nowhere"), "no finished run"),
    "a number for a folder": (lambda m: s2v.load(5), "a model is a folder"),  # type: ignore[arg-type]
    "a long name": (lambda m: s2v.load("a" * 5000), "no finished run"),
    "a name with a NUL": (lambda m: s2v.load("a\0b"), "no finished run"),
    "CUDA where there is none": (lambda m: s2v.load(m.source.folder, device="cuda:9"), "device 'cuda:9' is not there"),
    "device banana": (lambda m: s2v.load(m.source.folder, device="banana"), "device 'banana' is not there"),
    "device meta": (lambda m: s2v.load(m.source.folder, device="meta"), "device 'meta' is not there"),
    "device None": (lambda m: s2v.load(m.source.folder, device=None), "device 'None' is not there"),
    "window 0": (lambda m: s2v.load(m.source.folder, window_s=0), "window_s of 0"),
    "window shorter than a frame": (lambda m: s2v.load(m.source.folder, window_s=0.03), "window_s of 0.03"),
    "window NaN": (lambda m: s2v.load(m.source.folder, window_s=math.nan), "window_s of nan"),
    "window of years": (lambda m: s2v.load(m.source.folder, window_s=1e12), "window_s of 1"),
    "truncation below 0": (lambda m: s2v.load(m.source.folder, truncation=-1.0), "truncation: "),
    "truncation NaN": (lambda m: s2v.load(m.source.folder, truncation=math.nan), "truncation: "),
    "seed below 0": (lambda m: m.generate(m.encode_audio(TONE), -1), "seed is -1"),
    "seed beyond 63 bits": (lambda m: m.generate(m.encode_audio(TONE), 2**63), "seed is 9"),
    "seed 1.5": (lambda m: m.generate(m.encode_audio(TONE), 1.5), "seed is 1.5"),  # type: ignore[arg-type]
    "seed NaN": (lambda m: m.generate(m.encode_audio(TONE), math.nan), "seed is nan"),  # type: ignore[arg-type]
    "noise below 0": (lambda m: m.generate(m.encode_audio(TONE), 0, [-1]), "a noise is -1"),
    "fewer noises": (lambda m: m.generate(m.encode_audio([TONE, OTHER]), 0, [1]), "1 noises for 2"),
    "a feature without batch": (lambda m: m.generate(m.encode_audio(TONE)[0]), "give finite floats [B, 32]"),
    "a feature in words": (lambda m: m.generate("z"), "no str"),  # type: ignore[arg-type]
    "no feature": (lambda m: m.generate(torch.zeros(0, 32)), "0 noises for 0"),
    "other features": (lambda m: m.generate(torch.zeros(1, 31)), "[1, 31]"),
    "NaN in a feature": (lambda m: m.generate(torch.full((1, 32), math.nan)), "give finite floats"),
    "gain NaN": (lambda m: m.volumes(TONE, [math.nan]), "gain of nan"),
    "gain 1e9": (lambda m: m.volumes(TONE, [1e9]), "gain of 1000000000"),
    "no gain": (lambda m: m.volumes(TONE, []), "a gain: give a list"),
    "one gain that is no list": (lambda m: m.volumes(TONE, 3.0), "a gain: give a list"),  # type: ignore[arg-type]
    "offset NaN": (lambda m: m.mix([TONE, TONE], None, [0, math.nan]), "offset of nan"),
    "offset of years": (lambda m: m.mix([TONE, TONE], None, [0, 1e12]), "offset of 1"),
    "fewer gains": (lambda m: m.mix([TONE, TONE], [1.0]), "2 sounds, 1 gains"),
    "nothing to mix": (lambda m: m.mix([]), "no sound is given"),
    "start below 0": (lambda m: m.sound(TONE, -1.0), "start_s of -1"),
    "start NaN": (lambda m: m.sound(TONE, math.nan), "start_s of nan"),
    "interpolate NaN": (lambda m: m.interpolate(PICTURE, TONE, [0.5, math.nan]), "weight of nan"),
    "interpolate infinity": (lambda m: m.interpolate(PICTURE, TONE, [math.inf]), "weight of inf"),
    "interpolate in words": (lambda m: m.interpolate(PICTURE, TONE, ["a"]), "weight of a"),  # type: ignore[list-item]
    "edit NaN": (lambda m: m.edit(PICTURE, TONE, [math.nan]), "weight of nan"),
    "edit infinity": (lambda m: m.edit(PICTURE, TONE, [-math.inf]), "weight of -inf"),
    "edit 1e39": (lambda m: m.edit(PICTURE, TONE, [1e39]), "weight of 1"),
    "steps 0": (lambda m: m.invert(PICTURE, 0), "steps of 0"),
    "steps below 0": (lambda m: m.invert(PICTURE, -3), "steps of -3"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_call_is_one_line(name: str, model: Model) -> None:
    act, said = MISTAKES[name]
    assert said in line(lambda: act(model))


def test_seeds_up_to_63_bits_are_taken(model: Model) -> None:
    z = model.encode_audio(TONE)
    for seed in (0, 2**63 - 1, np.int64(7), torch.tensor(7)):
        assert model.generate(z, seed).shape[0] == 1  # type: ignore[arg-type]


def test_a_decoded_file_and_its_array_are_one(model: Model) -> None:
    data = io.BytesIO()
    Image.fromarray(PICTURE).save(data, "PNG")
    assert torch.equal(model.encode_image(decode_image(data.getvalue())), model.encode_image(PICTURE))
