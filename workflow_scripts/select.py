"""Stage `select`: from rules/select.smk to s2v/data/select.py."""

from pathlib import Path

from adapter import folder, job

with job(snakemake) as settings:
    from s2v.config import SelectConfig
    from s2v.data.select import run

    run(
        config=SelectConfig(**snakemake.params.config),
        tar=Path(snakemake.input.tar),
        model_dir=folder(snakemake.input.model),
        output=Path(snakemake.output.selection),
        runtime=settings.runtime,
        threads=settings.threads,
    )
