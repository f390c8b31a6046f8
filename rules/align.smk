# f_A: the audio encoder, trained so that its features take the place of f_V's (paper 3.1, Eq. 1-2);
# align_ldm takes that of the ViT (paper 6.1).
ALIGNED_TO = {"align": "embed", "align_ldm": "embed_vit"}


rule align:
    input:
        train=packs("train"),
        val=packs("val"),
        train_features=lambda wildcards: f"<results>/{ALIGNED_TO[wildcards.align]}/train.safetensors",
        val_features=lambda wildcards: f"<results>/{ALIGNED_TO[wildcards.align]}/val.safetensors",
    output:
        expand("<results>/{{align}}/{file}", file=TRAINED),
    log:
        "<logs>/{align}.log",
    benchmark:
        "<benchmarks>/{align}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(4000),
        runtime=1440,
        gpu=GPUS,
    params:
        config=lambda wildcards: values(wildcards.align),
        code=code_digest("s2v.train.align"),
    script:
        "../workflow_scripts/align.py"
