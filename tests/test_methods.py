"""Rows A-D and their controls on a tiny run with random weights."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from fake_cuda import CUDA, fake_cuda
from test_audiotoken_nets import CFG, SMALL, beats_state, embedder_state, put
from tiny_diffusion import diffusion_folder
from tiny_imagebind import imagebind_file, sizes
from tiny_run import Models, models, pack
from tiny_unclip import DIM, unclip_folder

from s2v.config import EmbedUnclipConfig, GenerateConfig, RetrievalConfig, RuntimeConfig, SamplerConfig, UnclipConfig
from s2v.config.diffusion import TextSamplerConfig
from s2v.config.methods import METHODS
from s2v.data.reader import read_images, read_waves
from s2v.errors import UserError
from s2v.evaluate.generate import run, scrambled, shuffled
from s2v.evaluate.pictures import read_pictures
from s2v.identity import import_closure
from s2v.media.picture import from_unit, resize, to_unit
from s2v.media.spectrogram import fit_window
from s2v.methods import Method, Sources, Unsupported, clip_seed, load_method, noise
from s2v.methods.renderers.database import choose
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.autoencoder import autoencoder, decode
from s2v.models.biggan import Generator
from s2v.models.diffusion_sampler import Sampler
from s2v.models.image_encoder import ImageEncoder, unit
from s2v.models.latent_diffusion import LatentDiffusion
from s2v.models.store import load
from s2v.weights.convert import SHAPES

WORD, HEARD = 16, 72
"""Sizes of a small Stable Diffusion's words, and of three of a small BEATs' layers joined."""
CONFIG = GenerateConfig(
    text_ldm=TextSamplerConfig(steps=2),
    window_s=1.0,
    ldm=SamplerConfig(steps=2),
    unclip=UnclipConfig(steps=2),
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Models]:
    root = tmp_path_factory.mktemp("tiny")
    pack(root / "test-0.tar", 3)
    pack(root / "test-1.tar", 2, seed=1)
    pack(root / "train-0.tar", 4, seed=2)
    pack(root / "train-1.tar", 0)
    unclip_folder(root / "weights")
    imagebind_file(root / "weights", DIM)
    diffusion_folder(root / "weights", dim=WORD)
    put(root / "weights", "beats", {"cfg": CFG, "model": beats_state(SMALL, 5)})
    put(root / "weights", "audiotoken-embedder", embedder_state(HEARD, WORD))
    return root, models(root)


@pytest.fixture(autouse=True)
def weights(tiny: tuple[Path, Models], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the published nets are, of small sizes."""
    monkeypatch.setenv("S2V_WEIGHTS", str(tiny[0] / "weights"))
    monkeypatch.setitem(SHAPES, "imagebind", sizes(DIM))
    monkeypatch.setitem(SHAPES, "beats", SMALL)
    monkeypatch.setitem(SHAPES, "audiotoken-embedder", SHAPES["audiotoken-embedder"] | {"dim_in": HEARD})
    monkeypatch.setattr("s2v.weights.convert.expected", lambda folder, file: None)


def _parts(m: Models, name: str) -> dict[str, Path]:
    """Folders of the tiny run's parts, {part: folder}; an f_V and an f_A serve for all."""
    folders = {"encoder": m.encoder, "align": m.align, "vae": m.vae}
    folders |= {"text_diffusion": m.text_diffusion, "tagger": m.tagger, "audiotoken": m.audiotoken}
    folders["generator"] = m.diffusion if "vae" in METHODS[name].parts else m.generator
    folders |= {part: getattr(m, folder) for part, folder in METHODS[name].parts.items() if hasattr(m, folder)}
    return {part: folders[part] for part in METHODS[name].parts}


def _method(
    root: Path,
    m: Models,
    name: str,
    packs: Sequence[str] = ("train-0.tar", "train-1.tar"),
    device: torch.device | str = "cpu",
) -> Method:
    train, embed = [root / pack for pack in packs], EmbedUnclipConfig()
    return load_method(name, Sources(CONFIG, _parts(m, name), train_packs=train, device=device, embed_unclip=embed))


def _generate(root: Path, m: Models, method: str, seed: int = 0, packs: list[Path] | None = None) -> Path:
    output = root / "generate" / method / f"{seed}.tar"
    run(
        config=CONFIG, method=method, seeds=[seed], packs=packs or [root / "test-0.tar", root / "test-1.tar"],
        train_packs=[root / "train-0.tar"], parts=_parts(m, method), embed_unclip=EmbedUnclipConfig(), outputs=[output],
        runtime=RuntimeConfig(device="cpu"), threads=1,
    )  # fmt: skip
    return output


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_a_picture_per_clip_with_its_record(tiny: tuple[Path, Models], method: str) -> None:
    images, records = read_pictures(_generate(*tiny, method))
    assert images.shape == (15, 3, 32, 32)
    ids = [record["clip_id"] for record in records]
    assert ids == sorted(ids) and len(set(ids)) == 15
    assert {record["label"] for record in records} == {"cow", "owl", "rain, heavy"}
    assert records[0]["method"] == method
    assert records[0]["main"] == (method in ("icgan", "sound2vision", "retrieval", "upper_bound"))


