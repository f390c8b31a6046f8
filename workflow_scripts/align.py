"""Stage `align`: from rules/align.smk to s2v/train/align.py, or to published weights."""

from functools import partial
from pathlib import Path

from adapter import folder, job, optional, paths

with job(snakemake, shared=not snakemake.params.config["weights"]) as settings:
    from s2v.config import AlignConfig
    from s2v.train.align import run
    from s2v.train.align_frozen import run as run_with_backbone
    from s2v.weights.convert import convert

    config = AlignConfig(**snakemake.params.config)
    if config.weights:
        convert(config.weights, folder(snakemake.output))
    else:
        if config.backbone:
            run = partial(run_with_backbone, tagger_dir=folder(snakemake.input.tagger))
        run(
            config=config,
            train_packs=paths(snakemake.input.train),
            val_packs=paths(snakemake.input.val),
            train_features=optional(snakemake.input.train_features) or Path(),
            val_features=optional(snakemake.input.val_features) or Path(),
            output_dir=folder(snakemake.output),
            classes=optional(snakemake.input.classes),
            window_at=snakemake.params.window_at,
            runtime=settings.runtime,
            threads=settings.threads,
        )
