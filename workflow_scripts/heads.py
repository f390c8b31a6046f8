"""Stage `heads`: from rules/faces.smk to s2v/report/heads.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.config import HeadsConfig
    from s2v.report.heads import run

    run(
        config=HeadsConfig(**snakemake.params.config),
        pictures=Path(str(snakemake.input.pictures)),
        packs=paths(snakemake.input.packs),
        bootstrap=snakemake.params.bootstrap,
        seed=snakemake.params.seed,
        csv=Path(snakemake.output.csv),
        markdown=Path(snakemake.output.markdown),
        figure=Path(snakemake.output.figure),
    )
