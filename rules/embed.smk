# z^V: the image encoder's features of a split's frames, computed once for all that need them.
rule embed:
    input:
        packs=lambda wildcards: PLAN.packs(wildcards.split),
        encoder=PLAN.image_encoder,
    output:
        features="<results>/{again}{embed}/{split}.safetensors",
        names="<results>/{again}{embed}/{split}.parquet",
    log:
        "<logs>/{again}{embed}/{split}.log",
    benchmark:
        "<benchmarks>/{again}{embed}/{split}.tsv"
    priority: LONGEST
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("embed")
    resources:
        mem_mb=PLAN.memory(embedded),
        runtime=PLAN.minutes(embedded),
        gpu=PLAN.gpus("embed"),
    params:
        frame=embedded_frame,
        code=PLAN.code("embed"),
    script:
        "../workflow_scripts/embed.py"
