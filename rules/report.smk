# What people read: tables, figures, and what became of every clip.
# A table computes FID at most 21 times a run (a method, seed and training). With 2,048 features one takes 1.1 to 2 s of
# one core, so a minute a run is enough.
rule table1:
    input:
        results=evaluated("json", CONFIG.generate.methods, CONFIG.seeds.table1),
        ranks=evaluated("parquet", CONFIG.generate.methods, CONFIG.seeds.table1),
        tensors=evaluated("safetensors", CONFIG.generate.methods, CONFIG.seeds.table1),
        coverage="<results>/coverage_by_class.csv",
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
    threads: 1
    resources:
        mem_mb=growing(memory("table")),
        runtime=growing(30 + len(evaluated("json", CONFIG.generate.methods, CONFIG.seeds.table1))),
    params:
        splits=[CONFIG.generate.split, "train"],
        dataset=CONFIG.name,
        deviations=deviations(CONFIG),
        bootstrap=CONFIG.evaluate.bootstrap,
        code=code_digest("s2v.report.table1"),
    script:
        "../workflow_scripts/table1.py"


# GAN and latent diffusion model on the same sounds (paper 6.1). It takes models that table1 does not need.
TABLE3 = CONFIG.generate.table3.model_dump()


rule table3:
    input:
        results=evaluated("json", TABLE3.values(), CONFIG.seeds.table3),
        ranks=evaluated("parquet", TABLE3.values(), CONFIG.seeds.table3),
        tensors=evaluated("safetensors", TABLE3.values(), CONFIG.seeds.table3),
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
    threads: 1
    resources:
        mem_mb=growing(memory("table")),
        runtime=growing(30 + len(evaluated("json", TABLE3.values(), CONFIG.seeds.table3))),
    params:
        splits=[CONFIG.generate.split, "train"],
        dataset=CONFIG.name,
        methods=TABLE3,
        deviations=deviations(CONFIG, latent_diffusion=True),
        bootstrap=CONFIG.evaluate.bootstrap,
        code=code_digest("s2v.report.table3"),
    script:
        "../workflow_scripts/table3.py"


rule fig04:
    input:
        pictures=drawn("sound2vision"),
        packs=packs(CONFIG.generate.split),
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
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(30),
    params:
        audio=heard(CONFIG),
        code=code_digest("s2v.report.fig04"),
    script:
        "../workflow_scripts/fig04.py"


rule fig14:
    input:
        gan=drawn(TABLE3["A"]),
        ldm=drawn(TABLE3["B"]),
        packs=packs(CONFIG.generate.split),
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
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(30),
    params:
        audio=heard(CONFIG),
        code=code_digest("s2v.report.fig14"),
    script:
        "../workflow_scripts/fig14.py"


rule coverage:
    input:
        manifest=expand("<results>/manifest/{shard}.parquet", shard=SHARDS),
        fetch=expand("<results>/fetch/{shard}.parquet", shard=SHARDS),
        extract=expand("<results>/extract/{shard}.parquet", shard=SHARDS),
        left_out=expand([*DUPLICATES, *UNSELECTED], shard=SHARDS),
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
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(30),
    params:
        code=code_digest("s2v.data.coverage", "s2v.report.coverage"),
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
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        config=CONFIG.model_dump(mode="json"),
        files=[DEFAULT_FILE, *OVERLAYS],
        revision=revision(),
        code=code_digest("s2v.report.provenance"),
    script:
        "../workflow_scripts/provenance.py"
