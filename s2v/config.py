"""The configuration: one class per stage. A rule passes its stage exactly its slice, so that editing one value
reruns what depends on it and nothing else. Stages take a slice as an argument; they never read the whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0.0)]
MethodName = Literal[
    "icgan", "sound2vision", "retrieval", "upper_bound", "icgan_top1", "icgan_mid", "upper_bound_top1",
    "upper_bound_mid", "sound2vision_shuffled", "sound2vision_scrambled",
]
"""`s2v.evaluate.generate.known_methods()`, spelled out so that a wrong name is told before anything runs."""


class Slice(BaseModel):
    """Base of all slices: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DownloadConfig(Slice):
    """Manners of downloading; see yt-dlp's options of the same meaning."""

    cookies: str | None = Field(None, description="a cookies.txt, for age-gated videos and higher limits")
    proxy: str | None = Field(None, description="e.g. socks5://127.0.0.1:1080")
    rate_limit_kbps: Positive | None = Field(None, description="kilobytes a second of one download; null is no limit")
    sleep_s: tuple[float, float] = Field((0.0, 0.0), description="shortest and longest pause between two videos")
    retries: int = Field(5, ge=0, description="of passing faults, each after twice the pause; final ones get none")
    timeout_s: Seconds = Field(30.0, description="without a byte, after which a connection counts as stalled")
    parallel: Positive = Field(2, description="videos of a shard that are downloaded at once")


class RuntimeConfig(Slice):
    """How work is done, never what comes out: changing these reruns nothing."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes CUDA when it is there")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 autocast on CUDA, fp32 on CPU")
    ffmpeg: str = Field("bundled", description="bundled (imageio-ffmpeg), system (found on PATH), or a path")
    processes: Positive = Field(1, description="processes that share one training (DDP): the number of GPUs to use")
    workers: int = Field(0, ge=0, description="data loading workers; 0 keeps loading in the training process")
    download: DownloadConfig = DownloadConfig()


class SourceConfig(Slice):
    """A section of `data` that names clips."""

    def split_names(self) -> list[str]:
        """Splits that its clips are in."""
        return ["train", "val", "test"]

    def watched(self) -> tuple[str | None, list[str | None]]:
        """A folder and files that may change without the configuration."""
        return None, []


class WorldConfig(SourceConfig):
    """The embedded world (docs/world.md)."""

    classes: list[str] = Field(min_length=2, description="names from `s2v world classes`")
    clips: dict[str, Positive] = Field(description="clips per class in each split: train, val, test, images, judge")
    photos_per_reel: Positive = Field(16, description="pictures in one clip of the image-only splits")
    size_px: Positive = Field(128, description="side of the videos")
    fps: Positive = Field(10, description="frames a second of the videos")
    duration_s: tuple[float, float] = Field((4.0, 6.0), description="shortest and longest clip")
    seed: int = Field(0, description="another seed is another world")

    def split_names(self) -> list[str]:
        """Those that have clips."""
        return list(self.clips)


class FolderConfig(SourceConfig):
    """A user's own folder of videos."""

    path: str = Field("videos", description="searched for video files, sub-folders included")
    labels: Literal["subfolder", "csv", "none"] = "subfolder"
    csv: str | None = Field(None, description="with labels: csv, a file with the columns path,label[,split]")
    splits: dict[str, Fraction] = Field(
        {"train": 0.7, "val": 0.1, "test": 0.1, "judge": 0.1},
        description="shares; a clip's split follows from a hash of its name, so adding clips moves none",
    )

    def split_names(self) -> list[str]:
        """Those with a share."""
        return [name for name, share in self.splits.items() if share > 0]

    def watched(self) -> tuple[str | None, list[str | None]]:
        """The folder and its list."""
        return self.path, [self.csv]


class VggSoundConfig(SourceConfig):
    """VGGSound (Chen et al. 2020): rows of YouTube id, start second, label, split; clips of 10 s."""

    csv: str = Field("vggsound.csv", description="the published list")
    classes: list[str] | None = Field(None, description="names of the list; null takes n_classes")
    n_classes: Positive | None = Field(50, description="nested sets: the paper's 50 first; null is all of the list")
    val_share: Fraction = Field(0.05, description="share of the list's train split that stops alignment; by hash of id")

    def watched(self) -> tuple[str | None, list[str | None]]:
        """The list."""
        return None, [self.csv]


class VegasConfig(SourceConfig):
    """VEGAS (Zhou et al. 2018): a folder for each class with its videos."""

    path: str = Field("vegas", description="the unpacked archive: {class}/videos/*.mp4, or {class}/*.mp4")
    csv: str | None = Field(None, description="path,label,split of a published or own list; null draws one by seed")
    classes: list[str] | None = Field(None, description="names of folders; null is all ten")
    train: Positive = Field(800, description="videos a class (paper 4.1)")
    test: Positive = Field(50, description="videos a class (paper 4.1)")
    val_share: Fraction = Field(0.05, description="share of the training videos that stops alignment")
    seed: int = 0

    def watched(self) -> tuple[str | None, list[str | None]]:
        """The folder and its list."""
        return self.path, [self.csv]


