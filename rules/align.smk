# f_A: the audio encoder, trained so that its features take the place of f_V's (paper 3.1, Eq. 1-2).
rule align:
    input:
        train=unless_published("align", packs("train")),
        val=unless_published("align", packs("val")),
        train_features=unless_published("align", "<results>/embed/train.safetensors"),
        val_features=unless_published("align", "<results>/embed/val.safetensors"),
    output:
        expand("<results>/align/{file}", file=TRAINED),
    log:
        "<logs>/align.log",
    benchmark:
        "<benchmarks>/align.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(4000),
        runtime=1440,
        gpu=GPUS,
    params:
        config=values("align"),
        code=published_digest("align") or code_digest("s2v.train.align"),
    script:
        "../workflow_scripts/align.py"
