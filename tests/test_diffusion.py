"""The latent diffusion model: sizes, training, resume, guidance, seeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from tiny_run import models, pack

from s2v.config import (
    DiffusionConfig,
    EncoderConfig,
    GenerateConfig,
    RuntimeConfig,
    SamplerConfig,
    VaeConfig,
    VitConfig,
)
from s2v.data.reader import read_images
from s2v.errors import UserError
from s2v.methods import Sources, load_method
from s2v.models.autoencoder import autoencoder, decode, encode
from s2v.models.autoencoder import shape as autoencoder_shape
from s2v.models.diffusion_sampler import Sampler, Traced
from s2v.models.latent_diffusion import LatentDiffusion, shape
from s2v.models.store import load
from s2v.models.vit import ViT
from s2v.tensors import load_tensors
from s2v.train import diffusion, embed, encoder, latents, vae

pytestmark = pytest.mark.slow

CPU = RuntimeConfig(device="cpu")
VIT = EncoderConfig(
    architecture="vit",
    vit=VitConfig(patch_px=8, width=32, depth=1, heads=2),
    image_px=24,
    crops=[(2, 24), (1, 16)],
    crop_scales=[(0.5, 1.0), (0.2, 0.5)],
    prototypes=8,
    projection_dim=8,
    projection_hidden=16,
    batch_size=8,
    steps=4,
    optimizer="adam",
    learning_rate=1e-3,
)
VAE = VaeConfig(
    resolution=32,
    channels=[8, 8, 8],
    layers_per_block=1,
    groups=4,
    batch_size=8,
    steps=60,
    learning_rate=5e-3,
    checkpoint_every=4,
    perceptual_weight=0.1,
)
DIFFUSION = DiffusionConfig(
    channels=[16, 16],
    attention=[False, True],
    layers_per_block=1,
    heads=2,
    groups=4,
    tokens=2,
    token_dim=16,
    batch_size=8,
    steps=40,
    learning_rate=5e-3,
    checkpoint_every=5,
    beta_schedule="linear",
    ema=0.9,
)


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_full_sizes_are_the_published_ones() -> None:
    """ViT-B/16 without a head 85.8 M (timm), Stable Diffusion's autoencoder 83.65 M; its U-Net has 859.5 M with tokens
    of 768 numbers."""
    with torch.device("meta"):
        assert parameters(ViT(224, 16, 768, 12, 12)) == 85_798_656
        full = VaeConfig()
        assert parameters(autoencoder(**autoencoder_shape(full))) == 83_653_863
        model = LatentDiffusion(**shape(DiffusionConfig(), 768, 4, 32))
        assert parameters(model.unet) == 859_520_964


@pytest.mark.parametrize("stem", ["patch", "conv"])
def test_vit_takes_crops_of_other_sides_and_centres_its_feature(stem: str) -> None:
    torch.manual_seed(0)
    net = ViT(32, 8, 16, 2, 2, stem)
    x = torch.randn(6, 3, 32, 32)
    assert net(x).shape == (6, 16) and net(x[..., :16, :16]).shape == (6, 16)
    assert net(x).mean(0).abs().max() < 1e-5
    assert not torch.allclose(net(x), net(x.flip(3)), atol=1e-3)


def test_autoencoder_halves_the_side_at_each_level_but_one() -> None:
    net = autoencoder(32, [8, 8, 8], 1, 5, 4)
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    codes = encode(net, images)
    assert codes.shape == (3, 5, 8, 8) and decode(net, codes).shape == (3, 3, 32, 32)
    assert torch.equal(codes, encode(net, images)), "the posterior's mean is not drawn"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of a whole tiny latent diffusion model."""
    root = tmp_path_factory.mktemp("ldm")
    shard = pack(root / "train-0.tar", 8)
    models(root)
    encoder.run(config=VIT, packs=[shard], output_dir=root / "vit", runtime=CPU, threads=1)
    for name in ("features", "keys"):
        (root / name).mkdir()
    embed.run(
        packs=[shard],
        encoder_dir=root / "vit",
        output=root / "features/train.safetensors",
        keys=root / "keys/train.parquet",
        runtime=CPU,
        threads=1,
    )
    vae.run(config=VAE, packs=[shard], encoder_dir=root / "encoder", output_dir=root / "vae", runtime=CPU, threads=1)
    latents.run(packs=[shard], vae_dir=root / "vae", output=root / "latents.safetensors", runtime=CPU, threads=1)
    _diffusion(root, root / "diffusion")
    return root


