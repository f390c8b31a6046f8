# The audio tagger that AudioToken hears with. It sees its own split only.
rule tagger:
    input:
        packs=PLAN.packs(CONFIG.tagger.split),
    output:
        expand("<results>/{{again}}tagger/{file}", file=TRAINED),
    log:
        "<logs>/{again}tagger.log",
    benchmark:
        "<benchmarks>/{again}tagger.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("tagger")
    resources:
        mem_mb=PLAN.memory("tagger"),
        runtime=PLAN.minutes("tagger"),
        gpu=PLAN.gpus("tagger"),
    params:
        config=PLAN.trained_with("tagger"),
        code=PLAN.code("tagger"),
    script:
        "../workflow_scripts/tagger.py"
