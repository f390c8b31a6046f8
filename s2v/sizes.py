"""Sizes of nets and data in closed form, so that nothing need be built or read to know them.

They are for asking a cluster for memory and time: within a third of the nets' own parameters (tests/test_resources.py),
and without torch, since the workflow asks at each start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2v.config import AlignConfig, Config, DiffusionConfig, EncoderConfig, GeneratorConfig, VaeConfig


@dataclass(frozen=True)
class Size:
    """Of a net: its parameters, and the multiply-adds of one sample's forward pass."""

    parameters: float
    operations: float

    def __add__(self, other: Size) -> Size:
        return Size(self.parameters + other.parameters, self.operations + other.operations)


_RESNETS = {10: Size(4.91e6, 0.89e9), 18: Size(11.18e6, 1.81e9), 50: Size(23.51e6, 4.09e9)}
"""By depth, at width 64 and 224 px, where the first layer halves the side (He et al. 2016)."""

_GENERATORS = {
    (32, 1): Size(7.1e6, 1.9e9), (32, 2): Size(12.3e6, 3.7e9),
    (64, 1): Size(45.5e6, 10.1e9), (64, 2): Size(76.8e6, 15.5e9),
    (128, 1): Size(45.6e6, 13.3e9), (128, 2): Size(77.0e6, 20.1e9),
    (256, 1): Size(52.3e6, 45.2e9), (256, 2): Size(89.9e6, 69.7e9),
}  # fmt: skip
_DISCRIMINATORS = {
    (32, 1): Size(5.1e6, 0.6e9), (32, 2): Size(10.4e6, 2.5e9),
    (64, 1): Size(18.8e6, 0.8e9), (64, 2): Size(47.1e6, 2.5e9),
    (128, 1): Size(40.1e6, 3.5e9), (128, 2): Size(89.6e6, 10.6e9),
    (256, 1): Size(46.0e6, 11.7e9), (256, 2): Size(100.8e6, 36.5e9),
}  # fmt: skip
"""By resolution and convolutions of a block, at 96 channels and features of 2048: counted in the nets of
`s2v.models.biggan`."""

EVALUATORS = Size(151e6 + 27e6, 4.4e9 + 5.7e9)
"""CLIP ViT-B/32 (Radford et al. 2021) and Inception-V3 (Szegedy et al. 2016)."""

VGGSOUND_CLASSES, VGGSOUND_TRAIN, VGGSOUND_TEST = 309, 600, 50
"""Classes of VGGSound and clips of a class: about 184,000 and 15,400 in all (Chen et al. 2020)."""

VEGAS_CLASSES = 10
CELEBVHQ_CLIPS = 35_666  # Zhu et al. 2022
FOLDER_CLIPS = 10_000  # nobody knows; more than a person collects by hand


def clips(config: Config) -> dict[str, int]:
    """Clips of each split, as the data set was published; a folder's are a guess."""
    data = config.data
    if data.world is not None and data.source == "world":
        return {split: n * len(data.world.classes) for split, n in data.world.clips.items()}
    if data.vggsound is not None and data.source == "vggsound":
        n = len(data.vggsound.classes or ()) or data.vggsound.n_classes or VGGSOUND_CLASSES
        return _parts(n * VGGSOUND_TRAIN, n * VGGSOUND_TEST, data.vggsound.val_share)
    if data.vegas is not None and data.source == "vegas":
        n = len(data.vegas.classes or ()) or VEGAS_CLASSES
        return _parts(n * data.vegas.train, n * data.vegas.test, data.vegas.val_share)
    if data.celebvhq is not None and data.source == "celebvhq":
        train = min(data.celebvhq.train, CELEBVHQ_CLIPS)
        return _parts(train, CELEBVHQ_CLIPS - train, data.celebvhq.val_share)
    if data.folder is not None and data.source == "folder":
        return {split: round(FOLDER_CLIPS * share) for split, share in data.folder.splits.items()}
    return {}


def _parts(train: int, test: int, val_share: float) -> dict[str, int]:
    val = round(train * val_share)
    return {"train": train - val, "val": val, "test": test}


def pictures(config: Config, *splits: str) -> int:
    """Packed pictures of some splits: one of each clip, or all frames."""
    found, world = clips(config), config.data.world if config.data.source == "world" else None
    total = 0
    for split in splits:
        frames = 1
        if config.pack.keep.get(split) == "all":
            frames = round(config.extract.fps * (sum(world.duration_s) / 2 if world is not None else 10))
            if world is not None and split in ("images", "judge"):
                frames = world.photos_per_reel
        total += found.get(split, 0) * frames
    return total


def resnet(depth: int, width: int, pixels: float, small: bool = False) -> Size:
    """A ResNet on inputs of so many pixels; `small` ones are not halved at first."""
    full = _RESNETS[depth]
    wider = (width / 64) ** 2
    return Size(full.parameters * wider, full.operations * wider * pixels / 224**2 * (4 if small else 1))


def dim(config: EncoderConfig) -> int:
    """D, size of the image encoder's feature."""
    if config.architecture == "vit":
        return config.vit.width
    return config.width * 8 * (4 if config.depth == 50 else 1)


