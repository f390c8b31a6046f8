# The moment of each clip that is paired with its sound: a score for every frame, the best, the middle (paper 3.3).
rule select:
    input:
        tar="<results>/extract/{shard}.tar",
        model=PLAN.unless_published("select", "<results>/localise/model.safetensors"),
        model_config=PLAN.unless_published("select", "<results>/localise/config.json"),
        manifest="<results>/manifest/{shard}.parquet" if PLAN.is_published("select") else [],
        moments=PLAN.moments,
    output:
        selection="<results>/select/{shard}.parquet",
        status=PLAN.unselected,
    log:
        "<logs>/select/{shard}.log",
    benchmark:
        "<benchmarks>/select/{shard}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("select")
    resources:
        mem_mb=PLAN.memory("select"),
        runtime=PLAN.minutes("select"),
        gpu=0 if PLAN.is_published("select") else PLAN.gpus("select"),
    params:
        config=PLAN.values("select"),
        code=PLAN.code("select"),
    script:
        "../workflow_scripts/select.py"
