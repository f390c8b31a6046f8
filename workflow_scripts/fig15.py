"""Stage `fig15`: from rules/fig15.smk to s2v/report/fig15.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.config import AudioConfig
    from s2v.report.fig15 import run

    run(
        pictures={
            "Pedersoli et al.": Path(snakemake.input.pedersoli),
            "S2I": Path(snakemake.input.s2i),
            "Ours (GAN)": Path(snakemake.input.gan),
            "Ours (LDM)": Path(snakemake.input.ldm),
        },
        packs=paths(snakemake.input.packs),
        column=snakemake.params.column,
        audio=AudioConfig(**snakemake.params.audio),
        output=Path(snakemake.output.figure),
    )
