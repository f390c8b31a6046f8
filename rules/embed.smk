# z^V: the image encoder's features of a split's frames, computed once for all that need them.
rule embed:
    input:
        packs=lambda wildcards: packs(wildcards.split),
        encoder=lambda wildcards: trained(seen_by(wildcards)),
    output:
        features="<results>/{again}{embed}/{split}.safetensors",
        names="<results>/{again}{embed}/{split}.parquet",
    log:
        "<logs>/{again}{embed}/{split}.log",
    benchmark:
        "<benchmarks>/{again}{embed}/{split}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(lambda wildcards: memory(stage_of(wildcards))),
        runtime=growing(lambda wildcards: minutes(stage_of(wildcards))),
        gpu=GPU,
    params:
        frame=frame_of,
        code=code_digest("s2v.train.embed"),
    script:
        "../workflow_scripts/embed.py"
