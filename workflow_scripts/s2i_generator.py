"""Stage `s2i_generator`: from rules/s2i_generator.smk to s2v/train/s2i_generator.py, or to published weights."""

from adapter import folder, job, paths

with job(snakemake, shared=not snakemake.params.config["weights"]) as settings:
    from s2v.config import S2iGeneratorConfig
    from s2v.train.s2i_generator import run
    from s2v.weights.convert import convert

    config = S2iGeneratorConfig(**snakemake.params.config)
    if config.weights:
        convert(config.weights, folder(snakemake.output))
    else:
        run(
            config=config,
            packs=paths(snakemake.input.packs),
            autoencoder_dir=folder(snakemake.input.autoencoder),
            output_dir=folder(snakemake.output),
            runtime=settings.runtime,
            threads=settings.threads,
        )
