"""What jobs ask for: sizes in closed form are those of the nets, and amounts follow from the configuration."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn
from workflow_runs import REPOSITORY, Checkout

from s2v import sizes
from s2v.config import Config
from s2v.configfile import load
from s2v.data.vggsound_classes import PAPER_50
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.biggan import Discriminator, Generator
from s2v.models.localiser import Ear, Localiser
from s2v.resources import LONGEST_MINUTES, MEMORY_MB, MINUTES, memory_mb, minutes
from s2v.train import diffusion, encoder, vae

FULL = ("vggsound50", "vegas", "vggsound-scaling")
PROFILE = yaml.safe_load((REPOSITORY / "profiles/slurm/config.yaml").read_text())


def configuration(name: str | None = None, **updates: dict[str, Any]) -> Config:
    """A file of configs/ (or the default), with keys of its sections changed."""
    config = load([REPOSITORY / "config.yaml", *([REPOSITORY / f"configs/{name}.yaml"] if name else [])])
    changed = {section: getattr(config, section).model_copy(update=keys) for section, keys in updates.items()}
    return config.model_copy(update=changed)


@pytest.mark.parametrize("name", [None, "tiny", "vggsound50"])
def test_parameters_in_closed_form_are_those_of_the_nets(name: str | None) -> None:
    config = configuration(name)
    seen, seen_vit = sizes.dim(config.encoder), sizes.dim(config.encoder_vit)
    latents = torch.empty(0, config.vae.latent_channels, sizes.latent_px(config.vae), sizes.latent_px(config.vae))
    g = config.generator
    with torch.device("meta"):
        built = encoder.ImageEncoder(**encoder.shape(config.encoder))
        vit = encoder.ImageEncoder(**encoder.shape(config.encoder_vit))
        assert (built.dim, vit.dim) == (seen, seen_vit)
        nets: dict[str, tuple[nn.Module, sizes.Size]] = {
            "encoder": (built, sizes.image_encoder(config.encoder, 64)),
            "encoder_vit": (vit, sizes.image_encoder(config.encoder_vit, 64)),
            "align": (AudioEncoder(seen, config.align.width, False, {}), sizes.audio_encoder(config.align, seen)),
            "localise": (
                Localiser(config.localise.width, config.localise.dim, config.localise.image_px, Ear()),
                sizes.localiser(config.localise.width, config.localise.dim, 48**2),
            ),
            "vae": (vae.build(vae.shape(config.vae)), sum(sizes.autoencoder(config.vae), sizes.Size(0, 0))),
            "diffusion": (
                diffusion.LatentDiffusion(**diffusion.shape(config.diffusion, torch.empty(0, seen_vit), latents)),
                sizes.denoiser(config.diffusion, config.vae, seen_vit),
            ),
            "generator": (
                Generator(g.resolution, g.channels, g.dim_z, seen, g.shared_dim, g.convs_per_block, g.attention),
                sizes.biggan(g)[0],
            ),
            "discriminator": (
                Discriminator(g.resolution, g.channels, seen, g.convs_per_block, g.attention), sizes.biggan(g)[1],
            ),
        }  # fmt: skip
        for what, (net, size) in nets.items():
            ratio = size.parameters / sum(p.numel() for p in net.parameters())
            assert 3 / 4 < ratio < 4 / 3, (what, ratio)


def test_operations_at_full_size_are_the_counted_ones() -> None:
    """By torch.utils.flop_counter, in 1e9 multiply-adds; ResNet-50's and ViT-B's are those of their papers."""
    config = configuration("vggsound50")
    halves = sizes.autoencoder(config.vae)
    counted = {
        4.09: sizes.image_encoder(config.encoder, 224), 17.6: sizes.image_encoder(config.encoder_vit, 224),
        9.45: sizes.audio_encoder(config.align, 2048), 447.4: halves[0] + halves[1],
        88.2: sizes.denoiser(config.diffusion, config.vae, 768),
    }  # fmt: skip
    for expected, size in counted.items():
        assert 0.85 < size.operations / 1e9 / expected < 1.15, (expected, size)


def test_the_default_asks_for_what_a_laptop_has() -> None:
    config = configuration()
    assert {stage: memory_mb(config, stage) for stage in MEMORY_MB} == MEMORY_MB
    # Stable unCLIP is no part of the default.
    assert max(amount for stage, amount in MEMORY_MB.items() if stage != "embed_unclip") <= 4000
    assert {stage: minutes(config, stage) for stage in MINUTES} == MINUTES and MINUTES.keys() == MEMORY_MB.keys()


def test_clips_are_those_of_the_default_s_manifest() -> None:
    from s2v.data.manifest import manifest_rows

    config = configuration()
    assert sizes.clips(config) == Counter(row["split"] for row in manifest_rows(config.data))
    assert sizes.pictures(config, "images", "test") == 12 * (16 * 16 + 20)
    published = sum(sizes.clips(configuration("vggsound50", data={"vggsound": None, "source": "celebvhq", **_celeb()}))
                    .values())  # fmt: skip
    assert published == 35_666


def _celeb() -> dict[str, Any]:
    return {"celebvhq": configuration("celebvhq").data.celebvhq}


def test_memory_grows_with_net_data_and_processes() -> None:
    full = configuration("vggsound50")
    wider = configuration("vggsound50", diffusion={"channels": [640, 1280, 2560, 2560]})
    more, shared = configuration("vggsound-scaling"), configuration("vggsound50", runtime={"processes": 4})
    # 862 million parameters: weights, gradients, moments, average, of 4 bytes each; twice as wide, four times.
    assert memory_mb(full, "diffusion") > 17_240 and memory_mb(wider, "diffusion") > 3.5 * 17_240
    for stage in ("diffusion", "latents", "generator", "embed", "align", "evaluate_ldm", "table"):
        assert memory_mb(more, stage) > memory_mb(full, stage), stage
    for stage in ("localise", "encoder", "generator", "vae", "diffusion", "align_ldm"):
        assert memory_mb(shared, stage) > 2 * memory_mb(full, stage), stage
    # Decoded samples above this are mapped from a file.
    kept = configuration("vggsound50", runtime={"memory_gb": 0.0})
    assert memory_mb(kept, "vae") < memory_mb(full, "vae") and memory_mb(kept, "align") < memory_mb(full, "align")


def test_time_grows_with_steps_and_is_no_longer_than_a_partition_s() -> None:
    full, half = configuration("vggsound50"), configuration("vggsound50", diffusion={"steps": 100_000})
    assert MINUTES["diffusion"] < minutes(half, "diffusion") < 0.6 * minutes(full, "diffusion")
    assert minutes(configuration("vggsound50", runtime={"device": "cpu"}), "diffusion") == LONGEST_MINUTES


def test_a_variant_without_sizes_of_its_own_asks_for_what_its_stage_does() -> None:
    config = configuration("vggsound50")
    assert memory_mb(config, "align_other") == memory_mb(config, "align")


@pytest.mark.parametrize("name", FULL)
def test_full_size_configurations_plan_with_what_each_job_needs(name: str, tmp_path: Path) -> None:
    """To table 1 and table 3, with the list or the folder that the configuration names."""
    checkout = Checkout.of_repository(tmp_path / "checkout")
    config = configuration(name)
    if config.data.source == "vggsound":
        names = [*PAPER_50, *(f"class {i}" for i in range(150))]
        rows = [f'_id{i:08d},{i},"{label}",{split}' for i, (label, split) in
                enumerate((label, split) for label in names for split in ("train", "train", "test"))]  # fmt: skip
        (checkout.root / "vggsound.csv").write_text("\n".join(rows) + "\n")
    else:
        for label in ("dog", "baby_cry"):
            folder = checkout.root / "videos/vegas" / label / "videos"
            folder.mkdir(parents=True)
            (folder / "video_00000.mp4").write_bytes(b"")
    # Fewer shards only make the plan shorter; tests/test_scale.py has all.
    (checkout.root / "few.yaml").write_text("data: {shards: 8}\n")
    config = config.model_copy(update={"data": config.data.model_copy(update={"shards": 8})})
    tables = [f"{config.output}/table{n}.csv" for n in (1, 3)]
    done = checkout.snakemake("--dry-run", *tables, config=("--configfile", f"configs/{name}.yaml", "few.yaml"))
    assert done.returncode == 0, done.stdout[-4000:]
    asked = re.findall(r"^rule (\w+):$(?:\n .*)*?\n +resources: (.*)$", done.stdout, re.M)
    table = done.stdout.split("Job stats:")[1].split("\n\n")[0]
    planned = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)}
    assert planned.pop("total") == len(asked) and Counter(rule for rule, _ in asked) == planned
    assert {"table1", "table3", "vae", "latents", "diffusion", "generator", "judge"} - planned.keys() == {"judge"}
    for rule, text in asked:
        found = {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)(?=,|$)", text)}
        assert found["mem_mb"] >= 1000 and found["runtime"] >= 30, (rule, text)
        assert (found.get("gpu", 0) == 1) == (rule in PROFILE["set-resources"]), (rule, text)
    assert all(f"mem_mb={memory_mb(config, 'diffusion')}," in text for rule, text in asked if rule == "diffusion")
    drawn = {text.split("mem_mb=")[1].split(",")[0] for rule, text in asked if rule == "generate"}
    assert drawn == {str(memory_mb(config, stage)) for stage in ("generate", "generate_ldm")}
