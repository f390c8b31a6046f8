# Clips that show what a test clip shows: left out of the other splits. One job, since all shards are compared.
rule duplicates:
    input:
        manifest=expand("<results>/manifest/{shard}.parquet", shard=PLAN.shards),
        extracted=expand("<results>/extract/{shard}.parquet", shard=PLAN.shards),
    output:
        shards=expand("<results>/duplicates/{shard}.parquet", shard=PLAN.shards),
    log:
        "<logs>/duplicates.log",
    benchmark:
        "<benchmarks>/duplicates.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("duplicates")
    resources:
        mem_mb=PLAN.memory("duplicates"),
        runtime=PLAN.minutes("duplicates"),
    params:
        config=PLAN.values("duplicates"),
        test_split=CONFIG.generate.split,
        code=PLAN.code("duplicates"),
    script:
        "../workflow_scripts/duplicates.py"
