# Pictures of the test clips: one job a method (row of the table), for all generation seeds.
rule generate:
    input:
        unpack(PLAN.parts),
        packs=PLAN.packs_to_draw,
        train_packs=PLAN.packs("train"),
        classes=variant_classes,
    output:
        pictures=PLAN.of_seeds("generate", "tar"),
    log:
        "<logs>/{again}{variant}generate/{method}.log",
    benchmark:
        "<benchmarks>/{again}{variant}generate/{method}.tsv"
    wildcard_constraints:
        variant=OF_ALL_SEEDS,
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
        frame=PLAN.frame_to_draw,
        window_at=PLAN.heard_at,
        embed_unclip=PLAN.embedded_with,
        # An entry of the table is no code, and no section of the configuration.
        entry=lambda wildcards: METHODS[wildcards.method].values(),
        # Of somebody else's method: its own settings, and its code.
        settings=lambda wildcards: CONFIG.generate.settings.get(wildcards.method, {}),
        foreign=lambda wildcards: source_digest(METHODS[wildcards.method].source),
        code=PLAN.code_of_method,
    script:
        "../workflow_scripts/generate.py"


# Where each training draws with one seed.
use rule generate as generate_one with:
    output:
        pictures="<results>/{again}{variant}generate/{method}/{seed}.tar",
    log:
        "<logs>/{again}{variant}generate/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/{again}{variant}generate/{method}/{seed}.tsv"
    wildcard_constraints:
        variant=OF_ONE_SEED,
