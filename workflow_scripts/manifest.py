"""Stage `manifest`: from rules/manifest.smk to s2v/data/manifest.py."""

from adapter import folder, job, optional

with job(snakemake):
    from s2v.config import DataConfig
    from s2v.data.manifest import run

    run(
        config=DataConfig(**snakemake.params.config),
        output_dir=folder(snakemake.output.shards),
        truth=optional(snakemake.output.truth),
    )
