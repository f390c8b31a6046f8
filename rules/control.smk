# How far sounds steer pictures (paper 5 and 6.1): sheets of pictures, and what of it is measured.
CONTROLS = {
    name: METHODS[method].parts
    for name, method in {
        "fig08": "sound2vision",
        "fig09": "sound2vision",
        "fig10": "sound2vision",
        "fig11": "sound2vision",
        "fig13": "sound2vision",
        "fig18": "sound2vision_ldm",
        "fig19": "sound2vision_ldm",
    }.items()
}


rule control_figure:
    input:
        packs=PLAN.packs(CONFIG.generate.split),
        models=lambda wildcards: [
            file for part in CONTROLS[wildcards.sheet].values() for file in trained(part)
        ],
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
        mem_mb=PLAN.memory(
            lambda wildcards: "generate_ldm" if "vae" in CONTROLS[wildcards.sheet] else "generate"
        ),
        runtime=PLAN.minutes("control_figure"),
        gpu=PLAN.gpus("control_figure"),
    params:
        method=lambda wildcards: "sound2vision_ldm" if "vae" in CONTROLS[wildcards.sheet] else "sound2vision",
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
            models=[file for part in METHODS["sound2vision"].parts.values() for file in trained(part)],
        output:
            csv="<results>/control.csv",
            quantities="<results>/claims/control.json",
        log:
            "<logs>/control.log",
        benchmark:
            "<benchmarks>/control.tsv"
        conda:
            "../envs/s2v.yaml"
        threads: PLAN.threads("control")
        resources:
            mem_mb=PLAN.memory("control"),
            runtime=PLAN.minutes("control"),
        params:
            world=CONFIG.data.world.model_dump(mode="json") if CONFIG.data.source == "world" else None,
            split=CONFIG.generate.split,
            judge_split=CONFIG.judge.split,
            window_s=CONFIG.generate.window_s,
            seed=CONFIG.generate.seeds[0],
            code=PLAN.code("control"),
        script:
            "../workflow_scripts/control.py"
