# The evaluators that stand in for CLIP and Inception where their weights cannot be had. They see their own split only:
# `judge`, and beside it those of `judges`.
rule judge:
    input:
        packs=PLAN.judged_packs,
        others=PLAN.others,
        painted=PLAN.painted,
    output:
        expand("<results>/{{evaluator}}/{file}", file=TRAINED),
    log:
        "<logs>/{evaluator}.log",
    benchmark:
        "<benchmarks>/{evaluator}.tsv"
    priority: LAST
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("judge")
    resources:
        mem_mb=PLAN.memory("judge"),
        runtime=PLAN.minutes("judge"),
        gpu=PLAN.gpus("judge"),
    params:
        config=PLAN.judged_with,
        code=PLAN.code("judge"),
    script:
        "../workflow_scripts/judge.py"
