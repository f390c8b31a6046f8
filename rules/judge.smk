# The evaluator that stands in for CLIP and Inception where their weights cannot be had. It sees its own split only.
rule judge:
    input:
        packs=PLAN.packs(CONFIG.judge.split),
    output:
        expand("<results>/judge/{file}", file=TRAINED),
    log:
        "<logs>/judge.log",
    benchmark:
        "<benchmarks>/judge.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("judge")
    resources:
        mem_mb=PLAN.memory("judge"),
        runtime=PLAN.minutes("judge"),
        gpu=PLAN.gpus("judge"),
    params:
        config=PLAN.values("judge"),
        code=PLAN.code("judge"),
    script:
        "../workflow_scripts/judge.py"
