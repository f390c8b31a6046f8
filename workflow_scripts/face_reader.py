"""Stage `face_reader`: from rules/faces.smk to s2v/train/face_reader.py."""

from pathlib import Path

from adapter import folder, job, paths

with job(snakemake, shared=True) as settings:
    from s2v.config import FaceReaderConfig
    from s2v.train.face_reader import run

    run(
        config=FaceReaderConfig(**snakemake.params.config),
        packs=paths(snakemake.input.packs),
        truth=Path(str(snakemake.input.truth)),
        output_dir=folder(snakemake.output),
        runtime=settings.runtime,
        threads=settings.threads,
    )
