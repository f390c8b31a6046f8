"""Stage `fig12`: from rules/fig12.smk to s2v/report/fig12.py."""

from pathlib import Path

from adapter import folder, job, paths

with job(snakemake) as settings:
    from s2v.config import LeeConfig, WorldConfig
    from s2v.report.fig12 import run

    world = snakemake.params.world
    run(
        config=LeeConfig(**snakemake.params.config),
        run_dir=folder(snakemake.output.figure),
        joint_dir=folder(snakemake.input.joint) if snakemake.input.joint else None,
        packs=paths(snakemake.input.packs),
        evaluator=snakemake.params.evaluator,
        judge_dir=folder(snakemake.input.judge) if snakemake.input.judge else None,
        prompt=snakemake.params.prompt,
        world=WorldConfig(**world) if world else None,
        split=snakemake.params.split,
        window_s=snakemake.params.window_s,
        bootstrap=snakemake.params.bootstrap,
        dataset=snakemake.params.dataset,
        deviations=snakemake.params.deviations,
        output=Path(snakemake.output.figure),
        csv=Path(snakemake.output.csv),
        markdown=Path(snakemake.output.markdown),
        quantities=Path(snakemake.output.quantities),
        runtime=settings.runtime,
        threads=settings.threads,
    )
