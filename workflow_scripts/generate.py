"""Stage `generate`: from rules/generate.smk to s2v/evaluate/generate.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake) as settings:
    from s2v.config import GenerateConfig
    from s2v.evaluate.generate import run

    models = {path.parent.name: path.parent for path in paths(snakemake.input.models)}
    run(
        config=GenerateConfig(**snakemake.params.config),
        method=snakemake.wildcards.method,
        seed=int(snakemake.wildcards.seed),
        packs=paths(snakemake.input.packs),
        train_packs=paths(snakemake.input.train_packs),
        encoder_dir=models["encoder"],
        generator_dir=models["generator"],
        align_dir=models["align"],
        output=Path(snakemake.output.pictures),
        runtime=settings.runtime,
        threads=settings.threads,
    )
