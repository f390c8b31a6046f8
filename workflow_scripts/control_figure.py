"""Stage `control_figure` (fig08 to fig11, fig13, fig18, fig19): from rules/control.smk to s2v/report/fig08_19.py."""

from pathlib import Path

from adapter import folder, job, paths

with job(snakemake) as settings:
    from s2v.config import SamplerConfig
    from s2v.report.fig08_19 import run

    run(
        figure=snakemake.wildcards.sheet,
        run_dir=folder(snakemake.output.figure),
        method=snakemake.params.method,
        packs=paths(snakemake.input.packs),
        window_s=snakemake.params.window_s,
        seed=snakemake.params.seed,
        sampler=SamplerConfig(**snakemake.params.sampler),
        output=Path(snakemake.output.figure),
        runtime=settings.runtime,
        threads=settings.threads,
    )
