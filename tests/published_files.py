"""Files of the published layouts with random values, as `s2v weights fetch` lays them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import published_nets as published
import torch

from s2v.tensors import save_tensors
from s2v.weights.catalogue import CATALOGUE

LAYERS = ("fc", "fc2")
"""Of the second audio encoder, whose names are not known."""


def checkpoint(root: Path, name: str, state: Any, **how: Any) -> Path:
    """A file of `torch.save` as weights of that name."""
    path = root / CATALOGUE[name].files[0].path
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path, **how)
    return path


def archive(root: Path, members: dict[str, Any]) -> Path:
    """IC-GAN's archive."""
    path = root / CATALOGUE["icgan-biggan128"].files[0].path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz", compresslevel=0) as tar:
        for name, value in members.items():
            buffer = io.BytesIO()
            torch.save(value, buffer)
            member = tarfile.TarInfo(f"icgan_biggan_imagenet_res128/{name}")
            member.size = buffer.tell()
            buffer.seek(0)
            tar.addfile(member, buffer)
    return path


def paper(root: Path) -> None:
    """The networks of the paper and of its authors, but for Stable unCLIP (`tiny_unclip`)."""
    checkpoint(root, "sound2scene-audio", published.audio_state())
    checkpoint(root, "sound2vision-audio", published.audio_fc2_state(LAYERS))
    checkpoint(root, "swav-resnet50", published.swav_state())
    archive(root, {"G_ema_best0.pth": published.biggan_state()})


def evaluators(root: Path) -> tuple[Any, Any]:
    """CLIP ViT-B/32 and Inception-V3; returns both networks."""
    import open_clip
    from torch_fidelity import feature_extractor_inceptionv3 as inception

    torch.manual_seed(0)
    clip = open_clip.create_model("ViT-B-32", force_quick_gelu=True)
    (root / "clip").mkdir(parents=True, exist_ok=True)
    save_tensors(root / CATALOGUE["clip-vit-b32"].files[0].path, clip.state_dict())
    kind, download = inception.FeatureExtractorInceptionV3, inception.load_state_dict_from_url
    load = kind.__dict__.get("load_state_dict")
    try:
        inception.load_state_dict_from_url = lambda *_, **__: None
        kind.load_state_dict = lambda *_: None
        network = kind("random", ["2048", "logits_unbiased"])
    finally:
        inception.load_state_dict_from_url = download
        if load is None:
            del kind.load_state_dict
        else:
            kind.load_state_dict = load
    checkpoint(root, "inception-v3", network.state_dict())
    return clip, network
