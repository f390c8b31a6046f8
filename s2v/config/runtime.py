"""How work is done, never what comes out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

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


class RuntimeConfig(Slice):
    """How work is done, never what comes out: changing these reruns nothing."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes CUDA when it is there")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 autocast on CUDA, fp32 on CPU")
    ffmpeg: str = Field("bundled", description="bundled (imageio-ffmpeg), system (found on PATH), or a path")
    processes: Positive = Field(
        1, description="processes that share each batch of a training: the number of GPUs to use"
    )
    device_batch: Positive | None = Field(
        None,
        description="most samples of a batch that one process of a training computes at once, where its GPU has no "
        "memory for more; null: its whole share. Batch norm sees what is computed at once; nothing else depends on it",
    )
    workers: int = Field(0, ge=0, description="programs that decode the samples of a training; 0: the training itself")
    memory_gb: float = Field(4.0, ge=0, description="decoded samples above this lie in a file, not in memory")
    scratch: str | None = Field(None, description="folder of that file, on a disk of the node; null: beside the result")
    resume: Literal["matching", "any"] = Field(
        "matching", description="any: a training goes on from a checkpoint of other code, data or settings too"
    )
    download: DownloadConfig = DownloadConfig()
