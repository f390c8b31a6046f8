# What alignment is without a part of it (paper 4.3), and what that does to the gap between the modalities (4.4).
# The rows are trainings of rule align, in <output>/ablation/{row}/ and, with other seeds, <output>/seeds/{n}/ablation/{row}/.
ABLATIONS = {
    name: asdict(Ablation.of(row, CONFIG.align, CONFIG.select.mode))
    for name, row in CONFIG.ablation.wanted().items()
}


rule table2:
    input:
        **ablation_results("json"),
        **ablation_results("parquet"),
        **ablation_results("safetensors"),
        coverage="<results>/coverage_by_class.csv",
    output:
        csv=report(
            "<results>/table2.csv",
            caption="../report/table2.rst",
            category="Tables",
            labels={"of the paper": "Table 2"},
        ),
        markdown="<results>/table2.md",
        quantities="<results>/claims/table2.json",
    log:
        "<logs>/table2.log",
    benchmark:
        "<benchmarks>/table2.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(memory("table")),
        runtime=growing(30 + len(ablation_runs(CONFIG))),  # as table1
    params:
        rows=ABLATIONS,
        splits=[CONFIG.generate.split, "train"],
        dataset=CONFIG.name,
        deviations=deviations(CONFIG),
        bootstrap=CONFIG.evaluate.bootstrap,
        code=code_digest("s2v.report.table2"),
    script:
        "../workflow_scripts/table2.py"
