"""Stage `inception`: from rules/inception.smk to s2v/train/inception.py, or to published weights."""

from adapter import folder, job, paths

with job(snakemake, shared=not snakemake.params.config["weights"]) as settings:
    from s2v.config import InceptionConfig
    from s2v.train.inception import run
    from s2v.weights.convert import convert, file_of

    config = InceptionConfig(**snakemake.params.config)
    if config.weights:
        convert(config.weights, folder(snakemake.output))
    else:
        run(
            config=config,
            packs=paths(snakemake.input.packs),
            start=file_of(config.start) if config.start else None,
            output_dir=folder(snakemake.output),
            runtime=settings.runtime,
            threads=settings.threads,
        )
