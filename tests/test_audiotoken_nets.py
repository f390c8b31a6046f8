"""AudioToken's parts, full size and small: counts, the authors' files as our modules, and what is literally computed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.errors import UserError
from s2v.models.audiotoken import TokenEmbedder
from s2v.models.store import load, save

State = dict[str, Tensor]


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
    save(tmp_path, state, {"dim_in": 12, "dim": 8, "dropout": 0.0, "self_interaction": True})
    net = load(TokenEmbedder, tmp_path)
    features = torch.randn(3, 7, 12, generator=torch.Generator().manual_seed(1))
    expected = torch.stack([embedder(state, one) for one in features])
    torch.testing.assert_close(net(features), expected, rtol=1e-5, atol=1e-6)
    weights = net.fga.weights(net.fc2(F.gelu(net.fc1(features))))
    torch.testing.assert_close(weights.sum(1), torch.ones(3))
    assert weights.max() > 2 / 7, "attention that is even would prove nothing"
    torch.testing.assert_close(net(features[:, torch.randperm(7)]), expected, rtol=1e-5, atol=1e-6)


def test_dropout_is_off_or_always_on() -> None:
    features = torch.randn(2, 7, 12)
    for dropout in (0.0, 0.5):
        torch.manual_seed(0)
        net = TokenEmbedder(12, 8, dropout=dropout).eval()
        assert torch.equal(net(features), net(features)) == (dropout == 0)


def test_an_embedder_of_other_values_is_refused(tmp_path: Path) -> None:
    save(tmp_path, TokenEmbedder(12, 8).state_dict(), {"dim_in": 12, "dim": 8, "dropout": 1.5})
    with pytest.raises(UserError, match="config.json: dropout: Input should be less than 1"):
        load(TokenEmbedder, tmp_path)