class CelebVHqConfig(SourceConfig):
    """CelebV-HQ (Zhu et al. 2022): spans of YouTube videos with a box around the face."""

    json_file: str = Field("celebvhq_info.json", description="the published list")
    train: Positive = Field(20000, description="clips for training, the rest is for test (paper 6.1)")
    val_share: Fraction = Field(0.05, description="share of the training clips that stops alignment")
    seed: int = 0

    def watched(self) -> tuple[str | None, list[str | None]]:
        """The list."""
        return None, [self.json_file]


class VideosConfig(Slice):
    """Where the videos of a data set of ids come from."""

    source: Literal["youtube", "local_tree", "tar_urls"] = "local_tree"
    path: str | None = Field(None, description="local_tree: a folder of videos under any of the usual id styles")
    tars: list[str] = Field([], description="tar_urls: tars of videos by path or http(s) URL, read in one pass each")
    height: Positive = Field(360, description="youtube: largest height that is asked for")
    format: str | None = Field(None, description="youtube: a format expression of yt-dlp in place of `height`")


SourceName = Literal["world", "folder", "vggsound", "vegas", "celebvhq"]


class DataConfig(Slice):
    """Where the videos come from."""

    source: SourceName = "world"
    shards: Positive = Field(8, description="number of work units; fixed, clips are assigned by a hash of their id")
    world: WorldConfig | None = None
    folder: FolderConfig | None = None
    vggsound: VggSoundConfig | None = None
    vegas: VegasConfig | None = None
    celebvhq: CelebVHqConfig | None = None
    videos: VideosConfig = VideosConfig()

    def section(self) -> SourceConfig | None:
        """The section that `source` names."""
        found: SourceConfig | None = getattr(self, self.source)
        return found


class ExtractConfig(Slice):
    """One decode pass per video: 16 kHz waveform and frames."""

    reader: Literal["ffmpeg", "decord"] = "ffmpeg"
    frames: Literal["exact", "fast"] = Field(
        "exact", description="fast does not decode frames that no other needs, so a kept frame may be a little off"
    )
    sample_rate_hz: Positive = 16000
    fps: Positive = Field(10, description="frames a second that selection may choose from (paper's authors: 10)")
    short_side_px: Positive = 256
    jpeg_quality: int = Field(92, ge=1, le=100)
    min_duration_s: Seconds = 1.0
    max_duration_s: Seconds = Field(60.0, description="what lies after this is not read")
    timeout_s: Seconds = 120.0
    silence_dbfs: float = Field(-60.0, description="a clip whose loudest 50 ms lie below this is silent")
    soundless_splits: list[str] = Field(["images", "judge"], description="splits whose clips need no sound")
    black_level: Fraction = Field(0.04, description="a clip whose brightest frame's mean lies below this is black")
    still_difference: Fraction = Field(
        0.0, description="a clip whose frames differ from its first by less than this on average is left out as still"
    )


class AudioConfig(Slice):
    """The log-spectrogram: scipy's default PSD, 257 bins, hop 159, ln(x + floor), then per-clip mean 0 and std 1."""

    window_s: Seconds = Field(10.0, description="shorter clips are tiled, longer ones cut")
    n_fft: Positive = 512
    hop: Positive = 159
    log_floor: float = Field(1e-7, gt=0)


class TrainingConfig(Slice):
    """What every training has."""

    batch_size: Positive = 64
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-5, ge=0)
    checkpoint_every: Positive = Field(100, description="steps")
    seed: int = 0


class SteppedConfig(TrainingConfig):
    """Trainings whose length is a number of steps."""

    steps: Positive = 1000


class LocaliseConfig(SteppedConfig):
    """The audio-visual localisation model that finds the moment to learn from."""

    image_px: Positive = 48
    width: Positive = 16
    dim: Positive = 64
    window_s: Seconds = Field(1.0, description="sound around a moment")
    sharpness: float = Field(4.0, gt=0, description="how far a clip's score is that of its best moment, not their mean")
    frames_per_clip: Positive = Field(8, description="moments of a clip that training draws from")
    frames_per_step: Positive = Field(4, description="moments of a clip that one step sees")
    max_clips: Positive = Field(20000, description="more clips than this are not held in memory; taken by hash of id")


class SelectConfig(Slice):
    """Which frame of a clip is paired with its sound."""

    mode: Literal["top1", "mid", "published"] = Field(
        "top1", description="top1: best moment (paper 3.3); mid: the middle frame; published: those of `moments`"
    )
    top_k: Positive = 10
    moments: str | None = Field(None, description="published: the authors' top1_boxes_top10_moments.json")
    moments_first: int = Field(1, ge=0, le=1, description="number of the first frame there; its authors do not say")
    require_moment: list[str] = Field(
        ["train", "val"], description="published: splits whose clips are left out where the file has none for them"
    )


