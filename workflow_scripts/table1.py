"""Stage `table1`: from rules/report.smk to s2v/report/table1.py."""

from adapter import job, optional, paths, table_job

with job(snakemake):
    from s2v.evaluate.kinds import kinds
    from s2v.evaluate.selection import showing
    from s2v.report.table1 import run

    truth = optional(snakemake.input.truth)
    run(
        results=paths(snakemake.input.results),
        job=table_job(snakemake),
        shown=showing(paths(snakemake.input.selection), truth) if truth else None,
        kinds=kinds(truth, snakemake.params.splits[0]) if truth else None,
    )
