"""Stage `joint`: from rules/joint.smk to s2v/train/joint.py."""

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import JointConfig
    from s2v.train.joint import run

    run(
        config=JointConfig(**snakemake.params.config),
        captioned=paths(snakemake.input.captioned),
        tagged=paths(snakemake.input.tagged),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
