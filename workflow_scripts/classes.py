"""Stage `classes`: from rules/scaling.smk to s2v/data/subset.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.data.subset import run

    run(
        manifest=paths(snakemake.input.manifest),
        first=snakemake.params.first,
        size=int(snakemake.wildcards.size),
        output=Path(snakemake.output.classes),
    )
