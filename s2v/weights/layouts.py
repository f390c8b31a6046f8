"""Names of published state dicts to those of our modules. Values are not changed, but where it is said."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.errors import UserError

State = dict[str, Tensor]


def swav_resnet50(state: State) -> State:
    """SwAV's ResNet-50 (`module.` before torchvision's names) -> `ImageEncoder`.

    The projection head and the prototypes served its pretraining alone. Its stem pads by 1 and then by 2 zeros, which
    is torchvision's padding by 3.
    """
    state = _without(state, "module.")
    return {f"backbone.net.{k}": v for k, v in state.items() if not k.startswith(("projection_head.", "prototypes"))}


def sound2scene_audio(state: State) -> State:
    """The authors' audio network (`audnet.` before torchvision's names, a classifier to 2048) -> `AudioEncoder`."""
    state = _without(_without(state, "module."), "audnet.")
    return {k.replace("fc.", "head.") if k.startswith("fc.") else f"backbone.net.{k}": v for k, v in state.items()}


def icgan_biggan(state: State) -> State:
    """IC-GAN's BigGAN generator (the layout of BigGAN-PyTorch) -> `Generator`.

    Spectral norm: theirs makes one step of power iteration from `u0` at each call and keeps nothing of it in
    evaluation; ours divides by u^T W v of its stored vectors. So u and v are what that one step gives. `sv0` is for
    their logs, `shared` embeds classes, which this generator does not take.

    Raises:
        UserError: a weight and its vector do not belong together.
    """
    state = _without(state, "module.")
    renamed: State = {}
    for key, value in state.items():
        if key.startswith("shared.") or re.search(r"\.sv\d+$", key):
            continue
        renamed[_generator_name(key)] = value
    converted: State = {}
    for key, value in renamed.items():
        layer, _, kind = key.rpartition(".")
        if f"{layer}.u0" not in renamed or kind == "bias":
            converted[key] = value
        elif kind == "weight":
            u0 = renamed[f"{layer}.u0"]
            if value.ndim < 2 or len(value) != u0.numel():
                shapes = f"weight {_said(value.shape)}, u0 {_said(u0.shape)}"
                raise UserError(f"not the published layout: {layer} has {shapes}")
            converted[f"{layer}.parametrizations.weight.original"] = value
            u, v = _power_step(value, u0)
            converted[f"{layer}.parametrizations.weight.0._u"] = u
            converted[f"{layer}.parametrizations.weight.0._v"] = v
    for key in [k for k in converted if k.endswith(".running_mean")]:
        counter = key.replace("running_mean", "num_batches_tracked")
        converted.setdefault(counter, torch.zeros((), dtype=torch.long))
    return converted


def s2i_autoencoder(state: State) -> State:
    """S2I's autoencoder (`conv1` to `conv13`, `convT1` to `convT13`, `_bn` after each) -> `SpectrogramAutoencoder`."""
    return {
        re.sub(r"^(conv|convT)(\d+)(_bn)?\.", _s2i_layer, key): value
        for key, value in _without(state, "module.").items()
    }


def s2i_generator(state: State) -> State:
    """S2I's generator (`transition0` to `transition6`, `convT1` to `convT18`, three a block) -> `S2iGenerator`."""
    return {
        re.sub(r"^(convT|transition)(\d+)(_bn)?\.", _s2i_block, key): value
        for key, value in _without(state, "module.").items()
    }


def _s2i_layer(found: re.Match[str]) -> str:
    return f"{'encoder' if found[1] == 'conv' else 'decoder'}.{int(found[2]) - 1}.{1 if found[3] else 0}."


def _s2i_block(found: re.Match[str]) -> str:
    number, part = int(found[2]), 1 if found[3] else 0
    if found[1] == "transition":
        return f"transitions.{number}.{part}."
    return f"blocks.{(number - 1) // 3}.{(number - 1) % 3}.{part}."


def _generator_name(key: str) -> str:
    """One name of BigGAN-PyTorch's generator as ours; `u0` stays what it is."""
    key = re.sub(r"^shared_feat\.", "shared.", key)
    key = re.sub(r"^linear\.", "input.", key)
    key = re.sub(r"^blocks\.(\d+)\.0\.", r"blocks.\1.", key)
    key = re.sub(r"^blocks\.\d+\.1\.", "attention.", key)
    key = key.replace(".conv_sc.", ".shortcut.")
    # Three kinds of batch norm of one meaning: plain, cross-replica, and with standing statistics.
    statistic = {"stored_mean": "running_mean", "stored_var": "running_var"}
    key = re.sub(r"(?:\.bn)?\.(stored_mean|stored_var)$", lambda m: f".{statistic[m[1]]}", key)
    key = re.sub(r"\.bn\.(running_mean|running_var|num_batches_tracked|weight|bias)$", r".\1", key)
    key = re.sub(r"^(blocks\.\d+\.bn\d)\.(running_mean|running_var|num_batches_tracked)$", r"\1.norm.\2", key)
    return re.sub(r"^output_layer\.0\.gain$", "head.0.weight", key).replace("output_layer.", "head.")


def _power_step(weight: Tensor, u0: Tensor) -> tuple[Tensor, Tensor]:
    """The singular vectors (u, v) after one step of power iteration from `u0` [1, out]."""
    matrix = weight.flatten(1)
    v = F.normalize(matrix.T @ u0.flatten(), dim=0)
    return F.normalize(matrix @ v, dim=0), v


def _without(state: State, prefix: str) -> State:
    if not all(key.startswith(prefix) for key in state):
        return state
    return {key.removeprefix(prefix): value for key, value in state.items()}


def fit(state: State, shapes: dict[str, torch.Size], name: str) -> State:
    """`state` if it has exactly the names and shapes of the network.

    Raises:
        UserError: it has not; the first difference is named.
    """
    for key in [*shapes, *state]:
        wanted, found = shapes.get(key), state[key].shape if key in state else None
        if wanted != found:
            raise UserError(f"{name}: not the published layout: {key} is {_said(found)}, and should be {_said(wanted)}")
    return state


def _said(shape: torch.Size | None) -> str:
    return "absent" if shape is None else "x".join(map(str, shape)) or "one number"


LAYOUTS: dict[str, Callable[[State], State]] = {
    "swav-resnet50": swav_resnet50,
    "icgan-biggan128": icgan_biggan,
    "sound2scene-audio": sound2scene_audio,
    "s2i-autoencoder": s2i_autoencoder,
    "s2i-generator": s2i_generator,
}

__all__ = [
    "LAYOUTS",
    "fit",
    "icgan_biggan",
    "s2i_autoencoder",
    "s2i_generator",
    "sound2scene_audio",
    "swav_resnet50",
]
