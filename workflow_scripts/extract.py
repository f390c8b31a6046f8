"""Stage `extract`: from rules/extract.smk to s2v/data/extract.py."""

from pathlib import Path

from adapter import job

with job(snakemake) as settings:
    from s2v.config import ExtractConfig
    from s2v.data.extract import run

    limit = ExtractConfig.model_validate(snakemake.config.get("extract", {})).max_failed_share
    run(
        config=ExtractConfig(**snakemake.params.config, max_failed_share=limit),
        manifest=Path(snakemake.input.manifest),
        fetched=Path(snakemake.input.fetched),
        tar=Path(snakemake.output.tar),
        status=Path(snakemake.output.status),
        ffmpeg=settings.ffmpeg(),
        workers=settings.threads,
    )
