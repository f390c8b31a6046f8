# What alignment is without a part of it (paper 4.3), and what that does to the gap between the modalities (4.4).
# The rows are trainings of rule align, in <output>/ablation/{row}/ and, with other seeds, <output>/seeds/{n}/ablation/{row}/.
rule table2:
    input:
        **PLAN.ablation_results("json"),
        **PLAN.ablation_results("parquet"),
        **PLAN.ablation_results("safetensors"),
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
    threads: PLAN.threads("table2")
    resources:
        mem_mb=PLAN.memory("table2"),
        runtime=PLAN.minutes("table2"),
    params:
        rows=PLAN.ablations,
        splits=[CONFIG.generate.split, "train"],
        dataset=CONFIG.name,
        deviations=deviations(CONFIG),
        bootstrap=CONFIG.evaluate.bootstrap,
        code=PLAN.code("table2"),
    script:
        "../workflow_scripts/table2.py"
