"""Checkpoints: weights and optimiser state as safetensors, written whole or not at all, never pickled."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from s2v.files import read_json, write_json, write_text
from s2v.runtime import unwrap
from s2v.tensors import load_tensors, save_tensors


@dataclass
class State:
    """Where a training stands."""

    step: int = 0
    best: float | None = None
    bad: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)


def _folder(output_dir: Path) -> Path:
    return output_dir / "checkpoints"


def save(
    output_dir: Path,
    key: str,
    modules: dict[str, nn.Module],
    optimizers: dict[str, torch.optim.Optimizer],
    step: int,
    records: list[dict[str, Any]],
    best: float | None,
    bad: int,
) -> None:
    """Write one checkpoint; the file named by `latest.json` is always whole, and the one before it is removed."""
    folder = _folder(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    groups: dict[str, Any] = {}
    for name, module in modules.items():
        tensors |= {f"module/{name}/{k}": v for k, v in unwrap(module).state_dict().items()}
    for name, optimizer in optimizers.items():
        state = optimizer.state_dict()
        groups[name] = state["param_groups"]
        for index, values in state["state"].items():
            for k, v in values.items():
                if v is not None:
                    tensors[f"optimizer/{name}/{index}/{k}"] = torch.as_tensor(v)
    path = folder / f"{step:08d}.safetensors"
    save_tensors(path, tensors)
    write_json(
        folder / "latest.json",
        {"key": key, "file": path.name, "step": step, "best": best, "bad": bad, "groups": groups, "records": records},
    )
    for old in folder.glob("[0-9]*.safetensors"):
        if old != path:
            old.unlink()


def load(
    output_dir: Path,
    key: str,
    modules: dict[str, nn.Module],
    optimizers: dict[str, torch.optim.Optimizer],
    device: torch.device,
) -> State:
    """Restore modules and optimisers in place, if there is a checkpoint of the same fingerprint; another one's
    leavings are removed."""
    folder = _folder(output_dir)
    if not (folder / "latest.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        return State()
    latest = read_json(folder / "latest.json")
    if latest["key"] != key:
        shutil.rmtree(folder)
        return State()
    tensors = load_tensors(folder / Path(latest["file"]).name, device)
    for name, module in modules.items():
        prefix = f"module/{name}/"
        unwrap(module).load_state_dict({k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)})
    for name, optimizer in optimizers.items():
        prefix = f"optimizer/{name}/"
        state: dict[int, dict[str, Any]] = {}
        for k, v in tensors.items():
            if k.startswith(prefix):
                index, slot = k[len(prefix) :].split("/", 1)
                state.setdefault(int(index), {})[slot] = v
        optimizer.load_state_dict({"state": state, "param_groups": latest["groups"][name]})
    return State(latest["step"], latest["best"], latest["bad"], latest["records"])


def save_best(output_dir: Path, key: str, modules: dict[str, nn.Module], step: int, active: bool) -> None:
    """Keep the weights of the best validation so far."""
    if not active:
        return
    tensors = {f"{n}/{k}": v for n, m in modules.items() for k, v in unwrap(m).state_dict().items()}
    folder = _folder(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(folder / "best.safetensors", tensors, {"key": key, "step": str(step)})


def load_best(output_dir: Path, key: str, modules: dict[str, nn.Module], device: torch.device) -> None:
    """Put the weights of the best validation into the modules."""
    tensors = load_tensors(_folder(output_dir) / "best.safetensors", device)
    for name, module in modules.items():
        prefix = f"{name}/"
        unwrap(module).load_state_dict({k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)})


def publish(output_dir: Path, modules: dict[str, nn.Module], config: dict[str, Any], card: str) -> None:
    """Write the final files of a trained thing and remove its checkpoints."""
    for filename, module in modules.items():
        save_tensors(output_dir / filename, unwrap(module).state_dict())
    latest = _folder(output_dir) / "latest.json"
    records = read_json(latest)["records"] if latest.exists() else []
    write_text(output_dir / "train.jsonl", "".join(json.dumps(r, sort_keys=True) + "\n" for r in records))
    write_text(output_dir / "README.md", card)
    write_json(output_dir / "config.json", config)
    shutil.rmtree(_folder(output_dir), ignore_errors=True)
