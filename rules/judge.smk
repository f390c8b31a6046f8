# The evaluator that stands in for CLIP and Inception where their weights cannot be had. It sees its own split only.
rule judge:
    input:
        packs=packs(CONFIG.judge.split),
    output:
        expand("<results>/judge/{file}", file=TRAINED),
    log:
        "<logs>/judge.log",
    benchmark:
        "<benchmarks>/judge.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(memory("judge")),
        runtime=minutes("judge"),
        gpu=GPUS,
    params:
        config=values("judge"),
        code=code_digest("s2v.train.judge"),
    script:
        "../workflow_scripts/judge.py"
