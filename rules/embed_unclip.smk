# z^V of Stable unCLIP: embeddings of its CLIP image encoder, a file of $S2V_WEIGHTS that nothing trains.
rule embed_unclip:
    input:
        packs=lambda wildcards: PLAN.packs(wildcards.split),
    output:
        features="<results>/embed_unclip/{split}.safetensors",
        names="<results>/embed_unclip/{split}.parquet",
    log:
        "<logs>/embed_unclip/{split}.log",
    benchmark:
        "<benchmarks>/embed_unclip/{split}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("embed_unclip")
    resources:
        mem_mb=PLAN.memory("embed_unclip"),
        runtime=PLAN.minutes("embed_unclip"),
        gpu=PLAN.gpus("embed_unclip"),
    params:
        config=PLAN.values("embed_unclip"),
        code=PLAN.code("embed_unclip"),
    script:
        "../workflow_scripts/embed_unclip.py"
