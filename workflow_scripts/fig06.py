"""Stage `fig06`, with fig07.png and gap.png: from rules/evidence.smk to s2v/report/gap_figures.py."""

from pathlib import Path

from adapter import job

with job(snakemake):
    from s2v.report.gap_figures import fig06, fig07, fig_gap

    tensors, table = Path(snakemake.input.tensors), Path(snakemake.input.csv)
    fig06(tensors=tensors, output=Path(snakemake.output.fig06))
    fig07(tensors=tensors, runs_table=table, output=Path(snakemake.output.fig07))
    fig_gap(runs_table=table, output=Path(snakemake.output.relation))
