"""Stage `localise`: from rules/localise.smk to s2v/train/localise.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import AudioConfig, LocaliseConfig
    from s2v.train.localise import run

    run(
        config=LocaliseConfig(**snakemake.params.config),
        audio=AudioConfig(**snakemake.params.audio),
        tars=paths(snakemake.input.tars),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
