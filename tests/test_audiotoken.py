"""AudioToken at the default size: its parts, its training, what it draws, and the rows beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor
from training_tasks import ONE_PIECE, SENTENCES, audiotoken, numbers, text_diffusion

from s2v.config import AudioTokenConfig, GenerateConfig, TextDiffusionConfig
from s2v.config.methods import METHODS
from s2v.config.table3 import table3_left_out, table3_methods
from s2v.configfile import load
from s2v.errors import UserError
from s2v.evaluate.generate import shuffled
from s2v.losses.denoising import denoising_loss
from s2v.media.spectrogram import SAMPLE_RATE_HZ
from s2v.methods import Sources, Unsupported, load_method
from s2v.methods.audiotoken import thing
from s2v.models import store
from s2v.models.audiotoken import TokenEmbedder
from s2v.models.autoencoder import autoencoder
from s2v.models.diffusion_sampler import Sampler
from s2v.models.tagger import AudioTagger
from s2v.models.text_diffusion import TextDiffusion
from s2v.report.deviations import deviations
from s2v.tensors import load_tensors
from s2v.train.audiotoken import AudioTokenTask
from s2v.train.step import train_step
from s2v.train.text_diffusion import TextDiffusionTask

AUDIO = {"window_s": 0.5, "n_fft": 64, "hop": 159, "log_floor": 1e-7, "sample_rate_hz": SAMPLE_RATE_HZ}
VAE: dict[str, Any] = {"resolution": 16, "channels": [8, 8], "layers_per_block": 1, "latent_channels": 4, "groups": 4}


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Path]:
    """Folders of random weights, as stages leave them."""
    torch.manual_seed(0)
    task = text_diffusion(ONE_PIECE)
    nets = {
        "text_diffusion": (task.model, task.shape),
        "vae": (autoencoder(**VAE), VAE),
        "tagger": (AudioTagger(["dog barking", "owl hooting"], 8, AUDIO), None),
        "audiotoken": (TokenEmbedder(8 * 14, 8), {"dim_in": 8 * 14, "dim": 8}),
    }
    for name, (net, shape) in nets.items():
        shape = shape or {"class_names": ["dog barking", "owl hooting"], "width": 8, "audio": AUDIO}
        store.save(tmp_path / name, net.state_dict(), shape)
    return {name: tmp_path / name for name in nets}


def made(method: str, parts: dict[str, Path], **drawing: Any) -> Any:
    text_ldm = {"steps": 2, "guidance": 2.0, **drawing}
    config = GenerateConfig.model_validate({"window_s": 0.5, "text_ldm": text_ldm})
    return load_method(method, Sources(config, parts={name: parts[name] for name in METHODS[method].parts.values()}))


def waves(n: int) -> Tensor:
    return 0.1 * numbers(n, SAMPLE_RATE_HZ // 2)


def test_a_moment_is_three_stages_of_the_tagger_joined() -> None:
    torch.manual_seed(0)
    tagger = AudioTagger(["a", "b"], 8, AUDIO).eval()
    spectrogram = numbers(2, 33, 200)
    maps = tagger.backbone.stages(spectrogram[:, None])
    moments = tagger.moments(spectrogram)
    assert moments.shape == (2, maps[-1].shape[-1], tagger.dim) and tagger.dim == 8 * (2 + 4 + 8)
    torch.testing.assert_close(moments[..., -64:].transpose(1, 2), maps[-1].mean(2))
    torch.testing.assert_close(moments[..., :16].mean(1), maps[1].mean((2, 3)), atol=0.05, rtol=0.5)
    assert torch.equal(tagger.backbone.features(spectrogram[:, None]), maps[-1])


def test_the_embedder_alone_is_trained() -> None:
    task = audiotoken(ONE_PIECE)
    before = {name: value.clone() for name, value in task.diffusion.state_dict().items()}
    first = {name: value.clone() for name, value in task.model.state_dict().items()}
    torch.manual_seed(0)
    train_step(task, 0)
    assert all(p.grad is None for p in task.diffusion.parameters())
    assert all(torch.equal(before[name], value) for name, value in task.diffusion.state_dict().items())
    assert all(not torch.equal(first[name], value) for name, value in task.model.state_dict().items() if "fc" in name)


def test_the_loss_is_the_error_of_noise_and_a_hundredth_of_the_words_size() -> None:
    task = audiotoken(ONE_PIECE, token_weight=0.01)
    predicted, target, word = numbers(3, 4, 8, 8), numbers(3, 4, 8, 8) + 1, numbers(3, 8)
    loss, logged = task.loss(predicted, target, word)
    torch.testing.assert_close(loss, denoising_loss(predicted, target) + 0.01 * word.abs().mean())
    assert logged["loss"] == pytest.approx(1.0)


def test_validation_is_always_of_the_same_noise() -> None:
    task = audiotoken(ONE_PIECE)
    assert task.validate(0) == task.validate(5)


def test_dropout_stays_on_in_pictures_where_it_is_asked_for(parts: dict[str, Path]) -> None:
    whole = made("audiotoken", parts).encode_audio(waves(2))
    state = load_tensors(parts["audiotoken"] / "model.safetensors")
    store.save(parts["audiotoken"], state, {"dim_in": 8 * 14, "dim": 8, "dropout": 0.5})
    dropping = made("audiotoken", parts)
    found = dropping.encode_audio(waves(2))
    assert not torch.allclose(found, whole, atol=1e-3)
    torch.testing.assert_close(dropping.encode_audio(waves(2)[1:]), found[1:], msg="a sound has one word")


def test_a_prompt_that_is_cut_before_its_word_is_one_line(parts: dict[str, Path]) -> None:
    with pytest.raises(UserError, match="is cut before its <\\*>: a text has"):
        made("audiotoken", parts, prompt="an exceedingly beautiful high resolution photograph of " * 4 + "<*>")
    with pytest.raises(UserError, match="text_diffusion.length"):
        made("oracle_name", parts, name_prompt="an exceedingly beautiful high resolution photograph of " * 4 + "<*>")


def test_a_picture_follows_from_its_sound_and_its_seed(parts: dict[str, Path]) -> None:
    method = made("audiotoken", parts)
    z = method.encode_audio(waves(3))
    assert z.shape == (3, 8 * 8)
    pictures = method.decode(z, [1, 2, 1])
    assert pictures.shape == (3, 3, 16, 16) and pictures.abs().max() <= 1
    torch.testing.assert_close(pictures[1:2], method.decode(z[1:2], [2]), atol=1e-4, rtol=0)
    assert not torch.allclose(pictures[0], method.decode(z[:1], [5])[0], atol=1e-3)


def test_the_pivot_draws_what_the_oracle_is_told_where_the_tagger_is_right(parts: dict[str, Path]) -> None:
    pivot, oracle = made("text_pivot", parts), made("oracle_name", parts)
    names = pivot.tagger.name(waves(3), 0.5)
    assert torch.equal(pivot.encode_audio(waves(3)), oracle.encode_names(names))
    told = oracle.encode_names(["dog barking", "owl hooting"])
    expected = oracle.model.states(["a photo of a dog", "a photo of an owl"])
    torch.testing.assert_close(told, expected)
    with pytest.raises(Unsupported, match="told names"):
        oracle.encode_audio(waves(1))


def test_names_are_things_with_their_article() -> None:
    assert [thing(name) for name in ("dog barking", "owl hooting", "rain falling", "waterfall")] == [
        "a dog", "an owl", "rain", "a waterfall",
    ]  # fmt: skip


def test_parts_that_do_not_fit_are_one_line(parts: dict[str, Path]) -> None:
    store.save(parts["audiotoken"], TokenEmbedder(20, 8).state_dict(), {"dim_in": 20, "dim": 8})
    with pytest.raises(UserError, match="features are not of the size of those of the tagger; run stage audiotoken"):
        made("audiotoken", parts)
    with pytest.raises(UserError, match="has no place for a word; write <"):
        made("oracle_name", parts, prompt="a photo")


@pytest.mark.slow
def test_a_trained_word_shows_its_sound_and_a_shuffled_one_any() -> None:
    """Two classes: latents of one sign each, a sentence and a kind of sound."""
    torch.manual_seed(0)
    classes = torch.arange(40) % 2
    sign = (2.0 * classes - 1)[:, None, None, None]
    latents = (sign + 0.3 * numbers(40, 4, 8, 8)).expand(2, -1, -1, -1, -1)
    captions = [("a dog", "an owl")[i] for i in classes.tolist()]
    small = {"batch_size": 20, "channels": [16, 16], "attention": [True, True], "layers_per_block": 1, "heads": 2,
             "groups": 8, "token_dim": 16, "text_layers": 1, "text_heads": 2, "length": 8, "ema": 0.9,
             "prediction": "v_prediction", "learning_rate": 3e-3, "templates": ["{}", "a photo of {}"]}  # fmt: skip
    shows: Any = None
    task = TextDiffusionTask(TextDiffusionConfig(**{**small, "steps": 60}), latents, captions, shows, ONE_PIECE)
    heard = torch.randn(40, 3, 12) + (2.0 * classes - 1)[:, None, None]
    _trained(task)
    config = AudioTokenConfig(batch_size=20, steps=30, learning_rate=1e-2, warmup_steps=5)
    pairs = heard, latents
    token = AudioTokenTask(config, task.ema.net, pairs, pairs, ONE_PIECE)
    untrained = token.validate(0)["val_loss"]
    _trained(token)
    assert token.validate(0)["val_loss"] < untrained
    model = token.diffusion
    with torch.no_grad():
        z = model.states(["a photo of <*>"] * 40, token.model(heard))
    sampler = Sampler(model, "dpm++", 8, 2.0)
    drawn = [sampler(given, numbers(40, 4, 8, 8)).mean((1, 2, 3)) > 0 for given in (z, shuffled(z, 0))]
    right, chance = ((found == classes.bool()).float().mean() for found in drawn)
    assert right > 0.9 and abs(chance - 0.5) < 0.25


def _trained(task: Any) -> None:
    for step in range(task.steps):
        torch.manual_seed(step)
        train_step(task, step)


def test_a_sentence_is_seen_and_no_sentence_is_what_guidance_leaves(parts: dict[str, Path]) -> None:
    model = store.load(TextDiffusion, parts["text_diffusion"])
    noisy, step, ids = numbers(2, 4, 8, 8), torch.tensor([5, 5]), model.text.tokens(SENTENCES[:2])
    with torch.no_grad():
        told = model(noisy, step, ids, torch.tensor([True, True]))
        untold = model(noisy, step, ids, torch.tensor([False, False]))
        other = model(noisy, step, ids.flip(0), torch.tensor([False, True]))
    assert not torch.allclose(told, untold)
    torch.testing.assert_close(other[0], untold[0])
    assert not torch.allclose(other[1], told[1])


def test_every_template_has_its_turn_and_its_words_are_known() -> None:
    task = text_diffusion(ONE_PIECE)
    assert task.ids.shape == (2, 20, 8) and {"photo", "of"} <= set(task.model.text.pieces)
    torch.manual_seed(0)
    assert set(task.draw(50)["template"].tolist()) == {0, 1}


def test_full_size_is_that_of_stable_diffusion() -> None:
    config = TextDiffusionConfig()
    assert (config.channels, config.token_dim, config.length) == ([320, 640, 1280, 1280], 768, 77)


OVERLAYS = sorted(Path(__file__).parent.parent.glob("configs/*.yaml"))


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_every_configuration_has_table3_with_row_c_or_says_why_not(overlay: Path) -> None:
    files = [Path(__file__).parent.parent / "config.yaml", overlay]
    config = load(files)
    rows, left_out = table3_methods(config), table3_left_out(config)
    assert {"A", "B"} <= rows.keys()
    said = "\n".join(deviations(config, latent_diffusion=True))
    splits = config.data.section().split_names()  # type: ignore[union-attr]
    assert ("C" in rows) == ({"captioned", "tagged"} <= set(splits))
    assert ("C" in rows) != ("Row C, AudioToken, is not run: the data have no split `captioned`" in said)
    assert set(left_out).isdisjoint(rows.values())
    kind = {"vit": "ViT of ", "resnet": "ResNet-"}[config.encoder_vit.architecture]
    assert rows["B"] != "sound2vision_ldm" or f"the image encoder ({kind}" in said


def test_a_method_twice_in_table3_is_one_line(tmp_path: Path) -> None:
    overlay = tmp_path / "o.yaml"
    overlay.write_text(yaml.safe_dump({"generate": {"table3": {"further": ["audiotoken"]}}}))
    with pytest.raises(UserError, match="generate.table3: audiotoken is named twice"):
        load([Path(__file__).parent.parent / "config.yaml", overlay])


def test_a_method_whose_splits_the_data_lack_is_one_line_in_table1(tmp_path: Path) -> None:
    overlay = tmp_path / "o.yaml"
    values = {"data": {"world": {"clips": {"tagged": 0}}}, "generate": {"methods": ["icgan", "text_pivot"]}}
    overlay.write_text(yaml.safe_dump(values))
    with pytest.raises(UserError, match="generate.methods: text_pivot cannot be run: the data have no split `tagged`"):
        load([Path(__file__).parent.parent / "config.yaml", overlay])
