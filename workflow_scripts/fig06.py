"""Stage `fig06`, with fig07.png and gap.png: from rules/evidence.smk to s2v/report/fig06_07.py."""

from pathlib import Path

from adapter import job

with job(snakemake):
    from s2v.report.fig06_07 import run

    run(
        tensors=Path(snakemake.input.tensors),
        runs_table=Path(snakemake.input.csv),
        geometry_figure=Path(snakemake.output.fig06),
        tsne_figure=Path(snakemake.output.fig07),
        gap=Path(snakemake.output.relation),
    )
