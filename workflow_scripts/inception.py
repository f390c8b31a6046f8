"""Stage `inception`: from rules/inception.smk to s2v/train/inception.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import InceptionConfig
    from s2v.train.inception import run
    from s2v.weights.convert import file_of

    config = InceptionConfig(**snakemake.params.config)
    run(
        config=config,
        packs=paths(snakemake.input.packs),
        start=file_of(config.start) if config.start else None,
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
