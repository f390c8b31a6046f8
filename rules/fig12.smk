# Pictures edited by a sound, by Lee et al. and by ours (paper 5.2, Fig. 12), and what is measured of them.
rule fig12:
    input:
        packs=PLAN.packs(CONFIG.generate.split),
        joint=trained("joint") if CONFIG.lee.generator == "run" else [],
        models=[file for part in METHODS["sound2vision"].parts.values() for file in trained(part)],
        judge=PLAN.judge,
    output:
        figure=report(
            "<results>/fig12.png",
            caption="../report/fig12.rst",
            category="Figures",
            labels={"of the paper": "Figure 12"},
        ),
        csv="<results>/fig12.csv",
        markdown="<results>/fig12.md",
        quantities="<results>/claims/fig12.json",
    log:
        "<logs>/fig12.log",
    benchmark:
        "<benchmarks>/fig12.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("fig12")
    resources:
        mem_mb=PLAN.memory("fig12"),
        runtime=PLAN.minutes("fig12"),
        gpu=PLAN.gpus("fig12"),
    params:
        config=PLAN.values("fig12"),
        world=CONFIG.data.world.model_dump(mode="json") if CONFIG.data.source == "world" else None,
        split=CONFIG.generate.split,
        window_s=CONFIG.generate.window_s,
        evaluator=CONFIG.evaluate.evaluator,
        prompt=CONFIG.evaluate.prompt,
        bootstrap=CONFIG.evaluate.bootstrap,
        dataset=CONFIG.name,
        deviations=fig12_deviations(CONFIG),
        code=PLAN.code("fig12"),
    script:
        "../workflow_scripts/fig12.py"
