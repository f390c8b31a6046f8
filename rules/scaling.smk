# How pictures bear more classes (paper 6.1, Fig. 16 and 17): alignment learns from nested sets of classes.
# Where `scaling.world` names a world of more classes, its whole workflow is a module of this one, in a folder of its own.
if LARGER:

    module more_classes:
        snakefile:
            "../Snakefile"
        config:
            MORE_CLASSES

    use rule * from more_classes exclude all, evidence, paper, claims, fig16, fig17 as more_classes_*


rule classes:
    input:
        manifest=expand("<results>/manifest/{shard}.parquet", shard=PLAN.shards),
    output:
        classes="<results>/classes/{size}/classes.json",
    log:
        "<logs>/classes/{size}/classes.log",
    benchmark:
        "<benchmarks>/classes/{size}/classes.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("classes")
    resources:
        mem_mb=PLAN.memory("classes"),
        runtime=PLAN.minutes("classes"),
    params:
        first=known_order(CONFIG.data),
        code=PLAN.code("classes"),
    script:
        "../workflow_scripts/classes.py"


# Where no numbers of classes are named, nothing grows.
if SCALING.scaling.sizes:

    rule fig16:
        input:
            **PLAN.scaling.results(),
            gan=PLAN.scaling.drawn(SCALING.generate.table3.A),
            ldm=PLAN.scaling.drawn(SCALING.generate.table3.B),
        output:
            figure=report(
                "<results>/fig16.png",
                caption="../report/fig16.rst",
                category="Figures",
                labels={"of the paper": "Figure 16"},
            ),
            csv="<results>/fig16.csv",
            markdown="<results>/fig16.md",
            quantities="<results>/claims/fig16.json",
        log:
            "<logs>/fig16.log",
        benchmark:
            "<benchmarks>/fig16.tsv"
        conda:
            "../envs/s2v.yaml"
        threads: PLAN.threads("fig16")
        resources:
            mem_mb=PLAN.memory("fig16"),
            runtime=PLAN.minutes("fig16"),
        params:
            sizes=SCALING.scaling.sizes,
            families=SCALING.scaling.families,
            bootstrap=SCALING.evaluate.bootstrap,
            code=PLAN.code("fig16"),
        script:
            "../workflow_scripts/fig16.py"

    rule fig17:
        input:
            pictures=PLAN.scaling.drawn(SCALING.generate.table3.B),
            packs=PLAN.scaling.packs(SCALING.generate.split),
            known=PLAN.scaling.classes(SCALING.scaling.sizes[0]),
        output:
            figure=report(
                "<results>/fig17.png",
                caption="../report/fig17.rst",
                category="Figures",
                labels={"of the paper": "Figure 17"},
            ),
        log:
            "<logs>/fig17.log",
        benchmark:
            "<benchmarks>/fig17.tsv"
        conda:
            "../envs/s2v.yaml"
        threads: PLAN.threads("fig17")
        resources:
            mem_mb=PLAN.memory("fig17"),
            runtime=PLAN.minutes("fig17"),
        params:
            audio=heard(SCALING),
            code=PLAN.code("fig17"),
        script:
            "../workflow_scripts/fig17.py"
