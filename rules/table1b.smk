# The human study (paper 4.3, Table 1 b), of answers that people gave: docs/study.md.
rule table1b:
    input:
        key=CONFIG.study.key or [],
        answers=PLAN.answers,
    output:
        csv=report(
            "<results>/table1b.csv",
            caption="../report/table1b.rst",
            category="Tables",
            labels={"of the paper": "Table 1 (b)"},
        ),
        markdown="<results>/table1b.md",
        quantities="<results>/claims/table1b.json",
    log:
        "<logs>/table1b.log",
    benchmark:
        "<benchmarks>/table1b.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("table1b")
    resources:
        mem_mb=PLAN.memory("table1b"),
        runtime=PLAN.minutes("table1b"),
    params:
        code=PLAN.code("table1b"),
    script:
        "../workflow_scripts/table1b.py"
