"""What networks hold and compute is counted in the networks, once a configuration, and never by a job."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from workflow_runs import REPOSITORY

from s2v.config import Config
from s2v.configfile import load
from s2v.errors import UserError
from s2v.models.audio_encoder import AudioEncoder
from s2v.models.biggan import Generator
from s2v.models.image_encoder import ImageEncoder
from s2v.models.store import load as load_net
from s2v.planning import nets as module
from s2v.planning.nets import nets

pytestmark = pytest.mark.slow


def configuration(name: str | None = None, **updates: dict[str, Any]) -> Config:
    """A file of configs/ (or the default), with keys of its sections changed."""
    config = load([REPOSITORY / "config.yaml", *([REPOSITORY / f"configs/{name}.yaml"] if name else [])])
    changed = {section: getattr(config, section).model_copy(update=keys) for section, keys in updates.items()}
    return config.model_copy(update=changed)


def test_full_size_networks_have_the_published_parameters_and_operations() -> None:
    """He et al. 2016, Dosovitskiy et al. 2021, Rombach et al. 2022; of IC-GAN's see tests/test_published_nets.py."""
    found = nets(configuration("vggsound50"))
    assert {name: found[name].parameters for name in ("encoder", "encoder_vit", "generator", "discriminator")} == {
        "encoder": 23_508_032, "encoder_vit": 85_798_656, "generator": 77_032_132, "discriminator": 89_593_634,
    }  # fmt: skip
    assert found["vae_encoder"].parameters + found["vae_decoder"].parameters == 83_653_863
    # The U-Net, the projection to tokens, the tokens of no condition.
    assert found["diffusion"].parameters == 859_520_964 + 769 * 4 * 768 + 4 * 768
    assert found["align"].parameters == 11_170_240 + 513 * 2048
    assert found["encoder"].operations == pytest.approx(4.09e9, rel=0.01)  # the papers' GFLOPs
    assert found["encoder_vit"].operations == pytest.approx(17.6e9, rel=0.01)
    assert (found["encoder"].outputs, found["encoder_vit"].outputs) == (2048, 768)
    assert found["vae_encoder"].outputs == 4 * 32 * 32 == found["diffusion"].outputs
    assert found["align"].inputs == 257 * 1004


def test_the_systems_of_figure_15_are_counted_at_their_published_sizes() -> None:
    found = nets(configuration("vegas5"))
    names = ("s2i_autoencoder", "s2i_generator", "s2i_discriminator", "pedersoli_vqvae", "pedersoli_audio")
    assert [found[name].parameters for name in names] == [33_415_731, 38_644_137, 5_276_450, 1_043_785, 14_848_642]
    assert found["s2i_generator"].outputs == 3 * 96 * 96 and found["pedersoli_audio"].outputs == 64 * 32 * 32


def test_counts_are_those_of_the_networks_that_a_training_of_the_configuration_left() -> None:
    found, shipped = nets(configuration("shipped")), REPOSITORY / "s2v/shipped"
    for name, kind in (("encoder", ImageEncoder), ("generator", Generator), ("align", AudioEncoder)):
        net: Any = load_net(kind, shipped / name, "cpu")
        assert sum(p.numel() for p in net.parameters()) == found[name].parameters, name


def test_what_was_counted_is_read_without_torch_and_without_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    module._counted.cache_clear()
    config = configuration("tiny")
    first = nets(config)
    assert nets(configuration("tiny", diffusion={"steps": 7, "batch_size": 3})) == first
    assert len(list((tmp_path / "s2v").iterdir())) == 1
    code = (
        "import sys, subprocess; from s2v.configfile import load; from s2v.planning.resources import memory_mb\n"
        "subprocess.run = None\n"
        "memory_mb(load(sys.argv[1:]), 'diffusion'); assert not {'torch', 'diffusers'} & sys.modules.keys()"
    )
    files = [REPOSITORY / "config.yaml", REPOSITORY / "configs/tiny.yaml"]
    subprocess.run([sys.executable, "-c", code, *map(str, files)], check=True, cwd=REPOSITORY)
    # Other sizes, or other code, are counted anew.
    counted: list[str] = []
    monkeypatch.setattr(module, "_count", lambda sections: counted.append(sections) or '{"encoder": [1, 2, 3, 4]}')
    assert nets(configuration("tiny", encoder={"width": 12}))["encoder"].parameters == 1
    module._counted.cache_clear()
    assert nets(config) == first and len(counted) == 1
    # A damaged file is no dead end.
    for path in (tmp_path / "s2v").iterdir():
        path.write_text("{")
    module._counted.cache_clear()
    assert nets(config) != first and len(counted) == 2
    module._counted.cache_clear()
    monkeypatch.setattr(module, "code_digest", lambda *_: "another")
    assert nets(config) != first and len(counted) == 3
    module._counted.cache_clear()


def test_without_a_folder_for_the_cache_it_counts_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(module, "_count", lambda sections: '{"encoder": [1, 2, 3, 4]}')
    module._counted.cache_clear()
    assert nets(configuration("tiny"))["encoder"].parameters == 1
    module._counted.cache_clear()


def test_networks_that_cannot_be_built_are_one_line() -> None:
    with pytest.raises(UserError, match=r"^the networks of this configuration cannot be built \(.*divisible.*\)$"):
        nets(configuration("tiny", vae={"groups": 7}))
