"""Stage `table1`: from rules/report.smk to s2v/report/tables.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.report.tables import run

    run(
        results=paths(snakemake.input.results),
        coverage=Path(snakemake.input.coverage),
        splits=snakemake.params.splits,
        dataset=snakemake.params.dataset,
        deviations=snakemake.params.deviations,
        bootstrap=snakemake.params.bootstrap,
        output=Path(snakemake.output.csv),
        markdown=Path(snakemake.output.markdown),
        quantities=Path(snakemake.output.quantities),
    )
