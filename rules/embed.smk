# z^V: the image encoder's features of a split's frames, computed once for all that need them.
ENCODERS = {"embed": "encoder", "embed_vit": "encoder_vit"}


rule embed:
    input:
        packs=lambda wildcards: packs(wildcards.split),
        encoder=lambda wildcards: trained(ENCODERS[wildcards.embed]),
    output:
        features="<results>/{embed}/{split}.safetensors",
        names="<results>/{embed}/{split}.parquet",
    log:
        "<logs>/{embed}/{split}.log",
    benchmark:
        "<benchmarks>/{embed}/{split}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(lambda wildcards: memory(wildcards.embed)),
        runtime=growing(lambda wildcards: minutes(wildcards.embed)),
        gpu=GPU,
    params:
        code=code_digest("s2v.train.embed"),
    script:
        "../workflow_scripts/embed.py"
