# The audio-picture-text space in which Lee et al. edit pictures, for fig12.
rule joint:
    input:
        captioned=PLAN.packs(CONFIG.joint.captioned),
        tagged=PLAN.packs(CONFIG.joint.tagged),
    output:
        expand("<results>/joint/{file}", file=TRAINED),
    log:
        "<logs>/joint.log",
    benchmark:
        "<benchmarks>/joint.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("joint")
    resources:
        mem_mb=PLAN.memory("joint"),
        runtime=PLAN.minutes("joint"),
        gpu=PLAN.gpus("joint"),
    params:
        config=PLAN.values("joint"),
        code=PLAN.code("joint"),
    script:
        "../workflow_scripts/joint.py"