def test_the_interface_is_the_same_for_all(tiny: tuple[Path, Models]) -> None:
    image, wave = torch.zeros(2, 3, 40, 30), torch.zeros(2, 16000) + 0.01 * torch.randn(2, 16000)
    for name in METHODS:
        method: Any = _method(*tiny, name)
        match method.entry.takes:
            case "frame":
                z = method.encode_image(image)
            case "sound":
                z = method.encode_audio(wave)
            case "name":
                z = method.encode_names(["dog barking", "rain"])
        assert z.shape == (2, method.dim)
        pictures = method.decode(z, [1, 2])
        assert pictures.shape == (2, 3, method.resolution, method.resolution)
        assert pictures.min() >= -1 and pictures.max() <= 1


@pytest.mark.parametrize("name", METHODS)
def test_a_method_draws_on_a_gpu_that_is_not_there(tiny: tuple[Path, Models], name: str) -> None:
    with fake_cuda():
        method: Any = _method(*tiny, name, device=CUDA)
        match method.entry.takes:
            case "frame":
                z = method.encode_image(torch.zeros(2, 3, 40, 30))
            case "sound":
                z = method.encode_audio(torch.zeros(2, 16000))
            case "name":
                z = method.encode_names(["dog barking", "rain"])
        pictures = from_unit(method.decode(z, [1, 2]))
        assert pictures.shape == (2, 3, method.resolution, method.resolution)


@pytest.mark.parametrize("scheduler", get_args(SamplerConfig.model_fields["scheduler"].annotation))
@pytest.mark.parametrize("guidance", [0.0, 1.0, 2.5])
def test_a_scheduler_steps_on_a_gpu_that_is_not_there(
    tiny: tuple[Path, Models], scheduler: str, guidance: float
) -> None:
    with fake_cuda():
        model = load(LatentDiffusion, tiny[1].diffusion, CUDA)
        latents = Sampler(model, scheduler, 3, guidance)(torch.zeros(2, 32), torch.zeros(2, 4, 8, 8))
        assert latents.device == CUDA


def test_a_control_is_made_of_what_its_method_is_made_of() -> None:
    for name, entry in METHODS.items():
        if entry.note:
            base = METHODS[name.rpartition("_")[0]]
            assert (entry.parts, entry.renders, entry.letter) == (base.parts, base.renders, base.letter)
            assert not entry.main


def test_pictures_are_made_again_for_what_an_entry_says_and_not_for_what_its_job_takes() -> None:
    entry = METHODS["sound2vision"]
    assert replace(entry, title="Another").values() != entry.values()
    assert replace(entry, control="shuffled").values() != entry.values()
    assert replace(entry, renders=replace(entry.renders, memory_mb=1, minutes=1)).values() == entry.values()
    assert json.loads(json.dumps(entry.values())) is not None, "plain values, for the params of a rule"


def test_what_other_methods_render_with_is_no_code_of_a_method() -> None:
    closures = {
        name: import_closure("s2v.evaluate.generate", without=entry.unused()) for name, entry in METHODS.items()
    }
    for name, closure in closures.items():
        kinds = {module.rpartition(".")[2] for module in closure if module.startswith("s2v.methods.renderers.")}
        kind = METHODS[name].renders.kind
        shared = {"steered"} if kind in ("latent_diffusion", "stable_unclip") else set()
        assert kinds == {"base", kind} - {""} | shared
    assert "s2v.models.stable_unclip" in closures["unclip"] - closures["sound2vision"]
    ears = {name for name, closure in closures.items() if "s2v.models.imagebind" in closure}
    assert ears == {"imagebind_unclip"}, "what others hear with neither"
    assert "s2v.models.biggan" in closures["sound2vision"] - closures["ldm"]


def test_what_a_method_cannot_do_it_says(tiny: tuple[Path, Models]) -> None:
    for name in ("icgan", "upper_bound"):
        with pytest.raises(Unsupported, match=name):
            _method(*tiny, name).encode_audio(torch.zeros(1, 16000))
    with pytest.raises(UserError, match="'nonsense' is not one of icgan, sound2vision"):
        load_method("nonsense", Sources(CONFIG))
    with pytest.raises(UserError, match="sound2vision_scrambled.*did you mean icgan_mid"):
        load_method("icgan_midd", Sources(CONFIG))
    with pytest.raises(UserError, match="needs the part 'vae'; given are: encoder, generator"):
        load_method("ldm", Sources(CONFIG, {"encoder": tiny[1].encoder, "generator": tiny[1].diffusion}))
    with pytest.raises(UserError, match="unclip: needs to be told how CLIP's image encoder sees"):
        load_method("unclip", Sources(CONFIG))


