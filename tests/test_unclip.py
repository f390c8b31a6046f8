"""Stable unCLIP as the second generator, on a tiny folder in the published layout."""

from __future__ import annotations

import json
import pickle
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from shards import write_tar
from tiny_run import AUDIO, pack
from tiny_unclip import DIM, PX, unclip_folder

from s2v.config import (
    AlignConfig,
    AudioConfig,
    Config,
    EmbedUnclipConfig,
    GenerateConfig,
    RuntimeConfig,
    UnclipConfig,
    inherited,
)
from s2v.configfile import load as load_config
from s2v.data.reader import read_images, read_waves
from s2v.errors import UserError
from s2v.evaluate.generate import conditions
from s2v.losses.alignment import l_total_raw
from s2v.media.picture import encode_jpeg
from s2v.methods import Method, Sources, Unsupported, clip_seed, load_method, noise
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.stable_unclip import load_encoder, load_pipeline
from s2v.models.store import load
from s2v.report.deviations import deviations
from s2v.tensors import load_tensors
from s2v.train import align, embed_unclip
from s2v.weights.catalogue import CATALOGUE

CPU = RuntimeConfig(device="cpu")
SETTINGS = UnclipConfig(steps=3, batch_size=4)
ALIGN = AlignConfig(
    audio=AudioConfig(window_s=1.0),
    width=4,
    head="fc2",
    loss="total_raw",
    batch_size=8,
    epochs=20,
    patience=20,
    learning_rate=3e-3,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder, packed pairs, features and an audio encoder aligned to them."""
    root = tmp_path_factory.mktemp("unclip")
    unclip_folder(root / "weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("S2V_WEIGHTS", str(root / "weights"))
        for split, clips in (("train", 8), ("val", 3), ("test", 2)):
            pack(root / f"{split}.tar", clips, seed=clips)
            _embed(root / f"{split}.tar", root / split)
    _align(root, root / "align_unclip")
    return root


@pytest.fixture(autouse=True)
def weights(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder, and no network."""
    monkeypatch.setenv("S2V_WEIGHTS", str(root / "weights"))

    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def _embed(shard: Path, folder: Path, shown: Any = "clip") -> Path:
    folder.mkdir(exist_ok=True)
    embed_unclip.run(
        config=EmbedUnclipConfig(input=shown), packs=[shard], output=folder / "f.safetensors",
        keys=folder / "f.parquet", runtime=CPU, threads=1,
    )  # fmt: skip
    return folder / "f.safetensors"


def _align(root: Path, output: Path, config: AlignConfig = ALIGN) -> None:
    align.run(
        config=config, train_packs=[root / "train.tar"], val_packs=[root / "val.tar"],
        train_features=root / "train/f.safetensors", val_features=root / "val/f.safetensors", output_dir=output,
        runtime=CPU, threads=1,
    )  # fmt: skip


def _method(root: Path, name: str, shown: Any = "clip", **settings: Any) -> Method:
    return load_method(name, _sources(root, 1.0, shown, **settings))


def _sources(root: Path, window_s: float, shown: Any = "clip", **settings: Any) -> Sources:
    config = GenerateConfig(window_s=window_s, unclip=SETTINGS.model_copy(update=settings))
    return Sources(config, {"align": root / "align_unclip"}, embed_unclip=EmbedUnclipConfig(input=shown))


def test_the_tiny_folder_has_the_files_of_the_catalogue(root: Path) -> None:
    there = {str(path.relative_to(root / "weights")) for path in (root / "weights").rglob("*") if path.is_file()}
    assert there == {file.path for file in CATALOGUE["stable-unclip"].files}


def test_pictures_are_those_of_diffusers_own_pipeline(root: Path) -> None:
    """The same features and latents into `from_pretrained` and `__call__` of diffusers, one batch: equal to the bit."""
    from diffusers import StableUnCLIPImg2ImgPipeline

    method = _method(root, "sound2vision_unclip", noise_level=300, prompt="a b", guidance=4.0)
    waves, _, _ = read_waves([root / "test.tar"], 16000)
    z = torch.cat([method.encode_audio(torch.from_numpy(wave)[None]) for wave in waves[:3]])
    seeds = [5, 2**61, 7]
    plain = StableUnCLIPImg2ImgPipeline.from_pretrained(
        root / "weights/stable-unclip", variant="fp16", local_files_only=True, low_cpu_mem_usage=False
    ).to(dtype=torch.float32)  # type: ignore[attr-defined]
    drawn = plain(
        image_embeds=z, prompt=["a b"] * 3, num_inference_steps=3, guidance_scale=4.0, noise_level=300,
        latents=noise(seeds, 4 * 16 * 16).reshape(3, 4, 16, 16), output_type="pt",
        generator=[torch.Generator().manual_seed(clip_seed(seed, "feature")) for seed in seeds],
    ).images  # fmt: skip
    found = method.decode(z, seeds)
    assert found.shape == (3, 3, PX, PX) == (3, 3, method.resolution, method.resolution)
    assert torch.allclose(found, drawn * 2 - 1, atol=1e-6), (found - drawn * 2 + 1).abs().max()
    assert found.std() > 0.05 and (found[0] - found[1]).abs().max() > 0.05, "pictures of something"


def test_a_picture_follows_from_condition_and_seed_whatever_the_batch(root: Path) -> None:
    whole = _method(root, "unclip", noise_level=500, batch_size=5)
    z = whole.encode_image(torch.rand(5, 3, 40, 30) * 2 - 1)
    seeds = [3, 2**62, 5, 3, 9]
    pictures = whole.decode(z, seeds)
    assert torch.equal(whole.decode(z, seeds), pictures)
    parts = _method(root, "unclip", noise_level=500, batch_size=2).decode(z, seeds)
    assert (parts - pictures).abs().max() < 1e-3, "sums may be rounded in another order"
    for i in (1, 4):
        assert (whole.decode(z[i : i + 1], seeds[i : i + 1]) - pictures[i]).abs().max() < 1e-3
    assert (whole.decode(z[:1], [4]) - pictures[0]).abs().max() > 1e-2
    assert (whole.decode(z[1:2], [3]) - pictures[0]).abs().max() > 1e-3, "the condition is seen"
    assert whole.decode(z[:0], []).shape == (0, 3, PX, PX)
    encoder = load_encoder(root / "weights/stable-unclip", "clip")
    assert encoder.encode(torch.zeros(0, 3, 8, 8, dtype=torch.uint8)).shape == (0, encoder.dim), "a shard may be empty"


def test_what_the_settings_change(root: Path) -> None:
    z = torch.randn(2, DIM)
    pictures = _method(root, "unclip").decode(z, [1, 2])
    for settings in ({"steps": 2}, {"guidance": 1.0}, {"noise_level": 900}, {"prompt": "b"}):
        assert (_method(root, "unclip", **settings).decode(z, [1, 2]) - pictures).abs().max() > 1e-3, settings
    small = _method(root, "unclip", px=24)
    assert small.resolution == 24 and small.decode(z, [1, 2]).shape == (2, 3, 24, 24)
    image = torch.rand(2, 3, 28, 28) * 2 - 1
    raw, one = (_method(root, "unclip", unit_norm=unit).encode_image(image) for unit in (False, True))
    assert torch.allclose(one.norm(dim=1), torch.ones(2)) and (raw.norm(dim=1) - 1).abs().min() > 0.1
    assert torch.allclose(torch.nn.functional.normalize(raw), one, atol=1e-6)
    with pytest.raises(Unsupported, match="unclip"):
        _method(root, "unclip").encode_audio(torch.zeros(1, 16000))


@pytest.mark.parametrize("half", [True, False])
def test_either_precision_is_taken_as_it_is_there(root: Path, tmp_path: Path, half: bool) -> None:
    folder = unclip_folder(tmp_path, half)
    pipeline = load_pipeline(folder)
    assert {p.dtype for p in pipeline.unet.parameters()} == {torch.float32}
    file = folder / f"unet/diffusion_pytorch_model{'.fp16' if half else ''}.safetensors"
    stored = load_file(file)["conv_in.weight"]
    assert stored.dtype == (torch.float16 if half else torch.float32)
    assert torch.equal(pipeline.unet.conv_in.weight, stored.float())
    assert load_pipeline(folder, precision="bf16").vae.dtype == torch.bfloat16


class Evil:
    """Leaves a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_pickles_are_never_read(root: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(root / "weights/stable-unclip", tmp_path / "w"))
    for name in (
        "unet/diffusion_pytorch_model",
        "vae/diffusion_pytorch_model",
        "image_encoder/pytorch_model",
        "text_encoder/pytorch_model",
        "image_normalizer/diffusion_pytorch_model",
    ):
        for suffix in (".bin", ".fp16.bin"):
            (folder / f"{name}{suffix}").write_bytes(pickle.dumps(Evil(tmp_path / "mark")))
    load_pipeline(folder)
    for name in ("unet/diffusion_pytorch_model", "image_encoder/model"):
        shutil.move(folder / f"{name}.fp16.safetensors", tmp_path / "away")
        with pytest.raises(UserError, match=rf"{name}.fp16.safetensors or .*{name}.safetensors: not there"):
            load_pipeline(folder)
        shutil.move(tmp_path / "away", folder / f"{name}.fp16.safetensors")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("file", [file.path for file in CATALOGUE["stable-unclip"].files])
def test_a_missing_file_is_one_line_that_names_it(
    root: Path, tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(root / "weights", tmp_path / "w")
    (tmp_path / "w" / file).unlink()
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path / "w"))
    with pytest.raises(UserError) as error:
        _method(root, "unclip")
    assert str(tmp_path / "w" / file) in str(error.value) and "s2v weights fetch stable-unclip" in str(error.value)
    assert "\n" not in str(error.value)


def test_without_the_variable_it_is_one_line(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S2V_WEIGHTS")
    for action in (lambda: _method(root, "sound2vision_unclip"), lambda: _embed(root / "test.tar", tmp_path / "e")):
        with pytest.raises(UserError, match="S2V_WEIGHTS: .*`s2v weights fetch stable-unclip`"):
            action()


def _edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("file", "values", "said"),
    [
        ("model_index.json", {"_class_name": "StableDiffusionPipeline"}, "must be of StableUnCLIPImg2ImgPipeline"),
        ("scheduler/scheduler_config.json", {"_class_name": "os"}, "'os' is no scheduler of diffusers"),
        ("unet/config.json", {"projection_class_embeddings_input_dim": 48}, "not readable as UNet2DConditionModel"),
        ("unet/config.json", {"block_out_channels": [8, 16, 16]}, "unet: "),
        ("image_encoder/config.json", {"num_hidden_layers": 3}, "missing keys: vision_model.encoder.layers.2"),
        ("image_normalizer/config.json", {"embedding_dim": 16}, "image_normalizer"),
    ],
)
def test_other_models_are_refused_in_one_line(
    root: Path, tmp_path: Path, file: str, values: dict[str, Any], said: str
) -> None:
    folder = Path(shutil.copytree(root / "weights/stable-unclip", tmp_path / "w"))
    _edit(folder / file, **values)
    with pytest.raises(UserError) as error:
        load_pipeline(folder)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_damaged_weights_are_refused_in_one_line(root: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(root / "weights/stable-unclip", tmp_path / "w"))
    path = folder / "vae/diffusion_pytorch_model.fp16.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"decoder.conv_in.bias": tensors["decoder.conv_in.bias"] * torch.nan}, path, {"format": "pt"})
    with pytest.raises(UserError, match=r"vae: decoder\.conv_in\.bias holds NaN or infinity"):
        load_pipeline(folder)
    del tensors["decoder.conv_in.weight"]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(UserError, match="vae: not the published layout: missing keys: decoder.conv_in.weight"):
        load_pipeline(folder)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="vae: not readable as AutoencoderKL"):
        load_pipeline(folder)


def test_an_audio_encoder_of_other_features_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unclip_folder(tmp_path, dim=16)
    monkeypatch.setenv("S2V_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match="gives features of 32 numbers, and sound2vision_unclip takes 16"):
        _method(root, "sound2vision_unclip")


def _wide(tmp_path: Path) -> Path:
    """A shard of pictures twice as wide as high, all different from one to the other end."""
    members = {}
    for i in range(2):
        ramp = np.linspace(0, 255, 80, dtype=np.uint8)[None, :, None].repeat(40, 0).repeat(3, 2)
        members[f"c{i}.jpg"] = members[f"c{i}.mid.jpg"] = encode_jpeg(ramp if i else 255 - ramp, 98)
        members[f"c{i}.json"] = b'{"clip_id": "c%d", "label": null}' % i
    return write_tar(tmp_path / "wide.tar", members)


def test_clip_sees_what_its_own_feature_extractor_gives(root: Path, tmp_path: Path) -> None:
    """Resize and statistics are within two grey levels of the folder's own; embeddings within 1 %."""
    from transformers import CLIPImageProcessor

    pipeline = load_pipeline(root / "weights/stable-unclip")
    shard, encoder = _wide(tmp_path), load_encoder(root / "weights/stable-unclip", "clip")
    images, _, _ = read_images([shard], encoder.image_px, policy=encoder.policy)
    full, _, _ = read_images([shard], 40, policy="crop")
    own = CLIPImageProcessor.from_pretrained(root / "weights/stable-unclip/feature_extractor")
    wanted = own([Image.fromarray(image.permute(1, 2, 0).numpy()) for image in full], return_tensors="pt").pixel_values
    assert (encoder.pixels(images) - wanted).abs().max() < 2 / 255 / 0.26
    expected = pipeline.image_encoder(wanted).image_embeds
    found = load_tensors(_embed(shard, tmp_path / "e"))["features"]
    assert found.shape == (2, DIM) and (found - expected).norm() < 0.01 * expected.norm()
    mirrored = load_tensors(tmp_path / "e/f.safetensors")["features_flipped"]
    assert torch.allclose(mirrored, encoder.encode(images.flip(3)), atol=1e-5)


def test_the_authors_way_squashes_and_has_imagenets_statistics(root: Path, tmp_path: Path) -> None:
    shard = _wide(tmp_path)
    encoder = load_encoder(root / "weights/stable-unclip", "imagenet")
    assert (encoder.image_px, encoder.policy) == (256, "squash")
    images, _, _ = read_images([shard], 256)
    pixels = encoder.pixels(images)
    assert pixels.shape == (2, 3, 28, 28)
    # Corners are aligned: the ramp reaches from its first to its last grey, which a centre crop does not show.
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    ends = pixels[1, :, 14][:, [0, -1]] * std[:, None] + mean[:, None]
    assert ends[:, 0].max() < 0.02 and ends[:, 1].min() > 0.98
    assert not torch.allclose(
        load_tensors(_embed(shard, tmp_path / "a", "imagenet"))["features"],
        load_tensors(_embed(shard, tmp_path / "b"))["features"],
        atol=1e-2,
    )


def test_the_image_method_sees_test_clips_as_stage_embed_unclip_does(root: Path) -> None:
    for shown in ("clip", "imagenet"):
        z, _, _ = conditions(_method(root, "unclip", shown), [root / "test.tar"], GenerateConfig(window_s=1.0), "top1")
        folder = root / f"test-{shown}"
        assert torch.allclose(z, load_tensors(_embed(root / "test.tar", folder, shown))["features"], atol=1e-5)


def test_alignment_with_two_layers_and_raw_features_learns(root: Path) -> None:
    records = [json.loads(line) for line in (root / "align_unclip/train.jsonl").read_text().splitlines()]
    for metric, share in (("loss", 0.9), ("val_loss", 0.8)):
        losses = [record[metric] for record in records if metric in record]
        assert min(losses) < share * losses[0], losses
    model = load(AudioEncoder, root / "align_unclip")
    assert isinstance(model.head, torch.nn.Sequential) and model.dim == DIM
    assert [(layer.in_features, layer.out_features) for layer in (model.head[0], model.head[2])] == [(32, 32)] * 2
    z = model.encode(torch.randn(4, 16000) * 0.1)
    assert z.min() < 0, "no ReLU at the end"


def test_raw_loss_sees_lengths_and_is_the_papers_on_unit_features() -> None:
    torch.manual_seed(0)
    z_v, z_a = torch.randn(6, 8), torch.randn(6, 8)
    distances = torch.stack([(v - z_a).norm(dim=1) for v in z_v])
    target = torch.arange(6)
    cross = torch.nn.functional.cross_entropy
    expected = (cross(-distances, target) + cross(-distances.T, target)) / 2
    assert torch.allclose(l_total_raw(z_v, z_a), expected, atol=1e-6)
    assert not torch.allclose(l_total_raw(z_v, 3 * z_a), expected, atol=1e-2)


def test_defaults_are_the_released_codes_and_the_rest_is_that_of_align() -> None:
    config = load_config(["config.yaml"])
    section = config.align_unclip
    assert (section.head, section.loss, section.final_relu) == ("fc2", "total_raw", False)
    assert section.width == config.align.width and config.align.head == "linear" and config.align.loss == "total"
    values = config.model_dump(mode="json") | {"align": config.align.model_dump(mode="json") | {"width": 9}}
    del values["align_unclip"]
    assert Config.model_validate(inherited(values)).align_unclip.width == 9
    draw = UnclipConfig()
    assert (draw.steps, draw.guidance, draw.noise_level, draw.prompt, draw.unit_norm) == (20, 10.0, 0, "", False)


def test_table3_says_what_its_generator_is(tmp_path: Path) -> None:
    overlay = tmp_path / "o.yaml"
    overlay.write_text("name: o\noutput: results/o\ngenerate: {table3: {B: sound2vision_unclip}, unclip: {px: 256}}\n")
    text = "\n".join(deviations(load_config(["config.yaml", overlay]), latent_diffusion=True))
    assert "Stable unCLIP 2.1 (published weights) through diffusers" in text and "kept at 256 px" in text
    assert "SwAV), the autoencoder" not in text
    overlay.write_text("align_unclip: {loss: total}\ngenerate: {table3: {B: sound2vision_unclip}}\n")
    text = "\n".join(deviations(load_config(["config.yaml", overlay]), latent_diffusion=True))
    assert "head `fc2`, loss `total`" in text
    overlay.write_text("generate: {table3: {B: sound2vision}}\n")
    with pytest.raises(UserError, match="generate.table3: rows A and B are the same method"):
        load_config(["config.yaml", overlay])


def test_features_replace_only_what_they_are_asked_to(root: Path) -> None:
    """An audio encoder of the audio that it was trained with: the window comes from the sources."""
    half, whole = (
        load_method("sound2vision_unclip", _sources(root, window_s)) for window_s in (0.5, AUDIO["window_s"])
    )
    wave = torch.randn(1, 16000) * 0.1
    assert not torch.allclose(half.encode_audio(wave), whole.encode_audio(wave), atol=1e-4)
    assert torch.allclose(half.encode_audio(wave), half.encode_audio(wave[:, :8000]), atol=1e-4)
