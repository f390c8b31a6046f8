"""Stage `embed_unclip`: from rules/embed_unclip.smk to s2v/train/embed_unclip.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake) as settings:
    from s2v.config import EmbedUnclipConfig
    from s2v.train.embed_unclip import run

    run(
        config=EmbedUnclipConfig(**snakemake.params.config),
        packs=paths(snakemake.input.packs),
        output=Path(snakemake.output.features),
        keys=Path(snakemake.output.names),
        runtime=settings.runtime,
        threads=settings.threads,
    )
