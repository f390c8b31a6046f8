"""Stage `fig21`: from rules/faces.smk to s2v/report/fig21.py."""

from pathlib import Path

from adapter import folder, job, paths

with job(snakemake) as settings:
    from s2v.config import GenerateConfig
    from s2v.report.fig21 import run

    run(
        speech={"val": paths(snakemake.input.val), "test": paths(snakemake.input.test)},
        scenes={"val": paths(snakemake.input.val), "test": paths(snakemake.input.scenes)},
        truth=Path(str(snakemake.input.truth)),
        parts={name: folder(snakemake.input[name]) for name in ("encoder", "align", "generator", "vae")},
        scenes_align=folder(snakemake.input.scenes_align),
        reader_dir=folder(snakemake.input.reader),
        generate=GenerateConfig(**snakemake.params.generate),
        bootstrap=snakemake.params.bootstrap,
        csv=Path(snakemake.output.csv),
        markdown=Path(snakemake.output.markdown),
        quantities=Path(snakemake.output.quantities),
        figure=Path(snakemake.output.figure),
        runtime=settings.runtime,
        threads=settings.threads,
    )