def test_f_v_is_given_to_the_autoencoder_where_its_distance_has_a_weight(tmp_path: Path) -> None:
    """Without it the autoencoder waits for no f_V, and is the same one."""
    shard = pack(tmp_path / "train-0.tar", 8)
    models(tmp_path)
    plain = VAE.model_copy(update={"perceptual_weight": 0.0, "steps": 2})
    given = {"packs": [shard], "runtime": CPU, "threads": 1}
    vae.run(config=plain, encoder_dir=None, output_dir=tmp_path / "vae", **given)  # type: ignore[arg-type]
    assert load(autoencoder, tmp_path / "vae", "cpu").config["latent_channels"] == 4
    for config, encoder_dir in ((plain, tmp_path / "encoder"), (VAE, None)):
        with pytest.raises(UserError, match="vae.perceptual_weight"):
            vae.run(config=config, encoder_dir=encoder_dir, output_dir=tmp_path / "other", **given)  # type: ignore[arg-type]


def _diffusion(root: Path, folder: Path, config: DiffusionConfig = DIFFUSION) -> None:
    diffusion.run(
        config=config,
        latents=[root / "latents.safetensors"],
        features=[root / "features/train.safetensors"],
        vae_dir=root / "vae",
        output_dir=folder,
        runtime=CPU,
        threads=1,
    )


def curve(folder: Path, metric: str) -> list[float]:
    records = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    return [record[metric] for record in records if metric in record]


def test_losses_fall(run: Path) -> None:
    for folder, metric in (("vae", "l1"), ("diffusion", "loss")):
        losses = curve(run / folder, metric)
        assert losses[-1] < 0.85 * losses[0], (folder, losses)


def test_latents_belong_to_pictures_and_their_mirror_images(run: Path) -> None:
    tensors = load_tensors(run / "latents.safetensors")
    images, _, _ = read_images([run / "train-0.tar"], 32)
    net = load(autoencoder, run / "vae")
    assert torch.allclose(tensors["latents"], encode(net, images), atol=1e-5)
    assert torch.allclose(tensors["latents_flipped"], encode(net, images.flip(3)), atol=1e-5)


def test_latents_of_several_shards_follow_each_other(run: Path, tmp_path: Path) -> None:
    shards = [pack(tmp_path / f"train-{n}.tar", clips, seed=n) for n, clips in ((0, 1), (1, 0), (2, 2))]
    latents.run(packs=shards, vae_dir=run / "vae", output=tmp_path / "latents.safetensors", runtime=CPU, threads=1)
    images, _, _ = read_images(shards, 32)
    found = load_tensors(tmp_path / "latents.safetensors")["latents"]
    assert len(images) == 9 and torch.allclose(found, encode(load(autoencoder, run / "vae"), images), atol=1e-5)
    with pytest.raises(UserError, match="no packed picture"):
        latents.run(packs=shards[1:2], vae_dir=run / "vae", output=tmp_path / "none", runtime=CPU, threads=1)


def test_pictures_that_lie_in_a_file_train_the_same_autoencoder(run: Path, tmp_path: Path) -> None:
    mapped = RuntimeConfig(device="cpu", memory_gb=0.0)
    vae.run(config=VAE, packs=[run / "train-0.tar"], encoder_dir=run / "encoder", output_dir=tmp_path / "vae",
            runtime=mapped, threads=1)  # fmt: skip
    kept, own = (load_tensors(folder / "vae/model.safetensors") for folder in (run, tmp_path))
    assert all(torch.equal(kept[name], own[name]) for name in kept)


def test_model_carries_the_numbers_that_bring_latents_to_unit_variance(run: Path) -> None:
    tensors = load_tensors(run / "latents.safetensors")
    both = torch.cat([tensors["latents"], tensors["latents_flipped"]])
    model = load(LatentDiffusion, run / "diffusion")
    normal = model.normalise(both)
    assert normal.mean((0, 2, 3)).abs().max() < 1e-4 and (normal.std((0, 2, 3)) - 1).abs().max() < 1e-2
    assert torch.allclose(model.denormalise(normal), both, atol=1e-5)


@pytest.mark.parametrize("stage", ["vae", "diffusion"])
def test_a_killed_training_ends_where_an_undisturbed_one_does(
    run: Path, stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = {"vae": vae.VaeTask, "diffusion": diffusion.DiffusionTask}[stage]
    whole: Callable[..., Any] = kind.updates

    def dies(self: object, step: int) -> Any:
        if step == 11:
            raise KeyboardInterrupt
        return whole(self, step)

    def train() -> None:
        if stage == "vae":
            vae.run(
                config=VAE,
                packs=[run / "train-0.tar"],
                encoder_dir=run / "encoder",
                output_dir=tmp_path / stage,
                runtime=CPU,
                threads=1,
            )
        else:
            _diffusion(run, tmp_path / stage)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "updates", dies)
        with pytest.raises(KeyboardInterrupt):
            train()
    assert list((tmp_path / stage / "checkpoints").glob("0*.safetensors"))
    train()
    resumed, undisturbed = (load_tensors(folder / stage / "model.safetensors") for folder in (tmp_path, run))
    assert all(torch.equal(resumed[name], undisturbed[name]) for name in undisturbed)


