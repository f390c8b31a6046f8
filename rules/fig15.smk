# The systems that the paper is measured against on five classes of VEGAS (paper 6.1, Fig. 15).
rule fig15_classes:
    input:
        manifest=expand("<results>/manifest/{shard}.parquet", shard=PLAN.shards),
    output:
        classes="<results>/fig15/classes.json",
    log:
        "<logs>/fig15/classes.log",
    benchmark:
        "<benchmarks>/fig15/classes.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("fig15_classes")
    resources:
        mem_mb=PLAN.memory("fig15_classes"),
        runtime=PLAN.minutes("fig15_classes"),
    params:
        names=CONFIG.fig15.classes,
        split=CONFIG.generate.split,
        code=PLAN.code("fig15_classes"),
    script:
        "../workflow_scripts/fig15_classes.py"


# Where no classes are named, neither is made.
if CONFIG.fig15.classes != []:

    rule table_vegas5:
        input:
            results=PLAN.fig15_evaluated("json"),
            ranks=PLAN.fig15_evaluated("parquet"),
            tensors=PLAN.fig15_evaluated("safetensors"),
            coverage="<results>/coverage_by_class.csv",
        output:
            csv=report(
                "<results>/table_vegas5.csv",
                caption="../report/table_vegas5.rst",
                category="Tables",
                labels={"of the paper": "Figure 15, table"},
            ),
            markdown="<results>/table_vegas5.md",
            quantities="<results>/claims/table_vegas5.json",
        log:
            "<logs>/table_vegas5.log",
        benchmark:
            "<benchmarks>/table_vegas5.tsv"
        conda:
            "../envs/s2v.yaml"
        threads: PLAN.threads("table_vegas5")
        resources:
            mem_mb=PLAN.memory("table_vegas5"),
            runtime=PLAN.minutes("table_vegas5"),
        params:
            splits=[CONFIG.generate.split, "train"],
            dataset=CONFIG.name,
            methods=PLAN.fig15,
            classes=CONFIG.fig15.classes,
            deviations=fig15_deviations(CONFIG),
            bootstrap=CONFIG.evaluate.bootstrap,
            code=PLAN.code("table_vegas5"),
        script:
            "../workflow_scripts/table_vegas5.py"

    rule fig15:
        input:
            pedersoli=PLAN.fig15_drawn("pedersoli"),
            s2i=PLAN.fig15_drawn("s2i"),
            gan=PLAN.fig15_drawn(PLAN.fig15["C"]),
            ldm=PLAN.fig15_drawn(PLAN.fig15["D"]),
            packs=PLAN.packs(CONFIG.generate.split),
        output:
            figure=report(
                "<results>/fig15.png",
                caption="../report/fig15.rst",
                category="Figures",
                labels={"of the paper": "Figure 15"},
            ),
        log:
            "<logs>/fig15.log",
        benchmark:
            "<benchmarks>/fig15.tsv"
        conda:
            "../envs/s2v.yaml"
        threads: PLAN.threads("fig15")
        resources:
            mem_mb=PLAN.memory("fig15"),
            runtime=PLAN.minutes("fig15"),
        params:
            audio=heard(CONFIG),
            column=f"{CONFIG.generate.upper_bound_frame}.jpg",
            code=PLAN.code("fig15"),
        script:
            "../workflow_scripts/fig15.py"
