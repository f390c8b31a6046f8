"""One resize, one value range, and a decoder that hostile bytes cannot hurt."""

from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from s2v.errors import UserError
from s2v.media.picture import (
    MAX_RESIZED_VALUES,
    decode_image,
    encode_jpeg,
    encode_png,
    from_unit,
    grid,
    read_image,
    resize,
    to_tensor,
    to_unit,
)
from s2v.media.picture_file import MAX_BYTES, MAX_PARTS, MAX_PIXELS, MAX_SCANS, MAX_SIDE


def _picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_resize_is_pillows_antialiased_bicubic() -> None:
    smooth = np.array(Image.fromarray(_picture(8, 12)).resize((120, 80), Image.Resampling.BICUBIC))
    ours = resize(to_tensor([smooth]), 32)[0].permute(1, 2, 0).numpy().astype(int)
    theirs = np.array(Image.fromarray(smooth).resize((32, 32), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(ours - theirs).max() <= 1 and (ours != theirs).mean() < 0.01


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


def _file(image: Image.Image, kind: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, *between: bytes, bits: int = 8, grey: bool = False, rows: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, bits, 0 if grey else 2, 0, 0, 0)
    packed = zlib.compress(rows or bytes((1 + 3 * width) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join([_chunk(b"IHDR", head), *between, _chunk(b"IDAT", packed), _chunk(b"IEND")])


def _segment(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind]) + struct.pack(">H", len(data) + 2) + data


def _after_soi(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def _webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _canvas(width: int, height: int, flags: int = 2) -> tuple[bytes, bytes]:
    sides = b"".join(struct.pack("<I", side - 1)[:3] for side in (width, height))
    return b"VP8X", bytes([flags, 0, 0, 0]) + sides


def _exif_of_large_tags() -> list[bytes]:
    """2 MB of EXIF, each of whose 4000 tags claims all of it: 8 GB where Pillow reads it."""
    size, count = 2_000_000, 4000
    tags = b"".join(struct.pack("<HHII", tag + 1, 7, size - 8, 8) for tag in range(count))
    body = (b"II*\0" + struct.pack("<IH", 8, count) + tags).ljust(size, b"\0")
    return [_segment(0xE1, b"Exif\0\0" + body[at : at + 65_000]) for at in range(0, size, 65_000)]


FLAT = Image.new("RGB", (8, 8), (200, 30, 60))
JPEG = _file(FLAT, "JPEG")
LOSSLESS = _file(FLAT, "WEBP", lossless=True)
PROGRESSIVE = _file(FLAT, "JPEG", progressive=True)
LAST_SCAN = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]
SIDES = JPEG.index(b"\xff\xc0") + 5
TOO_LARGE = {
    "more pixels in a PNG": (_png(60_000, 60_000, rows=b"x"), f"limit of {MAX_PIXELS} pixels"),
    "more pixels in a small PNG": (_file(Image.new("1", (9000, 9000)), "PNG"), f"limit of {MAX_PIXELS} pixels"),
    "more pixels in a JPEG": (JPEG[:SIDES] + b"\x23\x28\x23\x28" + JPEG[SIDES + 4 :], f"limit of {MAX_PIXELS} pixels"),
    "more pixels in a WebP": (LOSSLESS[:21] + b"\xff\xff\xff\x0f" + LOSSLESS[25:], f"limit of {MAX_PIXELS} pixels"),
    "a larger canvas of a WebP": (_webp(_canvas(30_000, 30_000), (b"ANIM", bytes(6))), f"limit of {MAX_PIXELS} pixels"),
    "a column": (_png(1, 50_000_000), f"limit of {MAX_SIDE} pixels a side"),
    "a row": (_png(50_000_000, 1), f"limit of {MAX_SIDE} pixels a side"),
    "a strip": (_png(10, 650), "limit of 64 for the longer side by the shorter"),
    "chunks of a PNG": (_png(4, 4, *[_chunk(b"teSt")] * MAX_PARTS), f"more than {MAX_PARTS} parts"),
    "chunks without data": (_png(4, 4, *[_chunk(b"IDAT")] * MAX_PARTS), f"more than {MAX_PARTS} parts"),
    "segments of a JPEG": (_after_soi(JPEG, *[_segment(0xFE, b"")] * MAX_PARTS), f"more than {MAX_PARTS} parts"),
    "chunks of a WebP": (_webp(_canvas(8, 8), *[(b"test", b"")] * MAX_PARTS), f"more than {MAX_PARTS} parts"),
    "scans of a JPEG": (PROGRESSIVE[:-2] + LAST_SCAN * MAX_SCANS + b"\xff\xd9", f"limit of {MAX_SCANS}"),
    "bytes": (JPEG + bytes(MAX_BYTES), f"limit of {MAX_BYTES}"),
}


@pytest.mark.parametrize("what", TOO_LARGE)
def test_what_is_above_a_limit_is_refused_before_it_is_decoded(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(image: Image.Image) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("s2v.media.picture._rgb", load)
    data, limit = TOO_LARGE[what]
    started = time.process_time()
    with pytest.raises(UserError, match=limit) as error:
        decode_image(data)
    assert "\n" not in str(error.value) and time.process_time() - started < 2


CHILD = """
import resource, sys
from s2v.media.picture import decode_image, resize, to_tensor
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
picture = decode_image(sys.stdin.buffer.read())
resize(to_tensor([picture]), 128)
print(*picture.shape, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(
    "data",
    [
        _after_soi(JPEG, *_exif_of_large_tags()),
        _png(8, 8, *[_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000), 9))] * 200),
        _png(8, 8, _chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(300_000_000), 9))),
        _png(8, 8, rows=bytes(300_000_000)),
    ],
    ids=["EXIF", "text", "profile", "pixels beyond the last"],
)
def test_notes_in_a_picture_cost_no_memory_and_do_not_hurt_it(data: bytes) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (4 * 2**30, 4 * 2**30))

    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", CHILD], input=data, capture_output=True, env=environment, timeout=60,
                          preexec_fn=limited)  # fmt: skip
    height, width, channels, megabytes = map(int, done.stdout.split())
    assert (height, width, channels) == (8, 8, 3) and megabytes < 100, done.stderr


def test_notes_do_not_change_the_pixels() -> None:
    profile = _segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(500))
    noted = _after_soi(JPEG, *_exif_of_large_tags()[1:2], profile, _segment(0xFE, b"a comment"))
    assert np.array_equal(decode_image(noted), decode_image(JPEG)) and len(noted) > len(JPEG)
    for inks in (Image.new("CMYK", (8, 8), (10, 200, 30, 40)), Image.new("L", (8, 8), 77)):
        data = _file(inks, "JPEG")
        assert np.array_equal(decode_image(data), np.array(Image.open(io.BytesIO(data)).convert("RGB")))
    animated = [Image.new("RGB", (8, 8), (60 * n, 0, 0)) for n in range(1, 4)]
    for kind in ("PNG", "WEBP"):
        data = _file(animated[0], kind, save_all=True, append_images=animated[1:], lossless=True)
        assert (decode_image(data) == (60, 0, 0)).all(), "the first frame"


def test_a_panorama_passes_and_its_resize_is_held_small() -> None:
    wide = decode_image(_png(25_000, 500))
    assert wide.shape == (500, 25_000, 3)
    tall = torch.zeros((1, 3, MAX_SIDE, MAX_SIDE // 64), dtype=torch.uint8)
    assert resize(tall, 512).shape == (1, 3, 512, 512)


def test_a_resize_that_would_take_all_memory_is_refused() -> None:
    column = torch.zeros((1, 3, 50_000_000, 1), dtype=torch.uint8)
    with pytest.raises(UserError, match=f"1x50000000 pixels, resized to 48x48.* limit of {MAX_RESIZED_VALUES}$"):
        resize(column, 48)
    with pytest.raises(UserError, match="resized to 50000x50000"):
        resize(torch.zeros((1, 3, 8, 8), dtype=torch.uint8), 50_000)


def test_16_bits_of_grey_are_scaled_and_not_clipped() -> None:
    values = np.linspace(0, 65535, 64).astype(">u2").reshape(8, 8)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    grey = decode_image(_png(8, 8, bits=16, grey=True, rows=rows))
    assert np.array_equal(grey, np.repeat((values >> 8).astype(np.uint8)[..., None], 3, 2))


def test_transparency_is_over_black() -> None:
    for kind in ("PNG", "WEBP"):
        for alpha, seen in ((0, 0), (128, 100), (255, 200)):
            data = _file(Image.new("RGBA", (4, 4), (200, 200, 200, alpha)), kind, lossless=True)
            assert np.abs(decode_image(data).astype(int) - seen).max() <= 1


def test_a_path_that_is_no_picture_is_named_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path, what in ((tmp_path / "pipe.png", "no plain file"), (tmp_path, "no plain file"),
                       (tmp_path / "none.png", "No such file")):  # fmt: skip
        with pytest.raises(UserError, match=f"^{path}: not readable as a picture .*{what}"):
            read_image(path)
    (tmp_path / "a.png").write_bytes(encode_png(_picture(4, 5)))
    assert read_image(tmp_path / "a.png").shape == (4, 5, 3)


def test_grid_places_pictures_row_by_row() -> None:
    images = torch.stack([torch.full((3, 4, 5), value, dtype=torch.uint8) for value in (10, 20, 30)])
    sheet = grid(images, columns=2, gap_px=1)
    assert sheet.shape == (11, 13, 3)
    corners = [int(sheet[y, x, 0]) for y, x in ((1, 1), (1, 7), (6, 1), (6, 7), (0, 0))]
    assert corners == [10, 20, 30, 255, 255]
