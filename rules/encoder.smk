# f_V: the image encoder, trained with SwAV on pictures alone (paper 3.2); encoder_vit is that of the latent diffusion
# model (paper 6.1).
rule encoder:
    input:
        packs=lambda wildcards: PLAN.unless_published(
            wildcards.encoder, PLAN.packs(*getattr(CONFIG, wildcards.encoder).splits)
        ),
    output:
        expand("<results>/{{again}}{{encoder}}/{file}", file=TRAINED),
    log:
        "<logs>/{again}{encoder}.log",
    benchmark:
        "<benchmarks>/{again}{encoder}.tsv"
    priority: LONGEST
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads(lambda wildcards: wildcards.encoder)
    resources:
        mem_mb=PLAN.memory(lambda wildcards: wildcards.encoder),
        runtime=PLAN.minutes(lambda wildcards: wildcards.encoder),
        gpu=PLAN.gpus("encoder"),
    params:
        config=PLAN.trained_with(lambda wildcards: wildcards.encoder),
        code=lambda wildcards: PLAN.code(wildcards.encoder),
    script:
        "../workflow_scripts/encoder.py"
