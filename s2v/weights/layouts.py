"""Names of published state dicts to those of our modules. Values are not changed, but where it is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

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


def sound2vision_audio(state: State) -> State:
    """The authors' second audio network, with two layers behind the pool -> `AudioEncoder` whose head is fc2.

    What the layers are called is not known, but one takes the pool's numbers and the other the first's.

    Raises:
        UserError: there are no two such layers.
    """
    state = _without(_without(state, "module."), "audnet.")
    layers = {key.removesuffix(".weight"): len(value.T) for key, value in state.items() if value.ndim == 2}
    if len(layers) != 2 or len(set(layers.values())) != 2:
        raise UserError(f"not the published layout: {len(layers)} linear layers, and not two of 512 and 1024 inputs")
    places = dict(zip(sorted(layers, key=layers.__getitem__), ("head.0", "head.2"), strict=True))
    found: State = {}
    for key, value in state.items():
        layer, _, kind = key.rpartition(".")
        found[f"{places[layer]}.{kind}" if layer in places else f"backbone.net.{key}"] = value
    return found


def wav2clip(state: State) -> State:
    """Wav2CLIP's ResNet-18 and the two layers behind it -> `s2v.models.wav2clip.Wav2Clip`.

    Its classifier (`fc`) and the window of its spectrogram are not weights of what it computes.
    """
    state = {re.sub(r"^(?:model\.)?(?:audio_)?(encoder|transform)\.", r"\1.", k): v for k, v in state.items()}
    layers = {"transform.sequential.0.": "transform.0.", "transform.sequential.3.": "transform.2."}
    found: State = {}
    for key, value in state.items():
        if key.startswith("encoder.") and not key.startswith(("encoder.fc.", "encoder.spectrogram.")):
            found[key.replace("encoder.", "backbone.net.", 1)] = value
        for theirs, ours in layers.items():
            if key.startswith(theirs):
                found[key.replace(theirs, ours, 1)] = value
    return found


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


def beats(state: State) -> State:
    """BEATs (Microsoft's names) -> `Beats`.

    The classifier is left out. Layers repeat the first one's table of distances. The convolution over tokens has its
    length apart from its direction, for each place of the kernel; here is their product.
    """
    state = {k: v for k, v in state.items() if not k.startswith("predictor.")}
    bias = "self_attn.relative_attention_bias.weight"
    tables = [state.pop(k) for k in sorted(state) if k.endswith(bias)]
    renamed = {_renamed(_BEATS, key): value for key, value in state.items()}
    if not tables or any(not torch.equal(table, tables[0]) for table in tables):
        raise UserError("not the published layout: the layers have no table of distances that all share")
    renamed["distance.weight"] = tables[0]
    length, direction = (renamed.pop(f"place.weight_{kind}", torch.empty(0)) for kind in "gv")
    if direction.ndim != 3 or length.shape != (1, 1, direction.shape[2]):
        raise UserError(f"not the published layout: pos_conv has {_said(direction.shape)} and {_said(length.shape)}")
    renamed["place.weight"] = direction * (length / direction.norm(dim=(0, 1), keepdim=True))
    return renamed


_BEATS = {
    r"^patch_embedding\.": "patches.",
    r"^layer_norm\.": "patch_norm.",
    r"^post_extract_proj\.": "projection.",
    r"^encoder\.pos_conv\.0\.": "place.",
    r"^encoder\.layer_norm\.": "norm.",
    r"^encoder\.layers\.": "layers.",
    r"\.self_attn\.q_proj\.": ".query.",
    r"\.self_attn\.k_proj\.": ".key.",
    r"\.self_attn\.v_proj\.": ".value.",
    r"\.self_attn\.out_proj\.": ".out.",
    r"\.self_attn\.grep_linear\.": ".gate.",
    r"\.self_attn\.grep_a$": ".gate_scale",
    r"\.self_attn_layer_norm\.": ".attention_norm.",
    r"\.final_layer_norm\.": ".out_norm.",
}
_BEATS_KIND = {
    "deep_norm": True,
    "layer_norm_first": False,
    "relative_position_embedding": True,
    "gru_rel_pos": True,
    "activation_fn": "gelu",
}


def beats_sizes(_: State, settings: dict[str, Any]) -> dict[str, Any]:
    """What of `Beats` only the settings in the checkpoint say.

    Raises:
        UserError: they are of another kind of network.
    """
    for key, wanted in _BEATS_KIND.items():
        if settings.get(key) != wanted:
            raise UserError(
                f"not the published layout: cfg has {key}={settings.get(key)!r}, and should have {wanted!r}"
            )
    distance = settings.get("max_distance")
    if type(distance) is not int or not 1 <= distance <= 2**20:
        raise UserError(f"not the published layout: cfg has max_distance={distance!r}")
    return {"max_distance": distance}


def audiotoken_embedder(state: State) -> State:
    """The authors' embedder -> `TokenEmbedder`, whose names are theirs."""
    return _without(state, "module.")


def embedder_sizes(state: State, _: dict[str, Any]) -> dict[str, Any]:
    """For which text encoder it was trained: words of 768 (Stable Diffusion 1.4) or 1024 numbers (2)."""
    second = _without(state, "module.").get("fc2.weight")
    return {} if second is None or second.ndim != 2 else {"dim": len(second)}


def imagebind_audio(state: State) -> State:
    """Of ImageBind, what is of sounds -> `ImageBindAudio`."""
    return {_renamed(_IMAGEBIND, key): value for key, value in state.items() if re.match(r"modality_\w+\.audio\.", key)}


def imagebind_vision(state: State) -> State:
    """Of ImageBind, what is of pictures -> `ImageBindVision`."""
    renamed = {_renamed(_IMAGEBIND, k): v for k, v in state.items() if re.match(r"modality_\w+\.vision\.", k)}
    if (both := renamed.get("patches.weight")) is not None and both.ndim == 5:
        renamed["patches.weight"] = both.sum(2)
    return renamed


_IMAGEBIND = {
    r"^modality_(\w+)\.vision\.": r"modality_\1.audio.",
    r"^modality_preprocessors\.audio\.rgbt_stem\.proj\.1\.": "patches.",
    r"^modality_trunks\.audio\.pre_transformer_layer\.0\.": "first_norm.",
    r"^modality_preprocessors\.audio\.cls_token$": "start",
    r"^modality_preprocessors\.audio\.rgbt_stem\.proj\.": "patches.",
    r"^modality_preprocessors\.audio\.rgbt_stem\.norm_layer\.": "patch_norm.",
    r"^modality_preprocessors\.audio\.pos_embedding_helper\.pos_embed$": "place",
    r"^modality_trunks\.audio\.": "",
    r"\.attn\.": ".attention.",
    r"\.norm_(\d)\.": r".norm\1.",
    r"\.mlp\.": ".",
    r"^modality_heads\.audio\.0\.": "norm.",
    r"^modality_heads\.audio\.2\.": "head.",
    r"^modality_postprocessors\.audio\.1\.log_logit_scale$": "log_scale",
}


def stylegan2(state: State) -> State:
    """The generator of rosinality's StyleGAN2, of which Lee et al.'s is one -> `StyleGan2`.

    Its blurs are stored there and are the same for all; the biases of its pictures are together here.

    Raises:
        UserError: a blur is another.
    """
    blur = torch.tensor([1.0, 3.0, 3.0, 1.0])
    renamed: State = {}
    biases: dict[int, Tensor] = {}
    for key, value in state.items():
        if key.endswith(".kernel"):
            if value.shape != (4, 4) or not torch.allclose(value, blur[:, None] * blur / 16):
                raise UserError(f"not the published layout: {key} is not the blur of 1, 3, 3, 1")
            continue
        # The first of each kind stands alone there.
        key = re.sub(r"^conv1\.", "layers.0.", key)
        key = re.sub(r"^convs\.(\d{1,4})\.", lambda m: f"layers.{int(m[1]) + 1}.", key)
        key = re.sub(r"^to_rgb1\.", "rgb.0.", key)
        key = re.sub(r"^to_rgbs\.(\d{1,4})\.", lambda m: f"rgb.{int(m[1]) + 1}.", key)
        key = re.sub(r"^style\.(\d{1,4})\.", lambda m: f"mapping.{int(m[1]) - 1}.", key)
        key = re.sub(r"^noises\.noise_(\d{1,4})$", r"layers.\1.noise", key)
        key = _renamed(_STYLEGAN2, key)
        if (bias := re.fullmatch(r"rgb\.(\d+)\.bias", key)) is not None:
            biases[int(bias[1])] = value.flatten()
        else:
            renamed[key] = value.squeeze(0) if key == "start" or key.endswith("weight") and value.ndim == 5 else value
            if key.endswith(".noise") and value.ndim == 4:
                renamed[key] = value[0, 0]
    if len({value.shape for value in biases.values()}) == 1:
        renamed["rgb_bias"] = torch.stack([biases[i] for i in sorted(biases)])
    return renamed


_STYLEGAN2 = {
    r"^input\.input$": "start",
    r"\.conv\.modulation\.": ".style.",
    r"\.conv\.weight$": ".weight",
    r"\.noise\.weight$": ".noise_strength",
    r"\.activate\.bias$": ".bias",
}


def lee_audio(state: State) -> State:
    """Lee et al.'s audio encoder (a convolution, timm's ResNet-18 with a head of 512) -> `LeeAudio`."""
    renamed: State = {}
    for key, value in _without(state, "module.").items():
        key = key.replace("feature_extractor.fc.", "head.")
        renamed[key.replace("feature_extractor.", "backbone.net.")] = value
    return renamed


def resemblyzer(state: State) -> State:
    """Resemblyzer's -> `Resemblyzer`, whose names are theirs, without the two numbers of its loss."""
    return {key: value for key, value in state.items() if not key.startswith("similarity_")}


_AISFX_PARTS = {"conv1": 0, "bn1": 1, "conv2": 3, "bn2": 4}
"""Of a block; ReLUs lie between."""


def aisfx(state: State) -> State:
    """aiSFX's -> `Aisfx`, without the classifiers of the libraries that it learned from."""
    renamed: State = {}
    for key, value in state.items():
        found = re.fullmatch(r"embedding_net\.conv_block(\d)\.(\w+)\.(\w+)", key)
        if found and found[2] in _AISFX_PARTS:
            renamed[f"blocks.{int(found[1]) - 1}.{_AISFX_PARTS[found[2]]}.{found[3]}"] = value
        elif not key.startswith("fc."):
            renamed[key] = value
    return renamed


def wespeaker(state: State) -> State:
    """WeSpeaker's ResNet -> `WeSpeaker`, whose names are theirs, without the classifier of its training."""
    return {key: value for key, value in state.items() if not key.startswith("projection.")}


_LITE0 = (1, 2, 2, 3, 3, 4, 1)
"""Blocks of the stages of EfficientNet-lite0."""
_LITE0_PARTS = {
    "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2", "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}  # fmt: skip
_LITE0_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
"""Of the first block, which does not expand."""


def efficientnet_lite0(state: State) -> State:
    """EfficientNet-lite0 (names of EfficientNet-PyTorch) -> `ImageEncoder` of it, without its classifier."""
    places = [(stage, block) for stage, blocks in enumerate(_LITE0) for block in range(blocks)]
    outside = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
    found: State = {}
    for key, value in state.items():
        inside = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key)
        name, _, rest = key.partition(".")
        if inside and int(inside[1]) < len(places):
            stage, block = places[int(inside[1])]
            part = (_LITE0_PARTS if stage else _LITE0_FIRST).get(inside[2], inside[2])
            found[f"backbone.net.blocks.{stage}.{block}.{part}.{inside[3]}"] = value
        elif name != "_fc":
            found[f"backbone.net.{outside.get(name, name)}.{rest}"] = value
    return found


def inception_v3(state: State) -> State:
    """torchvision's Inception-V3 -> `Inception`, without its auxiliary classifier, which served training alone."""
    found = {f"net.{k}": v for k, v in _without(state, "module.").items() if not k.startswith("AuxLogits.")}
    # Files of older versions do not count batches; nothing that is computed here does.
    counts = {k.replace("running_mean", "num_batches_tracked") for k in found if k.endswith("running_mean")}
    return {key: torch.zeros((), dtype=torch.long) for key in counts} | found


def inception_classes(state: State, settings: dict[str, Any]) -> dict[str, Any]:
    """As many classes as its last layer has, whose names no file tells.

    Raises:
        UserError: it has no such layer.
    """
    last = _without(state, "module.").get("fc.weight")
    if last is None or last.ndim != 2:
        raise UserError("not the published layout: there is no fc.weight of two dimensions")
    label = (
        f"Inception-V3 of the paper's authors (weights `sound2scene-inception`), {len(last)} classes, as published: "
        "what it was trained on and how well it tells it is theirs to say"
    )
    return {"class_names": [f"class {i}" for i in range(len(last))], "about": {"label": label}}


def _renamed(patterns: dict[str, str], key: str) -> str:
    for pattern, name in patterns.items():
        key = re.sub(pattern, name, key)
    return key


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
    "sound2vision-audio": sound2vision_audio,
    "wav2clip": wav2clip,
    "beats": beats,
    "audiotoken-embedder": audiotoken_embedder,
    "imagebind": imagebind_audio,
    "imagebind-vision": imagebind_vision,
    "lee-stylegan2": stylegan2,
    "lee-audio": lee_audio,
    "s2i-autoencoder": s2i_autoencoder,
    "s2i-generator": s2i_generator,
    "resemblyzer": resemblyzer,
    "wespeaker": wespeaker,
    "aisfx": aisfx,
    "efficientnet-lite0": efficientnet_lite0,
    "sound2scene-inception": inception_v3,
}
SIZES: dict[str, Callable[[State, dict[str, Any]], dict[str, Any]]] = {
    "beats": beats_sizes,
    "audiotoken-embedder": embedder_sizes,
    "sound2scene-inception": inception_classes,
}
"""What of a module's arguments follows from the checkpoint: from its tensors, and the settings beside them."""

__all__ = [
    "LAYOUTS",
    "SIZES",
    "fit",
    "icgan_biggan",
    "s2i_autoencoder",
    "s2i_generator",
    "sound2scene_audio",
    "swav_resnet50",
    "wav2clip",
]
