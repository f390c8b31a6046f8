# The moment of each clip that is paired with its sound: a score for every frame, the best, the middle (paper 3.3).
PUBLISHED = CONFIG.select.mode == "published"
UNSELECTED = ["<results>/select/{shard}.status.parquet"] if PUBLISHED else []


rule select:
    input:
        tar="<results>/extract/{shard}.tar",
        model=[] if PUBLISHED else "<results>/localise/model.safetensors",
        model_config=[] if PUBLISHED else "<results>/localise/config.json",
        manifest="<results>/manifest/{shard}.parquet" if PUBLISHED else [],
        moments=CONFIG.select.moments if PUBLISHED else [],
    output:
        selection="<results>/select/{shard}.parquet",
        status=UNSELECTED,
    log:
        "<logs>/select/{shard}.log",
    benchmark:
        "<benchmarks>/select/{shard}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(memory("select")),
        runtime=growing(minutes("select")),
        gpu=0 if PUBLISHED else GPU,
    params:
        config=values("select"),
        code=code_digest("s2v.data.published" if PUBLISHED else "s2v.data.select"),
    script:
        "../workflow_scripts/select.py"