def image_encoder(config: EncoderConfig, px: int) -> Size:
    """f_V on a picture of side px."""
    if config.architecture == "resnet":
        return resnet(config.depth, config.width, px**2, config.image_px < 100)
    vit = config.vit
    blocks = vit.depth * 12 * vit.width**2
    tokens = (config.image_px / vit.patch_px) ** 2
    # A stem of convolutions halves the side and doubles the width until a patch is a point: 9 in out, summed up.
    stem = 3 * vit.patch_px**2 * vit.width if vit.stem == "patch" else 9 * vit.width**2 * (1 / 2 + 1 / 8 + 1 / 16)
    return Size(blocks + stem + tokens * vit.width, (blocks + stem) * (px / vit.patch_px) ** 2)


def swav_head(config: EncoderConfig) -> Size:
    """Projection and prototypes."""
    hidden, out = config.projection_hidden, config.projection_dim
    n = dim(config) * hidden + hidden * out + out * config.prototypes
    return Size(n, n)


def audio_encoder(config: AlignConfig, feature: int) -> Size:
    """f_A for features of size `feature`, on a window of sound."""
    head = config.width * 8 * feature
    return resnet(18, config.width, spectrogram(config)) + Size(head, head)


def spectrogram(config: AlignConfig) -> float:
    """Numbers of a window's spectrogram."""
    audio = config.audio
    return float((audio.n_fft // 2 + 1) * audio.window_s * 16000 / audio.hop)


def biggan(config: GeneratorConfig) -> tuple[Size, Size]:
    """G and D."""
    key, wider = (config.resolution, config.convs_per_block), (config.channels / 96) ** 2
    g, d = (Size(net[key].parameters * wider, net[key].operations * wider) for net in (_GENERATORS, _DISCRIMINATORS))
    return g, d


def localiser(width: int, feature: int, pixels: float) -> Size:
    """Both nets, each 9 (2 + 8 + 16) width^2 and a last layer to `feature`."""
    n = 2 * (9 * 26 * width**2 + 4 * width * feature)
    return Size(n, n * pixels / 64 * 2)


def latent_px(config: VaeConfig) -> int:
    """Side of the latents."""
    return config.resolution // 2 ** (len(config.channels) - 1)


def autoencoder(config: VaeConfig) -> tuple[Size, Size]:
    """Encoder and decoder of the autoencoder (Rombach et al. 2022): 3 x 3 convolutions in pairs."""
    halves = []
    for layers in (config.layers_per_block, config.layers_per_block + 1):
        n = operations = 0.0
        before = config.channels[0] if layers == config.layers_per_block else config.channels[-1]
        levels = list(enumerate(config.channels))
        for level, c in levels if layers == config.layers_per_block else reversed(levels):
            here = 9 * c * (before + c) + before * c * (before != c) + (layers - 1) * 18 * c * c
            here += 9 * c * c if len(levels) > 1 else 0
            n, before = n + here, c
            operations += here * (config.resolution / 2**level) ** 2
        middle = 2 * 18 * config.channels[-1] ** 2 + 4 * config.channels[-1] ** 2
        halves.append(Size(n + middle, operations + middle * latent_px(config) ** 2))
    return halves[0], halves[1]


def denoiser(config: DiffusionConfig, vae: VaeConfig, feature: int) -> Size:
    """The U-Net on latents, and the projection of the feature to tokens."""
    c0, channels = config.channels[0], config.channels
    total = Size(config.tokens * config.token_dim * feature + 4 * c0 * c0 * 5, 0)

    def block(c_in: int, c: int, level: int, attention: bool) -> Size:
        convolutions = 9 * c * (c_in + c) + c_in * c * (c_in != c)
        # Two of attention to each other, two to the tokens, the gated feed-forward of 4 c, two projections.
        attended = 20 * c * c + 2 * c * config.token_dim if attention else 0
        n = convolutions + attended
        return Size(n + 4 * c0 * c, n * (latent_px(vae) / 2**level) ** 2)

    before, skips = c0, [c0]
    for level, (c, attention) in enumerate(zip(channels, config.attention, strict=True)):
        for _ in range(config.layers_per_block):
            total, before = total + block(before, c, level, attention), c
            skips.append(c)
        if level < len(channels) - 1:
            total += Size(9 * c * c, 9 * c * c * (latent_px(vae) / 2 ** (level + 1)) ** 2)
            skips.append(c)
    last = len(channels) - 1
    total = total + block(before, before, last, True) + block(before, before, last, False)
    for level in range(last, -1, -1):
        c = channels[level]
        for _ in range(config.layers_per_block + 1):
            total, before = total + block(before + skips.pop(), c, level, config.attention[level]), c
        if level:
            total += Size(9 * c * c, 9 * c * c * (latent_px(vae) / 2 ** (level - 1)) ** 2)
    return total


__all__ = [
    "EVALUATORS",
    "Size",
    "audio_encoder",
    "autoencoder",
    "biggan",
    "clips",
    "denoiser",
    "dim",
    "image_encoder",
    "latent_px",
    "localiser",
    "pictures",
    "resnet",
    "spectrogram",
    "swav_head",
]
