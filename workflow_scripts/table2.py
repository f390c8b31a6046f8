"""Stage `table2`: from rules/ablation.smk to s2v/report/table2.py."""

from adapter import job, paths, table_job

with job(snakemake):
    from s2v.report.table2 import Ablation, run

    rows = {name: Ablation(**values) for name, values in snakemake.params.rows.items()}
    run(
        results={name: paths(snakemake.input[f"{name}_json"]) for name in rows},
        rows=rows,
        job=table_job(snakemake),
    )
