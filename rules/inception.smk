# The Inception behind FID and IS, of the data's own classes (evaluate.inception: own), as the paper's authors have one.
rule inception:
    input:
        packs=PLAN.unless_published("inception", PLAN.packs(CONFIG.inception.split)),
    output:
        expand("<results>/inception/{file}", file=TRAINED),
    log:
        "<logs>/inception.log",
    benchmark:
        "<benchmarks>/inception.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("inception")
    resources:
        mem_mb=PLAN.memory("inception"),
        runtime=PLAN.minutes("inception"),
        gpu=PLAN.gpus("inception"),
    params:
        config=PLAN.values("inception"),
        code=PLAN.code("inception"),
    script:
        "../workflow_scripts/inception.py"
