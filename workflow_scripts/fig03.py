"""Stage `fig03`: from rules/evidence.smk to s2v/report/fig03.py."""

from pathlib import Path

from adapter import job, optional, paths

with job(snakemake):
    from s2v.report.fig03 import run

    run(
        selection=paths(snakemake.input.selection),
        packs=paths(snakemake.input.packs),
        split=snakemake.params.split,
        truth=optional(snakemake.input.truth),
        output=Path(snakemake.output.figure),
        table=Path(snakemake.output.csv),
        quantities=Path(snakemake.output.quantities),
    )
