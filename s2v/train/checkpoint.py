"""Checkpoints: weights, optimiser state and where the training stands. Never pickled, never deleted unsaid.

A checkpoint is `checkpoints/{step}.safetensors`, and `{step}.json` once it is whole. The newest two are kept, so that a
damaged one costs the steps since the one before. Those of another key (other data, settings or code) are set aside as
`checkpoints.{key}`, and taken up again by a training of that key.
"""

from __future__ import annotations

import copy
import json
import logging
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import ConfigDict, TypeAdapter, with_config
from torch import Tensor, nn

from s2v.errors import UserError
from s2v.files import digest, read_json, write_json, write_text
from s2v.runtime import Runtime
from s2v.tensors import load_tensors, save_tensors

log = logging.getLogger(__name__)

KEPT = 2
"""Checkpoints that are kept."""

Modules = dict[str, nn.Module]
Optimizers = dict[str, torch.optim.Optimizer]


@with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
@dataclass
class State:
    """Where a training stands: all of it that is not in a module or an optimiser."""

    step: int = 0
    best: float | None = None
    """The best validation so far."""
    bad: int = 0
    """Validations since then."""
    records: list[dict[str, Any]] = field(default_factory=list)
    """Lines of train.jsonl."""
    sums: dict[str, float] = field(default_factory=dict)
    """Numbers of the steps since the last line, added up."""
    counted: int = 0
    """How many steps these are."""


PARTS = ("settings", "data", "code")
"""What a training's key is of."""


def key_of(settings: Any, data: Any, code: Any) -> str:
    """The key of a training: a short digest of each of `PARTS`, so that a change can be named."""
    return "-".join(digest(part)[:10] for part in (settings, data, code))


def _folder(output_dir: Path) -> Path:
    return output_dir / "checkpoints"


def _notes(folder: Path) -> list[Path]:
    """The whole checkpoints of a folder, the newest first."""
    return sorted((note for note in folder.glob("[0-9]*.json") if note.stem.isdecimal()), reverse=True)


def last_step(output_dir: Path) -> int | None:
    """Step of the newest checkpoint."""
    notes = _notes(_folder(output_dir))
    return int(notes[0].stem) if notes else None


