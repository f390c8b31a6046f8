# Pictures of the test clips: one job a method (row of the table) and seed.
rule generate:
    input:
        packs=packs(CONFIG.generate.split),
        train_packs=packs("train"),
        encoder=part("encoder"),
        generator=part("generator"),
        align=part("align"),
        vae=part("vae"),
        classes=variant_classes,
    output:
        pictures="<results>/{again}{variant}generate/{method}/{seed}.tar",
    log:
        "<logs>/{again}{variant}generate/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/{again}{variant}generate/{method}/{seed}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(lambda wildcards: needed("generate", wildcards)[0]),
        runtime=growing(lambda wildcards: needed("generate", wildcards)[1]),
        gpu=GPU,
    params:
        # Another way of sampling with one generator is no matter of the others'.
        config=lambda wildcards: plain(
            ablated(wildcards).heard_by(CONFIG.generate),
            "methods",
            "seeds",
            "table3",
            *(OWN_SETTINGS.difference(NEEDS[wildcards.method].settings)),
        ),
        training=training_of,
        embed_unclip=lambda wildcards: (
            values("embed_unclip") if "unclip" in NEEDS[wildcards.method].settings else None
        ),
        code=code_digest("s2v.evaluate.generate"),
    script:
        "../workflow_scripts/generate.py"
