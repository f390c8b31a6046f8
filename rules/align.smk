# f_A: the audio encoder, trained so that its features take the place of f_V's (paper 3.1, Eq. 1-2);
# align_ldm takes that of the ViT (paper 6.1), align_unclip that of Stable unCLIP's CLIP.
rule align:
    input:
        train=lambda wildcards: unless_published(wildcards.align, packs("train")),
        val=lambda wildcards: unless_published(wildcards.align, packs("val")),
        train_features=lambda wildcards: features_of("train", wildcards),
        val_features=lambda wildcards: features_of("val", wildcards),
        classes=variant_classes,
    output:
        expand("<results>/{{again}}{{variant}}{{align}}/{file}", file=TRAINED),
    log:
        "<logs>/{again}{variant}{align}.log",
    benchmark:
        "<benchmarks>/{again}{variant}{align}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(lambda wildcards: memory(wildcards.align)),
        runtime=lambda wildcards: minutes(wildcards.align),
        gpu=GPUS,
    params:
        config=lambda wildcards: plain(
            ablated(wildcards).of(getattr(CONFIG, wildcards.align)),
            training=training_of(wildcards) if wildcards.align in CONFIG.seeds.of else 0,
        ),
        code=lambda wildcards: published_digest(wildcards.align) or code_digest("s2v.train.align"),
    script:
        "../workflow_scripts/align.py"
