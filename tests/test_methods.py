"""Rows A-D and their controls on a tiny run with random weights."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_run import Models, models, pack
from tiny_unclip import unclip_folder

from s2v.config import NEEDS, EmbedUnclipConfig, GenerateConfig, RuntimeConfig, SamplerConfig, UnclipConfig
from s2v.data.reader import read_images, read_waves
from s2v.errors import UserError
from s2v.evaluate.generate import VARIANTS, known_methods, run, scrambled, shuffled
from s2v.evaluate.pictures import read_pictures
from s2v.media.picture import from_unit, resize, to_unit
from s2v.media.spectrogram import fit_window
from s2v.methods import METHODS, Sources, Unsupported, clip_seed, load_method, noise
from s2v.methods.retrieval import choose
from s2v.models.image_encoder import unit

CONFIG = GenerateConfig(window_s=1.0, ldm=SamplerConfig(steps=2), unclip=UnclipConfig(steps=2))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Models]:
    root = tmp_path_factory.mktemp("tiny")
    pack(root / "test-0.tar", 3)
    pack(root / "test-1.tar", 2, seed=1)
    pack(root / "train-0.tar", 4, seed=2)
    pack(root / "train-1.tar", 0)
    unclip_folder(root / "weights")
    return root, models(root)


@pytest.fixture(autouse=True)
def weights(tiny: tuple[Path, Models], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Stable unCLIP's nets are."""
    monkeypatch.setenv("S2V_WEIGHTS", str(tiny[0] / "weights"))


def _sources(root: Path, m: Models, **more: object) -> Sources:
    packs = [root / "train-0.tar", root / "train-1.tar"]
    return Sources(m.encoder, m.generator, m.align, packs, window_s=1.0, **more)  # type: ignore[arg-type]


def _gan(m: Models) -> dict[str, Any]:
    return {"encoder_dir": m.encoder, "generator_dir": m.generator, "align_dir": m.align}


def _ldm(m: Models) -> dict[str, Any]:
    return {"encoder_dir": m.encoder, "generator_dir": m.diffusion, "align_dir": m.align, "vae_dir": m.vae}


def _unclip(m: Models) -> dict[str, Any]:
    return {"encoder_dir": Path(), "generator_dir": Path(), "align_dir": m.align, "embed_unclip": EmbedUnclipConfig()}


def _parts(m: Models, method: str) -> dict[str, Any]:
    return _unclip(m) if "unclip" in method else _ldm(m) if "ldm" in method else _gan(m)


def _generate(root: Path, m: Models, method: str, seed: int = 0, packs: list[Path] | None = None) -> Path:
    output = root / "generate" / method / f"{seed}.tar"
    run(
        config=CONFIG, method=method, seed=seed, packs=packs or [root / "test-0.tar", root / "test-1.tar"],
        train_packs=[root / "train-0.tar"], **_parts(m, method), output=output,
        runtime=RuntimeConfig(device="cpu"), threads=1,
    )  # fmt: skip
    return output


@pytest.mark.parametrize("method", [*METHODS, *VARIANTS])
def test_every_method_makes_a_picture_per_clip_with_its_record(tiny: tuple[Path, Models], method: str) -> None:
    images, records = read_pictures(_generate(*tiny, method))
    assert images.shape == (15, 3, 32, 32)
    ids = [record["clip_id"] for record in records]
    assert ids == sorted(ids) and len(set(ids)) == 15
    assert {record["label"] for record in records} == {"cow", "owl", "rain, heavy"}
    assert records[0]["method"] == method
    assert records[0]["main"] == (method in METHODS and "ldm" not in method and "unclip" not in method), "not an LDM"
    assert method in known_methods()


def test_the_interface_is_the_same_for_all(tiny: tuple[Path, Models]) -> None:
    image, wave = torch.zeros(2, 3, 40, 30), torch.zeros(2, 16000) + 0.01 * torch.randn(2, 16000)
    for name in METHODS:
        sources = _sources(*tiny)
        if "ldm" in name:
            sources = replace(sources, **_ldm(tiny[1]), sampler=SamplerConfig(steps=2))
        if "unclip" in name:
            sources = replace(sources, **_unclip(tiny[1]), unclip=UnclipConfig(steps=2))
        method = load_method(name, sources)
        z = method.encode_image(image) if method.takes == "frame" else method.encode_audio(wave)
        assert z.shape == (2, method.dim)
        pictures = method.decode(z, [1, 2])
        assert pictures.shape == (2, 3, method.resolution, method.resolution)
        assert pictures.min() >= -1 and pictures.max() <= 1


