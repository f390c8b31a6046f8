"""Stage `pack`: from rules/pack.smk to s2v/data/pack.py."""

from pathlib import Path

from adapter import job, optional, paths

with job(snakemake):
    from s2v.config import PackConfig
    from s2v.data.pack import run

    keep = snakemake.params.keep
    run(
        config=PackConfig(keep=keep),
        manifest=Path(snakemake.input.manifest),
        tar=Path(snakemake.input.tar),
        selection=optional(snakemake.input.selection),
        outputs={split: Path(tar) for split, tar in zip(keep, snakemake.output.tars, strict=True)},
        left_out=paths(snakemake.input.left_out),
    )
