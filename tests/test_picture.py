"""One resize, one value range, and a decoder that hostile bytes cannot hurt."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from s2v.errors import UserError
from s2v.media.picture import (
    decode_image,
    encode_jpeg,
    encode_png,
    from_unit,
    grid,
    resize,
    to_tensor,
    to_unit,
)


def _picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_resize_is_pillows_antialiased_bicubic() -> None:
    smooth = np.array(Image.fromarray(_picture(8, 12)).resize((120, 80), Image.Resampling.BICUBIC))
    ours = resize(to_tensor([smooth]), 32)[0].permute(1, 2, 0).numpy().astype(int)
    theirs = np.array(Image.fromarray(smooth).resize((32, 32), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(ours - theirs).max() <= 1


def test_crop_keeps_the_aspect_and_squash_keeps_the_content() -> None:
    image = np.zeros((20, 60, 3), np.uint8)
    image[:, 20:40] = 255
    assert resize(to_tensor([image]), 10, "crop").min() == 255
    assert resize(to_tensor([image]), 10, "squash")[..., 0].max() < 30


def test_resize_leaves_the_right_size_alone_and_takes_none() -> None:
    images = to_tensor([_picture(16, 16)])
    assert torch.equal(resize(images, 16), images)
    assert resize(torch.empty(0, 3, 9, 9, dtype=torch.uint8), 4).shape == (0, 3, 4, 4)


def test_value_range_round_trip() -> None:
    values = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    unit = to_unit(values)
    assert unit.min() == -1 and unit.max() == 1
    assert torch.equal(from_unit(unit), values)
    assert torch.equal(from_unit(torch.tensor([-9.0, 9.0])), torch.tensor([0, 255], dtype=torch.uint8))


def test_png_is_lossless_and_encoders_repeat_their_bytes() -> None:
    image = _picture(7, 5)
    assert np.array_equal(decode_image(encode_png(image)), image)
    assert encode_png(image) == encode_png(image)
    assert encode_jpeg(image) == encode_jpeg(image)
    flat = np.full((16, 16, 3), 90, np.uint8)
    assert np.abs(decode_image(encode_jpeg(flat)).astype(int) - 90).max() <= 2


def test_grey_and_transparent_pictures_have_three_channels() -> None:
    for mode in ("L", "RGBA", "P", "CMYK"):
        buffer = io.BytesIO()
        Image.new(mode, (4, 3)).save(buffer, "JPEG" if mode == "CMYK" else "PNG")
        assert decode_image(buffer.getvalue()).shape == (3, 4, 3)


@pytest.mark.parametrize("data", [b"", b"not a picture", encode_png(_picture(40, 40))[:300], b"\x00" * 5000])
def test_bytes_that_are_no_picture_are_one_line_errors(data: bytes) -> None:
    with pytest.raises(UserError) as error:
        decode_image(data)
    assert "\n" not in str(error.value)


def test_other_formats_are_not_opened() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "TIFF")
    with pytest.raises(UserError, match="not a readable"):
        decode_image(buffer.getvalue())


def test_a_pixel_bomb_is_refused_before_it_is_decoded() -> None:
    buffer = io.BytesIO()
    Image.new("1", (30000, 30000)).save(buffer, "PNG")
    assert len(buffer.getvalue()) < 300_000
    with pytest.raises(UserError, match="limit"):
        decode_image(buffer.getvalue())


def test_grid_places_pictures_row_by_row() -> None:
    images = torch.stack([torch.full((3, 4, 5), value, dtype=torch.uint8) for value in (10, 20, 30)])
    sheet = grid(images, columns=2, gap_px=1)
    assert sheet.shape == (11, 13, 3)
    corners = [int(sheet[y, x, 0]) for y, x in ((1, 1), (1, 7), (6, 1), (6, 7), (0, 0))]
    assert corners == [10, 20, 30, 255, 255]
