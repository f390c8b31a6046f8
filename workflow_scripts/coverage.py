"""Stage `coverage`: from rules/report.smk to s2v/data/coverage.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.data.coverage import run

    run(
        manifest=paths(snakemake.input.manifest),
        stages=[
            *paths(snakemake.input.fetch),
            *paths(snakemake.input.extract),
            *paths(snakemake.input.left_out),
        ],
        csv=Path(snakemake.output.csv),
        summary=Path(snakemake.output.summary),
    )
