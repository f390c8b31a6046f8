# The audio-visual localisation model that finds the moment to learn from (paper 3.3); av_judge is an evaluator of the same
# nets, which learns from a split of its own.
rule localise:
    input:
        tars=expand("<results>/extract/{shard}.tar", shard=PLAN.pair_shards),
    output:
        expand("<results>/{{localise}}/{file}", file=TRAINED),
    log:
        "<logs>/{localise}.log",
    benchmark:
        "<benchmarks>/{localise}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads(lambda wildcards: wildcards.localise)
    resources:
        mem_mb=PLAN.memory(lambda wildcards: wildcards.localise),
        runtime=PLAN.minutes(lambda wildcards: wildcards.localise),
        gpu=PLAN.gpus("localise"),
    params:
        config=PLAN.trained_with(lambda wildcards: wildcards.localise),
        # Its own window is `localise.window_s`; how long alignment listens is no matter of its.
        audio=CONFIG.align.audio.model_dump(mode="json", exclude={"window_s"}),
        code=lambda wildcards: PLAN.code(wildcards.localise),
    script:
        "../workflow_scripts/localise.py"
