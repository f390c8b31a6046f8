"""Pedersoli et al.: the published layers and counts, quantisation, trainings, method; no test clip in stage 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tiny_run import pack

from s2v.config import GenerateConfig, MelConfig, PedersoliAudioConfig, PedersoliVqvaeConfig, RuntimeConfig
from s2v.configfile import load as load_config
from s2v.errors import UserError
from s2v.losses.vector_quantisation import quantisation_loss
from s2v.methods import Sources, load_method
from s2v.models.pedersoli import AudioToCodes, VqVae
from s2v.models.store import load, save
from s2v.runtime import Runtime
from s2v.train.pedersoli_audio import PedersoliAudioTask
from s2v.train.pedersoli_audio import run as train_audio
from s2v.train.pedersoli_vqvae import PedersoliVqvaeTask
from s2v.train.pedersoli_vqvae import run as train_vqvae

RUNTIME = RuntimeConfig(device="cpu")
MEL: dict[str, Any] = {"window_s": 1.0, "n_fft": 512, "hop": 160, "bands": 32, "columns": 32, "range_db": 80.0}
SMALL: dict[str, Any] = {
    "resolution": 32, "code_px": 8, "hidden": 8, "residual_hidden": 4, "residual_layers": 1, "codes": 5, "code_dim": 4,
}  # fmt: skip


def _convs(*shapes: tuple[int, int, int], bias: bool = True) -> int:
    """Parameters of convolutions of (maps in, maps out, side)."""
    return sum(n_in * n_out * side**2 + n_out * bias for n_in, n_out, side in shapes)


def test_the_published_vqvae() -> None:
    """256 px to 32 x 32 codes: 64, 128, 128 maps, two residual layers of 32, 64 codes of 64 numbers."""
    with torch.device("meta"):
        net = VqVae(256, 32, 128, 32, 2, 64, 64)
        z = net.encoder(torch.empty(1, 3, 256, 256))
        assert z.shape == (1, 64, 32, 32) and net.decoder(z).shape == (1, 3, 256, 256)
    residual = 2 * _convs((128, 32, 3), (32, 128, 1))
    encoder = 2 * 3 + _convs((3, 64, 4), (64, 128, 4), (128, 128, 4), (128, 64, 1)) + residual
    decoder = _convs((64, 128, 3), (128, 128, 4), (128, 64, 4), (64, 3, 4)) + residual
    assert sum(p.numel() for p in net.parameters()) == encoder + decoder + 64 * 64 == 1_043_785


def test_the_published_audio_net() -> None:
    """ResNet-18 without its classifier, three 1x1 convolutions of 512, five transposed ones to 32 x 32 x 64."""
    with torch.device("meta"):
        net = AudioToCodes(32, 64, 18, 64, 0.2, {**MEL, "bands": 256, "columns": 256})
        assert net(torch.empty(2, 256, 256)).shape == (2, 64, 32, 32)
    resnet = 11_689_512 - 512 * 1000 - 1000 - 2 * 7 * 7 * 64  # torchvision's, one channel in place of three
    between = _convs(*[(512, 512, 1)] * 3, bias=False) + 3 * 2 * 512
    up = _convs((512, 256, 4), (256, 128, 4), (128, 64, 4), (64, 64, 4), (64, 64, 4), bias=False)
    norms = 2 * (256 + 128 + 64 + 64 + 64)
    assert sum(p.numel() for p in net.parameters()) == 2 + resnet + between + up + norms + _convs((64, 64, 1))


def test_codes_are_the_nearest_ones_and_in_range() -> None:
    torch.manual_seed(0)
    net = VqVae(**SMALL)
    z = torch.randn(3, 4, 8, 8) * 0.2
    quantised, numbers = net.quantise(z)
    assert quantised.shape == z.shape and numbers.shape == (3, 8, 8)
    assert numbers.min() >= 0 and numbers.max() < 5
    far = (z[:, None] - net.codes[None, :, :, None, None]).square().sum(2)
    assert torch.equal(far.argmin(1), numbers)
    torch.testing.assert_close(net.quantise(quantised)[0], quantised)


def test_the_gradient_passes_the_codes_as_it_is() -> None:
    torch.manual_seed(0)
    config = PedersoliVqvaeConfig(**SMALL, batch_size=4)
    images = torch.randint(256, (8, 3, 32, 32), dtype=torch.uint8)
    task = PedersoliVqvaeTask(config, images, Runtime(torch.device("cpu"), bf16=False))
    fake, real, _, _ = task.forward({"image": images[:2]})
    F.mse_loss(fake, real).backward()
    assert task.model.codes.grad is None, "what is decoded teaches the encoder, not the codes"
    assert task.model.encoder[1].weight.grad.abs().sum() > 0
    z, codes = torch.tensor([0.0], requires_grad=True), torch.tensor([2.0], requires_grad=True)
    quantisation_loss(z, codes, 0.25).backward()
    assert (codes.grad.item(), z.grad.item()) == (4.0, -1.0)


def _trained(root: Path) -> tuple[Path, Path]:
    packs = [pack(root / "train.tar", 6, seed=1)]
    vqvae = PedersoliVqvaeConfig(**SMALL, steps=4, batch_size=6)
    train_vqvae(config=vqvae, packs=packs, output_dir=root / "vq", runtime=RUNTIME, threads=1)
    audio = PedersoliAudioConfig(audio=MelConfig(**MEL), depth=10, width=8, steps=3, batch_size=6)
    train_audio(config=audio, packs=packs, vqvae_dir=root / "vq", output_dir=root / "audio", runtime=RUNTIME, threads=1)
    return root / "vq", root / "audio"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return _trained(tmp_path_factory.mktemp("pedersoli"))


def test_the_target_is_what_is_not_yet_quantised(trained: tuple[Path, Path]) -> None:
    vqvae = load(VqVae, trained[0])
    latents = vqvae.latents(torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8))
    assert not torch.allclose(latents, vqvae.quantise(latents)[0])
    config = PedersoliAudioConfig(audio=MelConfig(**MEL), depth=10, width=8, batch_size=2)
    task = PedersoliAudioTask(config, torch.zeros(4, 32, 32), latents, Runtime(torch.device("cpu"), bf16=False))
    batch = {**task.draw(2), **task.read(torch.tensor([2, 0]))}
    _, target = task.forward(batch)
    assert torch.equal(target, latents[[2, 0]])


def test_what_is_decoded_is_quantised_and_no_seed_matters(trained: tuple[Path, Path]) -> None:
    method = load_method(
        "pedersoli", Sources(config=GenerateConfig(window_s=1.0), parts={"vqvae": trained[0], "audio": trained[1]})
    )
    z = method.encode_audio(torch.rand(3, 16000) - 0.5)
    assert z.shape == (3, 4 * 8 * 8) and method.resolution == 32
    made = method.decode(z, [1, 2, 3])
    assert made.shape == (3, 3, 32, 32) and made.abs().max() <= 1
    assert torch.equal(made, method.decode(z, [4, 5, 6]))
    vqvae = load(VqVae, trained[0])
    quantised = vqvae.quantise(z.view(3, 4, 8, 8))[0]
    torch.testing.assert_close(made, vqvae.decode(quantised))
    assert "RGB is our reading" in (trained[0] / "README.md").read_text()


def test_parts_of_two_shapes_are_one_line(trained: tuple[Path, Path], tmp_path: Path) -> None:
    other = {**SMALL, "code_dim": 3}
    save(tmp_path, VqVae(**other).state_dict(), other)
    sources = Sources(config=GenerateConfig(), parts={"vqvae": tmp_path, "audio": trained[1]})
    with pytest.raises(UserError, match=r"gives latents of \(4, 8, 8\), and the VQ-VAE takes \(3, 8, 8\)"):
        load_method("pedersoli", sources)


@pytest.mark.parametrize("changed", [{"code_px": 12}, {"code_px": 16}, {"resolution": 48}])
def test_maps_that_cannot_be_are_refused(changed: dict[str, int], tmp_path: Path) -> None:
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(f"pedersoli_vqvae: {changed}\n".replace("'", ""))
    with pytest.raises(UserError, match="pedersoli_vqvae"):
        load_config(["config.yaml", overlay])


def test_stage_1_sees_no_clip_that_is_tested(tmp_path: Path) -> None:
    assert set(load_config(["config.yaml"]).pedersoli_vqvae.splits) == {"images"}
    assert set(load_config(["config.yaml", "configs/vegas5.yaml"]).pedersoli_vqvae.splits) == {"train"}
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("pedersoli_vqvae: {splits: [images, test]}\n")
    with pytest.raises(UserError, match="stage 1 learns from no such clip"):
        load_config(["config.yaml", overlay])
