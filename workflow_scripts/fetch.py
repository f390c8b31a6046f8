"""Stage `fetch`: from rules/fetch.smk to s2v/data/fetch.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake) as settings:
    from s2v.config import DataConfig
    from s2v.data.fetch import run

    run(
        config=DataConfig(**snakemake.params.config),
        manifest=Path(snakemake.input.manifest),
        status=Path(snakemake.output.status),
        video_dir=Path(snakemake.params.videos, "videos", snakemake.wildcards.shard),
        ffmpeg=settings.ffmpeg(),
        workers=settings.threads,
        download=settings.runtime.download,
        unpacked=paths(snakemake.input.unpacked),
    )
