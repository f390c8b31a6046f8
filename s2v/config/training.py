"""All that is trained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from s2v.config.base import Fraction, Positive, Seconds, Slice

_WEIGHTS = "published weights in place of training, see `s2v weights list`; null trains, the other keys then say how"


LossName = Literal["total", "total_raw", "nce", "l2"]


class AudioConfig(Slice):
    """The log-spectrogram: scipy's default PSD, 257 bins, hop 159, ln(x + floor), then per-clip mean 0 and std 1."""

    window_s: Seconds = Field(10.0, description="shorter clips are tiled, longer ones cut")
    n_fft: Positive = 512
    hop: Positive = 159
    log_floor: float = Field(1e-7, gt=0)


class TrainingConfig(Slice):
    """What every training has."""

    batch_size: Positive = Field(64, description="samples of one step, of all processes together")
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-5, ge=0)
    checkpoint_every: Positive = Field(100, description="steps")
    seed: int = 0


class NormedConfig(Slice):
    """Trainings of nets with batch norm."""

    sync_batch_norm: bool = Field(
        True, description="batch norm sees the batches of all processes, as if they were one; false: its own one's"
    )


class SteppedConfig(TrainingConfig):
    """Trainings whose length is a number of steps."""

    steps: Positive = 1000


class LocaliseConfig(SteppedConfig, NormedConfig):
    """The audio-visual localisation model that finds the moment to learn from."""

    image_px: Positive = 48
    width: Positive = 16
    dim: Positive = 64
    window_s: Seconds = Field(1.0, description="sound around a moment")
    sharpness: float = Field(4.0, gt=0, description="how far a clip's score is that of its best moment, not their mean")
    frames_per_clip: Positive = Field(8, description="moments of a clip that training draws from")
    frames_per_step: Positive = Field(4, description="moments of a clip that one step sees")
    max_clips: Positive = Field(20000, description="more clips than this are not held in memory; taken by hash of id")


class AvJudgeConfig(LocaliseConfig):
    """The evaluator of sounds and pictures: the localisation model's nets, trained on pairs that nothing else sees."""

    split: str = "av_judge"


class VitConfig(Slice):
    """Sizes of a Vision Transformer (Dosovitskiy et al. 2020); ViT-B/16 where nothing else is said."""

    patch_px: Positive = Field(16, description="side of a patch; crops are multiples of it")
    width: Positive = 768
    depth: Positive = 12
    heads: Positive = 12
    stem: Literal["patch", "conv"] = Field(
        "patch", description="how patches become tokens; conv: small convolutions (Xiao et al. 2021), not in the paper"
    )


class EncoderConfig(SteppedConfig, NormedConfig):
    """f_V: ResNet (paper 3.2) or ViT (paper 6.1) trained with SwAV (Caron et al. 2020)."""

    weights: Literal["swav-resnet50", "efficientnet-lite0"] | None = Field(None, description=_WEIGHTS)
    splits: list[str] = Field(["images"], description="packed splits whose frames it is trained on")
    architecture: Literal["resnet", "vit"] = "resnet"
    vit: VitConfig = VitConfig()
    image_px: Positive = 224
    depth: Literal[10, 18, 50] = 50
    width: Positive = 64
    crops: list[tuple[int, int]] = Field([(2, 224), (6, 96)], description="(how many, side in px)")
    crop_scales: list[tuple[float, float]] = [(0.14, 1.0), (0.05, 0.14)]
    prototypes: Positive = 3000
    projection_dim: Positive = 128
    projection_hidden: Positive = 2048
    temperature: float = 0.1
    epsilon: float = 0.05
    sinkhorn_iterations: Positive = 3
    freeze_prototypes_steps: int = 313
    color_jitter: float = Field(1.0, ge=0, description="strength of colour changes; 1 is SwAV's own")
    optimizer: Literal["sgd", "adam"] = "sgd"

    @property
    def named(self) -> str:
        """The net, for people."""
        if self.architecture == "vit":
            return f"ViT of {self.vit.depth} blocks, width {self.vit.width}, patches of {self.vit.patch_px} px"
        return f"ResNet-{self.depth}, width {self.width}"


