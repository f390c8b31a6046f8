# f_V: the image encoder, trained with SwAV on pictures alone (paper 3.2); encoder_vit is that of the latent diffusion
# model (paper 6.1).
rule encoder:
    input:
        packs=lambda wildcards: unless_published(
            wildcards.encoder, packs(*getattr(CONFIG, wildcards.encoder).splits)
        ),
    output:
        expand("<results>/{{again}}{{encoder}}/{file}", file=TRAINED),
    log:
        "<logs>/{again}{encoder}.log",
    benchmark:
        "<benchmarks>/{again}{encoder}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(lambda wildcards: memory(wildcards.encoder)),
        runtime=lambda wildcards: minutes(wildcards.encoder),
        gpu=GPUS,
    params:
        config=lambda wildcards: trained_with(wildcards.encoder)(wildcards),
        code=lambda wildcards: published_digest(wildcards.encoder) or code_digest("s2v.train.encoder"),
    script:
        "../workflow_scripts/encoder.py"
