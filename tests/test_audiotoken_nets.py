"""AudioToken's parts: sizes, published files as our modules, and what is literally computed of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.errors import UserError
from s2v.models.audiotoken import TokenEmbedder
from s2v.models.beats import Beats, fbank
from s2v.models.store import load, save
from s2v.weights.catalogue import CATALOGUE
from s2v.weights.convert import SHAPES, convert, published

State = dict[str, Tensor]
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
SMALL = {
    "width": 24, "depth": 3, "heads": 2, "hidden": 40, "patch_px": 16, "patch_dim": 10, "kernel": 6, "groups": 3,
    "buckets": 16, "joined": [1, 2, 3],
}  # fmt: skip
CFG = {
    "deep_norm": True, "layer_norm_first": False, "relative_position_embedding": True, "gru_rel_pos": True,
    "activation_fn": "gelu", "max_distance": 40, "label_dict": {0: "/m/09x0r"}, "predictor_class": 5,
}  # fmt: skip


def embedder_state(dim_in: int, dim: int, seed: int = 0) -> State:
    """`embedder_learned_embeds.bin` of a size: the authors' names."""
    generator = torch.Generator().manual_seed(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "fc1.weight": (dim_in, dim_in), "fc1.bias": (dim_in,), "fc2.weight": (dim, dim_in), "fc2.bias": (dim,),
        "fga.un_models.0.embed.weight": (dim, dim, 1), "fga.un_models.0.embed.bias": (dim,),
        "fga.un_models.0.feature_reduce.weight": (1, dim, 1), "fga.un_models.0.feature_reduce.bias": (1,),
        "fga.pp_models.0.embed_X.weight": (dim, dim, 1), "fga.pp_models.0.embed_X.bias": (dim,),
        "fga.pp_models.0.embed_Y.weight": (dim, dim, 1), "fga.pp_models.0.embed_Y.bias": (dim,),
        "fga.reduce_potentials.0.weight": (1, 2, 1),
    }  # fmt: skip
    return {
        name: torch.randn(shape, generator=generator) / (shape[1] ** 0.5 if len(shape) > 1 else 3)
        for name, shape in shapes.items()
    } | {"fga.reduce_potentials.0.weight": torch.tensor([[[2.0], [5.0]]])}


def embedder(state: State, features: Tensor) -> Tensor:
    """The authors' embedder, moment by moment; no dropout. Features [T, dim_in] -> token [dim]."""

    def dense(name: str, x: Tensor) -> Tensor:
        weight = state[f"{name}.weight"]
        return weight.reshape(weight.shape[:2]) @ x + state[f"{name}.bias"]

    moments = [dense("fc2", F.gelu(dense("fc1", moment))) for moment in features]
    scores = []
    for moment in moments:
        alone = dense("fga.un_models.0.feature_reduce", dense("fga.un_models.0.embed", moment).clamp_min(0))
        here = dense("fga.pp_models.0.embed_X", moment)
        likeness = [F.cosine_similarity(here, dense("fga.pp_models.0.embed_Y", other), dim=0) for other in moments]
        both = state["fga.reduce_potentials.0.weight"].flatten()
        scores.append(both[0] * alone[0] + both[1] * sum(likeness) / len(likeness))
    weights = torch.stack(scores).softmax(0)
    return sum((weight * moment for weight, moment in zip(weights, moments, strict=True)), torch.zeros_like(moments[0]))


@pytest.mark.parametrize(("dim", "second"), [(768, 1_770_240), (1024, 2_360_320)])
def test_the_embedder_has_the_published_size(dim: int, second: int) -> None:
    with torch.device("meta"):
        net = TokenEmbedder(dim=dim)
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in net.named_children()}
    # The attention: three d x d maps, one d -> 1, and two numbers that join the potentials.
    assert counts == {"fc1": 5_310_720, "fc2": second, "fga": 3 * (dim * dim + dim) + dim + 1 + 2}
    assert {k: tuple(v.shape) for k, v in net.state_dict().items()} == {
        k: tuple(v.shape) for k, v in embedder_state(2304, dim).items()
    }


@torch.inference_mode()
def test_the_embedder_equals_the_literal_one(tmp_path: Path) -> None:
    state = embedder_state(12, 8)
    save(tmp_path, state, {"dim_in": 12, "dim": 8, "dropout": 0.0})
    net = load(TokenEmbedder, tmp_path)
    features = torch.randn(3, 7, 12, generator=torch.Generator().manual_seed(1))
    expected = torch.stack([embedder(state, one) for one in features])
    torch.testing.assert_close(net(features), expected, rtol=1e-5, atol=1e-6)
    weights = net.fga.weights(net.fc2(F.gelu(net.fc1(features))))
    torch.testing.assert_close(weights.sum(1), torch.ones(3))
    assert weights.max() > 2 / 7, "attention that is even would prove nothing"
    torch.testing.assert_close(net(features[:, torch.randperm(7)]), expected, rtol=1e-5, atol=1e-6)


