"""Stage `generator`: from rules/generator.smk to s2v/train/generator.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import GeneratorConfig
    from s2v.train.generator import run

    run(
        config=GeneratorConfig(**snakemake.params.config),
        packs=paths(snakemake.input.packs),
        features=paths(snakemake.input.features),
        encoder_dir=folder(snakemake.input.encoder),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