class DuplicatesConfig(Slice):
    """Clips of other splits that show the same as a clip of the test split."""

    max_distance: Annotated[int, Field(ge=0, le=16)] | None = Field(
        None, description="bits of 64 in which the hashes of two like frames may differ; null leaves the stage out"
    )


class PackConfig(Slice):
    """WebDataset shards."""

    keep: dict[str, Literal["selected", "all"]] = Field(
        {"images": "all", "judge": "all"}, description="which frames of a split are packed; selected where not named"
    )


class EncoderConfig(SteppedConfig):
    """f_V: ResNet trained with SwAV (paper 3.2; Caron et al. 2020)."""

    splits: list[str] = Field(["images"], description="packed splits whose frames it is trained on")
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


class GeneratorConfig(SteppedConfig):
    """G: IC-GAN's BigGAN (paper 3.2; Casanova et al. 2021)."""

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


class AlignConfig(TrainingConfig):
    """f_A: ResNet-18 on the log-spectrogram, aligned to f_V (paper 3.1)."""

    audio: AudioConfig = AudioConfig()
    width: Positive = 64
    final_relu: bool = Field(False, description="the authors' code ends in a ReLU; the paper does not say so")
    loss: Literal["total", "nce", "l2"] = Field("total", description="total: Eq. 1-2; nce: cosine InfoNCE; l2")
    temperature: float = Field(1.0, gt=0, description="the paper and the authors' code have none, which is 1")
    epochs: Positive = 50
    patience: Positive = Field(5, description="epochs without a better validation loss before it stops")


class RetrievalConfig(Slice):
    """Row C: nearest training image."""

    database: Literal["generator_memory", "train"] = "generator_memory"


class GenerateConfig(Slice):
    """Pictures for the test clips."""

    methods: list[MethodName] = Field(
        ["icgan", "sound2vision", "retrieval", "upper_bound"],
        description="rows of the table, and the controls that table1.md shows beside them",
    )
    seeds: list[int] = Field([0, 1, 2], min_length=1)
    split: str = "test"
    window_s: Seconds = 10.0
    icgan_frame: Literal["top1", "mid"] = Field("mid", description="frame of a test clip that row A sees")
    upper_bound_frame: Literal["top1", "mid"] = "top1"
    truncation: float = Field(0.0, ge=0, description="truncated noise; 0 is off, as in the paper")
    retrieval: RetrievalConfig = RetrievalConfig()


class JudgeConfig(SteppedConfig):
    """Stand-in for CLIP and Inception where their weights cannot be had, trained on the judge split alone."""

    split: str = "judge"
    image_px: Positive = 32
    width: Positive = 32
    dim: Positive = 64


class EvaluateConfig(Slice):
    """The protocol of R@k, FID and IS."""

    evaluator: Literal["judge", "clip_inception", "none"] = "judge"
    prompt: str = Field("{}", description="template around a class name")
    reference_split: str = "test"
    inception_splits: Positive = Field(10, description="parts of the Inception Score")
    bootstrap: Positive = 1000


class Config(Slice):
    """A whole configuration."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    output: str = Field(description="root of everything that a run writes; one per configuration")
    runtime: RuntimeConfig = RuntimeConfig()
    data: DataConfig
    extract: ExtractConfig = ExtractConfig()
    localise: LocaliseConfig = LocaliseConfig()
    select: SelectConfig = SelectConfig()
    duplicates: DuplicatesConfig = DuplicatesConfig()
    pack: PackConfig = PackConfig()
    encoder: EncoderConfig = EncoderConfig()
    generator: GeneratorConfig = GeneratorConfig()
    align: AlignConfig = AlignConfig()
    generate: GenerateConfig = GenerateConfig()
    judge: JudgeConfig = JudgeConfig()
    evaluate: EvaluateConfig = EvaluateConfig()


def json_schema() -> dict[str, Any]:
    """JSON schema of a configuration file (config.schema.json), as `snakemake.utils.validate` takes it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}
    schema["title"] = "Configuration of s2v"
    return schema


__all__ = [
    "AlignConfig",
    "AudioConfig",
    "CelebVHqConfig",
    "Config",
    "DataConfig",
    "DownloadConfig",
    "DuplicatesConfig",
    "EncoderConfig",
    "EvaluateConfig",
    "ExtractConfig",
    "FolderConfig",
    "GenerateConfig",
    "GeneratorConfig",
    "JudgeConfig",
    "LocaliseConfig",
    "PackConfig",
    "RetrievalConfig",
    "RuntimeConfig",
    "SelectConfig",
    "Slice",
    "SourceConfig",
    "SteppedConfig",
    "TrainingConfig",
    "VegasConfig",
    "VggSoundConfig",
    "VideosConfig",
    "WorldConfig",
    "json_schema",
]
