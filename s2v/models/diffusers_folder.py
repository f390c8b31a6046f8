"""Networks out of a folder in the layout in which diffusers publishes: `model_index.json` and a folder for each part.

Nothing is downloaded, no code that a folder names is run. Weights are read from safetensors alone, half precision
(`.fp16.`) or full, whichever is there; pickles beside them are not looked at.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from s2v.errors import UserError
from s2v.files import read_json
from s2v.tensors import not_finite

WEIGHTS_VARIABLE = "S2V_WEIGHTS"


@dataclass(frozen=True)
class Layout:
    """What a published folder has.

    Attributes:
        name: its name under the weights folder, and in `s2v weights fetch`.
        title: for people.
        repository: on Hugging Face.
        pipeline: class of diffusers that its index names.
        files: of each part; a name without a suffix is of weights.
    """

    name: str
    title: str
    repository: str
    pipeline: str
    files: Mapping[str, tuple[str, ...]]

    def folder(self) -> Path:
        """Its folder under $S2V_WEIGHTS.

        Raises:
            UserError: the variable is not set.
        """
        name = os.environ.get(WEIGHTS_VARIABLE)
        if not name:
            raise UserError(
                f"{self.title} needs the environment variable {WEIGHTS_VARIABLE}: a folder with {self.name}/, as `s2v "
                f"weights fetch {self.name}` brings it"
            )
        return Path(name).expanduser() / self.name

    def look_for(self, folder: Path, *parts: str) -> None:
        """Whether the files of `parts` are there, before anything is loaded, since the large ones take minutes.

        Raises:
            UserError: one is not; the message names it.
        """
        wanted = [folder / part / name for part in parts for name in self.files[part]]
        for path in wanted if set(parts) != set(self.files) else [folder / "model_index.json", *wanted]:
            if path.suffix:
                there, name = path.is_file(), str(path)
            else:
                there, name = any(file.is_file() for file in _weights(path)), " or ".join(map(str, _weights(path)))
            if not there:
                raise UserError(
                    f"{name}: not there; run `s2v weights fetch {self.name}`, or put the file of "
                    f"{self.repository} there by hand (safetensors; pickles, .bin, are not read)"
                )

    def check_index(self, folder: Path) -> None:
        """Whether the folder is of this pipeline.

        Raises:
            UserError: it is of another.
        """
        index = read_json(folder / "model_index.json")
        found = index.get("_class_name") if isinstance(index, dict) else None
        if found != self.pipeline:
            raise UserError(f"{folder / 'model_index.json'}: of {found!r}, and must be of {self.pipeline}")

    def net(self, kind: Any, folder: Path, dtype: torch.dtype) -> Any:
        """A net of a part's folder, whose weights all come from its file: what it lacks would else be left at random.

        Raises:
            UserError: it is damaged, or of another layout.
        """
        name = next(name for name in self.files[folder.name] if not Path(name).suffix)
        half, _ = _weights(folder / name)
        options: dict[str, Any] = {"dtype": dtype, "attn_implementation": "sdpa"}
        if kind.__module__.startswith("diffusers"):
            # The other way of loading needs another package.
            options = {"torch_dtype": dtype, "low_cpu_mem_usage": False}
        net, info = loaded(
            kind,
            folder,
            use_safetensors=True,
            variant="fp16" if half.is_file() else None,
            output_loading_info=True,
            **options,
        )
        for key in ("missing_keys", "mismatched_keys"):
            if info[key]:
                raise UserError(f"{folder}: not the published layout: {key.replace('_', ' ')}: {sorted(info[key])[0]}")
        bad = not_finite(net.state_dict())
        if bad is not None:
            raise UserError(f"{folder}: {bad} holds NaN or infinity; run `s2v weights fetch {self.name}` again")
        return net.eval().requires_grad_(False)


def _weights(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}.fp16.safetensors"), path.with_name(f"{path.name}.safetensors")


def scheduler(folder: Path) -> Any:
    """The scheduler that a folder's config names, of diffusers.

    Raises:
        UserError: it is none.
    """
    import diffusers.schedulers as known

    path = folder / "scheduler_config.json"
    config = read_json(path)
    name = config.get("_class_name") if isinstance(config, dict) else None
    kind = getattr(known, name, None) if isinstance(name, str) and name.endswith("Scheduler") else None
    if kind is None or not hasattr(kind, "add_noise"):
        raise UserError(f"{path}: {name!r} is no scheduler of diffusers")
    return loaded(kind, folder)


def loaded(kind: Any, folder: Path, **options: Any) -> Any:
    """What `kind` makes of a folder.

    Raises:
        UserError: it is not readable as that.
    """
    try:
        return kind.from_pretrained(folder, local_files_only=True, **options)
    except Exception as error:  # diffusers, transformers, safetensors and torch each raise their own
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{folder}: not readable as {kind.__name__} ({line})") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars and the advice that loading prints; errors are raised."""
    from transformers.utils import logging as shows

    bars: Any = shows
    names = ("diffusers", "transformers")
    levels, shown = {name: logging.getLogger(name).level for name in names}, bars.is_progress_bar_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            bars.disable_progress_bar()
            for name in names:
                logging.getLogger(name).setLevel(logging.ERROR)
            yield
        finally:
            if shown:
                bars.enable_progress_bar()
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}

__all__ = ["PRECISIONS", "Layout", "loaded", "quiet", "scheduler"]
