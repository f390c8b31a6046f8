"""ImageBind's encoders of its published file, its pictures through Stable unCLIP, and its score of pictures."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from test_audiotoken_nets import Payload
from tiny_imagebind import imagebind, imagebind_file, imagebind_state, sizes, vision, vision_sizes, vision_state
from tiny_unclip import DIM, PX, unclip_folder

from s2v.config import EmbedUnclipConfig, GenerateConfig, UnclipConfig
from s2v.config.methods import METHODS
from s2v.errors import UserError
from s2v.evaluate.audiovisual import ImageBind
from s2v.methods import Sources, load_method
from s2v.models.imagebind import ImageBindAudio, ImageBindVision, fbank
from s2v.models.store import load
from s2v.weights.convert import SHAPES, convert, published


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights folder of small sizes, without the checksum of the large file."""
    monkeypatch.setitem(SHAPES, "imagebind", sizes(DIM))
    monkeypatch.setitem(SHAPES, "imagebind-vision", vision_sizes(DIM))
    monkeypatch.setattr("s2v.weights.convert.expected", lambda folder, file: None)
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path / "weights"))
    imagebind_file(tmp_path / "weights", DIM)
    return tmp_path / "weights"


def test_it_has_the_published_size() -> None:
    with torch.device("meta"):
        net = ImageBindAudio()
    block = 3 * (768 * 768 + 768) + 2 * 768 + (768 * 768 + 768) + 4 * 768 + 2 * 4 * 768 * 768 + 5 * 768
    before = 16 * 16 * 768 + 2 * 768 + 768 + (1 + 12 * 19) * 768
    assert sum(p.numel() for p in net.parameters()) == before + 12 * block + 2 * 768 + 768 * 1024 == 86_235_648
    assert SHAPES["imagebind"] == {
        "dim": 1024, "width": 768, "depth": 12, "heads": 12, "bands": 128, "frames": 204, "patch_px": 16, "stride": 10,
    }  # fmt: skip


@torch.inference_mode()
def test_it_equals_the_literal_one(weights: Path, tmp_path: Path) -> None:
    state, size = imagebind_state(sizes(DIM)), sizes(DIM)
    net = published("imagebind")
    pieces = torch.randn(2, 3, 26, 204, generator=torch.Generator().manual_seed(1))
    expected = torch.stack([
        torch.stack([imagebind(state, piece, size["heads"], size["stride"]) for piece in sound]).mean(0)
        for sound in pieces
    ])  # fmt: skip
    torch.testing.assert_close(net(pieces), expected, rtol=1e-4, atol=1e-5)
    convert("imagebind", tmp_path / "i")
    torch.testing.assert_close(load(ImageBindAudio, tmp_path / "i")(pieces), net(pieces))
    assert "NON-COMMERCIAL" in (tmp_path / "i/README.md").read_text()
    one = net(pieces[:, :1])
    torch.testing.assert_close(one.norm(dim=1), torch.full((2,), 20.0))


def test_the_encoder_of_pictures_has_the_published_size() -> None:
    with torch.device("meta"):
        net = ImageBindVision(**SHAPES["imagebind-vision"])
    block = 3 * (1280 * 1280 + 1280) + (1280 * 1280 + 1280) + 4 * 1280 + 2 * 4 * 1280 * 1280 + 5 * 1280
    before = 3 * 14 * 14 * 1280 + 1280 + 257 * 1280 + 2 * 1280
    assert sum(p.numel() for p in net.parameters()) == before + 32 * block + 2 * 1280 + 1280 * 1024 == 632_076_800


@torch.inference_mode()
def test_a_picture_is_seen_as_a_video_of_two_frames(weights: Path) -> None:
    net, state = published("imagebind-vision"), vision_state(vision_sizes(DIM))
    pictures = torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(2))
    expected = torch.stack([vision(state, picture, 2) for picture in pictures])
    torch.testing.assert_close(net(pictures), expected, rtol=1e-4, atol=1e-5)


