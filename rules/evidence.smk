# What supports the paper's argument: which moments are chosen (3.3), what the model attends to (4.2), the gap between
# the modalities (4.4), and a verdict on every claim.
CHOSEN = "train"


rule fig03:
    input:
        selection=expand("<results>/select/{shard}.parquet", shard=PLAN.pair_shards),
        packs=PLAN.packs(CHOSEN),
        truth=PLAN.truth,
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
    threads: PLAN.threads("fig03")
    resources:
        mem_mb=PLAN.memory("fig03"),
        runtime=PLAN.minutes("fig03"),
    params:
        split=CHOSEN,
        code=PLAN.code("fig03"),
    script:
        "../workflow_scripts/fig03.py"


rule fig05:
    input:
        packs=PLAN.packs(CONFIG.generate.split),
        align=trained("align"),
        generator=trained("generator"),
        truth=PLAN.truth,
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
    threads: PLAN.threads("fig05")
    resources:
        mem_mb=PLAN.memory("fig05"),
        runtime=PLAN.minutes("fig05"),
        gpu=PLAN.gpus("fig05"),
    params:
        config=PLAN.values("fig05"),
        window_s=CONFIG.generate.window_s,
        seed=CONFIG.generate.seeds[0],
        code=PLAN.code("fig05"),
    script:
        "../workflow_scripts/fig05.py"


# The gap of every training of Table 2. Figures show the first row of each loss at its own temperature.
GAP_RUNS = [run for run in ablation_runs(CONFIG) if not CONFIG.ablation.wanted()[run[0]].closed]


rule gap:
    input:
        **PLAN.ablation_results("parquet"),
        align=[file for _, _, folder, _ in GAP_RUNS for file in trained(f"{folder}align")],
        packs=PLAN.packs(CONFIG.generate.split),
        features=f"<results>/embed/{CONFIG.generate.split}.safetensors",
        names=f"<results>/embed/{CONFIG.generate.split}.parquet",
        train_features="<results>/embed/train.safetensors",
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
    threads: PLAN.threads("gap")
    resources:
        mem_mb=PLAN.memory("gap"),
        runtime=PLAN.minutes("gap"),
        gpu=PLAN.gpus("gap"),
    params:
        runs=[
            [
                name,
                training,
                PLAN.ablations[name]["at"],
                PLAN.ablations[name]["window_s"] / CONFIG.align.audio.window_s * CONFIG.generate.window_s,
            ]
            for name, training, *_ in GAP_RUNS
        ],
        shown=shown_losses(CONFIG),
        bootstrap=CONFIG.evaluate.bootstrap,
        code=PLAN.code("gap"),
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
    threads: PLAN.threads("fig06")
    resources:
        mem_mb=PLAN.memory("fig06"),
        runtime=PLAN.minutes("fig06"),
    params:
        code=PLAN.code("fig06"),
    script:
        "../workflow_scripts/fig06.py"


# A verdict on every claim: claims.csv, of target paper, has all, evidence.csv those of target evidence.
rule claims:
    input:
        unpack(PLAN.claimed),
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
    threads: PLAN.threads("claims")
    resources:
        mem_mb=PLAN.memory("claims"),
        runtime=PLAN.minutes("claims"),
    params:
        target=target_of,
        unmeasured=targets.unmeasured(CONFIG, SCALING),
        configuration=seedless_digest(CONFIG),
        dataset=CONFIG.name,
        evaluator=CONFIG.evaluate.evaluator,
        code=PLAN.code("claims"),
    script:
        "../workflow_scripts/claims.py"
