"""A trained network as a folder: `model.safetensors` and `config.json`, whose keys are the arguments it is built of.

A folder may be anybody's. Its config is held to the signature of what it builds, and what it claims to be large is
built only as large as its weights are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import torch
from pydantic import ConfigDict, ValidationError, create_model
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from s2v.errors import UserError
from s2v.files import file_size, read_json, write_json
from s2v.tensors import load_tensors, save_tensors, shapes

Net = TypeVar("Net", bound=nn.Module)

MAX_CONFIG_BYTES = 2**20
MAX_WEIGHTS_BYTES = 2**33
"""Twice those of the U-Net at full size, in single precision."""
LARGEST = 2**20
"""Size of anything that a config says: channels, layers, tokens."""


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
    arguments = config_of(build, folder)
    path = folder / "model.safetensors"
    if file_size(path) > MAX_WEIGHTS_BYTES:
        raise _foreign(folder, build, f"model.safetensors is larger than {MAX_WEIGHTS_BYTES} bytes")
    stored = shapes(path)
    try:
        with _Budget(stored), _Undrawn():
            net = build(**arguments)
        _compare({name: (list(t.shape), t.is_floating_point()) for name, t in net.state_dict().items()}, stored)
    except Exception as error:  # a config of another hand may make a network raise anything
        raise _foreign(folder, build, error) from error
    net.load_state_dict(load_tensors(path))
    return net.to(device).eval().requires_grad_(False)


def config_of(build: Callable[..., Any], folder: Path) -> dict[str, Any]:
    """The arguments that a folder's config.json gives `build`.

    Raises:
        UserError: it is missing, damaged, or does not fit the signature of `build`.
    """
    config = read_json(folder / "config.json", MAX_CONFIG_BYTES)
    hints = get_type_hints(build.__init__ if isinstance(build, type) else build, include_extras=True)  # type: ignore[misc]
    fields: dict[str, Any] = {
        name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
        for name, parameter in inspect.signature(build).parameters.items()
    }
    strict = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)
    try:
        create_model("config", __config__=strict, **fields).model_validate(config)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "config.json"
        raise _foreign(folder, build, f"config.json: {name}: {first['msg']}") from error
    for name, value in config.items():
        sizes = [one for one in (value if isinstance(value, list) else [value]) if type(one) is int]
        if any(not 1 <= one <= LARGEST for one in sizes):
            raise _foreign(folder, build, f"config.json: {name}: sizes are from 1 to {LARGEST}")
    return dict(config)


class _Budget(TorchFunctionMode):
    """Within it no tensors are made that have many more numbers, or are many more, than those that are stored."""

    MOST_POINTS = 2**14
    """Of a linspace: there is one for each block, or for each bin of a spectrogram. Some nets make a tensor of each."""
    _MAKERS = frozenset({torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.linspace})

    def __init__(self, stored: dict[str, tuple[list[int], bool]]) -> None:
        super().__init__()
        self.numbers = 2**20 + 2 * sum(torch.Size(shape).numel() for shape, _ in stored.values())
        self.tensors = 1000 + 10 * len(stored)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in self._MAKERS:
            numbers = func(*args, **{**kwargs, "device": "meta"}).numel()
            self.tensors, self.numbers = self.tensors - 1, self.numbers - numbers
            if min(self.tensors, self.numbers) < 0 or (func is torch.linspace and numbers > self.MOST_POINTS):
                raise ValueError("config.json claims a larger network than the weights are of")
        return func(*args, **kwargs)


class _Undrawn(TorchFunctionMode):
    """Within it initial values are zeros where they would be drawn: those that are stored take their place.

    Drawing orthogonal ones takes seconds for a generator of 77 million numbers.
    """

    _DRAWS = frozenset({
        Tensor.normal_, Tensor.uniform_, nn.init.normal_, nn.init.uniform_, nn.init.trunc_normal_,
        nn.init.kaiming_normal_, nn.init.kaiming_uniform_, nn.init.xavier_normal_, nn.init.xavier_uniform_,
    })  # fmt: skip

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in self._DRAWS:
            with torch.no_grad():
                return (args[0] if args else kwargs["tensor"]).zero_()
        if func is torch.linalg.qr:  # of what would be made orthogonal
            matrix = args[0] if args else kwargs["A"]
            return matrix, matrix.new_zeros(matrix.shape[-1], matrix.shape[-1])
        return func(*args, **kwargs)


def _compare(wanted: dict[str, tuple[list[int], bool]], stored: dict[str, tuple[list[int], bool]]) -> None:
    for what, names in (("lacks", wanted.keys() - stored.keys()), ("has also", stored.keys() - wanted.keys())):
        if names:
            raise ValueError(f"model.safetensors {what} {min(names)}")
    for name, (shape, floating) in wanted.items():
        if stored[name] != (shape, floating):
            kind = "" if stored[name][1] == floating else " of another type"
            raise ValueError(f"model.safetensors: {name} is {stored[name][0]}{kind}, size mismatch with {shape}")


def _foreign(folder: Path, build: Callable[..., Any], why: object) -> UserError:
    named = why if isinstance(why, str | ValueError | RuntimeError) else repr(why)
    reason = " ".join(str(named).split())[:300]
    return UserError(f"{folder}: not a trained {build.__name__} ({reason}); run its stage again")


__all__ = ["config_of", "load", "save"]
