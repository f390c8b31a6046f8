"""Stage `localise`: from rules/localise.smk to s2v/train/localise.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import AudioConfig, AvJudgeConfig, LocaliseConfig
    from s2v.train.localise import SPLIT, run

    is_judge = snakemake.wildcards.localise == "av_judge"
    config = (AvJudgeConfig if is_judge else LocaliseConfig)(**snakemake.params.config)
    run(
        config=config,
        split=getattr(config, "split", SPLIT),
        audio=AudioConfig(**snakemake.params.audio),
        tars=paths(snakemake.input.tars),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
