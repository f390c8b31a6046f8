"""Pictures: the one resize, the one value range, the one encoder and decoder of every stage.

Pictures are uint8 [N, 3, H, W] tensors in 0..255 at rest, float in [-1, 1] inside models, and uint8 [H, W, 3]
arrays at files.
"""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from s2v.errors import UserError
from s2v.media.picture_file import MAX_BYTES, MAX_PIXELS, check_size, plain

Policy = Literal["squash", "crop"]
MAX_RESIZED_VALUES = 2**29  # floats of one picture on its way to another size
_CHUNK_VALUES = 64_000_000  # floats held at once while resizing


def resize(images: Tensor, px: int, policy: Policy = "squash") -> Tensor:
    """Antialiased bicubic resize to a square.

    Args:
        images: uint8 [N, 3, H, W].
        px: side of the result.
        policy: `squash` changes the aspect, `crop` takes the largest centred square first.

    Returns:
        uint8 [N, 3, px, px]; the input itself when it has that size.

    Raises:
        UserError: a picture is so thin, or `px` so large, that more than `MAX_RESIZED_VALUES` would be held.
    """
    if policy == "crop":
        height, width = images.shape[-2:]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        images = images[..., top : top + side, left : left + side]
    if images.shape[-2:] == (px, px):
        return images
    channels, height, width = images.shape[1:]
    # Rows are resized first: a thin picture has all its height and already the new width.
    values = channels * max(height, px) * max(width, px)
    if values > MAX_RESIZED_VALUES:
        what = f"picture of {width}x{height} pixels, resized to {px}x{px}"
        raise UserError(f"{what}, takes {values} values, more than the limit of {MAX_RESIZED_VALUES}")
    chunk = max(1, _CHUNK_VALUES // max(1, values))
    if len(images) <= chunk:
        return _resize(images, px)
    return torch.cat([_resize(images[i : i + chunk], px) for i in range(0, len(images), chunk)])


def _resize(images: Tensor, px: int) -> Tensor:
    if len(images) == 0:
        return images.new_empty((0, images.shape[1], px, px))
    # Bytes, in the integers that Pillow has too: five times as fast as floats, and alike on every processor. CUDA has
    # floats alone; they differ by 1 of 255 at most, a fifth in the mean.
    kind = torch.uint8 if images.device.type == "cpu" else torch.float32
    scaled = F.interpolate(
        images.contiguous().to(kind), size=(px, px), mode="bicubic", antialias=True, align_corners=False
    )
    return scaled if kind == torch.uint8 else scaled.round_().clamp_(0, 255).to(torch.uint8)


def to_unit(images: Tensor) -> Tensor:
    """uint8 0..255 to float32 in [-1, 1]."""
    return images.float().div_(127.5).sub_(1.0)


def from_unit(images: Tensor) -> Tensor:
    """Float in [-1, 1] (what lies outside is clipped) to uint8 0..255; `from_unit(to_unit(x))` is x."""
    return images.detach().float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def encode_jpeg(image: NDArray[np.uint8], quality: int = 92) -> bytes:
    """uint8 [H, W, 3] to JPEG bytes; the same picture gives the same bytes."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """uint8 [H, W, 3] to PNG bytes; the same picture gives the same bytes."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def read_image(path: Path) -> NDArray[np.uint8]:
    """`decode_image` of a file.

    Raises:
        UserError: names the file, which is no plain one, cannot be read, or is no such picture.
    """
    try:
        if path.exists() and not path.is_file():
            raise UserError("it is no plain file")
        with open(path, "rb") as stream:
            return decode_image(stream.read(MAX_BYTES + 1))
    except (OSError, ValueError, UserError) as error:
        raise UserError(f"{path}: not readable as a picture ({error})") from error


def decode_image(data: bytes) -> NDArray[np.uint8]:
    """JPEG, PNG or WebP bytes to uint8 [H, W, 3]: transparency over black, greys tripled, the first frame of several.

    Raises:
        UserError: not such a picture, damaged, or above a limit of `s2v.media.picture_file`. What the file claims
            is checked before it is decoded, so a small file that unpacks to gigabytes costs nothing.
    """
    try:
        with warnings.catch_warnings():
            # Pillow only warns from its own, higher limit on; ours is checked next.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(plain(data)), formats=("JPEG", "PNG", "WEBP"))
        check_size(*image.size)
        return _rgb(image)
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        raise UserError(f"picture is above the limit of {MAX_PIXELS} pixels") from error
    except UnidentifiedImageError as error:
        raise UserError("not a readable JPEG, PNG or WebP picture") from error
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error and more
        message = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"not a readable JPEG, PNG or WebP picture ({message})") from error


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):
        # 16-bit greys, which Pillow would clip at 255; of 16-bit colours it takes the high byte, too.
        high = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(high[..., None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return np.array(image.convert("RGB"))


def to_tensor(images: list[NDArray[np.uint8]]) -> Tensor:
    """Equal-sized uint8 [H, W, 3] arrays to a uint8 tensor [N, 3, H, W]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def grid(images: Tensor, columns: int | None = None, gap_px: int = 2) -> NDArray[np.uint8]:
    """Put uint8 [N, 3, H, W] on one sheet, row by row, white between.

    Args:
        images: at least one picture.
        columns: pictures in a row; None makes the sheet about square.
        gap_px: white pixels between and around.

    Returns:
        uint8 [rows * (H + gap) + gap, columns * (W + gap) + gap, 3].
    """
    n, _, height, width = images.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    size = (rows * (height + gap_px) + gap_px, columns * (width + gap_px) + gap_px, 3)
    sheet = np.full(size, 255, np.uint8)
    for i, picture in enumerate(images.permute(0, 2, 3, 1).cpu().numpy()):
        top, left = gap_px + i // columns * (height + gap_px), gap_px + i % columns * (width + gap_px)
        sheet[top : top + height, left : left + width] = picture
    return sheet
