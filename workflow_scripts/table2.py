"""Stage `table2`: from rules/ablation.smk to s2v/report/table2.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.report.table2 import Ablation, run

    rows = {name: Ablation(**values) for name, values in snakemake.params.rows.items()}
    run(
        results={name: paths(snakemake.input[f"{name}_json"]) for name in rows},
        rows=rows,
        coverage=Path(snakemake.input.coverage),
        splits=snakemake.params.splits,
        dataset=snakemake.params.dataset,
        deviations=snakemake.params.deviations,
        bootstrap=snakemake.params.bootstrap,
        output=Path(snakemake.output.csv),
        markdown=Path(snakemake.output.markdown),
        quantities=Path(snakemake.output.quantities),
    )
