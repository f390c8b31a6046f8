# The moment of each clip that is paired with its sound: a score for every frame, the best, the middle (paper 3.3).
rule select:
    input:
        tar="<results>/extract/{shard}.tar",
        model="<results>/localise/model.safetensors",
        model_config="<results>/localise/config.json",
    output:
        selection="<results>/select/{shard}.parquet",
    log:
        "<logs>/select/{shard}.log",
    benchmark:
        "<benchmarks>/select/{shard}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
        gpu=GPU,
    params:
        config=values("select"),
        code=code_digest("s2v.data.select"),
    script:
        "../workflow_scripts/select.py"
