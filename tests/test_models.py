"""Every model at full size: published parameter counts and shapes, and one step."""

from typing import Literal

import pytest
import torch
from torch import nn

from s2v.losses.alignment import l_total
from s2v.losses.pictures import perceptual_loss
from s2v.losses.swav import sinkhorn, swav_loss
from s2v.models.biggan import Discriminator, Generator
from s2v.models.image_encoder import ImageEncoder, unit
from s2v.models.perceptual import perceptual_maps
from s2v.models.resnet import ResNet
from s2v.models.swav import SwavHead
from s2v.train.generator import nearer_mirror


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_resnet18_is_torchvisions() -> None:
    from torchvision.models import resnet18

    net, published = ResNet(18), resnet18()
    published.fc = nn.Identity()
    published.load_state_dict(net.net.state_dict())
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(net(x), published(x))


def test_resnet50_is_the_published_one() -> None:
    from torchvision.models import resnet50

    net, published = ResNet(50), resnet50()
    expected = {k: v.shape for k, v in published.state_dict().items() if not k.startswith("fc.")}
    assert {k: v.shape for k, v in net.net.state_dict().items()} == expected
    assert count(net) == 23_508_032  # 25,557,032 with the classifier of 1000 classes
    published.fc = nn.Identity()
    net.net.load_state_dict({k: v for k, v in published.state_dict().items()})
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(net.eval()(x), published.eval()(x))


@pytest.mark.slow
def test_biggan_128_has_the_published_counts() -> None:
    """The class-conditional nets have 70,433,988 and 87,982,370 parameters (Brock et al. 2018's released code). IC-GAN
    puts the instance feature in the place of the class: the embeddings go, wider conditions come."""
    with torch.device("meta"):
        generator, discriminator = Generator(), Discriminator()
    channels = sum([1536, 1536, 768, 384, 192]) + sum([1536, 768, 384, 192, 96])
    class_embedding, feature_projection = 1000 * 128, 2048 * 512 + 512
    wider = 2 * channels * ((512 + 20) - (128 + 20))
    assert count(generator) == 70_433_988 - class_embedding + feature_projection + wider
    assert count(discriminator) == 87_982_370 - 1000 * 1536 + 2048 * 1536 + 1536


@pytest.mark.slow
def test_one_full_size_step_of_each_model() -> None:
    torch.manual_seed(0)
    generator, discriminator = Generator(), Discriminator()
    h = nn.functional.normalize(torch.randn(2, 2048))
    picture = generator(torch.randn(2, generator.dim_z), h)
    assert generator.dim_z == 120 and picture.shape == (2, 3, 128, 128) and picture.abs().max() <= 1
    before = generator.blocks[0].conv1.parametrizations.weight.original.clone()
    optimizer = torch.optim.Adam(generator.parameters(), 4e-5, (0.0, 0.999), eps=1e-6)
    score = discriminator(picture, h)
    assert score.shape == (2,)
    (-score.mean()).backward()
    optimizer.step()
    assert not torch.equal(before, generator.blocks[0].conv1.parametrizations.weight.original)
    del generator, discriminator, optimizer

    encoder, head = ResNet(50), SwavHead(2048, 2048, 128, 3000)
    crops = [torch.randn(2, 3, 224, 224), torch.randn(2, 3, 224, 224), torch.randn(2, 3, 96, 96)]
    loss = swav_loss([head(encoder(c)) for c in crops], 0.1, 0.05, 3)
    loss.backward()
    assert torch.isfinite(loss)

    audio = nn.Sequential(ResNet(18, in_channels=1), nn.Linear(512, 2048))
    assert count(audio) == 11_170_240 + 512 * 2048 + 2048
    z_a = audio(torch.randn(2, 1, 257, 1004))
    l_total(torch.randn(2, 2048), z_a).backward()
    assert z_a.shape == (2, 2048)


