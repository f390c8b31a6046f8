# How far sounds steer pictures (paper 5 and 6.1): sheets of pictures, and what of it is measured.
CONTROLS = {
    name: NEEDS[method].parts
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
        packs=packs(CONFIG.generate.split),
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
    threads: 1
    resources:
        mem_mb=growing(
            lambda wildcards: memory("generate_ldm" if "vae" in CONTROLS[wildcards.sheet] else "generate")
        ),
        runtime=growing(60),
        gpu=GPU,
    params:
        method=lambda wildcards: "sound2vision_ldm" if "vae" in CONTROLS[wildcards.sheet] else "sound2vision",
        sampler=CONFIG.generate.ldm.model_dump(mode="json"),
        window_s=CONFIG.generate.window_s,
        seed=CONFIG.generate.seeds[0],
        code=code_digest("s2v.report.fig08_19"),
    script:
        "../workflow_scripts/control_figure.py"


# What of it holds, for the claims. The judge's split, of which the size estimator learns, is the world's.
if JUDGED:

    rule control:
        input:
            packs=packs(CONFIG.generate.split),
            judge_packs=packs(CONFIG.judge.split),
            judge=trained("judge"),
            models=[file for part in NEEDS["sound2vision"].parts.values() for file in trained(part)],
        output:
            csv="<results>/control.csv",
            quantities="<results>/claims/control.json",
        log:
            "<logs>/control.log",
        benchmark:
            "<benchmarks>/control.tsv"
        conda:
            "../envs/s2v.yaml"
        threads: 1
        resources:
            mem_mb=growing(memory("generate")),
            runtime=growing(120),
        params:
            world=CONFIG.data.world.model_dump(mode="json") if CONFIG.data.source == "world" else None,
            split=CONFIG.generate.split,
            judge_split=CONFIG.judge.split,
            window_s=CONFIG.generate.window_s,
            seed=CONFIG.generate.seeds[0],
            bootstrap=CONFIG.evaluate.bootstrap,
            code=code_digest("s2v.report.control"),
        script:
            "../workflow_scripts/control.py"
