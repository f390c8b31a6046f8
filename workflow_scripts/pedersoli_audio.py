"""Stage `pedersoli_audio`: from rules/pedersoli_audio.smk to s2v/train/pedersoli_audio.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import PedersoliAudioConfig
    from s2v.train.pedersoli_audio import run

    run(
        config=PedersoliAudioConfig(**snakemake.params.config),
        packs=paths(snakemake.input.packs),
        vqvae_dir=folder(snakemake.input.vqvae),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
