"""Stage `encoder`: from rules/encoder.smk to s2v/train/encoder.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import EncoderConfig
    from s2v.train.encoder import run

    run(
        config=EncoderConfig(**snakemake.params.config),
        packs=paths(snakemake.input.packs),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
