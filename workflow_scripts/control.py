"""Stage `control`: from rules/control.smk to s2v/report/control.py."""

from pathlib import Path

from adapter import folder, job, paths

with job(snakemake) as settings:
    from s2v.config import SamplerConfig, WorldConfig
    from s2v.report.control import run

    world = snakemake.params.world
    run(
        run_dir=folder(snakemake.output.csv),
        method=snakemake.params.method,
        packs=paths(snakemake.input.packs),
        judge_packs=paths(snakemake.input.judge_packs),
        judge_dir=folder(snakemake.input.judge),
        world=WorldConfig(**world) if world else None,
        split=snakemake.params.split,
        judge_split=snakemake.params.judge_split,
        window_s=snakemake.params.window_s,
        seed=snakemake.params.seed,
        sampler=SamplerConfig(**snakemake.params.sampler),
        output=Path(snakemake.output.csv),
        quantities=Path(snakemake.output.quantities),
        runtime=settings.runtime,
        threads=settings.threads,
    )
