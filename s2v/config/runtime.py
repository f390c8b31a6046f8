"""How work is done, never what comes out."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from s2v.config.base import Positive, Seconds, Slice


class DownloadConfig(Slice):
    """Manners of downloading; see yt-dlp's options of the same meaning."""

    cookies: str | None = Field(None, description="a cookies.txt, for age-gated videos and higher limits")
    proxy: str | None = Field(None, description="e.g. socks5://127.0.0.1:1080")
    rate_limit_kbps: Positive | None = Field(None, description="kilobytes a second of one download; null is no limit")
    sleep_s: tuple[float, float] = Field((0.0, 0.0), description="shortest and longest pause between two videos")
    retries: int = Field(5, ge=0, description="of passing faults, each after twice the pause; final ones get none")
    timeout_s: Seconds = Field(30.0, description="without a byte, after which a connection counts as stalled")
    parallel: Positive = Field(2, description="videos of a shard that are downloaded at once")


TrainingName = Literal[
    "localise", "encoder", "generator", "align", "encoder_vit", "align_ldm", "align_unclip", "vae", "diffusion",
    "judge", "av_judge", "text_diffusion", "tagger", "audiotoken", "joint", "s2i_autoencoder", "s2i_generator",
    "pedersoli_vqvae", "pedersoli_audio", "face_reader", "inception",
]  # fmt: skip


DeviceBatch = Annotated[
    Annotated[Positive, Tag("number")] | Annotated[dict[TrainingName, Positive], Tag("names")],
    Discriminator(lambda value: "names" if isinstance(value, dict) else "number"),
]


class RuntimeConfig(Slice):
    """How work is done, never what comes out but for rounding (and see `device_batch`): changing it reruns nothing."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes CUDA when it is there")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto",
        description="of trainings. auto: bf16 autocast on CUDA, and on a CPU that computes with bf16 where it is "
        "known to be faster; else fp32",
    )
    ffmpeg: str = Field("bundled", description="bundled (imageio-ffmpeg), system (found on PATH), or a path")
    processes: Positive = Field(
        1, description="processes that share each batch of a training: the number of GPUs to use"
    )
    nodes: Positive = Field(
        1, description="nodes of a SLURM job that have equally many of these processes; see docs/cluster.md"
    )
    device_batch: DeviceBatch | None = Field(
        None,
        description="most samples of a batch that one process computes at once, where its GPU has no memory for more, "
        "of all trainings or by name; null: its share. Batch norm sees what is computed at once; all else stays",
    )
    threads: dict[TrainingName, Positive] = Field(
        {},
        description="of the CPU that a training takes, by name; the others take half of the cores each. On a "
        "cluster the profile says it",
    )
    workers: int = Field(0, ge=0, description="programs that decode the samples of a training; 0: the training itself")
    memory_gb: float = Field(4.0, ge=0, description="decoded samples above this lie in a file, not in memory")
    scratch: str | None = Field(None, description="folder of that file, on a disk of the node; null: beside the result")
    resume: Literal["matching", "any"] = Field(
        "matching", description="any: a training goes on from a checkpoint of other code, data or settings too"
    )
    download: DownloadConfig = DownloadConfig()

    @model_validator(mode="after")
    def _shared_evenly(self) -> Self:
        if self.processes % self.nodes:
            raise ValueError(f"{self.processes} processes cannot be shared evenly by {self.nodes} nodes")
        return self

    def of(self, stage: str) -> RuntimeConfig:
        """What holds for one stage."""
        if not isinstance(self.device_batch, dict):
            return self
        size = next((size for name, size in self.device_batch.items() if name == stage), None)
        return self.model_copy(update={"device_batch": size})
