"""Stage `evaluate`: from rules/evaluate.smk to s2v/evaluate/evaluate.py."""

from adapter import folders, job, optional, paths

with job(snakemake) as settings:
    from s2v.config import EvaluateConfig
    from s2v.evaluate.evaluate import run

    run(
        config=EvaluateConfig(**snakemake.params.config),
        pictures=paths(snakemake.input.pictures),
        reference_packs=paths(snakemake.input.reference),
        evaluator_dirs=folders(snakemake.input.evaluators),
        outputs=paths(snakemake.output.result),
        ranks_outputs=paths(snakemake.output.ranks),
        tensors_outputs=paths(snakemake.output.tensors),
        classes=optional(snakemake.input.classes),
        runtime=settings.runtime,
        threads=settings.threads,
    )
