"""Stage `generator`: from rules/generator.smk to s2v/train/generator.py, or to published weights."""

from adapter import folder, job, paths

with job(snakemake, shared=not snakemake.params.config["weights"]) as settings:
    from s2v.config import GeneratorConfig
    from s2v.train.generator import run
    from s2v.weights.convert import convert

    config = GeneratorConfig(**snakemake.params.config)
    if config.weights:
        convert(config.weights, folder(snakemake.output))
    else:
        run(
            config=config,
            packs=paths(snakemake.input.packs),
            features=paths(snakemake.input.features),
            encoder_dir=folder(snakemake.input.encoder),
            output_dir=folder(snakemake.output),
            runtime=settings.runtime,
            threads=settings.threads,
        )
