# S2I's GAN, from the embedding of a sound to a picture (paper, Fig. 15).
rule s2i_generator:
    input:
        packs=PLAN.unless_published("s2i_generator", PLAN.packs("train")),
        autoencoder=PLAN.unless_published("s2i_generator", PLAN.model("s2i_autoencoder")),
    output:
        expand("<results>/{{again}}s2i_generator/{file}", file=TRAINED),
    log:
        "<logs>/{again}s2i_generator.log",
    benchmark:
        "<benchmarks>/{again}s2i_generator.tsv"
    priority: LONG
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("s2i_generator")
    resources:
        mem_mb=PLAN.memory("s2i_generator"),
        runtime=PLAN.minutes("s2i_generator"),
        gpu=PLAN.gpus("s2i_generator"),
    params:
        config=PLAN.trained_with("s2i_generator"),
        code=PLAN.code("s2i_generator"),
    script:
        "../workflow_scripts/s2i_generator.py"
