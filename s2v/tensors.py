"""Named tensors as files: safetensors, never pickles."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from s2v.errors import UserError
from s2v.files import atomic_path


def save_tensors(path: Path, tensors: dict[str, Tensor], durable: bool = False) -> None:
    """Write named tensors as safetensors, atomically; `durable` as for `atomic_path`."""
    with atomic_path(path, durable) as temporary:
        save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, temporary)


def load_tensors(path: Path, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """Read safetensors; a broken or missing file is a `UserError` that names it."""
    try:
        tensors: dict[str, Tensor] = load_file(path, device=str(device))
        return tensors
    except Exception as error:  # safetensors raises several kinds, all meaning that the file is unusable
        raise UserError(f"{path}: not a readable safetensors file ({error}); run its stage again") from error


__all__ = ["load_tensors", "save_tensors"]
