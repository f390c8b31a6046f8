"""Stage `judge`: from rules/judge.smk to s2v/train/judge.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import JudgeConfig
    from s2v.train.judge import run
    from s2v.weights.convert import published

    config = JudgeConfig(**snakemake.params.config)
    run(
        config=config,
        packs=paths(snakemake.input.packs),
        others=paths(snakemake.input.others),
        painted=paths(snakemake.input.painted),
        backbone=published(config.backbone).backbone if config.backbone != "resnet10" else None,
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
