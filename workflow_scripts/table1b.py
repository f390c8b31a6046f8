"""Stage `table1b`: from rules/table1b.smk to s2v/study/score.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.study.score import run

    run(
        key=Path(snakemake.input.key),
        answers=paths(snakemake.input.answers),
        csv=Path(snakemake.output.csv),
        markdown=Path(snakemake.output.markdown),
        quantities=Path(snakemake.output.quantities),
    )
