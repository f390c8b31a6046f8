"""S2I: the published layers and counts, dropout that a seed decides, trainings, method, published weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import published_s2i as published
import pytest
import torch
from tiny_run import pack

from s2v.config import GenerateConfig, MelConfig, RuntimeConfig, S2iAutoencoderConfig, S2iGeneratorConfig
from s2v.config.methods import METHODS
from s2v.errors import UserError
from s2v.losses.least_squares import discriminator_loss, generator_loss
from s2v.media.mel import mel_picture
from s2v.methods import Sources, Unsupported, load_method
from s2v.models.dropouts import Dropouts
from s2v.models.s2i import S2iDiscriminator, S2iGenerator, SpectrogramAutoencoder, growth
from s2v.models.store import load, save
from s2v.runtime import Runtime
from s2v.train.s2i_autoencoder import run as train_autoencoder
from s2v.train.s2i_generator import S2iGeneratorTask
from s2v.train.s2i_generator import run as train_generator
from s2v.weights.catalogue import CATALOGUE
from s2v.weights.convert import convert

RUNTIME = RuntimeConfig(device="cpu")
MEL: dict[str, Any] = {"window_s": 1.0, "n_fft": 1024, "hop": 160, "bands": 128, "columns": 100, "range_db": 80.0}


def _floats(net: torch.nn.Module) -> int:
    return sum(value.numel() for value in net.state_dict().values() if value.is_floating_point())


def _layers(net: torch.nn.Module) -> int:
    return sum(name.endswith("num_batches_tracked") for name in net.state_dict())


@pytest.mark.parametrize(
    ("build", "parameters", "file_bytes"),
    [
        (lambda: SpectrogramAutoencoder(512, 64, MEL), 33_415_731, 133_764_129),
        (lambda: S2iGenerator(96, 512, 64), 38_644_137, 154_660_571),
        (lambda: S2iDiscriminator(96, 512, 64), 5_276_450, 21_141_335),
    ],
    ids=["autoencoder", "generator", "discriminator"],
)
def test_published_sizes(build: Any, parameters: int, file_bytes: int) -> None:
    """The published files are as large as these numbers, and a few thousand bytes of names."""
    with torch.device("meta"):
        net = build()
    assert sum(p.numel() for p in net.parameters()) == parameters
    rest = file_bytes - 4 * _floats(net) - 8 * _layers(net)
    assert 200 * _layers(net) < rest < 1500 * _layers(net)


def test_shapes_layer_by_layer() -> None:
    def sides(net: torch.nn.Module, kind: type[torch.nn.Module]) -> list[tuple[int, ...]]:
        seen: list[tuple[int, ...]] = []
        for module in net.modules():
            if isinstance(module, kind):
                module.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out.shape[1:])))
        return seen

    with torch.device("meta"):
        net, g, d = SpectrogramAutoencoder(512, 64, MEL), S2iGenerator(96, 512, 64), S2iDiscriminator(96, 512, 64)
        down, up = sides(net, torch.nn.Conv2d), sides(net, torch.nn.ConvTranspose2d)
        grown, judged = sides(g, torch.nn.ConvTranspose2d), sides(d, torch.nn.Conv2d)
        d(g(net.encode(torch.empty(2, 1, 128, 100))), net.encode(torch.empty(2, 1, 128, 100)))
        net.decode(torch.empty(2, 512))
    down = down[:13]
    assert [maps for maps, _, _ in down] == [80, 176, 192, 224, 272, 304, 352, 416, 512, 512, 512, 512, 512]
    assert down[0] == (80, 61, 48) and down[-1] == (512, 1, 1) and up[-1] == (1, 128, 100)
    assert [maps for maps, _, _ in up] == [512, 512, 512, 512, 416, 352, 304, 272, 224, 192, 176, 80, 1]
    assert [side for _, side, _ in grown[::4]] == [2, 4, 6, 12, 24, 48, 96]
    assert [maps for maps, _, _ in grown[1::4]] == [512, 512, 304, 192, 144, 96] and grown[-1] == (3, 96, 96)
    assert len(judged) == 13 and judged[-2] == (256, 2, 2) and judged[-1] == (1, 1, 1)
    assert [maps for maps, _, _ in judged] == [96, 192, 192, 208, 224, 240, *[256] * 6, 1]


def test_smaller_pictures_take_fewer_layers() -> None:
    assert growth(96) == [1, 1, 2, 2, 2, 2] and growth(32) == [1, 2, 2, 2] and growth(48) == [1, 1, 2, 2, 2]
    for resolution in (32, 48, 64, 96):
        z = torch.rand(2, 8)
        made = S2iGenerator(resolution, 8, 1)(z)
        assert made.shape == (2, 3, resolution, resolution)
        assert S2iDiscriminator(resolution, 8, 1)(made, z).shape == (2,)
    for resolution in (30, 256, 4):
        with pytest.raises(ValueError, match="resolution"):
            S2iGenerator(resolution, 8, 1)


def test_the_embedding_lies_between_minus_one_and_one() -> None:
    torch.manual_seed(0)
    z = SpectrogramAutoencoder(8, 1, MEL).embed(torch.rand(3, 128, 100) * 2 - 1)
    assert z.shape == (3, 8) and z.abs().max() < 1


def test_dropout_is_drawn_as_torch_drops_maps() -> None:
    drawn = Dropouts([(0.25, 3), (0.0, 2)]).draw(4000)
    assert drawn.shape == (4000, 5) and set(drawn[:, 3:].unique().tolist()) == {1.0}
    assert drawn[:, :3].mean() == pytest.approx(1, abs=0.03)
    assert drawn[:, :3].unique().tolist() == pytest.approx([0, 4 / 3])


def test_least_squares_pull_scores_to_their_sides() -> None:
    right, wrong = torch.ones(4), -torch.ones(4)
    assert discriminator_loss(right, wrong) == 0 and discriminator_loss(wrong, right) == 4
    assert generator_loss(right) == 0 and generator_loss(wrong) == 2


def test_the_spectrogram_is_grey_and_of_the_published_size() -> None:
    wave = torch.sin(torch.arange(8000) * 0.5)[None] * 0.3
    grey = mel_picture(wave, **MEL)
    assert grey.shape == (1, 128, 100) and grey.amax() == pytest.approx(1, abs=0.1) and grey.amin() >= -1
    torch.testing.assert_close(grey, mel_picture(wave / 10, **MEL), atol=2e-3, rtol=0)
    low = mel_picture(torch.sin(torch.arange(16000) * 2 * torch.pi * 300 / 16000)[None], **MEL)
    high = mel_picture(torch.sin(torch.arange(16000) * 2 * torch.pi * 3000 / 16000)[None], **MEL)
    assert low[0].mean(1).argmax() < high[0].mean(1).argmax(), "the lowest band comes first"


def _trained(root: Path, **more: Any) -> tuple[Path, Path]:
    packs = [pack(root / "train.tar", 6, seed=1)]
    audio = MelConfig(**MEL)
    config = S2iAutoencoderConfig(width=1, dim=8, steps=3, batch_size=6, audio=audio)
    train_autoencoder(config=config, packs=packs, output_dir=root / "ae", runtime=RUNTIME, threads=1)
    gan = S2iGeneratorConfig(resolution=32, width=1, d_width=1, steps=3, batch_size=6, **more)
    train_generator(
        config=gan, packs=packs, autoencoder_dir=root / "ae", output_dir=root / "g", runtime=RUNTIME, threads=1
    )
    return root / "ae", root / "g"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return _trained(tmp_path_factory.mktemp("s2i"))


def test_a_seed_decides_a_picture_whatever_the_batch(trained: tuple[Path, Path]) -> None:
    parts = {"autoencoder": trained[0], "generator": trained[1]}
    method = load_method("s2i", Sources(config=GenerateConfig(window_s=1.0), parts=parts))
    assert method.resolution == 32 and method.entry is METHODS["s2i"]
    z = method.encode_audio(torch.rand(3, 16000) - 0.5)
    assert z.shape == (3, 8)
    seeds = [5, 2**62, 7]
    together = method.decode(z, seeds)
    assert together.shape == (3, 3, 32, 32) and together.abs().max() <= 1
    alone = torch.cat([method.decode(z[i : i + 1], seeds[i : i + 1]) for i in (2, 0, 1)])
    torch.testing.assert_close(together, alone[[1, 2, 0]], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(together, method.decode(z, [1, 2, 3])), "dropout stays on when pictures are made"
    with pytest.raises(Unsupported, match="from sounds alone"):
        method.encode_image(torch.zeros(1, 3, 32, 32))


def test_it_hears_through_the_window_that_it_learned(trained: tuple[Path, Path]) -> None:
    parts, wave = {"autoencoder": trained[0], "generator": trained[1]}, torch.rand(2, 16000) - 0.5
    heard = [
        load_method("s2i", Sources(config=GenerateConfig(window_s=seconds), parts=parts)).encode_audio(wave)
        for seconds in (1.0, 5.0)
    ]
    assert torch.equal(*heard)


def test_parts_of_two_sizes_are_one_line(trained: tuple[Path, Path], tmp_path: Path) -> None:
    g = S2iGenerator(32, 12, 1)
    save(tmp_path, g.state_dict(), {"resolution": 32, "dim": 12, "width": 1})
    sources = Sources(config=GenerateConfig(), parts={"autoencoder": trained[0], "generator": tmp_path})
    with pytest.raises(UserError, match="takes embeddings of 12 numbers, and the autoencoder gives 8"):
        load_method("s2i", sources)


def test_cards_say_what_is_our_reading(trained: tuple[Path, Path]) -> None:
    assert "never released" in (trained[1] / "README.md").read_text()
    assert "published: 64" in (trained[0] / "README.md").read_text()


def test_without_pairs_it_is_one_line(trained: tuple[Path, Path], tmp_path: Path) -> None:
    packs = [pack(tmp_path / "one.tar", 0)]
    with pytest.raises(UserError, match="fewer than two sounds"):
        train_autoencoder(
            config=S2iAutoencoderConfig(), packs=packs, output_dir=tmp_path / "a", runtime=RUNTIME, threads=1
        )


def test_the_adversarial_loss_can_be_left_out() -> None:
    runtime = Runtime(torch.device("cpu"), bf16=False)
    config = S2iGeneratorConfig(resolution=32, width=1, d_width=1, batch_size=4, adversarial_weight=0)
    task = S2iGeneratorTask(config, torch.zeros(8, 3, 32, 32, dtype=torch.uint8), torch.rand(8, 8), runtime)
    assert [update.optimizer for update in task.updates(0)] == ["g"]


def test_a_file_with_another_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / CATALOGUE["s2i-generator"].files[0].path
    path.parent.mkdir(parents=True)
    torch.save({"transition0.weight": torch.zeros(1)}, path)
    with pytest.raises(UserError, match="its SHA-256 is .*, and must be bd80d36d"):
        convert("s2i-generator", tmp_path / "g", tmp_path)


@pytest.mark.slow
@torch.inference_mode()
def test_a_synthetic_checkpoint_gives_what_a_literal_evaluation_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2v.weights.convert.expected", lambda folder, file: None)
    states = {"s2i-autoencoder": published.autoencoder_state(), "s2i-generator": published.generator_state(1)}
    for name, state in states.items():
        path = tmp_path / "weights" / CATALOGUE[name].files[0].path
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, path, _use_new_zipfile_serialization=False)  # torch 1.1 wrote the older format
        convert(name, tmp_path / name, tmp_path / "weights")
    close = {"rtol": 1e-4, "atol": 1e-5}
    autoencoder = load(SpectrogramAutoencoder, tmp_path / "s2i-autoencoder")
    x = torch.rand(2, 1, 128, 100, generator=torch.Generator().manual_seed(0)) * 2 - 1
    z = published.embed(states["s2i-autoencoder"], x)
    assert z.std() > 0.1
    torch.testing.assert_close(autoencoder.embed(x[:, 0]), z, **close)
    torch.testing.assert_close(autoencoder.decode(z), published.unembed(states["s2i-autoencoder"], z), **close)
    made = published.generate(states["s2i-generator"], z)
    assert made.shape == (2, 3, 96, 96) and made.std() > 0.05 and made.abs().mean() < 0.95
    torch.testing.assert_close(load(S2iGenerator, tmp_path / "s2i-generator")(z), made, **close)
    assert "BSD-3" in (tmp_path / "s2i-generator" / "README.md").read_text()
