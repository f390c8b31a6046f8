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
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(memory("extract")),
        runtime=minutes("extract"),
    params:
        config=values("extract"),
        code=code_digest("s2v.data.extract"),
    script:
        "../workflow_scripts/extract.py"