def test_dropout_where_it_is_on_follows_from_the_sound_also_in_evaluation() -> None:
    features, waves = torch.randn(2, 7, 12), torch.randn(2, 100)
    for dropout in (0.0, 0.5):
        net = TokenEmbedder(12, 8, dropout=dropout).eval()
        words = net.words(features, waves)
        assert torch.equal(words, net(features)) == (dropout == 0)
        torch.testing.assert_close(
            words, net.words(features.flip(0), waves.flip(0)).flip(0), msg="whatever else is heard"
        )


def test_dropout_is_torchs() -> None:
    net = TokenEmbedder(12, 8, dropout=0.5)
    kept = net.draw(400, 7, torch.Generator().manual_seed(0))
    assert kept.shape == (400, 8, 7) and set(kept.unique().tolist()) == {0, 2} and abs(float(kept.mean()) - 1) < 0.03


def test_an_embedder_of_other_values_is_refused(tmp_path: Path) -> None:
    save(tmp_path, TokenEmbedder(12, 8).state_dict(), {"dim_in": 12, "dim": 8, "dropout": 1.5})
    with pytest.raises(UserError, match="config.json: dropout: Input should be less than 1"):
        load(TokenEmbedder, tmp_path)


def beats_state(sizes: dict[str, Any], classes: int, seed: int = 0) -> State:
    """The `model` of `BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt`, of a size: Microsoft's names."""
    width, patch, side = sizes["width"], sizes["patch_dim"], sizes["patch_px"]
    shapes: dict[str, tuple[int, ...]] = {
        "patch_embedding.weight": (patch, 1, side, side),
        "encoder.pos_conv.0.weight_g": (1, 1, sizes["kernel"]),
        "encoder.pos_conv.0.weight_v": (width, width // sizes["groups"], sizes["kernel"]),
        "encoder.pos_conv.0.bias": (width,),
    }

    def dense(name: str, n_in: int, n_out: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (n_out, n_in), (n_out,)

    def norm(name: str, n: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (n,), (n,)

    dense("post_extract_proj", patch, width)
    norm("layer_norm", patch)
    norm("encoder.layer_norm", width)
    dense("predictor", width, classes)
    for i in range(sizes["depth"]):
        layer = f"encoder.layers.{i}"
        for part in ("k_proj", "v_proj", "q_proj", "out_proj"):
            dense(f"{layer}.self_attn.{part}", width, width)
        dense(f"{layer}.self_attn.grep_linear", width // sizes["heads"], 8)
        shapes[f"{layer}.self_attn.grep_a"] = (1, sizes["heads"], 1, 1)
        shapes[f"{layer}.self_attn.relative_attention_bias.weight"] = (sizes["buckets"], sizes["heads"])
        norm(f"{layer}.self_attn_layer_norm", width)
        dense(f"{layer}.fc1", width, sizes["hidden"])
        dense(f"{layer}.fc2", sizes["hidden"], width)
        norm(f"{layer}.final_layer_norm", width)
    generator = torch.Generator().manual_seed(seed)
    state = {
        name: torch.randn(shape, generator=generator) / (shape[1] ** 0.5 if len(shape) == 2 else 2)
        for name, shape in shapes.items()
    }
    shared = state["encoder.layers.0.self_attn.relative_attention_bias.weight"] * 3
    return {k: shared if k.endswith("relative_attention_bias.weight") else v for k, v in state.items()}


def beats(state: State, spectrogram: Tensor, heads: int, far: int) -> list[Tensor]:
    """Outputs of all layers [N, width] for one standardised filter bank [T, 128], loop by loop."""

    def dense(name: str, x: Tensor) -> Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(name: str, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    def bucket(distance: int, table: Tensor) -> Tensor:
        half = len(table) // 2
        exact, steps = half // 2, abs(distance)
        if steps >= exact:
            steps = min(exact + int(math.log(steps / exact) / math.log(far / exact) * (half - exact)), half - 1)
        return table[steps + (half if distance > 0 else 0)]

    kernel = state["patch_embedding.weight"].flatten(1)
    side = state["patch_embedding.weight"].shape[-1]
    patches = [
        kernel @ spectrogram[t : t + side, f : f + side].flatten()
        for t in range(0, len(spectrogram) - side + 1, side)
        for f in range(0, 128, side)
    ]
    x = dense("post_extract_proj", norm("layer_norm", torch.stack(patches)))
    direction = state["encoder.pos_conv.0.weight_v"]
    width, channels, size = direction.shape
    parts = [state["encoder.pos_conv.0.weight_g"][0, 0, k] * direction[..., k] / direction[..., k].norm()
             for k in range(size)]  # fmt: skip
    place = torch.zeros_like(x)
    for n in range(len(x)):
        for k in range(size):
            if 0 <= n + k - size // 2 < len(x):
                groups = x[n + k - size // 2].view(-1, channels)
                place[n] += torch.cat([
                    parts[k].view(len(groups), -1, channels)[g] @ group for g, group in enumerate(groups)
                ])  # fmt: skip
    x = norm("encoder.layer_norm", x + F.gelu(place + state["encoder.pos_conv.0.bias"]))
    outputs, depth = [], sum(name.endswith("grep_a") for name in state)
    alpha, each = (2 * depth) ** 0.25, width // heads
    for i in range(depth):
        layer = f"encoder.layers.{i}"
        attention, table = f"{layer}.self_attn", state[f"{layer}.self_attn.relative_attention_bias.weight"]
        query, key, value = (dense(f"{attention}.{part}_proj", x) for part in "qkv")
        seen = []
        for head in range(heads):
            own = slice(head * each, (head + 1) * each)
            rows = []
            for n in range(len(x)):
                gates = dense(f"{attention}.grep_linear", query[n, own])
                a, b = torch.sigmoid(gates[:4].sum()), torch.sigmoid(gates[4:].sum())
                gate = a * (b * state[f"{attention}.grep_a"][0, head, 0, 0] - 1) + 2
                bias = torch.stack([bucket(m - n, table)[head] for m in range(len(x))])
                scores = key[:, own] @ query[n, own] / each**0.5 + gate * bias
                rows.append(scores.softmax(0) @ value[:, own])
            seen.append(torch.stack(rows))
        x = norm(f"{layer}.self_attn_layer_norm", alpha * x + dense(f"{attention}.out_proj", torch.cat(seen, 1)))
        hidden = F.gelu(dense(f"{layer}.fc1", x))
        x = norm(f"{layer}.final_layer_norm", alpha * x + dense(f"{layer}.fc2", hidden))
        outputs.append(x)
    return outputs


def put(folder: Path, name: str, value: Any) -> Path:
    path = folder / CATALOGUE[name].files[0].path
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(value, path)
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Published layouts in small sizes, without the checksum of the large file."""
    monkeypatch.setitem(SHAPES, "beats", SMALL)
    monkeypatch.setitem(SHAPES, "audiotoken-embedder", SHAPES["audiotoken-embedder"] | {"dim_in": 12})
    monkeypatch.setattr("s2v.weights.convert.expected", lambda folder, file: None)


def test_beats_has_the_published_size() -> None:
    with torch.device("meta"):
        net = Beats(**SHAPES["beats"])
        state = beats_state(SHAPES["beats"], 527)
    # Without the classifier, the repeated tables of distances, and the lengths of the kernel's 128 places.
    tables = 320 * 12
    whole = sum(v.numel() for v in state.values()) - 11 * tables
    assert sum(p.numel() for p in net.parameters()) == whole - (768 * 527 + 527) - 128
    # The published file is said to have 363 MB.
    assert whole == 90_717_055 and CATALOGUE["beats"].size_mb == round(4 * whole / 1e6) == 363 and net.dim == 2304


@torch.inference_mode()
def test_beats_equals_the_literal_one(tmp_path: Path, small: None) -> None:
    state = beats_state(SMALL, 5)
    put(tmp_path, "beats", {"cfg": CFG, "model": state})
    convert("beats", tmp_path / "b", tmp_path)
    net = load(Beats, tmp_path / "b")
    assert (net.max_distance, net.dim) == (40, 72)
    x = torch.randn(2, 52, 128, generator=torch.Generator().manual_seed(1))
    found = net(x)
    assert found.shape == (2, 3 * 8, 72), "of 52 frames there are three whole patches, each of 8 bands"
    for i in range(2):
        expected = torch.cat(beats(state, x[i], 2, 40), 1)
        torch.testing.assert_close(found[i], expected, **CLOSE)
    torch.testing.assert_close(published("beats", tmp_path)(x), found)
    assert "layers 4, 8 and 12" in (tmp_path / "b/README.md").read_text()


@torch.inference_mode()
def test_beats_hears_what_its_front_end_gives(small: None) -> None:
    torch.manual_seed(0)
    net = Beats(**SMALL).eval()
    tone = torch.sin(torch.arange(16000) * 2 * math.pi * 440 / 16000)[None] * 0.1
    spectrogram = fbank(tone)
    assert spectrogram.shape == (1, 98, 128)
    # Powers of 16-bit waveforms: ten times as loud is 2 ln 10 more, before the scale of two deviations.
    louder = (fbank(tone * 10) - spectrogram) * 2 * 6.55582
    torch.testing.assert_close(louder[0, 50, 10:], torch.full((118,), 2 * math.log(10)), rtol=0.01, atol=0.01)
    # 128 triangles between 20 Hz and 8 kHz, 129 steps of a mel scale on which these and 440 Hz are 31.7, 2840.0, 549.6.
    assert spectrogram[0, 50].argmax() == round((549.6 - 31.7) / (2840.0 - 31.7) * 129) - 1
    found = net.encode(tone, window_s=2.0)
    assert found.shape == (1, 12 * 8, 72)
    torch.testing.assert_close(net.encode(tone.repeat(1, 3), window_s=2.0), found)


@torch.inference_mode()
@pytest.mark.parametrize("dim", [8, 10])
def test_the_authors_embedder_converts(tmp_path: Path, small: None, dim: int) -> None:
    state = embedder_state(12, dim)
    put(tmp_path, "audiotoken-embedder", state)
    net = published("audiotoken-embedder", tmp_path)
    features = torch.randn(1, 7, 12)
    torch.testing.assert_close(net(features)[0], embedder(state, features[0]), **CLOSE)
    assert net.dim == dim


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "change", [{"joined": [1, 4]}, {"joined": []}, {"heads": 5}, {"buckets": 3}, {"max_distance": 4}]
)
def test_a_folder_of_other_sizes_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    save(tmp_path, Beats(**SMALL).state_dict(), SMALL | change)
    with pytest.raises(UserError, match="not a trained Beats") as error:
        load(Beats, tmp_path)
    assert "\n" not in str(error.value)


def test_hostile_files_are_one_line(tmp_path: Path, small: None) -> None:
    state = beats_state(SMALL, 5)
    one = "encoder.layers.1.self_attn.relative_attention_bias.weight"
    cases: list[tuple[Any, str]] = [
        ({"cfg": CFG, "model": state, "x": Payload(tmp_path / "ran")}, "nothing in it was run"),
        ({"cfg": Payload(tmp_path / "ran"), "model": state}, "nothing in it was run"),
        ({"model": state}, "cfg has deep_norm=None, and should have True"),
        ({"cfg": [1], "model": state}, "cfg has deep_norm=None"),
        ({"cfg": CFG | {"deep_norm": False}, "model": state}, "cfg has deep_norm=False"),
        ({"cfg": CFG | {"max_distance": 2.5}, "model": state}, "max_distance=2.5"),
        ({"cfg": CFG | {"max_distance": 10**30}, "model": state}, "max_distance=1000"),
        ({"cfg": CFG, "model": state | {one: state[one] + 1}}, "no table of distances that all share"),
        ({"cfg": CFG, "model": {k: v for k, v in state.items() if "pos_conv" not in k}}, "pos_conv has 0 and 0"),
        ({"cfg": CFG, "model": state | {"encoder.layers.9.fc1.bias": torch.zeros(3)}}, "layers.9.fc1.bias is 3, and"),
        ({"cfg": CFG, "model": state | {"encoder.layers.0.fc1.bias": torch.zeros(3)}}, "layers.0.fc1.bias is 3, and"),
        ({"cfg": CFG, "model": state | {"layer_norm.bias": torch.full((10,), math.nan)}}, "patch_norm.bias is not fin"),
        ({"cfg": CFG, "model": [1]}, "no state dict"),
    ]
    for value, said in cases:
        path = put(tmp_path, "beats", value)
        with pytest.raises(UserError) as error:
            convert("beats", tmp_path / "b", tmp_path)
        assert said in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)
    put(tmp_path, "audiotoken-embedder", {"fc2.weight": torch.zeros(())})
    with pytest.raises(UserError, match="not the published layout: fc1.weight is absent"):
        published("audiotoken-embedder", tmp_path)
    assert not (tmp_path / "ran").exists() and not (tmp_path / "b/model.safetensors").exists()
