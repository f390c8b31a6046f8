"""Stage `faces`: from rules/faces.smk to s2v/report/faces.py."""

from pathlib import Path

from adapter import folder, job, paths

with job(snakemake) as settings:
    from s2v.config import GenerateConfig, SpeakersConfig
    from s2v.report.faces import run

    run(
        pictures=paths(snakemake.input.pictures),
        packs=paths(snakemake.input.packs),
        truth=Path(str(snakemake.input.truth)),
        parts={name: folder(snakemake.input[name]) for name in ("encoder", "align", "generator", "vae")},
        reader_dir=folder(snakemake.input.reader),
        generate=GenerateConfig(**snakemake.params.generate),
        speakers=SpeakersConfig(**snakemake.params.speakers),
        bootstrap=snakemake.params.bootstrap,
        csv=Path(snakemake.output.csv),
        markdown=Path(snakemake.output.markdown),
        quantities=Path(snakemake.output.quantities),
        figure=Path(snakemake.output.figure),
        runtime=settings.runtime,
        threads=settings.threads,
    )
