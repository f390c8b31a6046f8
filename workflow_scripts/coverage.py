"""Stage `coverage`: from rules/report.smk to s2v/data/coverage.py and s2v/report/coverage.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.data.coverage import run
    from s2v.report.coverage import run as draw

    run(
        manifest=paths(snakemake.input.manifest),
        stages=[
            *paths(snakemake.input.fetch),
            *paths(snakemake.input.extract),
            *paths(snakemake.input.left_out),
        ],
        csv=Path(snakemake.output.csv),
        by_class=Path(snakemake.output.by_class),
        summary=Path(snakemake.output.summary),
    )
    draw(by_class=Path(snakemake.output.by_class), output=Path(snakemake.output.figure))