def test_files_are_the_same_every_time_and_whatever_the_order(tiny: tuple[Path, Models]) -> None:
    root, m = tiny
    first = _generate(root, m, "sound2vision").read_bytes()
    assert _generate(root, m, "sound2vision").read_bytes() == first
    images, records = read_pictures(root / "generate/sound2vision/0.tar")
    backwards = _generate(root, m, "sound2vision", packs=[root / "test-1.tar", root / "test-0.tar"])
    again, records_again = read_pictures(backwards)
    assert records == records_again
    assert (images.int() - again.int()).abs().max() <= 1, "another batch may round one step differently"


def test_seeds_change_the_pictures_of_a_generator_and_no_others(tiny: tuple[Path, Models]) -> None:
    for method, changes in (
        ("icgan", True),
        ("sound2vision", True),
        ("retrieval", False),
        ("upper_bound", False),
    ):
        (a, first), (b, _) = (read_pictures(_generate(*tiny, method, seed)) for seed in (0, 1))
        assert bool((a != b).any()) == changes == first[0]["seeded"]


def test_row_b_is_the_unit_norm_sound_feature_through_the_generator(tiny: tuple[Path, Models]) -> None:
    root, m = tiny
    method = _method(root, m, "sound2vision")
    waves, keys, _ = read_waves([root / "test-0.tar"], 16000)
    z = method.encode_audio(fit_window(torch.from_numpy(waves[4])[None], 16000))
    assert z.norm(dim=1) == pytest.approx(1.0)
    seed = clip_seed(7, keys[4])
    expected = load(Generator, m.generator)(noise([seed], 8), z)
    assert torch.allclose(method.decode(z, [seed]), expected, atol=1e-5)
    images, records = read_pictures(_generate(root, m, "sound2vision", 7))
    index = [record["clip_id"] for record in records].index(keys[4])
    assert (images[index].int() - from_unit(expected)[0].int()).abs().max() <= 1


@pytest.mark.parametrize("name", ["icgan", "sound2vision", "ldm", "sound2vision_ldm"])
def test_a_composition_is_its_parts_one_after_another_to_the_bit(tiny: tuple[Path, Models], name: str) -> None:
    m, method = tiny[1], _method(*tiny, name)
    image, wave = torch.rand(3, 3, 40, 30) * 2 - 1, torch.randn(3, 16000) * 0.1
    if method.entry.takes == "sound":
        z, found = unit(load(AudioEncoder, m.align).encode(wave, 1.0)), method.encode_audio(wave)
    else:
        z, found = unit(load(ImageEncoder, m.encoder).encode(from_unit(image))), method.encode_image(image)
    assert torch.equal(found, z)
    seeds = [4, 2**62, 0]
    with torch.no_grad():
        if "ldm" in name:
            sampler = Sampler(load(LatentDiffusion, m.diffusion), CONFIG.ldm.scheduler, 2, CONFIG.ldm.guidance)
            drawn = sampler(z, noise(seeds, 4 * 8 * 8).reshape(3, 4, 8, 8))
            expected = decode(load(autoencoder, m.vae), drawn)
        else:
            expected = load(Generator, m.generator)(noise(seeds, 8), z).clamp(-1, 1)
    assert torch.equal(method.decode(z, seeds), expected)


def test_upper_bound_is_the_chosen_frame_and_its_variant_the_middle_one(tiny: tuple[Path, Models]) -> None:
    for method, column in (("upper_bound", "top1.jpg"), ("upper_bound_mid", "mid.jpg")):
        images, records = read_pictures(_generate(*tiny, method, packs=[tiny[0] / "test-0.tar"]))
        frames, keys, _ = read_images([tiny[0] / "test-0.tar"], 32, column)
        assert [record["clip_id"] for record in records] == keys
        assert torch.equal(images, frames)


def test_retrieval_is_brute_force_nearest_neighbour(tiny: tuple[Path, Models]) -> None:
    root, m = tiny
    config = CONFIG.model_copy(update={"retrieval": RetrievalConfig(database="train")})
    method = load_method("retrieval", Sources(config, _parts(m, "retrieval"), train_packs=[root / "train-0.tar"]))
    frames, _, _ = read_images([root / "train-0.tar"], 24)
    shown, _, _ = read_images([root / "train-0.tar"], 32)
    features = unit(load(ImageEncoder, m.encoder).encode(frames))
    z = unit(torch.randn(5, 32))
    nearest = [min(range(12), key=lambda i, row=row: float((features[i] - row).norm())) for row in z]
    assert torch.equal(from_unit(method.decode(z, [0] * 5)), shown[nearest])
    found = method.decode(method.encode_image(to_unit(frames)), [0] * 12)
    assert torch.equal(from_unit(found), shown), "a database picture finds itself"


