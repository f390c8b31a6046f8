"""Stage `provenance`: from rules/report.smk to s2v/report/provenance.py."""

from pathlib import Path

from adapter import job

with job(snakemake):
    from s2v.report.provenance import run

    run(
        config=snakemake.params.config,
        files=snakemake.params.files,
        revision=snakemake.params.revision,
        coverage=Path(snakemake.input.coverage),
        output=Path(snakemake.output.csv),
    )
