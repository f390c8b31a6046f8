"""Stage `fig14`: from rules/report.smk to s2v/report/fig14.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.config import AudioConfig
    from s2v.report.fig14 import run

    run(
        pictures={"GAN": Path(snakemake.input.gan), "LDM": Path(snakemake.input.ldm)},
        packs=paths(snakemake.input.packs),
        audio=AudioConfig(**snakemake.params.audio),
        output=Path(snakemake.output.figure),
    )
