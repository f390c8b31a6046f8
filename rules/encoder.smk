# f_V: the image encoder, trained with SwAV on pictures alone (paper 3.2).
rule encoder:
    input:
        packs=unless_published("encoder", packs(*CONFIG.encoder.splits)),
    output:
        expand("<results>/encoder/{file}", file=TRAINED),
    log:
        "<logs>/encoder.log",
    benchmark:
        "<benchmarks>/encoder.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(4000),
        runtime=2880,
        gpu=GPUS,
    params:
        config=values("encoder"),
        code=published_digest("encoder") or code_digest("s2v.train.encoder"),
    script:
        "../workflow_scripts/encoder.py"