class GeneratorConfig(SteppedConfig, NormedConfig):
    """G: IC-GAN's BigGAN (paper 3.2; Casanova et al. 2021)."""

    weights: Literal["icgan-biggan128"] | None = Field(None, description=_WEIGHTS)
    splits: list[str] = Field(["images"], description="packed splits whose frames it is trained on")
    resolution: Literal[32, 64, 128, 256] = 128
    channels: Positive = 96
    dim_z: Positive = 120
    shared_dim: Positive = 512
    convs_per_block: Literal[1, 2] = 2
    attention: bool = True
    feature_input: bool = Field(False, description="the first map sees the feature too; not in the paper")
    feature_standardise: bool = Field(
        False, description="features are centred and scaled before G's first layer; not in the paper"
    )
    condition_noise: float = Field(
        0.0,
        ge=0,
        description="deviation of noise on the image feature that G paints from in training, in deviations of each of "
        "its numbers; not in the paper",
    )
    neighbours: Positive = Field(50, description="k of instance conditioning")
    d_learning_rate: float = 1e-4
    d_steps: Positive = 1
    ema: float = 0.9999
    ema_start: int = 20000
    hflip: bool = True
    diffaugment: str = Field("", description="DiffAugment policy, e.g. color,translation; empty is off")
    warmup_steps: int = Field(0, ge=0, description="reconstruction steps before the adversarial ones; not in the paper")
    warmup_learning_rate: float = 1e-3
    reconstruction_weight: float = Field(0.0, ge=0, description="kept in the adversarial phase; not in the paper")
    reconstruction_mirror: bool = Field(
        True, description="a picture may be reconstructed as its mirror image, whichever is nearer; not in the paper"
    )
    reconstruction_neighbours: int = Field(
        0, ge=0, description="pictures near the instance of which one may be what is reconstructed; not in the paper"
    )
    reconstruction_code: int = Field(
        0,
        ge=0,
        le=192,
        description="numbers of the noise that say, in training, which of these pictures is meant: whitened principal "
        "components of 8 x 8 px, less the neighbourhood's mean; 0 leaves noise no say; not in the paper",
    )
    reconstruction_maps: Literal["last", "all"] = Field(
        "last",
        description="f_V's maps that reconstruction compares: its last ones, or those of all four stages of a ResNet, "
        "each at unit norm (as LPIPS), which sees edges too; not in the paper",
    )
    upsample: Literal["nearest", "bilinear"] = Field(
        "nearest", description="how G's maps grow; bilinear, which draws no grid, is not in the paper"
    )

    @model_validator(mode="after")
    def _has_neighbours(self) -> GeneratorConfig:
        if self.reconstruction_neighbours > self.neighbours:
            raise ValueError("reconstruction_neighbours are of the neighbours: give no more than these")
        if self.reconstruction_code > self.dim_z:
            raise ValueError("reconstruction_code is a part of the noise: give no more than dim_z")
        if self.reconstruction_code and not (self.warmup_steps or self.reconstruction_weight):
            raise ValueError("reconstruction_code is of reconstruction: give it warmup_steps or reconstruction_weight")
        return self


class SoundAugmentConfig(Slice):
    """Changes of a sound in training that leave its level alone (`s2v.train.sound_augment`); none is in the paper."""

    shift: bool = Field(False, description="it begins anywhere, and goes round")
    filter: float = Field(
        0.0, ge=0, le=2, description="a random gain over frequency: its deviation, in those of the log-spectrogram"
    )
    masks: int = Field(0, ge=0, le=8, description="stretches of time and bands that are blanked, of each as many")
    bed: Fraction = Field(
        0.0,
        description="share of the sounds under which noise is laid; a quiet sound is known by its noise, so that "
        "pictures then follow loudness less",
    )
    loop: Fraction = Field(
        0.0, description="share of the sounds of which a stretch is heard again and again, as short recordings are"
    )
    gate: Fraction = Field(
        0.0, description="share of the sounds whose quiet parts are made quieter, as in recordings that were cleaned"
    )
    warp: float = Field(0.0, ge=0, le=0.5, description="frequencies are stretched by up to as much, up or down")


