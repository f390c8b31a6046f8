# What people read: tables, figures, and what became of every clip.
rule table1:
    input:
        results=PLAN.evaluated("json", CONFIG.generate.methods, CONFIG.seeds.table1),
        ranks=PLAN.evaluated("parquet", CONFIG.generate.methods, CONFIG.seeds.table1),
        tensors=PLAN.evaluated("safetensors", CONFIG.generate.methods, CONFIG.seeds.table1),
        coverage="<results>/coverage_by_class.csv",
        truth=PLAN.truth,
        selection=PLAN.selected,
    output:
        csv=report(
            "<results>/table1.csv",
            caption="../report/table1.rst",
            category="Tables",
            labels={"of the paper": "Table 1"},
        ),
        markdown="<results>/table1.md",
        quantities="<results>/claims/table1.json",
    log:
        "<logs>/table1.log",
    benchmark:
        "<benchmarks>/table1.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("table1")
    resources:
        mem_mb=PLAN.memory("table1"),
        runtime=PLAN.minutes("table1"),
    params:
        splits=[CONFIG.generate.split, "train"],
        dataset=CONFIG.name,
        deviations=deviations(CONFIG),
        bootstrap=CONFIG.evaluate.bootstrap,
        similar=CONFIG.evaluate.similar,
        code=PLAN.code("table1"),
    script:
        "../workflow_scripts/table1.py"


# GAN, latent diffusion model, and systems that text taught, on the same sounds (paper 6.1). It takes models that table1
# does not need.
TABLE3 = PLAN.table3


rule table3:
    input:
        results=PLAN.evaluated("json", TABLE3.values(), CONFIG.seeds.table3),
        ranks=PLAN.evaluated("parquet", TABLE3.values(), CONFIG.seeds.table3),
        tensors=PLAN.evaluated("safetensors", TABLE3.values(), CONFIG.seeds.table3),
        coverage="<results>/coverage_by_class.csv",
    output:
        csv=report(
            "<results>/table3.csv",
            caption="../report/table3.rst",
            category="Tables",
            labels={"of the paper": "Table 3"},
        ),
        markdown="<results>/table3.md",
        quantities="<results>/claims/table3.json",
    log:
        "<logs>/table3.log",
    benchmark:
        "<benchmarks>/table3.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("table3")
    resources:
        mem_mb=PLAN.memory("table3"),
        runtime=PLAN.minutes("table3"),
    params:
        splits=[CONFIG.generate.split, "train"],
        dataset=CONFIG.name,
        methods=TABLE3,
        controls=[method for method in CONFIG.generate.table3.controls if method in TABLE3],
        deviations=deviations(CONFIG, latent_diffusion=True),
        bootstrap=CONFIG.evaluate.bootstrap,
        code=PLAN.code("table3"),
    script:
        "../workflow_scripts/table3.py"


rule fig04:
    input:
        pictures=PLAN.drawn("sound2vision"),
        packs=PLAN.packs(CONFIG.generate.split),
    output:
        figure=report(
            "<results>/fig04.png",
            caption="../report/fig04.rst",
            category="Figures",
            labels={"of the paper": "Figure 4"},
        ),
    log:
        "<logs>/fig04.log",
    benchmark:
        "<benchmarks>/fig04.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("fig04")
    resources:
        mem_mb=PLAN.memory("fig04"),
        runtime=PLAN.minutes("fig04"),
    params:
        audio=heard(CONFIG),
        code=PLAN.code("fig04"),
    script:
        "../workflow_scripts/fig04.py"


rule fig14:
    input:
        gan=PLAN.drawn(TABLE3["A"])[0],
        ldm=PLAN.drawn(TABLE3["B"])[0],
        packs=PLAN.packs(CONFIG.generate.split),
    output:
        figure=report(
            "<results>/fig14.png",
            caption="../report/fig14.rst",
            category="Figures",
            labels={"of the paper": "Figure 14"},
        ),
    log:
        "<logs>/fig14.log",
    benchmark:
        "<benchmarks>/fig14.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("fig14")
    resources:
        mem_mb=PLAN.memory("fig14"),
        runtime=PLAN.minutes("fig14"),
    params:
        audio=heard(CONFIG),
        code=PLAN.code("fig14"),
    script:
        "../workflow_scripts/fig14.py"


rule coverage:
    input:
        manifest=expand("<results>/manifest/{shard}.parquet", shard=PLAN.shards),
        fetch=expand("<results>/fetch/{shard}.parquet", shard=PLAN.shards),
        extract=expand("<results>/extract/{shard}.parquet", shard=PLAN.shards),
        left_out=expand([*PLAN.duplicates, *PLAN.unselected], shard=PLAN.shards),
    output:
        csv="<results>/coverage.csv",
        by_class="<results>/coverage_by_class.csv",
        summary="<results>/coverage.md",
        figure=report(
            "<results>/coverage.png",
            caption="../report/coverage.rst",
            category="Data",
            labels={"of the paper": "Coverage"},
        ),
    log:
        "<logs>/coverage.log",
    benchmark:
        "<benchmarks>/coverage.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("coverage")
    resources:
        mem_mb=PLAN.memory("coverage"),
        runtime=PLAN.minutes("coverage"),
    params:
        code=PLAN.code("coverage"),
    script:
        "../workflow_scripts/coverage.py"


# What made the results of this configuration, for the report.
rule provenance:
    input:
        coverage="<results>/coverage_by_class.csv",
    output:
        csv=report(
            "<results>/provenance.csv",
            caption="../report/provenance.rst",
            category="Data",
            labels={"of the paper": "Provenance"},
        ),
    log:
        "<logs>/provenance.log",
    benchmark:
        "<benchmarks>/provenance.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("provenance")
    resources:
        mem_mb=PLAN.memory("provenance"),
        runtime=PLAN.minutes("provenance"),
    params:
        config=without_passwords(CONFIG.model_dump(mode="json")),
        files=FILES,
        revision=revision(),
        code=PLAN.code("provenance"),
    script:
        "../workflow_scripts/provenance.py"
