# S2I's autoencoder of spectrograms, whose code is the embedding of a sound (paper, Fig. 15).
rule s2i_autoencoder:
    input:
        packs=PLAN.unless_published("s2i_autoencoder", PLAN.packs("train")),
    output:
        expand("<results>/{{again}}s2i_autoencoder/{file}", file=TRAINED),
    log:
        "<logs>/{again}s2i_autoencoder.log",
    benchmark:
        "<benchmarks>/{again}s2i_autoencoder.tsv"
    priority: LONG
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("s2i_autoencoder")
    resources:
        mem_mb=PLAN.memory("s2i_autoencoder"),
        runtime=PLAN.minutes("s2i_autoencoder"),
        gpu=PLAN.gpus("s2i_autoencoder"),
    params:
        config=PLAN.trained_with("s2i_autoencoder"),
        code=PLAN.code("s2i_autoencoder"),
    script:
        "../workflow_scripts/s2i_autoencoder.py"
