from s2v.config.foreign import source_digest


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
            "settings",
            *(OWN_SETTINGS.difference(METHODS[wildcards.method].renders.settings)),
        ),
        training=training_of,
        embed_unclip=lambda wildcards: (
            values("embed_unclip") if "unclip" in METHODS[wildcards.method].renders.settings else None
        ),
        # An entry of the table is no code, and no section of the configuration.
        entry=lambda wildcards: METHODS[wildcards.method].values(),
        # Of somebody else's method: its own settings, and its code.
        settings=lambda wildcards: CONFIG.generate.settings.get(wildcards.method, {}),
        foreign=lambda wildcards: source_digest(METHODS[wildcards.method].source),
        code=lambda wildcards: code_digest(
            "s2v.evaluate.generate", without=METHODS[wildcards.method].unused()
        ),
    script:
        "../workflow_scripts/generate.py"