def test_rules_know_what_every_method_is_made_of() -> None:
    assert list(NEEDS) == known_methods()
    for name, variant in VARIANTS.items():
        assert NEEDS[name] == NEEDS[variant.method], "a variant is made of what its method is made of"  # type: ignore[index]


def test_what_a_method_cannot_do_it_says(tiny: tuple[Path, Models]) -> None:
    for name in ("icgan", "upper_bound"):
        with pytest.raises(Unsupported, match=name):
            load_method(name, _sources(*tiny)).encode_audio(torch.zeros(1, 16000))
    with pytest.raises(UserError, match="'nonsense' is not one of icgan, sound2vision"):
        load_method("nonsense", _sources(*tiny))
    with pytest.raises(UserError, match="sound2vision_scrambled"):
        _generate(*tiny, "nonsense")


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
    method = load_method("sound2vision", _sources(root, m))
    waves, keys, _ = read_waves([root / "test-0.tar"], 16000)
    z = method.encode_audio(fit_window(torch.from_numpy(waves[4])[None], 16000))
    assert z.norm(dim=1) == pytest.approx(1.0)
    from s2v.models.biggan import Generator
    from s2v.models.store import load

    seed = clip_seed(7, keys[4])
    expected = load(Generator, m.generator)(noise([seed], 8), z)
    assert torch.allclose(method.decode(z, [seed]), expected, atol=1e-5)
    images, records = read_pictures(_generate(root, m, "sound2vision", 7))
    index = [record["clip_id"] for record in records].index(keys[4])
    assert (images[index].int() - from_unit(expected)[0].int()).abs().max() <= 1


def test_upper_bound_is_the_chosen_frame_and_its_variant_the_middle_one(tiny: tuple[Path, Models]) -> None:
    for method, column in (("upper_bound", "top1.jpg"), ("upper_bound_mid", "mid.jpg")):
        images, records = read_pictures(_generate(*tiny, method, packs=[tiny[0] / "test-0.tar"]))
        frames, keys, _ = read_images([tiny[0] / "test-0.tar"], 32, column)
        assert [record["clip_id"] for record in records] == keys
        assert torch.equal(images, frames)


def test_retrieval_is_brute_force_nearest_neighbour(tiny: tuple[Path, Models]) -> None:
    root, m = tiny
    method = load_method("retrieval", _sources(root, m, database="train"))
    frames, _, _ = read_images([root / "train-0.tar"], 24)
    shown, _, _ = read_images([root / "train-0.tar"], 32)
    from s2v.models.image_encoder import ImageEncoder
    from s2v.models.store import load

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
    method = load_method("retrieval", _sources(*tiny))
    assert 1 <= method.size <= 12  # type: ignore[attr-defined]


def test_retrieval_without_pictures_is_one_line(tiny: tuple[Path, Models]) -> None:
    root, m = tiny
    empty = Sources(m.encoder, m.generator, m.align, [root / "train-1.tar"])
    with pytest.raises(UserError, match="no packed picture"):
        load_method("retrieval", empty)
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


def test_noise_of_a_clip_depends_on_seed_and_id_alone() -> None:
    assert clip_seed(0, "a") == clip_seed(0, "a") != clip_seed(1, "a") != clip_seed(1, "b")
    assert 0 <= clip_seed(5, "-x") < 2**63
    assert torch.equal(noise([1, 2], 4)[1], noise([2], 4)[0])
    cut = noise(list(range(500)), 20, truncation=0.7)
    assert cut.abs().max() <= 0.7 and 0.3 < cut.std() < 0.45
    assert 0.95 < noise(list(range(500)), 20).std() < 1.05


def test_resolution_comes_from_the_generator(tiny: tuple[Path, Models]) -> None:
    method = load_method("upper_bound", _sources(*tiny))
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
    assert json.dumps(VARIANTS["sound2vision_shuffled"].note)
