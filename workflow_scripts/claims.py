"""Stage `claims`: from rules/evidence.smk to s2v/report/claims.py."""

from pathlib import Path

from adapter import folder, job

with job(snakemake):
    from s2v.report.claims import run

    run(
        target=snakemake.params.target,
        sources={stage: Path(file) for stage, file in snakemake.input.items()},
        unmeasured=snakemake.params.unmeasured,
        history=folder(snakemake.output.csv) / "claims" / "verdicts",
        configuration=snakemake.params.configuration,
        dataset=snakemake.params.dataset,
        evaluator=snakemake.params.evaluator,
        output=Path(snakemake.output.csv),
        markdown=Path(snakemake.output.markdown),
    )
