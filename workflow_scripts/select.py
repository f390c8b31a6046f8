"""Stage `select`: from rules/select.smk to s2v/data/select.py, or published.py where moments of others are taken."""

from pathlib import Path

from adapter import folder, job

with job(snakemake) as settings:
    from s2v.config import SelectConfig

    config = SelectConfig(**snakemake.params.config)
    files = {"tar": Path(snakemake.input.tar), "output": Path(snakemake.output.selection)}
    if config.mode == "published":
        from s2v.data.published import run

        run(config=config, manifest=Path(snakemake.input.manifest), status=Path(snakemake.output.status[0]), **files)
    else:
        from s2v.data.select import run

        model_dir = folder(snakemake.input.model)
        run(config=config, model_dir=model_dir, runtime=settings.runtime, threads=settings.threads, **files)
