"""Stage `pack`: from rules/pack.smk to s2v/data/pack.py."""

from pathlib import Path

from adapter import job, optional

with job(snakemake):
    from s2v.config import PackConfig
    from s2v.data.pack import run

    split = snakemake.wildcards.split
    run(
        config=PackConfig(keep={split: snakemake.params.keep}),
        manifest=Path(snakemake.input.manifest),
        tar=Path(snakemake.input.tar),
        selection=optional(snakemake.input.selection),
        split=split,
        output=Path(snakemake.output.tar),
        index=Path(snakemake.output.index),
    )
