# The audio-visual localisation model that finds the moment to learn from (paper 3.3).
rule localise:
    input:
        tars=expand("<results>/extract/{shard}.tar", shard=SHARDS),
    output:
        expand("<results>/localise/{file}", file=TRAINED),
    log:
        "<logs>/localise.log",
    benchmark:
        "<benchmarks>/localise.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(memory("localise")),
        runtime=minutes("localise"),
        gpu=GPUS,
    params:
        config=values("localise"),
        # Its own window is `localise.window_s`; how long alignment listens is no matter of its.
        audio=CONFIG.align.audio.model_dump(mode="json", exclude={"window_s"}),
        code=code_digest("s2v.train.localise"),
    script:
        "../workflow_scripts/localise.py"
