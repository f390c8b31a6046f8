"""Stage `table1`: from rules/report.smk to s2v/report/table1.py."""

from adapter import job, paths, table_job

with job(snakemake):
    from s2v.report.table1 import run

    run(results=paths(snakemake.input.results), job=table_job(snakemake))
