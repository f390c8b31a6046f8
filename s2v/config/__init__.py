"""The configuration: one class per stage. A rule passes its stage exactly its slice, so that editing one value
reruns what depends on it and nothing else. Stages take a slice as an argument; they never read the whole."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from s2v.config.audiotoken import AudioTokenConfig, TaggerConfig, TextDiffusionConfig
from s2v.config.base import Slice
from s2v.config.data import (
    CelebVHqConfig,
    DataConfig,
    DuplicatesConfig,
    ExtractConfig,
    FolderConfig,
    PackConfig,
    RenderedConfig,
    SelectConfig,
    SourceConfig,
    SpeakersConfig,
    VegasConfig,
    VggSoundConfig,
    VideosConfig,
    WorldConfig,
)
from s2v.config.diffusion import (
    DiffusionConfig,
    SamplerConfig,
    VaeConfig,
)
from s2v.config.evaluation import (
    AblationConfig,
    AblationRow,
    AttentionConfig,
    EvaluateConfig,
    GenerateConfig,
    HeadsConfig,
    RetrievalConfig,
    ScalingConfig,
    SeedsConfig,
    SnapConfig,
    Table3Config,
)
from s2v.config.fig15 import (
    Fig15Config,
    PedersoliAudioConfig,
    PedersoliVqvaeConfig,
    S2iAutoencoderConfig,
    S2iGeneratorConfig,
)
from s2v.config.foreign import MethodName
from s2v.config.lee import JointConfig, JointTextConfig, LeeConfig
from s2v.config.mel import MelConfig
from s2v.config.runtime import (
    DownloadConfig,
    RuntimeConfig,
)
from s2v.config.study import StudyConfig
from s2v.config.training import (
    AlignConfig,
    AudioConfig,
    AvJudgeConfig,
    EncoderConfig,
    FaceReaderConfig,
    GeneratorConfig,
    InceptionConfig,
    JudgeConfig,
    LocaliseConfig,
    SoundAugmentConfig,
    SteppedConfig,
    TrainingConfig,
    VitConfig,
)
from s2v.config.unclip import EmbedUnclipConfig, UnclipConfig


class Config(Slice):
    """A whole configuration."""

    base: str | None = Field(None, description="a file that is laid under the one that names it, from its own folder")
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
    judges: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")], JudgeConfig] = Field(
        {}, description="further evaluators, each over `judge`; R@k is the mean over all"
    )
    inception: InceptionConfig = InceptionConfig()
    face_reader: FaceReaderConfig = FaceReaderConfig()
    heads: HeadsConfig = HeadsConfig()
    av_judge: AvJudgeConfig = Field(AvJudgeConfig(), description="evaluator of sounds and pictures, over `localise`")
    evaluate: EvaluateConfig = EvaluateConfig()
    seeds: SeedsConfig = SeedsConfig()
    ablation: AblationConfig = AblationConfig()
    attention: AttentionConfig = AttentionConfig()
    scaling: ScalingConfig = ScalingConfig()
    encoder_vit: EncoderConfig = Field(EncoderConfig(), description="f_V of the latent diffusion model, over `encoder`")
    align_ldm: AlignConfig = Field(AlignConfig(), description="f_A of the latent diffusion model, over `align`")
    vae: VaeConfig = VaeConfig()
    diffusion: DiffusionConfig = DiffusionConfig()
    text_diffusion: TextDiffusionConfig = TextDiffusionConfig()
    tagger: TaggerConfig = TaggerConfig()
    audiotoken: AudioTokenConfig = AudioTokenConfig()
    embed_unclip: EmbedUnclipConfig = EmbedUnclipConfig()
    align_unclip: AlignConfig = Field(
        AlignConfig(head="fc2", loss="total_raw"), description="f_A of Stable unCLIP, over `align`"
    )
    s2i_autoencoder: S2iAutoencoderConfig = S2iAutoencoderConfig()
    s2i_generator: S2iGeneratorConfig = S2iGeneratorConfig()
    pedersoli_vqvae: PedersoliVqvaeConfig = PedersoliVqvaeConfig()
    pedersoli_audio: PedersoliAudioConfig = PedersoliAudioConfig()
    fig15: Fig15Config = Fig15Config()
    joint: JointConfig = JointConfig()
    lee: LeeConfig = LeeConfig()
    study: StudyConfig = StudyConfig()


INHERITS = {"encoder_vit": "encoder", "align_ldm": "align", "align_unclip": "align", "av_judge": "localise"}
"""Sections of which a file names only what differs from another one."""

LIKE_GENERATOR = ("vae", "diffusion", "pedersoli_vqvae")
"""Sections that learn from the pictures that `generator` learns from, unless told otherwise."""


def inherited(values: dict[str, Any]) -> dict[str, Any]:
    """`values` of a whole configuration, with the sections of `INHERITS` filled up, key by key.

    What other systems learn of pictures alone they learn from those that the GAN learns from (`LIKE_GENERATOR`).
    Published weights are for the section that names them alone.
    """
    low = {base: _without(values.get(base, {}), "weights") for base in INHERITS.values()}
    generator = values.get("generator", {})
    seen = {"splits": generator["splits"]} if isinstance(generator, dict) and "splits" in generator else {}
    filled = {section: _filled(low[base], values.get(section, {})) for section, base in INHERITS.items()}
    judges = values.get("judges")
    if isinstance(judges, dict):
        filled["judges"] = {name: _filled(values.get("judge", {}), own) for name, own in judges.items()}
    return values | filled | {section: _filled(seen, values.get(section, {})) for section in LIKE_GENERATOR}


def _without(section: Any, key: str) -> Any:
    return {k: v for k, v in section.items() if k != key} if isinstance(section, dict) else section


def _filled(low: Any, high: Any) -> Any:
    if not isinstance(low, dict) or not isinstance(high, dict):
        return high
    return low | {key: _filled(low.get(key), value) for key, value in high.items()}


def json_schema() -> dict[str, Any]:
    """JSON schema of a configuration file (config.schema.json), as `snakemake.utils.validate` takes it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}
    schema["title"] = "Configuration of s2v"
    return schema