def test_latents_and_features_of_other_pictures_are_refused(run: Path, tmp_path: Path) -> None:
    other = pack(tmp_path / "other.tar", 2)
    latents.run(packs=[other], vae_dir=run / "vae", output=tmp_path / "latents.safetensors", runtime=CPU, threads=1)
    with pytest.raises(UserError, match="latents of 6 pictures, and features of 24"):
        diffusion.run(
            config=DIFFUSION,
            latents=[tmp_path / "latents.safetensors"],
            vae_dir=run / "vae",
            features=[run / "features/train.safetensors"],
            output_dir=tmp_path / "d",
            runtime=CPU,
            threads=1,
        )


def reference(
    model: LatentDiffusion,
    unet: UNet2DConditionModel,
    z: torch.Tensor,
    noise: torch.Tensor,
    name: str,
    steps: int,
    guidance: float,
) -> torch.Tensor:
    """The plain loop of diffusers' pipelines: two conditions side by side, guidance, a step."""
    scheduler = model.scheduler(name)
    scheduler.set_timesteps(steps)
    tokens = torch.cat([model.null.expand(len(z), -1, -1), model.condition(z)])
    x = noise * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        seen = scheduler.scale_model_input(torch.cat([x, x]), t)
        without, conditional = unet(seen, t, encoder_hidden_states=tokens).sample.chunk(2)
        x = scheduler.step(without + guidance * (conditional - without), t, x).prev_sample
    return model.denormalise(x)


@torch.no_grad()
@pytest.mark.parametrize("name", ["ddim", "dpm++"])
@pytest.mark.parametrize("guidance", [0.0, 1.0, 2.5])
def test_sampler_draws_what_the_plain_loop_does(run: Path, name: str, guidance: float) -> None:
    torch.manual_seed(0)
    z, noise = torch.randn(3, 32), torch.randn(3, 4, 8, 8)
    plain = load(LatentDiffusion, run / "diffusion")
    expected = reference(plain, plain.unet, z, noise, name, 4, guidance)
    drawn = Sampler(load(LatentDiffusion, run / "diffusion"), name, 4, guidance)(z, noise)
    assert torch.allclose(drawn, expected, rtol=1e-3, atol=1e-3)


def test_guidance_0_ignores_the_condition_and_others_see_it(run: Path) -> None:
    noise = torch.randn(2, 4, 8, 8)[:1].expand(2, -1, -1, -1).contiguous()
    z = torch.randn(2, 32)
    without = Sampler(load(LatentDiffusion, run / "diffusion"), "ddim", 3, 0.0)(z, noise)
    assert torch.allclose(without[0], without[1], atol=1e-5)
    sampler = Sampler(load(LatentDiffusion, run / "diffusion"), "ddim", 3, 1.0)
    seen = sampler(z, noise)
    assert (seen[0] - seen[1]).abs().max() > 1e-3
    assert not torch.allclose(sampler(z.flip(0), noise), seen), "nothing of the batch before is kept"


def test_a_picture_follows_from_its_seed_whatever_the_batch(run: Path) -> None:
    folders = {"encoder": "vit", "generator": "diffusion", "align": "align", "vae": "vae"}
    config = GenerateConfig(ldm=SamplerConfig(steps=4, guidance=2.0))
    sources = Sources(config, {part: run / folder for part, folder in folders.items()})
    method = load_method("sound2vision_ldm", sources)
    z = method.encode_image(torch.rand(5, 3, 40, 30) * 2 - 1)
    assert z.shape == (5, method.dim) and torch.allclose(z.norm(dim=1), torch.ones(5))
    seeds = [3, 2**62, 5, 3, 9]
    whole = method.decode(z, seeds)
    assert whole.shape == (5, 3, method.resolution, method.resolution)
    for i in range(5):
        assert (method.decode(z[i : i + 1], seeds[i : i + 1]) - whole[i]).abs().max() < 1e-3
    assert torch.equal(method.decode(z, seeds), whole)
    assert (method.decode(z[:1], [4]) - whole[0]).abs().max() > 1e-3
    assert method.encode_audio(torch.randn(2, 16000) * 0.1).shape == (2, method.dim)


def test_the_traced_net_gives_what_the_net_gives_for_every_shape() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.SiLU()).eval().requires_grad_(False)
    traced = Traced(net, most=2)
    for n in (3, 1, 3, 2, 5, 3):
        x = torch.randn(n, 3, 8, 8)
        assert torch.equal(traced(x), net(x)) and len(traced.graphs) <= 2
