"""Stage `fig17`: from rules/scaling.smk to s2v/report/fig04.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.config import AudioConfig
    from s2v.report.fig04 import run

    run(
        pictures=paths(snakemake.input.pictures),
        packs=paths(snakemake.input.packs),
        audio=AudioConfig(**snakemake.params.audio),
        known=Path(snakemake.input.known),
        output=Path(snakemake.output.figure),
        examples=3,
    )