def test_the_database_has_the_memory_of_the_generator(tiny: tuple[Path, Models]) -> None:
    sizes = {f"clip{i}": 100 for i in range(50)}
    assert choose(sizes, None) == set(sizes)
    some = choose(sizes, 1050)
    assert len(some) == 10 and some == choose(dict(reversed(sizes.items())), 1050)
    assert some <= choose(sizes, 2000)
    assert len(choose(sizes, 10)) == 1, "never empty"
    method = _method(*tiny, "retrieval")
    assert 1 <= method.database <= 12  # type: ignore[attr-defined]


def test_retrieval_without_pictures_is_one_line(tiny: tuple[Path, Models]) -> None:
    root, m = tiny
    with pytest.raises(UserError, match="no packed picture"):
        _method(root, m, "retrieval", ["train-1.tar"])
    with pytest.raises(UserError, match="no clip to make a picture of"):
        _generate(root, m, "sound2vision", packs=[root / "train-1.tar"])


def test_controls_destroy_what_they_say_and_keep_the_rest() -> None:
    z = unit(torch.randn(40, 16))
    rows = shuffled(z, 3)
    assert not torch.equal(rows, z) and torch.equal(rows.sort(0).values, z.sort(0).values)
    assert {tuple(row) for row in rows.tolist()} == {tuple(row) for row in z.tolist()}
    broken = scrambled(z, 3)
    assert torch.allclose(broken.norm(dim=1), torch.ones(40), atol=1e-6)
    assert torch.equal(broken, scrambled(z, 3)) and not torch.equal(broken, scrambled(z, 4))
    before, after = torch.corrcoef(torch.cat([z, z], 1).T), torch.corrcoef(scrambled(z.repeat(1, 2), 3).T)
    assert before[0, 16] > 0.99 and abs(after[0, 16]) < 0.6, "dimensions that moved together no longer do"


def test_a_gap_that_is_closed_afterwards_is_none_over_training_pairs(tiny: tuple[Path, Models]) -> None:
    root, m = tiny
    closed: Any = _method(root, m, "sound2vision_closed")
    plain: Any = _method(root, m, "sound2vision")
    images, keys, _ = read_images([root / "train-0.tar"], plain.image_px)
    waves, heard, _ = read_waves([root / "train-0.tar"], 16000)
    assert keys == heard
    sounds = torch.stack([fit_window(torch.from_numpy(wave), 16000) for wave in waves])
    z_v, z_a = plain.encode_image(to_unit(images)), plain.encode_audio(sounds)
    assert (z_v.mean(0) - z_a.mean(0)).norm() > 0.1, "there is a gap to close"
    assert torch.allclose((z_a + closed.gap).mean(0), z_v.mean(0), atol=1e-5)
    moved = closed.encode_audio(sounds)
    assert torch.allclose(moved, unit(z_a + closed.gap), atol=1e-5)
    assert torch.allclose(closed.encode_image(to_unit(images)), z_v), "pictures stay where they are"
    with pytest.raises(UserError, match=r"sound2vision_closed: .* 0 frame\(s\) and 0 sound"):
        _method(root, m, "sound2vision_closed", ["train-1.tar"])


def test_noise_of_a_clip_depends_on_seed_and_id_alone() -> None:
    assert clip_seed(0, "a") == clip_seed(0, "a") != clip_seed(1, "a") != clip_seed(1, "b")
    assert 0 <= clip_seed(5, "-x") < 2**63
    assert torch.equal(noise([1, 2], 4)[1], noise([2], 4)[0])
    cut = noise(list(range(500)), 20, truncation=0.7)
    assert cut.abs().max() <= 0.7 and 0.3 < cut.std() < 0.45
    assert 0.95 < noise(list(range(500)), 20).std() < 1.05


def test_resolution_comes_from_the_generator(tiny: tuple[Path, Models]) -> None:
    method = _method(*tiny, "upper_bound")
    frames, _, _ = read_images([tiny[0] / "test-0.tar"], 24)
    assert torch.equal(from_unit(method.decode(method.encode_image(to_unit(frames)), [])), resize(frames, 32))


def test_a_damaged_tar_of_pictures_is_one_line(tiny: tuple[Path, Models], tmp_path: Path) -> None:
    whole = _generate(*tiny, "upper_bound").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"cut\.tar"):
        read_pictures(tmp_path / "cut.tar")
    with tarfile.open(tmp_path / "odd.tar", "w"):
        pass
    with pytest.raises(UserError, match="no picture"):
        read_pictures(tmp_path / "odd.tar")
