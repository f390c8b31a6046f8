"""What a table says of its differences to the paper is all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from workflow_runs import REPOSITORY

from s2v.config import Config
from s2v.configfile import load
from s2v.report.deviations import deviations
from s2v.report.recipes import RECIPES

BASE = REPOSITORY / "config.yaml"


def _of(name: str, *more: Path) -> Config:
    return load([BASE, REPOSITORY / f"configs/{name}.yaml", *more])


@pytest.mark.parametrize("stage", RECIPES)
def test_each_key_of_a_stage_has_a_source_or_a_reason(stage: str) -> None:
    for config in (load([BASE]), _of("vggsound50")):
        assert RECIPES[stage].unknown(getattr(config, stage).model_dump(mode="json")) == []


def test_a_key_without_either_is_found() -> None:
    section = load([BASE]).encoder.model_dump(mode="json")
    assert RECIPES["encoder"].unknown(section | {"queue": 3840}) == ["queue"]
    del section["depth"]
    assert RECIPES["encoder"].unknown(section) == ["depth"]


def test_at_full_size_what_is_not_the_published_recipe_is_named() -> None:
    text = "\n".join(deviations(_of("vggsound50")))
    encoder = next(line for line in text.splitlines() if line.startswith("`encoder` beside SwAV's recipe"))
    assert "steps 100000 (there 2001600)" in encoder and "freeze_prototypes_steps 313 (there 5005)" in encoder
    assert "learning_rate" not in encoder and "no LARC" in encoder and "no queue of 3,840 features" in encoder
    assert (
        "`generator` beside IC-GAN's recipe for ImageNet at 128 px: batch_size 256 (there 2048), sync_batch_norm"
        in text
    )
    start = "`align` beside the paper's text, and its authors' code where that is silent: "
    align = next(line for line in text.splitlines() if line.startswith(start))
    assert "spectrograms are kept in half precision" in align
    assert "bf16" in text and "`extract`" not in text and "`generate`" not in text
    text = "\n".join(deviations(_of("vggsound50"), latent_diffusion=True))
    assert "`diffusion` beside Stable Diffusion 1's U-Net: batch_size 64 (there 2048)." in text
    assert "`vae` beside Stable Diffusion's autoencoder: no discriminator" in text


def test_the_papers_own_set_up_differs_in_little(tmp_path: Path) -> None:
    lines = deviations(_of("paper"), latent_diffusion=True)
    text = "\n".join(lines)
    assert "here none is trained; encoder: published weights `swav-resnet50`" in text
    assert "moments: those that the paper's authors chose" in text and "localiser" not in text
    assert not any(line.startswith(("`encoder`", "`generator`", "`select`", "`extract`")) for line in lines)
    assert "`align` beside the paper's text" in text and "`align_unclip` beside the authors' code" in text
    own = tmp_path / "own.yaml"
    own.write_text("align: {weights: sound2scene-audio}\nalign_unclip: {weights: sound2vision-audio}\n")
    text = "\n".join(deviations(_of("paper", own), latent_diffusion=True))
    assert "`align" not in text and "Trainings:" not in text
    assert "the audio encoder is the authors' own (weights `sound2vision-audio`)" in text
