# Pictures of the test clips: one job a method (row of the table) and seed.
rule generate:
    input:
        packs=PLAN.packs(CONFIG.generate.split),
        train_packs=PLAN.packs("train"),
        encoder=PLAN.part("encoder"),
        generator=PLAN.part("generator"),
        align=PLAN.part("align"),
        vae=PLAN.part("vae"),
        classes=variant_classes,
    output:
        pictures="<results>/{again}{variant}generate/{method}/{seed}.tar",
    log:
        "<logs>/{again}{variant}generate/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/{again}{variant}generate/{method}/{seed}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("generate")
    resources:
        mem_mb=PLAN.memory_of_method("generate"),
        runtime=PLAN.minutes_of_method("generate"),
        gpu=PLAN.gpus("generate"),
    params:
        # Another way of sampling with one generator is no matter of the others'.
        config=PLAN.drawn_with,
        training=training_of,
        embed_unclip=lambda wildcards: (
            PLAN.values("embed_unclip") if "unclip" in NEEDS[wildcards.method].settings else None
        ),
        code=PLAN.code("generate"),
    script:
        "../workflow_scripts/generate.py"
