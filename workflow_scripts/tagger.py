"""Stage `tagger`: from rules/tagger.smk to s2v/train/tagger.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import TaggerConfig
    from s2v.train.tagger import run

    run(
        config=TaggerConfig(**snakemake.params.config),
        packs=paths(snakemake.input.packs),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
