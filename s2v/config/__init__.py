"""The configuration: one class per stage. A rule passes its stage exactly its slice, so that editing one value
reruns what depends on it and nothing else. Stages take a slice as an argument; they never read the whole."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from s2v.config.base import Slice
from s2v.config.data import (
    CelebVHqConfig,
    DataConfig,
    DuplicatesConfig,
    ExtractConfig,
    FolderConfig,
    PackConfig,
    SelectConfig,
    SourceConfig,
    VegasConfig,
    VggSoundConfig,
    VideosConfig,
    WorldConfig,
)
from s2v.config.evaluation import (
    EvaluateConfig,
    GenerateConfig,
    MethodName,
    RetrievalConfig,
)
from s2v.config.runtime import (
    DownloadConfig,
    RuntimeConfig,
)
from s2v.config.training import (
    AlignConfig,
    AudioConfig,
    EncoderConfig,
    GeneratorConfig,
    JudgeConfig,
    LocaliseConfig,
    SteppedConfig,
    TrainingConfig,
)


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
    "MethodName",
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
