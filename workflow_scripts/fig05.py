"""Stage `fig05`: from rules/evidence.smk to s2v/report/fig05.py."""

from pathlib import Path

from adapter import folder, job, optional, paths

with job(snakemake) as settings:
    from s2v.report.fig05 import run

    run(
        packs=paths(snakemake.input.packs),
        align_dir=folder(snakemake.input.align),
        generator_dir=folder(snakemake.input.generator),
        truth=optional(snakemake.input.truth),
        score=snakemake.params.config["score"],
        window_s=snakemake.params.window_s,
        seed=snakemake.params.seed,
        output=Path(snakemake.output.figure),
        quantities=Path(snakemake.output.quantities),
        runtime=settings.runtime,
        threads=settings.threads,
    )
