# z^V: the image encoder's features of a split's frames, computed once for all that need them.
# embed_mid and embed_top1 are those of a frame that Table 2 names, whichever one is chosen.
def seen_by(wildcards):
    """The image encoder of a job."""
    return own("encoder_vit" if wildcards.embed.startswith("embed_vit") else "encoder", wildcards)


def stage_of(wildcards):
    """The stage whose sizes a job has."""
    return wildcards.embed.removesuffix("_mid").removesuffix("_top1")


def frame_of(wildcards):
    """The frame that a job sees: a column of the packed shards."""
    name = wildcards.embed.rpartition("_")[2]
    return f"{name}.jpg" if name in ("mid", "top1") else "jpg"


rule embed:
    input:
        packs=lambda wildcards: packs(wildcards.split),
        encoder=lambda wildcards: trained(seen_by(wildcards)),
    output:
        features="<results>/{again}{embed}/{split}.safetensors",
        names="<results>/{again}{embed}/{split}.parquet",
    log:
        "<logs>/{again}{embed}/{split}.log",
    benchmark:
        "<benchmarks>/{again}{embed}/{split}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(lambda wildcards: memory(stage_of(wildcards))),
        runtime=growing(lambda wildcards: minutes(stage_of(wildcards))),
        gpu=GPU,
    params:
        frame=frame_of,
        code=code_digest("s2v.train.embed"),
    script:
        "../workflow_scripts/embed.py"