__all__ = [
    "INHERITS",
    "AblationConfig",
    "AblationRow",
    "AlignConfig",
    "AttentionConfig",
    "AudioConfig",
    "SoundAugmentConfig",
    "AudioTokenConfig",
    "AvJudgeConfig",
    "CelebVHqConfig",
    "Config",
    "DataConfig",
    "DiffusionConfig",
    "DownloadConfig",
    "DuplicatesConfig",
    "EmbedUnclipConfig",
    "EncoderConfig",
    "EvaluateConfig",
    "ExtractConfig",
    "Fig15Config",
    "FolderConfig",
    "GenerateConfig",
    "HeadsConfig",
    "GeneratorConfig",
    "JointConfig",
    "JointTextConfig",
    "FaceReaderConfig",
    "InceptionConfig",
    "JudgeConfig",
    "LeeConfig",
    "LocaliseConfig",
    "MelConfig",
    "MethodName",
    "PackConfig",
    "PedersoliAudioConfig",
    "PedersoliVqvaeConfig",
    "RenderedConfig",
    "RetrievalConfig",
    "RuntimeConfig",
    "S2iAutoencoderConfig",
    "S2iGeneratorConfig",
    "SamplerConfig",
    "ScalingConfig",
    "SeedsConfig",
    "SelectConfig",
    "Slice",
    "SnapConfig",
    "SourceConfig",
    "SpeakersConfig",
    "SteppedConfig",
    "StudyConfig",
    "TaggerConfig",
    "Table3Config",
    "TextDiffusionConfig",
    "TrainingConfig",
    "UnclipConfig",
    "VaeConfig",
    "VegasConfig",
    "VggSoundConfig",
    "VideosConfig",
    "VitConfig",
    "WorldConfig",
    "inherited",
    "json_schema",
]
