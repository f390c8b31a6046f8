"""Stage `judge`: from rules/judge.smk to s2v/train/judge.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import JudgeConfig
    from s2v.train.judge import run

    run(
        config=JudgeConfig(**snakemake.params.config),
        packs=paths(snakemake.input.packs),
        others=paths(snakemake.input.others),
        painted=paths(snakemake.input.painted),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
