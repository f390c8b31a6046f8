# How near to what f_A learned a sound lies: what `s2v generate` and its kin say beside each picture.
rule known_sounds:
    input:
        align=lambda wildcards: trained(wildcards.align),
        train=PLAN.packs("train"),
        val=PLAN.packs("val"),
    output:
        "<results>/known_sounds/{align}.safetensors",
    log:
        "<logs>/known_sounds/{align}.log",
    benchmark:
        "<benchmarks>/known_sounds/{align}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("known_sounds")
    resources:
        mem_mb=PLAN.memory("known_sounds"),
        runtime=PLAN.minutes("known_sounds"),
        gpu=PLAN.gpus("known_sounds"),
    params:
        classes=lambda wildcards: getattr(CONFIG, wildcards.align).classes,
        code=PLAN.code("known_sounds"),
    script:
        "../workflow_scripts/known_sounds.py"
