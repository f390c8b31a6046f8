# How far sounds steer pictures (paper 5 and 6.1): sheets of pictures, and what of it is measured.
rule control_figure:
    input:
        packs=PLAN.packs(CONFIG.generate.split),
        models=PLAN.steering,
    output:
        figure=report(
            "<results>/{sheet}.png",
            caption="../report/control.rst",
            category="Figures",
            labels={"of the paper": "{sheet}"},
        ),
    log:
        "<logs>/{sheet}.log",
    benchmark:
        "<benchmarks>/{sheet}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("control_figure")
    resources:
        mem_mb=PLAN.memory(steered_size),
        runtime=PLAN.minutes("control_figure"),
        gpu=PLAN.gpus("control_figure"),
    params:
        method=steered_by,
        sampler=CONFIG.generate.ldm.model_dump(mode="json"),
        window_s=CONFIG.generate.window_s,
        seed=CONFIG.generate.seeds[0],
        code=PLAN.code("control_figure"),
    script:
        "../workflow_scripts/control_figure.py"


# What of it holds, for the claims. The judge's split, of which the size estimator learns, is the world's.
if PLAN.judge:

    rule control:
        input:
            packs=PLAN.packs(CONFIG.generate.split),
            judge_packs=PLAN.packs(CONFIG.judge.split),
            judge=trained("judge"),
            models=PLAN.steering,
        output:
            csv="<results>/{sheet}.csv",
            quantities="<results>/claims/{sheet}.json",
        log:
            "<logs>/{sheet}.log",
        benchmark:
            "<benchmarks>/{sheet}.tsv"
        wildcard_constraints:
            sheet="control|control_ldm",
        conda:
            "../envs/s2v.yaml"
        threads: PLAN.threads("control")
        resources:
            mem_mb=PLAN.memory(steered_size),
            runtime=PLAN.minutes("control"),
            gpu=PLAN.gpus("control"),
        params:
            method=steered_by,
            sampler=CONFIG.generate.ldm.model_dump(mode="json"),
            world=CONFIG.data.world.model_dump(mode="json") if CONFIG.data.source == "world" else None,
            split=CONFIG.generate.split,
            judge_split=CONFIG.judge.split,
            window_s=CONFIG.generate.window_s,
            seed=CONFIG.generate.seeds[0],
            code=PLAN.code("control"),
        script:
            "../workflow_scripts/control.py"