class AlignConfig(TrainingConfig, NormedConfig):
    """f_A: ResNet-18 on the log-spectrogram, aligned to f_V (paper 3.1)."""

    weights: Literal["sound2scene-audio", "sound2vision-audio"] | None = Field(None, description=_WEIGHTS)
    audio: AudioConfig = AudioConfig()
    width: Positive = 64
    head: Literal["linear", "fc2"] = Field(
        "linear", description="fc2: two layers with a ReLU between, as the authors' code for Stable unCLIP has it"
    )
    final_relu: bool = Field(False, description="the authors' code ends in a ReLU; the paper does not say so")
    backbone: Literal["tagger", "resemblyzer", "wespeaker", "aisfx"] | None = Field(
        None,
        description="a frozen network under a head of its own, in place of ResNet-18. aisfx knows sound effects; "
        "resemblyzer and wespeaker, which the authors' code takes, know speakers; tagger is the run's own, which "
        "learned the names of the sounds of tagger.split",
    )
    loss: LossName = Field(
        "total",
        description="total: Eq. 1-2, features at unit norm; total_raw: the same of features as they are, as the "
        "authors' code for Stable unCLIP has it; nce: cosine InfoNCE; l2",
    )
    temperature: float = Field(1.0, gt=0, description="the paper and the authors' code have none, which is 1")
    classes: list[str] | None = Field(None, description="pairs of these classes are taken; null: of all")
    epochs: Positive = 50
    patience: Positive = Field(5, description="epochs without a better validation loss before it stops")
    min_steps: int = Field(
        0,
        ge=0,
        description="steps before which it neither stops nor ends, whatever epochs and patience: of few pairs an epoch "
        "is a few steps. 0, as in the paper, is none",
    )
    augment: SoundAugmentConfig = SoundAugmentConfig()

    @model_validator(mode="after")
    def _augments_what_it_hears(self) -> AlignConfig:
        if self.backbone and self.augment != SoundAugmentConfig():
            raise ValueError(
                f"augment is of spectrograms, and a frozen backbone ({self.backbone}) hears each sound once"
            )
        return self


class FaceReaderConfig(SteppedConfig, NormedConfig):
    """The evaluator of faces: sex, age, looks and the head's shape from a picture (docs/faces.md)."""

    split: str = "judge"
    image_px: Positive = 64
    width: Positive = 24


class InceptionConfig(SteppedConfig, NormedConfig):
    """The Inception-V3 of the data's own classes, where `evaluate.inception` is own."""

    weights: Literal["sound2scene-inception"] | None = Field(None, description=_WEIGHTS)
    split: str = Field("train", description="labelled frames that it learns from")
    image_px: int = Field(299, ge=75, description="side at which it sees pictures")
    start: Literal["inception-v3-torchvision"] | None = Field(
        None, description="published weights that it goes on from, see `s2v weights list`; null: random ones"
    )

    @model_validator(mode="after")
    def _one_beginning(self) -> InceptionConfig:
        if self.weights and self.start:
            raise ValueError("start is where a training begins, and weights takes its place: give one of them")
        return self


class JudgeConfig(SteppedConfig, NormedConfig):
    """Stand-in for CLIP and Inception where their weights cannot be had, trained on the judge split alone."""

    split: str = "judge"
    image_px: Positive = 32
    width: Positive = 32
    dim: Positive = 64
    backbone: Literal["resnet10", "efficientnet-lite0"] = Field(
        "resnet10",
        description="efficientnet-lite0: ImageNet's, frozen, for pictures of the real world; weights in $S2V_WEIGHTS",
    )
    sees: Literal["colour", "edges"] = Field("colour", description="edges: grey pictures and their edges")
    broken: Fraction = Field(
        0.0,
        description="broken pictures beside each real one in training, to which the answer is none of the classes; 0: "
        "it has no such answer",
    )
    others: str | None = Field(None, description="split of pictures of other classes, to which the answer is the same")
    painted: dict[str, int] = Field(
        {},
        description="methods that see (icgan, ldm) and the number of a training seed (seeds.of) that is in no table: "
        "what these paint of the judge's own pictures is learned from too",
    )
    rejects: Fraction = Field(
        0.05, description="share of held-out real pictures that it may answer so: where the line is drawn"
    )

    @model_validator(mode="after")
    def _seen_as_trained(self) -> JudgeConfig:
        if self.backbone != "resnet10" and (self.sees != "colour" or self.image_px < 64):
            raise ValueError(
                f"{self.backbone} sees pictures in colour, of 64 px at least; give sees: colour and image_px: 128"
            )
        return self
