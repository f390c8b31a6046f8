"""Stage `embed`: from rules/embed.smk to s2v/train/embed.py."""

from pathlib import Path

from adapter import folder, job, paths

with job(snakemake) as settings:
    from s2v.train.embed import run

    run(
        packs=paths(snakemake.input.packs),
        frame=snakemake.params.frame,
        encoder_dir=folder(snakemake.input.encoder),
        output=Path(snakemake.output.features),
        keys=Path(snakemake.output.names),
        runtime=settings.runtime,
        threads=settings.threads,
    )
