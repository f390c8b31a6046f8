# z^V of Stable unCLIP: embeddings of its CLIP image encoder, a file of $S2V_WEIGHTS that nothing trains.
rule embed_unclip:
    input:
        packs=lambda wildcards: packs(wildcards.split),
    output:
        features="<results>/embed_unclip/{split}.safetensors",
        names="<results>/embed_unclip/{split}.parquet",
    log:
        "<logs>/embed_unclip/{split}.log",
    benchmark:
        "<benchmarks>/embed_unclip/{split}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
        gpu=GPU,
    params:
        config=values("embed_unclip"),
        code=code_digest("s2v.train.embed_unclip"),
    script:
        "../workflow_scripts/embed_unclip.py"
