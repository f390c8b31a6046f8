"""Stage `audiotoken`: from rules/audiotoken.smk to s2v/train/audiotoken.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import AudioTokenConfig
    from s2v.train.audiotoken import run

    run(
        config=AudioTokenConfig(**snakemake.params.config),
        train_packs=paths(snakemake.input.train),
        val_packs=paths(snakemake.input.val),
        tagger_dir=folder(snakemake.input.tagger),
        diffusion_dir=folder(snakemake.input.diffusion),
        vae_dir=folder(snakemake.input.vae),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
