"""Stage `diffusion`: from rules/diffusion.smk to s2v/train/diffusion.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import DiffusionConfig
    from s2v.train.diffusion import run

    run(
        config=DiffusionConfig(**snakemake.params.config),
        latents=paths(snakemake.input.latents),
        features=paths(snakemake.input.features),
        vae_dir=folder(snakemake.input.vae),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
