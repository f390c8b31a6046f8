"""Stage `s2i_autoencoder`: from rules/s2i_autoencoder.smk to s2v/train/s2i_autoencoder.py, or to published weights."""

from adapter import folder, job, paths

with job(snakemake, shared=not snakemake.params.config["weights"]) as settings:
    from s2v.config import S2iAutoencoderConfig
    from s2v.train.s2i_autoencoder import run
    from s2v.weights.convert import convert

    config = S2iAutoencoderConfig(**snakemake.params.config)
    if config.weights:
        convert(config.weights, folder(snakemake.output))
    else:
        run(
            config=config,
            packs=paths(snakemake.input.packs),
            output_dir=folder(snakemake.output),
            runtime=settings.runtime,
            threads=settings.threads,
        )