class Saver:
    """Saves checkpoints of a training: what is on a GPU is copied, and written in a thread while the training goes on.

    One write runs at a time. What keeps it from ending well is raised at the next, or where the `with` ends.
    """

    def __init__(self, output_dir: Path, key: str, beside: bool) -> None:
        self.output_dir, self.key, self.beside = output_dir, key, beside
        self.thread = ThreadPoolExecutor(1)
        self.writing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with suppress(Exception) if kind else nullcontext():
            self._wait()
        self.thread.shutdown()

    def save(self, modules: Modules, optimizers: Optimizers, state: State) -> None:
        """Save where the training stands."""
        self._wait()
        if not self.beside:
            save(self.output_dir, self.key, modules, optimizers, state)
            return
        tensors, groups = _tensors(modules, optimizers)
        own = {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
        self.writing = self.thread.submit(_write, self.output_dir, self.key, own, copy.deepcopy(groups), asdict(state))

    def _wait(self) -> None:
        writing, self.writing = self.writing, None
        if writing is not None:
            writing.result()


def save(output_dir: Path, key: str, modules: Modules, optimizers: Optimizers, state: State) -> None:
    """Write one checkpoint durably, and remove those before the last `KEPT`."""
    _write(output_dir, key, *_tensors(modules, optimizers), asdict(state))


def _tensors(modules: Modules, optimizers: Optimizers) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Everything of nets and optimisers, by name; and the settings of the latter."""
    tensors: dict[str, Tensor] = {}
    groups: dict[str, Any] = {}
    for name, module in modules.items():
        tensors |= {f"module/{name}/{k}": v for k, v in module.state_dict().items()}
    for name, optimizer in optimizers.items():
        values = optimizer.state_dict()
        groups[name] = values["param_groups"]
        for index, slots in values["state"].items():
            tensors |= {f"optimizer/{name}/{index}/{k}": torch.as_tensor(v) for k, v in slots.items() if v is not None}
    return tensors, groups


def _write(
    output_dir: Path, key: str, tensors: dict[str, Tensor], groups: dict[str, Any], state: dict[str, Any]
) -> None:
    folder = _folder(output_dir)
    note = folder / f"{state['step']:08d}.json"
    save_tensors(note.with_suffix(".safetensors"), tensors, durable=True)
    write_json(note, {"key": key, "groups": groups, "state": state}, durable=True)
    for old in _notes(folder)[KEPT:]:
        old.unlink()
    kept = {note.stem for note in _notes(folder)}
    for old in folder.glob("[0-9]*.safetensors"):
        if old.stem not in kept:
            old.unlink()


def load(output_dir: Path, key: str, modules: Modules, optimizers: Optimizers, runtime: Runtime) -> State:
    """Restore modules and optimisers in place from the newest whole checkpoint of `key`; without one, step 0.

    A damaged checkpoint is passed over for the one before, and one of another key is set aside; both are said in a
    line. With `runtime.resume_any`, one of another key is taken, which train.jsonl tells.

    Raises:
        UserError: a checkpoint of another key is to be taken and does not fit this training.
    """
    folder = _folder(output_dir)
    if runtime.is_main:
        _arrange(folder, key, runtime.resume_any)
    runtime.barrier()
    for path in _notes(folder):
        try:
            note = read_json(path)
            state, groups, other = TypeAdapter(State).validate_python(note["state"]), note["groups"], note["key"] != key
            if state.step != int(path.stem):
                raise ValueError(f"of step {state.step}")
            # On the CPU: optimisers move what belongs on the device, and keep Adam's `step`, which is asked for at
            # every step, where it costs no synchronisation.
            tensors = load_tensors(path.with_suffix(".safetensors"))
            if state.best is not None:
                load_tensors(folder / "best.safetensors")
        except (UserError, KeyError, TypeError, ValueError) as error:
            log.warning("%s: damaged (%s); looking for the one before", path, " ".join(str(error).split())[:300])
            continue
        try:
            _restore(tensors, groups, modules, optimizers)
        except (KeyError, ValueError, RuntimeError, TypeError, AttributeError, IndexError) as error:
            reason = " ".join(str(error).split())[:200]
            what = "set runtime.resume: matching" if other else "remove it and run the stage again"
            raise UserError(f"{path}: does not fit this training ({reason}); {what}") from error
        if other:
            state.records.append({"step": state.step, "resumed_from_other_key": note["key"]})
        return state
    if runtime.is_main and folder.exists() and any(folder.iterdir()):
        aside = _set_aside(folder, "damaged")
        log.warning("%s: no checkpoint is whole; they are in %s, and the training starts anew", output_dir, aside)
    runtime.barrier()
    return State()


def _arrange(folder: Path, key: str, resume_any: bool) -> None:
    """Set aside what is another training's, and put back what was set aside of this one."""
    notes = _notes(folder)
    found, step = _key(notes), int(notes[0].stem) if notes else 0
    if found not in (None, key):
        if resume_any:
            log.warning("%s: goes on from step %d of other %s, as asked", folder.parent, step, _other(str(found), key))
            return
        aside = _set_aside(folder, str(found))
        log.warning(
            "%s: the checkpoint at step %d is of other %s; it is kept as %s, and the training starts anew "
            "(runtime.resume: any goes on from it)",
            folder.parent,
            step,
            _other(str(found), key),
            aside.name,
        )
    if not _notes(folder):
        own = [other for other in folder.parent.glob(f"{folder.name}.{key}*") if _key(_notes(other)) == key]
        if own:
            if folder.exists():
                _set_aside(folder, "damaged")
            max(own, key=lambda other: _notes(other)[0].stem).rename(folder)


def _other(found: str, key: str) -> str:
    """Which of `PARTS` differ between two keys."""
    differing = [part for part, a, b in zip(PARTS, found.split("-"), key.split("-"), strict=False) if a != b]
    return " and ".join(differing)


def _key(notes: list[Path]) -> str | None:
    """The key that a folder's newest readable checkpoint is of."""
    for note in notes:
        try:
            key = read_json(note)["key"]
        except (UserError, KeyError, TypeError):
            continue
        if isinstance(key, str):
            return key
    return None


def _set_aside(folder: Path, suffix: str) -> Path:
    names = [folder.with_name(f"{folder.name}.{suffix}{number}") for number in ("", *(f".{i}" for i in range(2, 1000)))]
    aside = next(name for name in names if not name.exists())
    folder.rename(aside)
    return aside


def _restore(tensors: dict[str, Tensor], groups: dict[str, Any], modules: Modules, optimizers: Optimizers) -> None:
    for name, module in modules.items():
        prefix = f"module/{name}/"
        module.load_state_dict({k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)})
    for name, optimizer in optimizers.items():
        prefix = f"optimizer/{name}/"
        state: dict[int, dict[str, Any]] = {}
        for k, v in tensors.items():
            if k.startswith(prefix):
                index, slot = k[len(prefix) :].split("/", 1)
                state.setdefault(int(index), {})[slot] = v
        optimizer.load_state_dict({"state": state, "param_groups": groups[name]})
        # A file holds numbers in their logical order. A fused step goes through memory, and would take the moments of
        # another weight where these do not lie as their parameter does.
        for parameter, slots in optimizer.state.items():
            for slot, value in slots.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    slots[slot] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def save_best(output_dir: Path, modules: Modules, active: bool) -> None:
    """Keep the weights of the best validation so far."""
    if active:
        tensors = {f"{n}/{k}": v for n, m in modules.items() for k, v in m.state_dict().items()}
        save_tensors(_folder(output_dir) / "best.safetensors", tensors, durable=True)


def load_best(output_dir: Path, modules: Modules) -> None:
    """Put the weights of the best validation into the modules."""
    tensors = load_tensors(_folder(output_dir) / "best.safetensors")
    for name, module in modules.items():
        prefix = f"{name}/"
        module.load_state_dict({k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)})


def publish(output_dir: Path, modules: Modules, config: dict[str, Any], card: str) -> None:
    """Write the final files of a trained thing and remove its checkpoints; what was set aside stays."""
    for filename, module in modules.items():
        save_tensors(output_dir / filename, module.state_dict())
    notes = _notes(_folder(output_dir))
    records = read_json(notes[0])["state"]["records"] if notes else []
    write_text(output_dir / "train.jsonl", "".join(json.dumps(r, sort_keys=True) + "\n" for r in records))
    write_text(output_dir / "README.md", card)
    write_json(output_dir / "config.json", config)
    shutil.rmtree(_folder(output_dir), ignore_errors=True)
