"""Stage `known_sounds`: from rules/known_sounds.smk to s2v/evaluate/known_sounds.py."""

from pathlib import Path

from adapter import folder, job, paths

with job(snakemake) as settings:
    from s2v.evaluate.known_sounds import run

    run(
        align_dir=folder(snakemake.input.align),
        train_packs=paths(snakemake.input.train),
        val_packs=paths(snakemake.input.val),
        classes=snakemake.params.classes,
        output=Path(snakemake.output[0]),
        runtime=settings.runtime,
        threads=settings.threads,
    )
