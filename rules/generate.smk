# Pictures of the test clips: one job a method (row of the table) and seed.
rule generate:
    input:
        packs=packs(CONFIG.generate.split),
        train_packs=packs("train"),
        encoder=part("encoder"),
        generator=part("generator"),
        align=part("align"),
        vae=part("vae"),
        classes=subset_classes,
    output:
        pictures="<results>/{subset}generate/{method}/{seed}.tar",
    log:
        "<logs>/{subset}generate/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/{subset}generate/{method}/{seed}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(lambda wildcards: memory(made_by("generate", wildcards))),
        runtime=growing(lambda wildcards: minutes(made_by("generate", wildcards))),
        gpu=GPU,
    params:
        # Another way of sampling is no matter of the GAN's.
        config=lambda wildcards: values(
            "generate", "methods", "seeds", *([] if wildcards.method in LDM_METHODS else ["ldm"])
        ),
        code=code_digest("s2v.evaluate.generate"),
    script:
        "../workflow_scripts/generate.py"