@pytest.mark.parametrize(
    "shape",
    [
        {"depth": 10, "width": 4},
        {"architecture": "vit", "depth": 1, "width": 8, "heads": 2, "patch_px": 8, "stem": "patch"},
    ],
)
def test_an_empty_shard_has_no_features(shape: dict[str, object]) -> None:
    """A small split leaves some shards without a clip."""
    encoder = ImageEncoder(image_px=16, **shape).eval()  # type: ignore[arg-type]
    some, none = (encoder.encode(torch.zeros(n, 3, 20, 20, dtype=torch.uint8)) for n in (2, 0))
    assert some.shape == (2, encoder.dim) and none.shape == (0, encoder.dim)


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_a_new_generator_answers_to_noise_and_feature(resolution: int) -> None:
    torch.manual_seed(0)
    generator = Generator(resolution, channels=8, dim_feature=16, shared_dim=8, convs=1)
    z, h = torch.randn(2, generator.dim_z), torch.randn(2, 16)
    picture = generator(z, h)
    assert picture.shape == (2, 3, resolution, resolution)
    assert not torch.allclose(picture, generator(z, h.flip(0)))
    assert not torch.allclose(picture, generator(z.flip(0), h))


def test_a_generator_that_upsamples_smoothly_draws_no_grid() -> None:
    """Untrained, its steps from one pixel to the next do not depend on where they are in a block."""

    def period(upsample: Literal["nearest", "bilinear"]) -> float:
        torch.manual_seed(0)
        generator = Generator(64, channels=8, dim_feature=16, shared_dim=8, convs=1, upsample=upsample)
        pictures = generator(torch.randn(8, generator.dim_z), torch.randn(8, 16)).detach()[..., 8:-8, 8:-8]
        steps = pictures.diff(dim=3).abs().mean((0, 1, 2))
        return float((steps[0::2].mean() - steps[1::2].mean()).abs() / steps.mean())

    assert period("nearest") > 3 * period("bilinear")


def test_maps_of_all_stages_tell_edges_and_weigh_each_stage_alike() -> None:
    torch.manual_seed(0)
    encoder = ImageEncoder(image_px=32, depth=10, width=8, architecture="resnet").eval()
    plain, striped = torch.zeros(2, 3, 32, 32), torch.zeros(2, 3, 32, 32)
    striped[..., ::2] = 1.0
    maps = [perceptual_maps(encoder, one, stages=True) for one in (plain, striped)]
    assert maps[0].shape == (2, 8 * 16**2 + 16 * 8**2 + 32 * 4**2 + 64 * 2**2)
    torch.testing.assert_close(maps[1].pow(2).sum(1), torch.ones(2), rtol=0, atol=0.05)
    assert perceptual_loss(*maps) > 0.05 and perceptual_loss(maps[0], maps[0]) == 0


def test_sinkhorn_shares_the_batch_equally_among_prototypes() -> None:
    codes = sinkhorn(torch.randn(64, 8), epsilon=0.5, iterations=100)
    torch.testing.assert_close(codes.sum(1), torch.ones(64))
    torch.testing.assert_close(codes.sum(0), torch.full((8,), 8.0), rtol=1e-3, atol=1e-3)


def test_swav_loss_is_lower_for_agreeing_crops() -> None:
    torch.manual_seed(0)
    scores = torch.nn.functional.one_hot(torch.arange(16) % 4, 4).float()
    agreeing = swav_loss([scores, scores], 0.1, 0.05, 3)
    assert agreeing < swav_loss([scores, scores.roll(1, 0)], 0.1, 0.05, 3)


def test_a_standardising_generator_tells_features_apart_that_lie_close_together() -> None:
    torch.manual_seed(0)
    h = unit(torch.ones(64, 16) + 0.05 * torch.randn(64, 16))
    z = torch.randn(1, 80).expand(64, -1)

    def spread(standardise: bool) -> float:
        torch.manual_seed(0)
        generator = Generator(32, 8, 80, 16, 8, convs=1, standardise=standardise).eval()
        generator.fit_statistics(h)
        return float(generator(z, h).std(0).mean().detach())

    assert spread(True) > 5 * spread(False) > 0


def test_reconstruction_aims_at_the_nearer_of_a_picture_and_its_mirror_image() -> None:
    torch.manual_seed(0)
    real = torch.rand(6, 3, 8, 8)
    flipped = torch.arange(6) % 2 == 0
    fake = torch.where(flipped[:, None, None, None], real.flip(3), real) + 0.01 * torch.randn_like(real)
    chosen = nearer_mirror(fake, real)
    assert float((chosen - fake).abs().max()) < 0.1