def test_sounds_and_pictures_are_scored_by_their_cosine(weights: Path) -> None:
    net = ImageBind()
    waves = [torch.randn(16_000) * 0.1, torch.randn(48_000) * 0.1]
    heard = [net.hear(wave) for wave in waves]
    images = torch.randint(256, (3, 3, 40, 56), dtype=torch.uint8)
    fits = net.fit(images, heard)
    assert fits.shape == (3, 2) and fits.abs().max() <= 1.0001 and fits.std() > 0
    torch.testing.assert_close(heard[1][0], F.normalize(published("imagebind").encode(waves[1][None], 3.0))[0])
    torch.testing.assert_close(net.fit(images[1:2], heard[:1]), fits[1:2, :1])


def test_three_pieces_of_two_seconds_are_heard() -> None:
    wave = torch.randn(1, 80_000) * 0.1
    found = fbank(wave, 128, 204)
    assert found.shape == (1, 3, 128, 204)
    for i, start in enumerate((0, 24_000, 48_000)):
        torch.testing.assert_close(found[:, i], fbank(wave[:, start : start + 32_000], 128, 204)[:, 0])
    # Frames that a piece of two seconds lacks are zeros before the statistics are taken off.
    torch.testing.assert_close(found[..., 198:], torch.full((1, 3, 128, 6), 4.268 / 9.138))
    louder = (fbank(wave * 10, 128, 204) - found)[:, :, 20:, :198] * 9.138
    torch.testing.assert_close(louder.mean(), torch.tensor(2 * math.log(10)), rtol=1e-3, atol=0)
    short = fbank(wave[:, :16_000], 128, 204)
    assert torch.equal(short[:, 0], short[:, 2])
    torch.testing.assert_close(short[..., 98:], torch.full((1, 3, 128, 106), 4.268 / 9.138))


def test_its_pictures_need_nothing_that_the_run_trains(weights: Path) -> None:
    unclip_folder(weights)
    assert METHODS["imagebind_unclip"].parts == {} and METHODS["imagebind_unclip"].takes == "sound"
    config = GenerateConfig(window_s=5.0, unclip=UnclipConfig(steps=3, batch_size=4))
    method = load_method("imagebind_unclip", Sources(config, embed_unclip=EmbedUnclipConfig()))
    waves = torch.randn(2, 80_000) * torch.tensor([[0.01], [0.3]])
    z = method.encode_audio(waves)
    torch.testing.assert_close(z, published("imagebind").encode(waves, 5.0))
    assert z.shape == (2, DIM) and z.norm(dim=1).max() <= 20.001, "as ImageBind gives them"
    pictures = method.decode(z, [1, 2])
    assert pictures.shape == (2, 3, PX, PX) and (pictures[0] - pictures[1]).abs().max() > 0.01
    other = method.decode(z.flip(0), [1, 2])
    assert (other - pictures).abs().max() > 1e-3, "the sound is seen"


def test_what_is_missing_or_of_another_kind_is_one_line(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = weights / "imagebind/imagebind_huge.pth"
    state = imagebind_state(sizes(DIM))
    cases = (
        ({k: v for k, v in state.items() if ".audio." not in k}, "start is absent"),
        (state | {"modality_trunks.audio.blocks.7.norm_1.weight": torch.zeros(3)}, "blocks.7.norm1.weight is 3"),
        (state | {"x": Payload(tmp_path / "ran")}, "nothing in it was run"),
    )
    for value, said in cases:
        torch.save(value, path)
        with pytest.raises(UserError, match=said) as error:
            published("imagebind")
        assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()
    path.unlink()
    unclip_folder(weights)
    sources = Sources(GenerateConfig(), embed_unclip=EmbedUnclipConfig())
    with pytest.raises(UserError, match=r"imagebind_huge\.pth: not there; run `s2v weights fetch imagebind`"):
        load_method("imagebind_unclip", sources)
    monkeypatch.setitem(SHAPES, "imagebind", sizes(DIM + 1))
    torch.save(imagebind_state(sizes(DIM + 1)), path)
    with pytest.raises(UserError, match="imagebind: gives features of 33 numbers, and imagebind_unclip takes 32$"):
        load_method("imagebind_unclip", sources)
