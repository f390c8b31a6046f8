"""A trained network as a folder: `model.safetensors` and `config.json`, whose keys are the arguments it is built of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from s2v.errors import UserError
from s2v.files import read_json, write_json
from s2v.tensors import load_tensors, save_tensors

Net = TypeVar("Net", bound=nn.Module)


def save(folder: Path, weights: dict[str, Tensor], config: dict[str, Any]) -> None:
    """Write the weights of a network that is built of the arguments `config`, so that `load` makes it again."""
    save_tensors(folder / "model.safetensors", weights)
    write_json(folder / "config.json", config)


def load(build: Callable[..., Net], folder: str | Path, device: torch.device | str = "cpu") -> Net:
    """The trained network of a folder, frozen, on `device`.

    Args:
        build: its class, or a function that builds it, called with what config.json holds.
        folder: written by a training, a conversion or `save`.
        device: where it goes.

    Raises:
        UserError: the folder is incomplete, damaged, or of another network.
    """
    folder = Path(folder)
    config = read_json(folder / "config.json")
    tensors = load_tensors(folder / "model.safetensors")
    try:
        net = build(**config)
        net.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{folder}: not a trained {build.__name__} ({reason}); run its stage again") from error
    return net.to(device).eval().requires_grad_(False)


__all__ = ["load", "save"]
