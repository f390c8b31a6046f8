# Clips that show what a test clip shows: left out of the other splits. One job, since all shards are compared.
DUPLICATES = ["<results>/duplicates/{shard}.parquet"] if CONFIG.duplicates.max_distance is not None else []


rule duplicates:
    input:
        manifest=expand("<results>/manifest/{shard}.parquet", shard=SHARDS),
        extracted=expand("<results>/extract/{shard}.parquet", shard=SHARDS),
    output:
        shards=expand("<results>/duplicates/{shard}.parquet", shard=SHARDS),
    log:
        "<logs>/duplicates.log",
    benchmark:
        "<benchmarks>/duplicates.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(memory("duplicates")),
        runtime=growing(minutes("duplicates")),
    params:
        config=values("duplicates"),
        test_split=CONFIG.generate.split,
        code=code_digest("s2v.data.duplicates"),
    script:
        "../workflow_scripts/duplicates.py"
