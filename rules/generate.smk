# Pictures of the test clips: one job a method (row of the table) and seed.
rule generate:
    input:
        packs=packs(CONFIG.generate.split),
        train_packs=packs("train"),
        models=expand(
            "<results>/{model}/{file}",
            model=["encoder", "generator", "align"],
            file=["model.safetensors", "config.json"],
        ),
    output:
        pictures="<results>/generate/{method}/{seed}.tar",
    log:
        "<logs>/generate/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/generate/{method}/{seed}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(120),
        gpu=GPU,
    params:
        config=values("generate", "methods", "seeds"),
        code=code_digest("s2v.evaluate.generate"),
    script:
        "../workflow_scripts/generate.py"
