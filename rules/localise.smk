# The audio-visual localisation model that finds the moment to learn from (paper 3.3).
rule localise:
    input:
        tars=expand("<results>/extract/{shard}.tar", shard=PLAN.shards),
    output:
        expand("<results>/localise/{file}", file=TRAINED),
    log:
        "<logs>/localise.log",
    benchmark:
        "<benchmarks>/localise.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("localise")
    resources:
        mem_mb=PLAN.memory("localise"),
        runtime=PLAN.minutes("localise"),
        gpu=PLAN.gpus("localise"),
    params:
        config=PLAN.values("localise"),
        # Its own window is `localise.window_s`; how long alignment listens is no matter of its.
        audio=CONFIG.align.audio.model_dump(mode="json", exclude={"window_s"}),
        code=PLAN.code("localise"),
    script:
        "../workflow_scripts/localise.py"
