# One decode pass a video: its 16 kHz waveform and its frames, gathered in one tar a shard (paper 4.1).
rule extract:
    input:
        manifest="<results>/manifest/{shard}.parquet",
        fetched="<results>/fetch/{shard}.parquet",
    output:
        tar="<results>/extract/{shard}.tar",
        status="<results>/extract/{shard}.parquet",
    log:
        "<logs>/extract/{shard}.log",
    benchmark:
        "<benchmarks>/extract/{shard}.tsv"
    priority: pictures_first
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("extract")
    resources:
        mem_mb=PLAN.memory("extract"),
        runtime=PLAN.minutes("extract"),
    params:
        # Raising the limit must not make anew what went well: the script takes it from the configuration.
        config=PLAN.values("extract", "max_failed_share"),
        code=PLAN.code("extract"),
    script:
        "../workflow_scripts/extract.py"
