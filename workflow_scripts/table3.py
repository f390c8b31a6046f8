"""Stage `table3`: from rules/report.smk to s2v/report/table3.py."""

from adapter import job, paths, table_job

with job(snakemake):
    from s2v.report.table3 import run

    run(
        results=paths(snakemake.input.results),
        methods=snakemake.params.methods,
        controls=snakemake.params.controls,
        job=table_job(snakemake),
    )
