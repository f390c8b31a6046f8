"""Sounds and pictures that a program has in memory: every usual layout and type, brought to this package's own.

What can be read in two ways is refused, in a line that says what to give instead. The rules are in docs/control.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import torch
import torchaudio
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from s2v.errors import UserError
from s2v.media.mono import mono
from s2v.media.picture_file import check_size
from s2v.media.spectrogram import SAMPLE_RATE_HZ, to_float

MAX_CHANNELS = 8
LOUDEST = 8.0
"""Peak of a float waveform, 18 dB above full scale: what is louder is no float in [-1, 1]."""
SLOWEST_HZ, FASTEST_HZ = 1_000, 1_000_000
MAX_KERNEL = 2**24
"""Numbers of a resampler; a rate that would need more (44,101 Hz) is taken for one that is nearer than a millionth."""
OVERSHOOT = 0.02
"""By which a float picture may leave [0, 1], as resized ones do."""

_FULL_SCALE = {np.dtype(np.int8): 2**7, np.dtype(np.int16): 2**15, np.dtype(np.int32): 2**31}


def is_number(value: Any) -> bool:
    """Whether it is one number, such as a rate, and no waveform."""
    return isinstance(value, int | float) or getattr(value, "ndim", None) == 0


def is_array(value: Any) -> bool:
    """Whether it is a tensor, or what numpy takes for an array."""
    return isinstance(value, Tensor) or (hasattr(value, "__array__") and hasattr(value, "ndim"))


def several(given: Any, batch_ndim: int) -> list[Any]:
    """What is given, one by one: of a list, a tuple, an iterator, or an array of `batch_ndim` axes."""
    if is_array(given):
        return list(given) if given.ndim == batch_ndim else [given]
    return list(given) if isinstance(given, list | tuple | Iterator) else [given]


def sounds(given: Any) -> list[Any]:
    """Sounds one by one: of (waveform, rate) it is one, of an array [B, N] they are B.

    Raises:
        UserError: there is none, or an array has channels in place of sounds.
    """
    if is_pair(given):
        return [given]
    if is_array(given) and given.ndim == 2 and given.shape[0] > max(1, given.shape[1]):
        raise UserError(f"sounds of shape {list(given.shape)}: give [B, N], or channels with their rate: (array, rate)")
    found = several(given, 2)
    if not found:
        raise UserError("no sound is given")
    return found


def is_pair(given: Any) -> bool:
    """Whether it is (waveform, rate) as soundfile gives it, or (rate, waveform) as scipy and Gradio do."""
    return isinstance(given, tuple) and len(given) == 2 and sum(map(is_number, given)) == 1


def waveform(values: Any, rate_hz: Any = SAMPLE_RATE_HZ) -> Tensor:
    """A sound as float [N] at 16 kHz in [-1, 1], at the level that it has.

    Args:
        values: [N], or [C, N] or [N, C] of at most `MAX_CHANNELS` channels, the other axis longer; of int8, int16,
            int32, uint8 (128 is silence), or floats in [-1, 1]. Channels are mixed as those of files are
            (`s2v.media.mono`). NaN becomes silence.
        rate_hz: of `values`.

    Raises:
        UserError: the layout, the type, the level or the rate is none of these, or there is no sample.
    """
    array = _array(values, "sound")
    channels = to_float(torch.from_numpy(np.ascontiguousarray(_scaled(_channels_first(array)))))
    wave = torch.from_numpy(mono(channels.numpy()))
    ratio = Fraction(_rate(rate_hz), SAMPLE_RATE_HZ)
    if ratio.numerator * ratio.denominator > MAX_KERNEL:
        ratio = ratio.limit_denominator(math.isqrt(int(MAX_KERNEL / ratio)))
    if ratio == 1:
        return wave
    return torchaudio.functional.resample(wave, ratio.numerator, ratio.denominator)


def picture(value: Any) -> Tensor:
    """A picture as uint8 [3, H, W]: transparency over black, greys tripled, as `s2v.media.picture` reads files.

    Args:
        value: a PIL image of any mode; an array [H, W], [H, W, 1], [H, W, 3] or [H, W, 4]; or a tensor [H, W],
            [1, H, W], [3, H, W] or [4, H, W]; of bool, uint8, uint16 (all 16 bits), or floats in [0, 1].

    Raises:
        UserError: the layout, the type or the range is none of these, it has no pixel, or is above a limit of
            `picture_file`.
    """
    if isinstance(value, Image.Image):
        _check_size(value.height, value.width)
        if value.mode.startswith("I"):
            value = _sixteen(_array(value, "picture"))
        elif value.mode != "F":
            return _tensor(_rgb(value))
    array, axis = _array(value, "picture"), 0 if isinstance(value, Tensor) else -1
    if array.ndim == 3 and array.shape[axis] in (1, 3, 4):
        array = np.moveaxis(array, axis, -1)
    elif array.ndim != 2:
        wanted = "a tensor is [3, H, W]" if axis == 0 else "an array is [H, W, 3]"
        raise UserError(f"picture of shape {list(array.shape)}: {wanted} (or of 1 or 4 channels), or [H, W]")
    _check_size(*array.shape[:2])
    levels = _levels(array)
    levels = levels[..., 0] if levels.shape[2:] == (1,) else levels
    return _tensor(_rgb(Image.fromarray(np.ascontiguousarray(levels))))


def _array(values: Any, what: str) -> NDArray[Any]:
    """A plain array in the machine's own byte order."""
    try:
        if isinstance(values, Tensor):
            values = values.detach().cpu().resolve_conj().resolve_neg()
            values = values.float() if values.dtype == torch.bfloat16 else values
        array = np.asarray(values)
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    except Exception as error:  # somebody else's array may raise anything
        line = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise UserError(f"{what}: a {type(values).__name__} is no array of numbers ({line})") from error
    if array.dtype.kind not in "biuf":
        raise UserError(f"{what}: an array of {array.dtype} is not one of plain numbers")
    return array


