"""Stage `table_vegas5`: from rules/fig15.smk to s2v/report/table_vegas5.py."""

from adapter import job, paths, table_job

with job(snakemake):
    from s2v.report.table_vegas5 import run

    run(
        results=paths(snakemake.input.results),
        methods=snakemake.params.methods,
        classes=snakemake.params.classes,
        job=table_job(snakemake),
    )
