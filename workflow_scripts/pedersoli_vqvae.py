"""Stage `pedersoli_vqvae`: from rules/pedersoli_vqvae.smk to s2v/train/pedersoli_vqvae.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import PedersoliVqvaeConfig
    from s2v.train.pedersoli_vqvae import run

    run(
        config=PedersoliVqvaeConfig(**snakemake.params.config),
        packs=paths(snakemake.input.packs),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
