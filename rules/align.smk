# f_A: the audio encoder, trained so that its features take the place of f_V's (paper 3.1, Eq. 1-2);
# align_ldm takes that of the ViT (paper 6.1), align_unclip that of Stable unCLIP's CLIP.
rule align:
    input:
        train=lambda wildcards: PLAN.unless_published(wildcards.align, PLAN.packs("train")),
        val=lambda wildcards: PLAN.unless_published(wildcards.align, PLAN.packs("val")),
        train_features=PLAN.features_of("train"),
        val_features=PLAN.features_of("val"),
        classes=variant_classes,
        tagger=PLAN.backbone,
    output:
        expand("<results>/{{again}}{{variant}}{{align}}/{file}", file=TRAINED),
    log:
        "<logs>/{again}{variant}{align}.log",
    benchmark:
        "<benchmarks>/{again}{variant}{align}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads(lambda wildcards: wildcards.align)
    resources:
        mem_mb=PLAN.memory(lambda wildcards: wildcards.align),
        runtime=PLAN.minutes(lambda wildcards: wildcards.align),
        gpu=PLAN.gpus("align"),
    params:
        config=PLAN.aligned_with,
        window_at=PLAN.heard_at,
        code=PLAN.code_of_alignment,
    script:
        "../workflow_scripts/align.py"