def _channels_first(array: NDArray[Any]) -> NDArray[Any]:
    """[C, N] of [N], [C, N] or [N, C]."""
    if array.ndim not in (1, 2):
        raise UserError(f"sound of shape {list(array.shape)}: give [N], [channels, N] or [N, channels]")
    if array.size == 0:
        raise UserError(f"sound of shape {list(array.shape)}: has no samples")
    if array.ndim == 1:
        return array[None]
    few = [axis for axis, size in enumerate(array.shape) if size <= MAX_CHANNELS]
    if len(few) != 1:
        raise UserError(
            f"sound of shape {list(array.shape)}: cannot tell channels from samples; give [N], or one axis of at most "
            f"{MAX_CHANNELS} channels and a longer one"
        )
    return np.moveaxis(array, few[0], 0)


def _scaled(array: NDArray[Any]) -> NDArray[Any]:
    """Numbers whose full scale is 1; int16 stays, since `to_float` knows it."""
    kind = array.dtype
    if kind == np.int16:
        return array
    if kind == np.uint8:
        return (array.astype(np.float32) - 128) / 128
    # 24 bits come from soundfile and scipy in the upper bytes. Where they are in the lower ones, or 16 bits are, full
    # scale is another, and only who made it knows which.
    if kind == np.int32 and np.abs(array.astype(np.int64)).max() < 2**23 and (array & 0xFF).any():
        raise UserError("sound of int32 below 2**23: give int16, or floats, divided by the full scale (2**15 or 2**23)")
    if kind in _FULL_SCALE:
        return (array / float(_FULL_SCALE[kind])).astype(np.float32)
    if kind.kind != "f":
        raise UserError(f"sound of {kind}: give int16, int32, int8, uint8, or floats in [-1, 1]")
    finite = np.abs(array[np.isfinite(array)])
    if finite.size == 0:
        raise UserError("sound without a finite number in it")
    if finite.max() > LOUDEST:
        raise UserError(
            f"sound of floats up to {float(finite.max()):g}, and they lie in [-1, 1]: divide by the full scale (32768 "
            "of 16-bit numbers), or clip"
        )
    return array.astype(np.float32)


def _rate(value: Any) -> int:
    try:
        rate = float(value) if is_number(value) and not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError, RuntimeError):
        rate = math.nan
    if not (rate.is_integer() and SLOWEST_HZ <= rate <= FASTEST_HZ):
        shown = " ".join(repr(value).split())[:60]
        raise UserError(f"sound at a rate of {shown}: give whole hertz, from {SLOWEST_HZ} to {FASTEST_HZ}")
    return int(rate)


def _levels(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Of a picture, 0 to 255."""
    kind = array.dtype
    if kind == np.uint8:
        return array
    if kind == np.bool_:
        return array.astype(np.uint8) * 255
    if kind == np.uint16 and array.max() > 255:
        return _sixteen(array)
    if kind.kind == "f":
        if not (np.isfinite(array).all() and array.min() >= -OVERSHOOT and array.max() <= 1 + OVERSHOOT):
            shown = f"{float(array.min()):g} to {float(array.max()):g}"
            raise UserError(f"picture of floats from {shown}, and they lie in [0, 1]: divide by 255, or give uint8")
        return np.rint(array.astype(np.float32).clip(0, 1) * 255).astype(np.uint8)
    raise UserError(f"picture of {kind} from {array.min()} to {array.max()}: give uint8, or floats in [0, 1]")


def _sixteen(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The high byte, as files of 16 bits are read."""
    if array.size and not 0 <= array.min() <= array.max() < 2**16:
        raise UserError(f"picture of greys from {array.min()} to {array.max()}: give 8 or 16 bits")
    return (array >> 8).astype(np.uint8)


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    try:
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
        return np.array(image.convert("RGB"))
    except Exception as error:  # an image is decoded here, by whatever it was opened with
        line = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise UserError(f"picture: a PIL image of mode {image.mode} cannot be read ({line})") from error


def _check_size(height: int, width: int) -> None:
    if not height * width:
        raise UserError(f"picture of {width}x{height} pixels: it has none")
    check_size(width, height)


def _tensor(image: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1).contiguous()


__all__ = ["is_array", "is_number", "is_pair", "picture", "several", "sounds", "waveform"]
