"""Stage `manifest`: from rules/manifest.smk to s2v/data/manifest.py."""

from pathlib import Path

from adapter import folder, job
from snakemake.script import snakemake

with job(snakemake):
    from s2v.config import DataConfig
    from s2v.data.manifest import run

    run(
        config=DataConfig(**snakemake.params.config),
        output_dir=folder(snakemake.output.shards),
        truth=Path(snakemake.output.truth) if snakemake.output.get("truth") else None,
    )
