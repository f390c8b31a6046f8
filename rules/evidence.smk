# What supports the paper's argument: which moments are chosen (3.3), what the model attends to (4.2), the gap between
# the modalities (4.4), and a verdict on every claim.
TRUTH = ["<results>/world/truth.parquet"] if CONFIG.data.source == "world" else []
CHOSEN = "train"


rule fig03:
    input:
        selection=expand("<results>/select/{shard}.parquet", shard=SHARDS),
        packs=packs(CHOSEN),
        truth=TRUTH,
    output:
        figure=report(
            "<results>/fig03.png",
            caption="../report/fig03.rst",
            category="Figures",
            labels={"of the paper": "Figure 3"},
        ),
        csv="<results>/fig03.csv",
        quantities="<results>/claims/fig03.json",
    log:
        "<logs>/fig03.log",
    benchmark:
        "<benchmarks>/fig03.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        split=CHOSEN,
        bootstrap=CONFIG.evaluate.bootstrap,
        code=code_digest("s2v.report.fig03"),
    script:
        "../workflow_scripts/fig03.py"


rule fig05:
    input:
        packs=packs(CONFIG.generate.split),
        align=trained("align"),
        generator=trained("generator"),
        truth=TRUTH,
    output:
        figure=report(
            "<results>/fig05.png",
            caption="../report/fig05.rst",
            category="Figures",
            labels={"of the paper": "Figure 5"},
        ),
        quantities="<results>/claims/fig05.json",
    log:
        "<logs>/fig05.log",
    benchmark:
        "<benchmarks>/fig05.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(memory("generate")),
        runtime=growing(60),
        gpu=GPU,
    params:
        config=values("attention"),
        window_s=CONFIG.generate.window_s,
        seed=CONFIG.generate.seeds[0],
        bootstrap=CONFIG.evaluate.bootstrap,
        code=code_digest("s2v.report.fig05"),
    script:
        "../workflow_scripts/fig05.py"


# The gap of every training of Table 2. Figures show the first row of each loss at its own temperature.
GAP_RUNS = ablation_runs(CONFIG)


rule gap:
    input:
        **ablation_results("parquet"),
        align=[file for _, _, folder, _ in GAP_RUNS for file in trained(f"{folder}align")],
        packs=packs(CONFIG.generate.split),
        features=f"<results>/embed/{CONFIG.generate.split}.safetensors",
        names=f"<results>/embed/{CONFIG.generate.split}.parquet",
    output:
        csv="<results>/gap.csv",
        tensors="<results>/gap/features.safetensors",
        quantities="<results>/claims/gap.json",
    log:
        "<logs>/gap.log",
    benchmark:
        "<benchmarks>/gap.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(memory("generate")),
        runtime=growing(120),
        gpu=GPU,
    params:
        runs=[
            [
                name,
                training,
                ABLATIONS[name]["window_s"] / CONFIG.align.audio.window_s * CONFIG.generate.window_s,
            ]
            for name, training, *_ in GAP_RUNS
        ],
        shown=shown_losses(CONFIG),
        bootstrap=CONFIG.evaluate.bootstrap,
        code=code_digest("s2v.report.gap"),
    script:
        "../workflow_scripts/gap.py"


rule fig06:
    input:
        tensors="<results>/gap/features.safetensors",
        csv="<results>/gap.csv",
    output:
        fig06=report(
            "<results>/fig06.png",
            caption="../report/fig06.rst",
            category="Figures",
            labels={"of the paper": "Figure 6"},
        ),
        fig07=report(
            "<results>/fig07.png",
            caption="../report/fig07.rst",
            category="Figures",
            labels={"of the paper": "Figure 7"},
        ),
        relation=report(
            "<results>/gap.png",
            caption="../report/gap.rst",
            category="Figures",
            labels={"of the paper": "4.4, gap and pictures"},
        ),
    log:
        "<logs>/fig06.log",
    benchmark:
        "<benchmarks>/fig06.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=code_digest("s2v.report.fig06_07"),
    script:
        "../workflow_scripts/fig06.py"


# A verdict on every claim: claims.csv, of target paper, has all, evidence.csv those of target evidence.
rule claims:
    input:
        unpack(claimed),
    output:
        csv=report(
            "<results>/{claims}.csv",
            caption="../report/claims.rst",
            category="Claims",
            labels={"of the paper": "{claims}"},
        ),
        markdown="<results>/{claims}.md",
    log:
        "<logs>/{claims}.log",
    benchmark:
        "<benchmarks>/{claims}.tsv"
    wildcard_constraints:
        claims="claims|evidence",
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        target=target_of,
        unmeasured=targets.unmeasured(CONFIG, SCALING),
        configuration=seedless_digest(CONFIG),
        dataset=CONFIG.name,
        evaluator=CONFIG.evaluate.evaluator,
        code=code_digest("s2v.report.claims"),
    script:
        "../workflow_scripts/claims.py"
