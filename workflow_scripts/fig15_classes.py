"""Stage `fig15_classes`: from rules/fig15.smk to s2v/data/chosen.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.data.chosen import run

    run(
        manifest=paths(snakemake.input.manifest),
        names=snakemake.params.names,
        split=snakemake.params.split,
        output=Path(snakemake.output.classes),
    )
