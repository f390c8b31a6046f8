"""Stage `duplicates`: from rules/duplicates.smk to s2v/data/duplicates.py."""

from adapter import job, paths

with job(snakemake):
    from s2v.config import DuplicatesConfig
    from s2v.data.duplicates import run

    run(
        config=DuplicatesConfig(**snakemake.params.config),
        manifest=paths(snakemake.input.manifest),
        extracted=paths(snakemake.input.extracted),
        test_split=snakemake.params.test_split,
        outputs=paths(snakemake.output.shards),
    )
