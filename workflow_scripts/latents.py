"""Stage `latents`: from rules/latents.smk to s2v/train/latents.py."""

from pathlib import Path

from adapter import folder, job, paths

with job(snakemake) as settings:
    from s2v.train.latents import run

    run(
        packs=paths(snakemake.input.packs),
        vae_dir=folder(snakemake.input.vae),
        output=Path(snakemake.output.latents),
        runtime=settings.runtime,
        threads=settings.threads,
    )
