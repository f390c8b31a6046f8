"""Stage `text_diffusion`: from rules/text_diffusion.smk to s2v/train/text_diffusion.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import TextDiffusionConfig
    from s2v.train.text_diffusion import run

    run(
        config=TextDiffusionConfig(**snakemake.params.config),
        packs=paths(snakemake.input.packs),
        vae_dir=folder(snakemake.input.vae),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
