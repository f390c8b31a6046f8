"""Stage `vae`: from rules/vae.smk to s2v/train/vae.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import VaeConfig
    from s2v.train.vae import run

    run(
        config=VaeConfig(**snakemake.params.config),
        packs=paths(snakemake.input.packs),
        encoder_dir=folder(snakemake.input.encoder) if snakemake.input.encoder else None,
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
